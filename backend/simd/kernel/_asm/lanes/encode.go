package lanes

import (
	"fmt"
	"strings"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/reg"
)

// Neither avo nor Go's assembler knows the instructions of AVX512_BF16 and AVX_VNNI, so these are written as bytes, once registers are
// chosen. Operands come in Go's order, the destination last. (Intel, Software Developer's Manual, volume 2, 2.3, 2.7 and the instructions'
// pages.)

// VDPBF16PS adds products of pairs of bfloat16 to float32 sums: first those of the odd numbers, then those of the even ones. x is a
// register or memory.
func VDPBF16PS(x, y, sum operand.Op) { emit("VDPBF16PS", nil, x, y, sum) }

// VDPBF16PS_BCST is VDPBF16PS with one pair of memory in all places.
func VDPBF16PS_BCST(x, y, sum operand.Op) { emit("VDPBF16PS", []string{"BCST"}, x, y, sum) }

// VCVTNE2PS2BF16 rounds the float32 numbers of low, a register or memory, and of high to bfloat16.
func VCVTNE2PS2BF16(low, high, dst operand.Op) { emit("VCVTNE2PS2BF16", nil, low, high, dst) }

// VCVTNEPS2BF16 rounds sixteen float32 numbers, in a register or memory, to bfloat16 in half a register.
func VCVTNEPS2BF16(x, dst operand.Op) { emit("VCVTNEPS2BF16", nil, x, dst) }

// VEXVPDPBUSD is VPDPBUSD of 256 bits for CPUs without AVX-512: it adds products of four unsigned numbers in y and signed ones in x, a register.
func VEXVPDPBUSD(x, y, sum operand.Op) { emit("VEXVPDPBUSD", nil, x, y, sum) }

// emit adds an instruction that [encode] replaces.
func emit(opcode string, suffixes []string, operands ...operand.Op) {
	last := len(operands) - 1
	inputs := operands[:last:last]
	isa := "AVX512_BF16"
	switch opcode {
	case "VDPBF16PS":
		inputs = operands
	case "VEXVPDPBUSD":
		inputs, isa = operands, "AVX_VNNI"
	}
	build.Instruction(&ir.Instruction{
		Opcode: opcode, Suffixes: suffixes, Operands: operands, ISA: []string{isa},
		Inputs: append([]operand.Op{}, inputs...), Outputs: []operand.Op{operands[last]},
	})
}

// What avo compiles is encoded before it is printed.
func init() { pass.Compile = pass.Concat(pass.Compile, pass.InstructionPass(encode)) }

// encode replaces an instruction by its bytes.
func encode(i *ir.Instruction) error {
	form, ok := forms[i.Opcode]
	if !ok {
		return nil
	}
	var code []string
	bytes, err := form.encode(i)
	if err != nil {
		return fmt.Errorf("%s: %w", i.Opcode, err)
	}
	for _, b := range bytes {
		code = append(code, fmt.Sprintf("BYTE $%#02x", b))
	}
	var operands []string
	for _, o := range i.Operands {
		operands = append(operands, o.Asm())
	}
	i.Opcode = fmt.Sprintf("%s // %s %s", strings.Join(code, "; "), i.OpcodeWithSuffixes(), strings.Join(operands, ", "))
	i.Suffixes, i.Operands = nil, nil
	return nil
}

// A form is what tells one instruction from another.
type form struct {
	prefix byte // 0 none, 1 is 66, 2 is F3, 3 is F2
	opcode byte // in the map 0F 38
	vex    bool // a VEX prefix, and 256 bits, instead of EVEX and 512
}

var forms = map[string]form{
	"VDPBF16PS":      {2, 0x52, false},
	"VCVTNE2PS2BF16": {3, 0x72, false},
	"VCVTNEPS2BF16":  {2, 0x72, false},
	"VEXVPDPBUSD":    {1, 0x50, true},
}

// encode is an EVEX prefix, the opcode, ModRM and what follows it.
func (f form) encode(i *ir.Instruction) ([]byte, error) {
	o := i.Operands
	dst, second := number(o[len(o)-1].(reg.Register)), byte(0)
	if len(o) == 3 {
		second = number(o[1].(reg.Register))
	}
	// Bits of registers' numbers are inverted in the prefix.
	bit := func(n byte, at, to int) byte { return (^n >> at & 1) << to }
	if f.vex {
		x, ok := o[0].(reg.Register)
		if !ok || max(dst, second, number(x)) > 15 {
			return nil, fmt.Errorf("operands must be the first sixteen registers")
		}
		rm := number(x)
		return []byte{0xc4, bit(dst, 3, 7) | 1<<6 | bit(rm, 3, 5) | 2, (^second&15)<<3 | 4 | f.prefix, f.opcode, 3<<6 | dst&7<<3 | rm&7}, nil
	}
	p := [3]byte{
		bit(dst, 3, 7) | bit(dst, 4, 4) | 2, // map 0F 38
		(^second&15)<<3 | 4 | f.prefix,
		2<<5 | bit(second, 4, 3), // 512 bits
	}
	modrm := dst & 7 << 3
	var rest []byte
	switch x := o[0].(type) {
	case operand.Mem:
		if x.Base == nil || x.Index != nil || x.Symbol.Name != "" {
			return nil, fmt.Errorf("memory must be a register and a distance, found %s", x.Asm())
		}
		scale := 64 // a distance of one byte counts whole operands
		if len(i.Suffixes) > 0 {
			scale = 4
			p[2] |= 1 << 4
		}
		base := number(x.Base)
		p[0] |= 1<<6 | bit(base, 3, 5)
		modrm |= base & 7
		if base&7 == 4 {
			rest = append(rest, 0x24) // no index
		}
		switch at := x.Disp; {
		case at == 0 && base&7 != 5:
		case at%scale == 0 && at/scale == int(int8(at/scale)):
			modrm |= 1 << 6
			rest = append(rest, byte(at/scale))
		default:
			modrm |= 2 << 6
			rest = append(rest, byte(at), byte(at>>8), byte(at>>16), byte(at>>24))
		}
	case reg.Register:
		n := number(x)
		p[0] |= bit(n, 4, 6) | bit(n, 3, 5)
		modrm |= 3<<6 | n&7
	default:
		return nil, fmt.Errorf("found operand %s, want a register or memory", x.Asm())
	}
	return append([]byte{0x62, p[0], p[1], p[2], f.opcode, modrm}, rest...), nil
}

// number is a register's number in the CPU.
func number(r reg.Register) byte { return byte(reg.ToPhysical(r).PhysicalIndex()) }
