package lanes

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/fits"
)

// Minima and maxima name the variable second, because that is the operand that the CPU returns where one of the two is NaN.

// Exp is e^x: with x = n·ln 2 + r and |r| ≤ ln 2 / 2, e^x is 2^n (1 + r + r²·q(r)).
func (s ISA) Exp(x reg.VecVirtual) reg.VecVirtual {
	r, n := s.Reg(), s.Reg()
	VMINPS(x, s.Load(s.Const(89)), r)   // already infinite
	VMAXPS(r, s.Load(s.Const(-105)), r) // already 0
	s.With(s.Const(math.Log2E), VMULPS, VMULPS_BCST, r, n)
	if s.Wide() {
		VRNDSCALEPS(Imm(8), n, n)
	} else {
		VROUNDPS(Imm(8), n, n)
	}
	s.With(s.Const(fits.Ln2High), VFNMADD231PS, VFNMADD231PS_BCST, n, r)
	s.With(s.Const(fits.Ln2Low), VFNMADD231PS, VFNMADD231PS_BCST, n, r)
	y := s.Horner(r, fits.Exp...)
	square := s.Reg()
	VMULPS(r, r, square)
	VFMADD213PS(r, square, y)
	s.With(s.Const(1), VADDPS, VADDPS_BCST, y, y)
	if s.Wide() {
		VSCALEFPS(n, y, y)
		return y
	}
	// 2^n in two factors, both within range where the result is 0, subnormal or infinite.
	half := YMM()
	VCVTPS2DQ(n, n)
	VPSRAD(Imm(1), n, half)
	VPSUBD(half, n, n)
	for _, exponent := range []reg.VecVirtual{half, n} {
		s.With(s.Bits(127), VPADDD, nil, exponent, exponent)
		VPSLLD(Imm(23), exponent, exponent)
		VMULPS(exponent, y, y)
	}
	return y
}

// Tanh is an odd polynomial near 0, and 1 - 2/(e^2x + 1) beyond.
func (s ISA) Tanh(x reg.VecVirtual) reg.VecVirtual {
	size, square := s.Abs(x), s.Reg()
	VMULPS(x, x, square)
	near := s.Horner(square, fits.Tanh...)
	VMULPS(square, near, near)
	VFMADD213PS(x, x, near)

	double, far := s.Reg(), s.Load(s.Const(2))
	VADDPS(size, size, double)
	e := s.Exp(double)
	s.With(s.Const(1), VADDPS, VADDPS_BCST, e, e)
	VDIVPS(e, far, far)
	VSUBPS(far, s.Load(s.Const(1)), far)
	y := s.ifLess(size, fits.TanhNear, near, far)
	s.copySign(x, y) // of near too: that of -0 is lost
	return y
}

// Erf is an odd polynomial up to 1, and 1 - exp(x·q(x)) beyond.
func (s ISA) Erf(x reg.VecVirtual) reg.VecVirtual {
	size, square := s.Abs(x), s.Reg()
	VMULPS(x, x, square)
	near := s.Horner(square, fits.ErfNear...)
	VFMADD213PS(x, x, near)

	t := s.Reg()
	VMINPS(size, s.Load(s.Const(4)), t) // already 1
	q := s.Horner(t, fits.ErfFar...)
	VMULPS(t, q, q)
	far := s.Exp(q)
	VSUBPS(far, s.Load(s.Const(1)), far)
	s.copySign(x, far)
	return s.ifLess(size, 1, near, far)
}

// GELU is x/2 · (1 + erf(x/√2)).
func (s ISA) GELU(x reg.VecVirtual) reg.VecVirtual {
	half, z := s.Reg(), s.Reg()
	s.With(s.Const(0.5), VMULPS, VMULPS_BCST, x, half)
	s.With(s.Const(math.Sqrt2/2), VMULPS, VMULPS_BCST, x, z)
	y := s.Erf(z)
	VFMADD213PS(half, half, y)
	s.copySign(x, y) // where it is 0
	return y
}

// GELUTanh is x/2 · (1 + tanh u) with u = √(2/π) (x + 0.044715 x³), that is x / (1 + e^-2u).
func (s ISA) GELUTanh(x reg.VecVirtual) reg.VecVirtual {
	c := -2 * math.Sqrt(2/math.Pi)
	square := s.Reg()
	VMULPS(x, x, square)
	u := s.Horner(square, c, c*0.044715)
	VMULPS(x, u, u)
	e := s.Exp(u)
	s.With(s.Const(1), VADDPS, VADDPS_BCST, e, e)
	VDIVPS(e, x, e)
	return e
}

// ReLU is x, or 0 where x is negative.
func (s ISA) ReLU(x reg.VecVirtual) reg.VecVirtual {
	y := s.Reg()
	s.Zero(y)
	VMAXPS(x, y, y)
	return y
}

// Abs is |x|.
func (s ISA) Abs(x reg.VecVirtual) reg.VecVirtual {
	y := s.Reg()
	s.With(s.Bits(0x7fffffff), VANDPS, VANDPS_BCST, x, y)
	return y
}

// copySign gives y, which is not negative where x is not, the sign of x.
func (s ISA) copySign(x, y reg.VecVirtual) {
	sign := s.Reg()
	s.With(s.Bits(0x80000000), VANDPS, VANDPS_BCST, x, sign)
	VORPS(sign, y, y)
}

// ifLess is yes where x < limit, and no where it is not, or x is NaN.
func (s ISA) ifLess(x reg.VecVirtual, limit float64, yes, no reg.VecVirtual) reg.VecVirtual {
	const less = 17 // ordered, quiet
	return s.IfCompare(less, x, s.Load(s.Const(limit)), yes, no)
}

// IfCompare is yes where the comparison of x with y holds (the predicates are the instruction's), else no.
func (s ISA) IfCompare(predicate uint8, x, y, yes, no reg.VecVirtual) reg.VecVirtual {
	z := s.Reg()
	if s.Wide() {
		k := K()
		VCMPPS(Imm(uint64(predicate)), y, x, k)
		VBLENDMPS(yes, no, k, z)
		return z
	}
	VCMPPS(Imm(uint64(predicate)), y, x, z)
	VBLENDVPS(z, yes, no, z)
	return z
}
