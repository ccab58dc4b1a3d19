// Package lanes lets one generator speak to both vector widths: eight float32 lanes of AVX2 and sixteen of
// AVX-512. Most instructions have one name for both; what differs is here.
package lanes

import (
	"fmt"
	"math"
	"slices"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// An ISA is a vector width.
type ISA struct {
	Suffix string // of function names
	Lanes  int    // float32 values in a register
}

// The widths that there are kernels for.
var (
	AVX2   = ISA{"AVX2", 8}
	AVX512 = ISA{"AVX512", 16}
	All    = []ISA{AVX2, AVX512}
)

// Wide reports whether registers are 512 bits and masks have registers of their own.
func (s ISA) Wide() bool { return s.Lanes == 16 }

// Bytes is the size of a register.
func (s ISA) Bytes() int { return 4 * s.Lanes }

// Reg is a new register.
func (s ISA) Reg() reg.VecVirtual {
	if s.Wide() {
		return ZMM()
	}
	return YMM()
}

// Regs are n new registers.
func (s ISA) Regs(n int) []reg.VecVirtual {
	regs := make([]reg.VecVirtual, n)
	for i := range regs {
		regs[i] = s.Reg()
	}
	return regs
}

// Zero clears a register.
func (s ISA) Zero(v reg.VecVirtual) {
	if s.Wide() {
		VPXORD(v, v, v) // VXORPS of this width would ask for AVX512DQ
		return
	}
	VXORPS(v, v, v)
}

// A Const is a value in every lane, kept in memory.
type Const struct{ mem Mem }

// Const is the value in every lane.
func (s ISA) Const(value float64) Const { return s.Bits(math.Float32bits(float32(value))) }

// Bits is the pattern in every lane.
func (s ISA) Bits(pattern uint32) Const { return Const{replicated(pattern)} }

// Load is the constant in a register.
func (s ISA) Load(c Const) reg.VecVirtual {
	v := s.Reg()
	VBROADCASTSS(c.mem, v)
	return v
}

// With emits an instruction whose first operand is a constant: AVX2 reads all lanes from memory, AVX-512 one, which
// cannot straddle a cache line.
func (s ISA) With(c Const, whole, broadcast func(...Op), rest ...Op) {
	if s.Wide() {
		broadcast(append([]Op{c.mem}, rest...)...)
		return
	}
	whole(append([]Op{c.mem}, rest...)...)
}

// Horner is c[0] + c[1]·x + c[2]·x² + …
func (s ISA) Horner(x Op, c ...float64) reg.VecVirtual {
	y := s.Load(s.Const(c[len(c)-1]))
	for i := len(c) - 2; i >= 0; i-- {
		s.With(s.Const(c[i]), VFMADD213PS, VFMADD213PS_BCST, x, y)
	}
	return y
}

// statics are the constants of this file so far.
var statics = map[string]Mem{}

// replicated is eight copies of a pattern in memory.
func replicated(pattern uint32) Mem {
	return Static(fmt.Sprintf("every%08x", pattern), slices.Repeat([]uint32{pattern}, 8))
}

// Static is read-only data of this file, the same for the same name.
func Static(name string, words []uint32) Mem {
	if mem, ok := statics[name]; ok {
		return mem
	}
	mem := GLOBL(name, attr.RODATA|attr.NOPTR)
	for i, w := range words {
		DATA(4*i, U32(w))
	}
	statics[name] = mem
	return mem
}

// And is x and c, bit by bit.
func (s ISA) And(c Const, x, dst Op) {
	s.With(c, func(o ...Op) { VPAND(o[0], o[1], o[2]) }, func(o ...Op) { VPANDD_BCST(o...) }, x, dst)
}

// AddInts is dst = x + y of int32 numbers; x may be memory.
func (s ISA) AddInts(o ...Op) { VPADDD(o[0], o[1], o[2]) }

// Lane is lane number n of 128 bits.
func (s ISA) Lane(v reg.VecVirtual, n int, x Op) {
	switch {
	case n == 0:
		VMOVUPS(v.AsX(), x)
	case s.Wide():
		VEXTRACTI32X4(Imm(uint64(n)), v, x)
	default:
		VEXTRACTI128(Imm(uint64(n)), v, x)
	}
}

// StoreLane writes lane number n of 128 bits to p.
func (s ISA) StoreLane(v reg.VecVirtual, n int, p reg.Register) { s.Lane(v, n, Mem{Base: p}) }
