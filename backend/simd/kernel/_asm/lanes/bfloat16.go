package lanes

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// RoundBF16 is x rounded to bfloat16, in the upper halves of the lanes; the lower ones are without meaning. What is not normal becomes 0.
func (s ISA) RoundBF16(x reg.VecVirtual) reg.VecVirtual {
	y, sign := s.NearestBF16(x), s.Reg()
	s.And(s.Bits(0x80000000), x, sign)
	const less = 17
	return s.IfCompare(less, s.Abs(x), s.Load(s.Const(0x1p-126)), sign, y)
}

// NearestBF16 is RoundBF16 that keeps what is not normal.
func (s ISA) NearestBF16(x reg.VecVirtual) reg.VecVirtual {
	y, other := s.Reg(), s.Reg()
	VPSRLD(Imm(16), x, y)
	s.And(s.Bits(1), y, y) // ties go to even
	s.AddInts(x, y, y)
	s.With(s.Bits(0x7fff), s.AddInts, VPADDD_BCST, y, y)
	const unordered = 3
	s.With(s.Bits(0x400000), VORPS, VORPS_BCST, x, other) // a NaN stays one
	return s.IfCompare(unordered, x, x, other, y)
}
