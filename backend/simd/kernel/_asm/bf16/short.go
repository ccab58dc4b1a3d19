package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/lanes"
)

// Numbers of bfloat16 as they lie in memory, 16 bits each. These functions go over matrices, and over whole vectors of their columns: what
// columns are left is the caller's.

// A stream is a matrix that is gone through: where its row begins, and the distance to the next, in numbers of so many bytes.
type stream struct {
	row, ld reg.GPVirtual
	bytes   int
}

// matrix goes over the rows and columns of streams; body is given where each stream stands, for one vector of columns.
func matrix(s lanes.ISA, rows, columns reg.GPVirtual, streams []stream, body func(at []reg.GPVirtual)) {
	row, loop := lanes.NewLabel("row"), lanes.NewLabel("loop")
	for _, m := range streams {
		if m.bytes == 2 {
			ADDQ(m.ld, m.ld)
		} else {
			SHLQ(Imm(2), m.ld)
		}
	}
	Label(row)
	left := lanes.Clone(columns)
	var at []reg.GPVirtual
	for _, m := range streams {
		at = append(at, lanes.Clone(m.row))
	}
	Label(loop)
	body(at)
	for i, m := range streams {
		ADDQ(U32(m.bytes*s.Lanes), at[i])
	}
	SUBQ(U32(s.Lanes), left)
	JNZ(LabelRef(loop))
	for _, m := range streams {
		ADDQ(m.ld, m.row)
	}
	DECQ(rows)
	JNZ(LabelRef(row))
	lanes.End()
}

// loadShort is a vector of 16-bit numbers in the lower halves of the lanes.
func loadShort(s lanes.ISA, p reg.GPVirtual) reg.VecVirtual {
	v := s.Reg()
	VPMOVZXWD(Mem{Base: p}, v)
	return v
}

// widen is from bfloat16 to float32.
func widen(s lanes.ISA) {
	s.Text("widen", "func(dst *float32, ldd int, x *uint16, ldx, rows, columns int)",
		fmt.Sprintf("dst[r*ldd+c] = the bfloat16 number x[r*ldx+c], for r < rows, c < columns, which are a multiple of %d; neither is 0.", s.Lanes))
	streams := []stream{{lanes.Arg("dst"), lanes.Arg("ldd"), 4}, {lanes.Arg("x"), lanes.Arg("ldx"), 2}}
	matrix(s, lanes.Arg("rows"), lanes.Arg("columns"), streams, func(at []reg.GPVirtual) {
		v := loadShort(s, at[1])
		VPSLLD(Imm(16), v, v)
		VMOVUPS(v, Mem{Base: at[0]})
	})
}

// shorten is from float32 to bfloat16.
func shorten(s lanes.ISA) {
	s.Text("shorten", "func(dst *uint16, ldd int, x *float32, ldx, rows, columns int)",
		fmt.Sprintf("dst[r*ldd+c] = x[r*ldx+c] as bfloat16, normal or not, for r < rows, c < columns, which are a multiple of %d; neither is 0.", s.Lanes))
	streams := []stream{{lanes.Arg("dst"), lanes.Arg("ldd"), 2}, {lanes.Arg("x"), lanes.Arg("ldx"), 4}}
	matrix(s, lanes.Arg("rows"), lanes.Arg("columns"), streams, func(at []reg.GPVirtual) {
		v := s.Reg()
		VMOVUPS(Mem{Base: at[1]}, v)
		v = s.NearestBF16(v)
		VPSRLD(Imm(16), v, v)
		if s.Wide() {
			VPMOVDW(v, Mem{Base: at[0]})
			return
		}
		VPACKUSDW(v, v, v)
		VPERMQ(Imm(0x08), v, v) // the lower halves of both lanes
		VMOVUPS(v.AsX(), Mem{Base: at[0]})
	})
}

// zipShort packs rows two by two, column by column.
func zipShort(s lanes.ISA) {
	zipOf(s, "zipShort", "uint16", 2, func(even, odd reg.GPVirtual) reg.VecVirtual {
		low, high := loadShort(s, even), loadShort(s, odd)
		VPSLLD(Imm(16), high, high)
		VORPS(low, high, high)
		return keepNormal(s, high)
	})
}

// zip is zipShort of float32 numbers, which are rounded.
func zip(s lanes.ISA) {
	zipOf(s, "zip", "float32", 4, func(even, odd reg.GPVirtual) reg.VecVirtual {
		low, high := s.Reg(), s.Reg()
		VMOVUPS(Mem{Base: even}, low)
		VMOVUPS(Mem{Base: odd}, high)
		low, high = s.RoundBF16(low), s.RoundBF16(high)
		VPSRLD(Imm(16), low, low)
		s.And(s.Bits(0xffff0000), high, high)
		VORPS(low, high, high)
		return high
	})
}

// zipOf packs rows of numbers of so many bytes; pairs makes a vector of pairs of two rows.
func zipOf(s lanes.ISA, name, kind string, bytes int, pairs func(even, odd reg.GPVirtual) reg.VecVirtual) {
	s.Text(name, fmt.Sprintf("func(dst *float32, ldd int, x *%s, ldx, rows, columns int)", kind),
		fmt.Sprintf("dst[p*ldd+c] = the pair x[2p*ldx+c], x[(2p+1)*ldx+c] as bfloat16, 0 where not normal, for p < rows, c < columns, a multiple of %d; neither is 0.", s.Lanes))
	x, ldx := lanes.Arg("x"), lanes.Arg("ldx")
	odd, two := GP64(), GP64()
	LEAQ(Mem{Base: x, Index: ldx, Scale: uint8(bytes)}, odd)
	LEAQ(Mem{Base: ldx, Index: ldx, Scale: 1}, two)
	streams := []stream{{lanes.Arg("dst"), lanes.Arg("ldd"), 4}, {x, two, bytes}, {odd, lanes.Clone(two), bytes}}
	matrix(s, lanes.Arg("rows"), lanes.Arg("columns"), streams, func(at []reg.GPVirtual) {
		for i, m := range streams[1:] {
			PREFETCHT0(Mem{Base: at[i+1], Index: m.ld, Scale: 8}) // rows lie too far apart for the hardware to see what comes next
		}
		VMOVUPS(pairs(at[1], at[2]), Mem{Base: at[0]})
	})
}

// normal makes the numbers of pairs 0 that are not normal.
func normal(s lanes.ISA) {
	s.Text("normal", "func(x *float32, n int)", "x = x, n > 0 pairs of bfloat16 numbers, with those 0 that are not normal.")
	x, n := lanes.Arg("x"), lanes.Arg("n")
	s.Each(n, 1, []reg.GPVirtual{x}, func(at lanes.Access, _ int) { at.Store(keepNormal(s, at.Load(x)), x) })
	lanes.End()
}

// keepNormal leaves only the signs of 16-bit numbers that are not normal.
func keepNormal(s lanes.ISA, v reg.VecVirtual) reg.VecVirtual {
	small := s.Reg()
	s.And(s.Bits(0x7f807f80), v, small)
	if s.Wide() {
		k := K()
		VPTESTNMW(small, small, k)
		VPMOVM2W(k, small)
	} else {
		VPCMPEQW(s.Zeros(1)[0], small, small)
	}
	s.And(s.Bits(0x7fff7fff), small, small)
	if s.Wide() {
		VPANDND(v, small, v)
	} else {
		VPANDN(v, small, v)
	}
	return v
}
