package lanes

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// An Access reads and writes one vector of each stream of a loop, whole or cut short by a mask.
type Access struct {
	s     ISA
	bytes int          // from the streams' pointers
	mask  reg.Register // nil for a whole vector
}

// Load is the vector at p. Lanes past the end are 0.
func (a Access) Load(p reg.Register) reg.VecVirtual {
	v := a.s.Reg()
	mem := Mem{Base: p, Disp: a.bytes}
	switch {
	case a.mask == nil:
		VMOVUPS(mem, v)
	case a.s.Wide():
		VMOVUPS_Z(mem, a.mask, v)
	default:
		VMASKMOVPS(mem, a.mask, v)
	}
	return v
}

// Store writes the vector to p.
func (a Access) Store(v reg.VecVirtual, p reg.Register) {
	mem := Mem{Base: p, Disp: a.bytes}
	switch {
	case a.mask == nil:
		VMOVUPS(v, mem)
	case a.s.Wide():
		VMOVUPS(v, a.mask, mem)
	default:
		VMASKMOVPS(v, a.mask, mem)
	}
}

// Fill replaces the lanes past the end by those of with.
func (a Access) Fill(v, with reg.VecVirtual) {
	switch {
	case a.mask == nil:
	case a.s.Wide():
		VBLENDMPS(v, with, a.mask, v)
	default:
		VBLENDVPS(a.mask, v, with, v)
	}
}

// First is access to the first n lanes, 0 < n < Lanes.
func (s ISA) First(n reg.GPVirtual) Access { return Access{s, 0, s.TailMask(n)} }

var loops int

// NewLabel is a label that no other loop of the function has.
func NewLabel(name string) string {
	loops++
	return fmt.Sprintf("%s%d", name, loops)
}

// Each goes over n values, a vector at a time; body is given each vector's place, and its turn modulo unroll, so that
// it can spread a sum over several registers. It advances the pointers and uses n up.
func (s ISA) Each(n reg.GPVirtual, unroll int, pointers []reg.GPVirtual, body func(at Access, turn int)) {
	if unroll > 1 {
		s.whole(n, unroll, pointers, body)
	}
	s.whole(n, 1, pointers, body)
	done := NewLabel("done")
	TESTQ(n, n)
	JZ(LabelRef(done))
	body(Access{s, 0, s.TailMask(n)}, 0)
	Label(done)
}

// whole goes over as many blocks of unroll vectors as there are.
func (s ISA) whole(n reg.GPVirtual, unroll int, pointers []reg.GPVirtual, body func(at Access, turn int)) {
	loop, rest := NewLabel("loop"), NewLabel("rest")
	SUBQ(U32(unroll*s.Lanes), n)
	JL(LabelRef(rest))
	Label(loop)
	for turn := range unroll {
		body(Access{s, turn * s.Bytes(), nil}, turn)
	}
	for _, p := range pointers {
		ADDQ(U32(unroll*s.Bytes()), p)
	}
	SUBQ(U32(unroll*s.Lanes), n)
	JGE(LabelRef(loop))
	Label(rest)
	ADDQ(U32(unroll*s.Lanes), n)
}

var masks Mem

// TailMask selects the first n lanes, 0 < n < Lanes.
func (s ISA) TailMask(n reg.GPVirtual) reg.Register {
	if s.Wide() {
		bits := GP32()
		MOVL(U32(0xffff), bits)
		BZHIL(n.As32(), bits, bits)
		k := K()
		KMOVW(bits, k)
		return k
	}
	if masks.Symbol.Name == "" {
		words := make([]uint32, 16)
		for i := range 8 {
			words[i] = 0xffffffff
		}
		masks = Static("firstlanes", words)
	}
	p := GP64()
	LEAQ(masks, p)
	shift := GP64()
	MOVQ(n, shift)
	NEGQ(shift)
	v := YMM()
	VMOVUPS(Mem{Base: p, Disp: 32, Index: shift, Scale: 4}, v)
	return v
}

// Reduce folds the vectors into the first lane of the first, with op of three operands.
func (s ISA) Reduce(op func(...Op), v []reg.VecVirtual) reg.Register {
	for n := len(v) / 2; n > 0; n /= 2 {
		for i := range n {
			op(v[i+n], v[i], v[i])
		}
	}
	y := v[0].AsY()
	high := YMM()
	if s.Wide() {
		VEXTRACTF64X4(Imm(1), v[0], high)
		op(high, y, y)
	}
	x, h := v[0].AsX(), high.AsX()
	VEXTRACTF128(Imm(1), y, h)
	op(h, x, x)
	VMOVHLPS(x, x, h)
	op(h, x, x)
	VMOVSHDUP(x, h)
	op(h, x, x)
	return x
}

// Whole reports whether it is to a whole vector.
func (a Access) Whole() bool { return a.mask == nil }
