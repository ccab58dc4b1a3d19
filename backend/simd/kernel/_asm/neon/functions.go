package neon

import (
	"math"

	"github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/fits"
)

// Horner is c[0] + c[1]·x + c[2]·x² + …
func Horner(x V, c ...float64) V {
	y := Const(c[len(c)-1])
	for i := len(c) - 2; i >= 0; i-- {
		sum := Const(c[i])
		FMLA.Into(sum, y, x)
		y = sum
	}
	return y
}

// MulAdd is sum + x·y.
func MulAdd(sum, x, y V) V {
	z := Copy(sum)
	FMLA.Into(z, x, y)
	return z
}

// Exp is e^x: with x = n·ln 2 + r and |r| ≤ ln 2 / 2, e^x is 2^n (1 + r + r²·q(r)).
func Exp(x V) V {
	r := FMIN.Of(x, Const(89))  // already infinite
	r = FMAX.Of(r, Const(-105)) // already 0
	n := FRINTN.Of(FMUL.Of(r, Const(math.Log2E)))
	FMLS.Into(r, n, Const(fits.Ln2High))
	FMLS.Into(r, n, Const(fits.Ln2Low))
	q := Horner(r, fits.Exp...)
	y := FADD.Of(MulAdd(r, q, FMUL.Of(r, r)), Const(1))
	// 2^n in two factors, both within range where the result is 0, subnormal or infinite.
	whole := FCVTNS.Of(n)
	half := ShiftRightSigned(whole, 1)
	for _, exponent := range []V{half, SUB.Of(whole, half)} {
		y = FMUL.Of(y, ShiftLeft(ADD.Of(exponent, Bits(127)), 23))
	}
	return y
}

// Tanh is an odd polynomial near 0, and 1 - 2/(e^2x + 1) beyond.
func Tanh(x V) V {
	size, square := FABS.Of(x), FMUL.Of(x, x)
	near := MulAdd(x, x, FMUL.Of(Horner(square, fits.Tanh...), square))
	one := Const(1)
	far := FSUB.Of(one, FDIV.Of(Const(2), FADD.Of(Exp(FADD.Of(size, size)), one)))
	return CopySign(Select(FCMGT.Of(Const(fits.TanhNear), size), near, far), x) // of near too: that of -0 is lost
}

// Erf is an odd polynomial up to 1, and 1 - exp(x·q(x)) beyond.
func Erf(x V) V {
	size := FABS.Of(x)
	near := MulAdd(x, x, Horner(FMUL.Of(x, x), fits.ErfNear...))
	t := FMIN.Of(size, Const(4)) // already 1
	far := FSUB.Of(Const(1), Exp(FMUL.Of(t, Horner(t, fits.ErfFar...))))
	return Select(FCMGT.Of(Const(1), size), near, CopySign(far, x))
}

// GELU is x/2 · (1 + erf(x/√2)).
func GELU(x V) V {
	half := FMUL.Of(x, Const(0.5))
	y := MulAdd(half, half, Erf(FMUL.Of(x, Const(math.Sqrt2/2))))
	return CopySign(y, x) // where it is 0
}

// GELUTanh is x/2 · (1 + tanh u) with u = √(2/π) (x + 0.044715 x³), that is x / (1 + e^-2u).
func GELUTanh(x V) V {
	c := -2 * math.Sqrt(2/math.Pi)
	u := FMUL.Of(Horner(FMUL.Of(x, x), c, c*0.044715), x)
	return FDIV.Of(x, FADD.Of(Exp(u), Const(1)))
}

// ReLU is x, or 0 where x is negative; -0 stays.
func ReLU(x V) V { return BIC.Of(x, FCMLTZ.Of(x)) }

// CopySign is y with the sign of x.
func CopySign(y, x V) V {
	z := Copy(y)
	BIT.Into(z, x, Bits(0x80000000))
	return z
}

// Select is yes where the mask has all bits, no where it has none. It uses the mask up.
func Select(mask, yes, no V) V {
	BSL.Into(mask, yes, no)
	return mask
}

// RoundBF16 is x rounded to bfloat16, in the upper halves of the lanes; the lower ones are without meaning. What is not normal becomes 0.
func RoundBF16(x V) V {
	y := NearestBF16(x)
	normal := CMTST.Of(x, Bits(0x7f800000))
	return AND.Of(y, ORR.Of(normal, Bits(0x80000000))) // of what is smaller, the sign
}

// NearestBF16 is RoundBF16 that keeps what is not normal.
func NearestBF16(x V) V {
	odd := AND.Of(ShiftRight(x, 16), Bits(1)) // ties go to even
	y := ADD.Of(ADD.Of(x, odd), Bits(0x7fff))
	return Select(FCMEQ.Of(x, x), y, ORR.Of(x, Bits(0x400000))) // a NaN stays one
}
