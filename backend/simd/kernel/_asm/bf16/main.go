// Command bf16 generates what products of bfloat16 numbers are made of: tiles whose words are pairs along k, the even number
// in the low half, and the rounding and pairing that packs them.
package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/lanes"
)

func main() {
	ConstraintExpr("!purego")
	for rows := 1; rows <= 6; rows++ { // 12 sums, 2 vectors of weights, 1 of the left side: 15 of 16 registers
		widened(lanes.AVX2, rows)
	}
	for rows := 1; rows <= 14; rows++ { // 28 sums, 2 and 1: 31 of 32
		widened(lanes.AVX512, rows)
		paired(rows)
	}
	for _, s := range lanes.All {
		pairs(s, "pairs", rounded)
		zip(s)
		round(s)
		nearest(s)
		widen(s)
		shorten(s)
		zipShort(s)
		normal(s)
	}
	pairs(lanes.AVX512, "pairsBF16", converted)
	row()
	lanes.AVX512.Peak("peakBF16", 32, func(x, sum reg.VecVirtual) { lanes.VDPBF16PS(x, x, sum) })
	vendor()
	Generate()
}

// paired is a tile with the instruction for it.
func paired(rows int) {
	s := lanes.AVX512
	text(s, "bf16Tile", rows, "pairs of bfloat16")
	t := s.Start(rows, 1)
	end(t, t.BF16)
}

// widened is a tile in float32 arithmetic.
func widened(s lanes.ISA, rows int) {
	text(s, "bf16Wide", rows, "pairs of bfloat16 in b, float32 in a, the even number first,")
	t := s.Start(rows, 2)
	end(t, t.BF16Wide)
}

func text(s lanes.ISA, name string, rows int, words string) {
	s.Text(fmt.Sprintf("%s%d", name, rows), lanes.Signature+")",
		fmt.Sprintf("c[%d][%d] (+)= a[k][%d]ᵀ·b[k][%d] of %s, rows of c ldc apart; it adds if more. "+
			"It prefetches from ahead bytes in front of b, pace bytes in 4 steps of k.",
			rows, 2*s.Lanes, rows, 2*s.Lanes, words))
}

func end(t *lanes.Tile, step func(i int)) {
	t.Zero()
	t.Loop(step, PREFETCHT1)
	t.AddIfMore(VADDPS)
	t.Store()
}

// pairs packs four rows of float32 numbers; narrow makes vectors of them whose lanes of 128 bits have a pair of each row.
func pairs(s lanes.ISA, name string, narrow func(s lanes.ISA, x []reg.VecVirtual) (columns []reg.VecVirtual, order []int)) {
	s.Text(name, "func(dst *float32, stride int, x *float32, ldx, k int)",
		"dst[p*stride+r] = the numbers x[r*ldx+2p] and x[r*ldx+2p+1] as bfloat16, for r < 4, 2p < k; k > 0. Beyond k are zeros.")
	dst, stride, x, ldx, k := lanes.Arg("dst"), lanes.Arg("stride"), lanes.Arg("x"), lanes.Arg("ldx"), lanes.Arg("k")
	SHLQ(Imm(2), stride)
	SHLQ(Imm(2), ldx)
	row := []reg.GPVirtual{x}
	for r := range 3 {
		next := lanes.Clone(row[r])
		ADDQ(ldx, next)
		row = append(row, next)
	}
	s.Each(k, 1, row, func(at lanes.Access, _ int) {
		v := make([]reg.VecVirtual, 4)
		for r := range v {
			v[r] = at.Load(row[r])
		}
		columns, order := narrow(s, v)
		stored := lanes.NewLabel("stored")
		for i, place := range order {
			lanesOf := s.Lanes / 4
			s.StoreLane(columns[place/lanesOf], place%lanesOf, dst)
			ADDQ(stride, dst)
			if !at.Whole() && i < len(order)-1 {
				SUBQ(Imm(2), k)
				JLE(LabelRef(stored))
			}
		}
		if !at.Whole() {
			Label(stored)
		}
	})
	lanes.End()
}

