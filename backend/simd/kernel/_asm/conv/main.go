// Command conv generates the inner kernels of convolutions: tiles that end with bias, residual and ReLU while their sums are still
// in registers, and the weaving that packs pixels for them.
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
	for vectors := 1; vectors <= 2; vectors++ {
		for rows := 1; rows <= 6; rows++ {
			tile(lanes.AVX2, rows, vectors)
		}
		for rows := 1; rows <= 14; rows++ {
			tile(lanes.AVX512, rows, vectors)
		}
	}
	for _, s := range lanes.All {
		weave(s)
	}
	fence()
	Generate()
}

// unroll is how many steps of k one turn of the loop takes.
const unroll = 4

// tile is the matrix product's tile, for some panels in turn and with an end of its own: with sums as short as 64 steps, a second
// pass over each tile and a call for each panel would show. Panels have two vectors; of the last, the first may be enough.
func tile(s lanes.ISA, rows, vectors int) {
	columns := vectors * s.Lanes
	s.Text(fmt.Sprintf("conv%s%d", []string{"Half", "Tile"}[vectors-1], rows), "func(c *float32, ldc int, a, b *float32, k, panels, step int, bias, residual *float32, ldr int, ahead *float32, pace int, floor float32, more, stream bool)",
		fmt.Sprintf("c[%d][%d] = max(floor, a[k][%d]ᵀ·b[k][%d] + c + bias + residual) for each of some panels of b, step values apart; c counts if more, bias and residual if not nil. "+
			"If stream, c is a whole number of vectors from 0 in all its rows and goes past the caches. It prefetches from ahead, pace bytes in %d steps of k.",
			rows, columns, rows, columns, unroll))
	c, ldc, residual, ldr, bias, panels := lanes.Arg("c"), lanes.Arg("ldc"), lanes.Arg("residual"), lanes.Arg("ldr"), lanes.Arg("bias"), lanes.Arg("panels")
	SHLQ(Imm(2), ldc)
	SHLQ(Imm(2), ldr)
	b, ahead, pace := lanes.Arg("b"), lanes.Arg("ahead"), lanes.Arg("pace")
	stream := GP8L()
	Label("panel")
	a, k := lanes.Arg("a"), lanes.Arg("k")

	// each goes over the rows of a matrix; row walks.
	each := func(start, ld reg.GPVirtual, do func(r int, row reg.GPVirtual)) {
		row := lanes.Clone(start)
		for r := range rows {
			do(r, row)
			if r < rows-1 {
				ADDQ(ld, row)
			}
		}
	}
	// The rows of c and residual will be wanted when the sums are done.
	prefetch := func(_ int, row reg.GPVirtual) {
		for line := 0; line < vectors*s.Bytes(); line += 64 {
			PREFETCHT0(Mem{Base: row, Disp: line})
		}
	}
	Load(Param("stream"), stream)
	TESTB(stream, stream)
	JNZ(LabelRef("streams"))
	each(c, ldc, prefetch)
	Label("streams")
	lanes.IfThere(residual, func() { each(residual, ldr, prefetch) })
	sum := s.Zeros(vectors * rows)

	p := lanes.Clone(b)
	steps := func(n int) {
		for i := range n {
			w := s.Regs(vectors)
			for j := range w {
				VMOVUPS(Mem{Base: p, Disp: (2*i + j) * s.Bytes()}, w[j])
			}
			for r := range rows {
				x := s.Reg()
				VBROADCASTSS(Mem{Base: a, Disp: 4 * (i*rows + r)}, x)
				for j := range w {
					VFMADD231PS(w[j], x, sum[vectors*r+j])
				}
			}
		}
		ADDQ(U32(4*n*rows), a)
		ADDQ(U32(2*n*s.Bytes()), p)
	}
	SUBQ(Imm(unroll), k)
	JL(LabelRef("rest"))
	Label("loop")
	for line := range 2 {
		PREFETCHT1(Mem{Base: ahead, Disp: 64 * line})
	}
	ADDQ(pace, ahead)
	steps(unroll)
	SUBQ(Imm(unroll), k)
	JGE(LabelRef("loop"))
	Label("rest")
	ADDQ(Imm(unroll), k)
	JZ(LabelRef("end"))
	Label("single")
	steps(1)
	DECQ(k)
	JNZ(LabelRef("single"))

	Label("end")
	add := func(r int, row reg.GPVirtual) {
		for j := range vectors {
			VADDPS(Mem{Base: row, Disp: j * s.Bytes()}, sum[vectors*r+j], sum[vectors*r+j])
		}
	}
	more := GP8L()
	Load(Param("more"), more)
	TESTB(more, more)
	JZ(LabelRef("first"))
	each(c, ldc, add)
	Label("first")
	lanes.IfThere(bias, func() {
		for j := range vectors {
			v := s.Reg()
			VMOVUPS(Mem{Base: bias, Disp: j * s.Bytes()}, v)
			for r := range rows {
				VADDPS(v, sum[vectors*r+j], sum[vectors*r+j])
			}
		}
		ADDQ(U32(vectors*s.Bytes()), bias)
	})
	lanes.IfThere(residual, func() {
		each(residual, ldr, add)
		ADDQ(U32(vectors*s.Bytes()), residual)
	})
	floor := s.Broadcast("floor")
	for _, v := range sum {
		VMAXPS(v, floor, v) // of a NaN, the NaN
	}
	store := func(move func(reg.VecVirtual, Mem)) {
		each(c, ldc, func(r int, row reg.GPVirtual) {
			for j := range vectors {
				move(sum[vectors*r+j], Mem{Base: row, Disp: j * s.Bytes()})
			}
		})
	}
	Load(Param("stream"), stream)
	TESTB(stream, stream)
	JNZ(LabelRef("past"))
	store(func(v reg.VecVirtual, m Mem) { VMOVUPS(v, m) })
	JMP(LabelRef("stored"))
	Label("past")
	store(func(v reg.VecVirtual, m Mem) { VMOVNTPS(v, m) })
	Label("stored")
	ADDQ(U32(vectors*s.Bytes()), c)
	step := lanes.Arg("step")
	LEAQ(Mem{Base: b, Index: step, Scale: 4}, b)
	DECQ(panels)
	JNZ(LabelRef("panel"))
	lanes.End()
}

