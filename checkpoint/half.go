package checkpoint

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// BF16Bits rounds to bfloat16, to nearest, ties to even: the upper half of a float32.
// A NaN stays a NaN; what is too large becomes an infinity.
func BF16Bits(x float32) uint16 {
	b := math.Float32bits(x)
	if x != x {
		return uint16(b>>16) | 0x40 // quiet, so that cutting the lower half cannot make it an infinity
	}
	return uint16((b + 0x7FFF + b>>16&1) >> 16)
}

// FromBF16Bits widens a bfloat16; every one is a float32.
func FromBF16Bits(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

// F16Bits rounds to IEEE 754 binary16, to nearest, ties to even. A NaN stays a NaN; from
// 65520 on it is an infinity, below 2^-25 a zero, each with its sign.
func F16Bits(x float32) uint16 {
	b := math.Float32bits(x)
	sign, mag := uint16(b>>16)&0x8000, b&0x7FFFFFFF
	switch {
	case mag > 0x7F800000: // NaN
		return sign | 0x7E00 | uint16(mag>>13)&0x1FF
	case mag >= 0x477FF000: // 65520, half way beyond the largest
		return sign | 0x7C00
	case mag >= 0x38800000: // 2^-14, the smallest normal
		mag -= (127 - 15) << 23
		return sign | uint16((mag+0xFFF+mag>>13&1)>>13)
	case mag <= 0x33000000: // 2^-25, a tie with zero, and zero is even
		return sign
	}
	// Subnormal: units of 2^-24. The significand has 24 bits, so 1 << shift is one unit.
	shift := 126 - mag>>23
	m := mag&0x7FFFFF | 0x800000
	return sign | uint16((m+1<<(shift-1)-1+m>>shift&1)>>shift)
}

// FromF16Bits widens a binary16; every one is a float32.
func FromF16Bits(h uint16) float32 {
	sign, exp, frac := uint32(h&0x8000)<<16, uint32(h>>10&0x1F), uint32(h&0x3FF)
	switch {
	case exp == 0x1F: // infinity, NaN
		return math.Float32frombits(sign | 0x7F800000 | frac<<13)
	case exp > 0:
		return math.Float32frombits(sign | (exp+127-15)<<23 | frac<<13)
	case frac == 0:
		return math.Float32frombits(sign)
	}
	// Subnormal: shift the first set bit up to where a normal number implies it.
	up := uint32(bits.LeadingZeros16(uint16(frac))) - 5
	return math.Float32frombits(sign | (127-14-up)<<23 | frac<<up&0x3FF<<13)
}

// DecodeF16 widens binary16 numbers, little endian, into out, which has a place for each. It says whether all of them are
// finite. It is FromF16Bits for many.
func DecodeF16(out []float32, data []byte) (finite bool) {
	const scale = 0x1p112 // from the exponent's bias of binary16, 15, to that of float32, 127
	special := uint16(0)
	data = data[:2*len(out)]
	for i := range out {
		h := binary.LittleEndian.Uint16(data[2*i:])
		// Subnormal or not, the product is exact.
		v := math.Float32frombits(uint32(h&0x7FFF)<<13) * scale
		out[i] = math.Float32frombits(math.Float32bits(v) | uint32(h&0x8000)<<16)
		special |= (h&0x7C00 + 0x0400) & 0x8000 // the exponent is all ones: an infinity or NaN
	}
	if special == 0 {
		return true
	}
	for i := range out {
		out[i] = FromF16Bits(binary.LittleEndian.Uint16(data[2*i:]))
	}
	return false
}
