// Package lanes lets one generator speak to both vector widths: eight float32 lanes of AVX2 and sixteen of
// AVX-512. Most instructions have one name for both; what differs is here.
package lanes

import (
	"fmt"
	"math"

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

// Const is the value in every lane, as an operand. AVX-512 has registers to keep it in, so call it ahead of
// the loop; AVX2 reads it from memory each time.
func (s ISA) Const(value float64) Op { return s.Bits(math.Float32bits(float32(value))) }

// Bits is the pattern in every lane, as an operand.
func (s ISA) Bits(pattern uint32) Op {
	mem := replicated(pattern)
	if !s.Wide() {
		return mem
	}
	v := ZMM()
	VBROADCASTSS(mem, v)
	return v
}

// patterns are the constants of this file so far.
var patterns = map[uint32]Mem{}

// replicated is eight copies of a pattern in memory.
func replicated(pattern uint32) Mem {
	if mem, ok := patterns[pattern]; ok {
		return mem
	}
	mem := static(fmt.Sprintf("every%08x", pattern), slicesRepeat(pattern, 8))
	patterns[pattern] = mem
	return mem
}

func slicesRepeat(pattern uint32, n int) []uint32 {
	words := make([]uint32, n)
	for i := range words {
		words[i] = pattern
	}
	return words
}

// static is read-only data of this file.
func static(name string, words []uint32) Mem {
	mem := GLOBL(name+"<>", attr.RODATA|attr.NOPTR)
	for i, w := range words {
		DATA(4*i, U32(w))
	}
	return mem
}