// fence orders what went past the caches before what comes after.
func fence() {
	TEXT("storeFence", attr.NOSPLIT, "func()")
	Doc("storeFence waits until what went past the caches is there for others.")
	SFENCE()
	RET()
}

// weave reads as many rows as a vector has lanes and turns them into columns. Each column is stored as a whole vector: what it has
// beyond the tile's rows is written over by the next.
func weave(s lanes.ISA) {
	s.Text("weave", "func(dst *float32, stride int, row **float32, offset, n int)",
		fmt.Sprintf("dst[p*stride+r] = row[r][offset+p] for r < stride ≤ %d, p < n; it reads %d rows and writes up to %d values beyond the last.", s.Lanes, s.Lanes, s.Lanes))
	dst, stride, row, at, n := lanes.Arg("dst"), lanes.Arg("stride"), lanes.Arg("row"), lanes.Arg("offset"), lanes.Arg("n")
	SHLQ(Imm(2), stride)
	SHLQ(Imm(2), at)
	s.Each(n, 1, []reg.GPVirtual{at}, func(access lanes.Access, _ int) {
		x := s.Regs(s.Lanes)
		for r := range x {
			start := GP64()
			MOVQ(Mem{Base: row, Disp: 8 * r}, start)
			ADDQ(at, start)
			x[r] = access.Load(start)
		}
		columns(s, x)
		store := func(v reg.VecVirtual) {
			VMOVUPS(v, Mem{Base: dst})
			ADDQ(stride, dst)
		}
		if access.Whole() {
			for _, v := range x {
				store(v)
			}
			return
		}
		for i, v := range x[:len(x)-1] { // the last cannot be among them
			store(v)
			if i < len(x)-2 {
				DECQ(n)
				JZ(LabelRef("end"))
			}
		}
	})
	Label("end")
	lanes.End()
}

// columns transposes a square of values.
func columns(s lanes.ISA, x []reg.VecVirtual) {
	pair := func(low, high func(...Op), i, j int) {
		l, h := s.Reg(), s.Reg()
		low(x[j], x[i], l)
		high(x[j], x[i], h)
		x[i], x[j] = l, h
	}
	for i := 0; i < len(x); i += 2 {
		pair(VUNPCKLPS, VUNPCKHPS, i, i+1)
	}
	for i := 0; i < len(x); i += 4 {
		pair(VUNPCKLPD, VUNPCKHPD, i, i+2)
		pair(VUNPCKLPD, VUNPCKHPD, i+1, i+3)
		x[i+1], x[i+2] = x[i+2], x[i+1]
	}
	// Lane l of x[4g+j] now has rows 4g to 4g+3 of column 4l+j.
	if !s.Wide() {
		half := func(i Op) func(...Op) {
			return func(o ...Op) { VPERM2F128(i, o[0], o[1], o[2]) }
		}
		for j := range 4 {
			pair(half(Imm(0x20)), half(Imm(0x31)), j, j+4)
		}
		return
	}
	even := func(o ...Op) { VSHUFF32X4(append([]Op{Imm(0x88)}, o...)...) }
	odd := func(o ...Op) { VSHUFF32X4(append([]Op{Imm(0xdd)}, o...)...) }
	for j := range 4 {
		pair(even, odd, j, j+4)
		pair(even, odd, j+8, j+12)
		pair(even, odd, j, j+8)
		pair(even, odd, j+4, j+12)
	}
}
