// Command pack generates what packing is made of.
package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/lanes"
)

func main() {
	ConstraintExpr("!purego")
	interleave()
	for _, s := range lanes.All {
		narrow(s)
	}
	prefetch()
	Generate()
}

// prefetch asks for cache lines.
func prefetch() {
	TEXT("prefetchAMD64", attr.NOSPLIT, "func(x *float32, lines int)")
	Pragma("noescape")
	Doc("prefetchAMD64 asks for lines > 0 cache lines from x on.")
	x := Load(Param("x"), GP64())
	lines := Load(Param("lines"), GP64())
	Label("line")
	PREFETCHT0(Mem{Base: x})
	ADDQ(Imm(64), x)
	DECQ(lines)
	JNZ(LabelRef("line"))
	RET()
}

// narrow copies a few columns of a matrix, fewer than a register holds.
func narrow(s lanes.ISA) {
	s.Text("narrow", "func(dst, x *float32, ldx, columns, k int)", "dst[p*columns+c] = x[p*ldx+c] for c < columns, p < k; 0 < columns < lanes of a register, k > 0.")
	dst, x, ldx, columns, k := lanes.Arg("dst"), lanes.Arg("x"), lanes.Arg("ldx"), lanes.Arg("columns"), lanes.Arg("k")
	first := s.First(columns)
	SHLQ(Imm(2), ldx)
	SHLQ(Imm(2), columns)
	Label("row")
	first.Store(first.Load(x), dst)
	ADDQ(ldx, x)
	ADDQ(columns, dst)
	DECQ(k)
	JNZ(LabelRef("row"))
	lanes.End()
}

// interleave turns four rows into columns, blocks of 4×4 at a time. Wider blocks would gain nothing that matters: at a third
// of a cycle for a value, packing is a few parts in a hundred of a product.
func interleave() {
	TEXT("interleave4AVX", attr.NOSPLIT, "func(dst *float32, stride int, x *float32, ldx, k int)")
	Pragma("noescape")
	Doc("interleave4AVX is dst[p*stride+r] = x[r*ldx+p] for r < 4, p < k.")
	dst := Load(Param("dst"), GP64())
	stride := Load(Param("stride"), GP64())
	x := Load(Param("x"), GP64())
	ldx := Load(Param("ldx"), GP64())
	k := Load(Param("k"), GP64())
	SHLQ(Imm(2), stride)
	SHLQ(Imm(2), ldx)
	ldx3 := GP64()
	LEAQ(Mem{Base: ldx, Index: ldx, Scale: 2}, ldx3)
	row := []Mem{
		{Base: x},
		{Base: x, Index: ldx, Scale: 1},
		{Base: x, Index: ldx, Scale: 2},
		{Base: x, Index: ldx3, Scale: 1},
	}

	SUBQ(Imm(4), k)
	JL(LabelRef("rest"))
	Label("loop")
	a, t, y := regs(4), regs(4), regs(4)
	for r := range a {
		VMOVUPS(row[r], a[r])
	}
	VUNPCKLPS(a[1], a[0], t[0])
	VUNPCKLPS(a[3], a[2], t[1])
	VUNPCKHPS(a[1], a[0], t[2])
	VUNPCKHPS(a[3], a[2], t[3])
	VUNPCKLPD(t[1], t[0], y[0])
	VUNPCKHPD(t[1], t[0], y[1])
	VUNPCKLPD(t[3], t[2], y[2])
	VUNPCKHPD(t[3], t[2], y[3])
	for _, v := range y {
		VMOVUPS(v, Mem{Base: dst})
		ADDQ(stride, dst)
	}
	ADDQ(Imm(16), x)
	SUBQ(Imm(4), k)
	JGE(LabelRef("loop"))
	Label("rest")
	ADDQ(Imm(4), k)
	JZ(LabelRef("done"))
	Label("single")
	for r := range a {
		VMOVSS(row[r], a[r])
	}
	for r := range a {
		VMOVSS(a[r], Mem{Base: dst, Disp: 4 * r})
	}
	ADDQ(stride, dst)
	ADDQ(Imm(4), x)
	DECQ(k)
	JNZ(LabelRef("single"))
	Label("done")
	RET()
}

func regs(n int) []reg.VecVirtual {
	v := make([]reg.VecVirtual, n)
	for i := range v {
		v[i] = XMM()
	}
	return v
}
