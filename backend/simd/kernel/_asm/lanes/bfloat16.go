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

// Neither avo nor Go's assembler knows the instructions of AVX512_BF16, so these are written as bytes, once registers are chosen.
// Operands come in Go's order, the destination last. (Intel, Software Developer's Manual, volume 2, 2.7 and the instructions' pages.)

const bfloat16 = "AVX512_BF16"

// VDPBF16PS adds products of pairs of bfloat16 to float32 sums: first those of the odd numbers, then those of the even ones. x is a
// register or memory.
func VDPBF16PS(x, y, sum operand.Op) { emit("VDPBF16PS", nil, x, y, sum) }

// VDPBF16PS_BCST is VDPBF16PS with one pair of memory in all places.
func VDPBF16PS_BCST(x, y, sum operand.Op) { emit("VDPBF16PS", []string{"BCST"}, x, y, sum) }

// VCVTNE2PS2BF16 rounds the float32 numbers of low, a register or memory, and of high to bfloat16.
func VCVTNE2PS2BF16(low, high, dst operand.Op) { emit("VCVTNE2PS2BF16", nil, low, high, dst) }

// VCVTNEPS2BF16 rounds sixteen float32 numbers, in a register or memory, to bfloat16 in half a register.
func VCVTNEPS2BF16(x, dst operand.Op) { emit("VCVTNEPS2BF16", nil, x, dst) }

// emit adds an instruction that [encode] replaces.
func emit(opcode string, suffixes []string, operands ...operand.Op) {
	last := len(operands) - 1
	inputs := operands[:last:last]
	if opcode == "VDPBF16PS" {
		inputs = operands
	}
	build.Instruction(&ir.Instruction{
		Opcode: opcode, Suffixes: suffixes, Operands: operands, ISA: []string{bfloat16},
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

// A form is what tells one instruction of 512 bits from another.
type form struct {
	prefix byte // 0 none, 1 is 66, 2 is F3, 3 is F2
	opcode byte // in the map 0F 38
}

var forms = map[string]form{
	"VDPBF16PS":      {2, 0x52},
	"VCVTNE2PS2BF16": {3, 0x72},
	"VCVTNEPS2BF16":  {2, 0x72},
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

// WidenBF16 makes the odd or the even numbers of pairs float32.
func (s ISA) WidenBF16(w []reg.VecVirtual, odd bool) {
	for _, v := range w {
		if odd {
			s.And(s.Bits(0xffff0000), v, v)
		} else {
			build.VPSLLD(operand.Imm(16), v, v)
		}
	}
}

// RoundBF16 is x rounded to bfloat16, in the upper halves of the lanes; the lower ones are without meaning.
func (s ISA) RoundBF16(x reg.VecVirtual) reg.VecVirtual {
	y, other := s.Reg(), s.Reg()
	build.VPSRLD(operand.Imm(16), x, y)
	s.And(s.Bits(1), y, y) // ties go to even
	s.AddInts(x, y, y)
	s.With(s.Bits(0x7fff), s.AddInts, build.VPADDD_BCST, y, y)
	const less, unordered = 17, 3
	s.With(s.Bits(0x400000), build.VORPS, build.VORPS_BCST, x, other) // a NaN stays one
	y = s.IfCompare(unordered, x, x, other, y)
	s.And(s.Bits(0x80000000), x, other)
	return s.IfCompare(less, s.Abs(x), s.Load(s.Const(0x1p-126)), other, y)
}