// rounded narrows without the instruction. Of each lane of four numbers come two pairs.
func rounded(s lanes.ISA, x []reg.VecVirtual) (columns []reg.VecVirtual, order []int) {
	for r := range x {
		x[r] = s.RoundBF16(x[r])
		VPSRLD(Imm(16), x[r], x[r])
	}
	VPACKUSDW(x[1], x[0], x[0])
	VPACKUSDW(x[3], x[2], x[2])
	even, odd := s.Reg(), s.Reg()
	VSHUFPS(Imm(0x88), x[2], x[0], even)
	VSHUFPS(Imm(0xdd), x[2], x[0], odd)
	for lane := range s.Lanes / 4 {
		order = append(order, lane, s.Lanes/4+lane)
	}
	return []reg.VecVirtual{even, odd}, order
}

// converted narrows with the instruction, which takes two rows.
func converted(s lanes.ISA, x []reg.VecVirtual) (columns []reg.VecVirtual, order []int) {
	lanes.VCVTNE2PS2BF16(x[0], x[1], x[0])
	lanes.VCVTNE2PS2BF16(x[2], x[3], x[2])
	for half := range 2 {
		v := s.Reg()
		VMOVAPS(x[0], v)
		var pick []uint32 // of the 32 pairs of both
		for p := range 4 {
			for r := range 4 {
				pick = append(pick, uint32(8*r+4*half+p))
			}
		}
		index := s.Reg()
		VMOVUPS(lanes.Static(fmt.Sprintf("pick%d", half), pick), index)
		VPERMT2D(x[2], index, v)
		columns = append(columns, v)
	}
	return columns, []int{0, 1, 2, 3, 4, 5, 6, 7}
}

// row rounds numbers to pairs of neighbours.
func row() {
	s := lanes.AVX512
	s.Text("rowBF16", "func(dst, x *float32, n int)", "dst[i] = the numbers x[2i] and x[2i+1] as bfloat16, for n > 0 numbers, a multiple of 32.")
	dst, x, n := lanes.Arg("dst"), lanes.Arg("x"), lanes.Arg("n")
	Label("loop")
	low, high := s.Reg(), s.Reg()
	VMOVUPS(Mem{Base: x}, low)
	VMOVUPS(Mem{Base: x, Disp: s.Bytes()}, high)
	lanes.VCVTNE2PS2BF16(low, high, low)
	VMOVUPS(low, Mem{Base: dst})
	ADDQ(U32(2*s.Bytes()), x)
	ADDQ(Imm(uint64(s.Bytes())), dst)
	SUBQ(U32(2*s.Lanes), n)
	JNZ(LabelRef("loop"))
	lanes.End()
}

// vendor tells makers of CPUs apart.
func vendor() {
	TEXT("vendor", attr.NOSPLIT, "func() uint32")
	Doc("vendor is the first four letters of the name of the CPU's maker.")
	XORL(reg.EAX, reg.EAX)
	XORL(reg.ECX, reg.ECX)
	CPUID()
	Store(reg.EBX, ReturnIndex(0))
	RET()
}

// round rounds numbers that stay float32.
func round(s lanes.ISA) {
	s.Text("round", "func(x *float32, n int)", "x = x as bfloat16, in float32, of n > 0 values.")
	x, n := lanes.Arg("x"), lanes.Arg("n")
	s.Each(n, 1, []reg.GPVirtual{x}, func(at lanes.Access, _ int) {
		v := s.RoundBF16(at.Load(x))
		s.And(s.Bits(0xffff0000), v, v)
		at.Store(v, x)
	})
	lanes.End()
}

// nearest is round that keeps what is not normal.
func nearest(s lanes.ISA) {
	s.Text("nearest", "func(x *float32, n int)", "x = x as bfloat16, in float32, of n > 0 values, also of those that are not normal.")
	x, n := lanes.Arg("x"), lanes.Arg("n")
	s.Each(n, 1, []reg.GPVirtual{x}, func(at lanes.Access, _ int) {
		v := s.NearestBF16(at.Load(x))
		s.And(s.Bits(0xffff0000), v, v)
		at.Store(v, x)
	})
	lanes.End()
}
