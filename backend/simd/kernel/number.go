package kernel

import (
	encoding "encoding/binary"
	"unsafe"
)

// A Number is the type of number that products and convolutions multiply. What they are given, their sums, epilogues and results are float32
// with each.
type Number int

const (
	Float32 Number = iota
	// BFloat16 is the upper half of a float32: 8 bits of exponent and 8 of significand. Both sides are rounded to the nearest, ties to
	// even; NaN stays NaN. Numbers smaller than the smallest normal one, 2^-126, count as 0, as the CPU's instruction takes them. A product of two
	// is exact in float32, and sums are float32. Sets return the same bits, unless products or sums are that small too: the instruction
	// takes them for 0, other sets keep them. Arm's BFMMLA is apart: it adds two products and then the sum, each time rounded to the
	// neighbour towards 0, or to the odd one of the two where that is not exact, which errs up to twice as much.
	BFloat16
	// Int8 is 8 bits, and a step for each column of the right side and each row of the left one: the largest magnitude there is 127 steps,
	// and numbers are rounded to the nearest step, ties to even. The left side's steps are found as it is packed. Sums are exact, so all sets
	// return the same bits (before GELU, its tanh form and Tanh, which have each set's last bits). A row or column of zeros gives zeros, so
	// does one whose largest magnitude is below 2^-100; one with a NaN or an infinity gives NaN; columns of more than 2^100 may overflow.
	// Sums may have 131072 terms.
	Int8

	numbers = iota
)

// String is the type's name: float32, bfloat16, int8.
func (n Number) String() string { return [numbers]string{"float32", "bfloat16", "int8"}[n] }

// maxInt8K is how many products of 127 and -128 an int32 holds the sum of, as a power of two.
const maxInt8K = 1 << 17

// A multiplier is what products of one type of number are made with. Panels and left sides are of 32-bit words: a float32, two bfloat16 or
// four int8 numbers that follow one another along k.
type multiplier struct {
	number      Number
	per         int                 // numbers in a word
	wide        int                 // words of the left side for each word of a column: more than 1 where numbers are widened when it is packed
	instruction string              // that multiplies narrow numbers, or ""
	numberPeak  func(turns int) int // a [Set]'s peak, of the type of number, where it differs from float32's

	bf16 bf16Packing
	int8 int8Packing
	// int8Tile is a [Set]'s tile with sums of int32.
	int8Tile func(rows int, c []float32, ldc int, a, b []float32, k, ahead, pace int, more bool, d dequantising)
}

// In is this set with products of that type of number: PackB, NewPacked, PackLeft, MulOnce, Multiply, Convolve and what belongs to them then
// pack and multiply that type. Everything else is as it was; Winograd's convolution stays float32. What one type's set has packed is no other's.
func (s *Set) In(n Number) *Set { return s.family[n] }

// Number is the type of number of this set's products.
func (s *Set) Number() Number { return s.number }

// Instruction is the CPU's instruction for products of this set's number: VDPBF16PS or VPDPBUSD; BFMMLA, and USMMLA or SDOT. It is empty for float32, and where a
// narrower number is widened first, which gives the same results at about float32's speed: where the CPU has no such instruction, or,
// of bfloat16 on Intel's, a slow one.
func (s *Set) Instruction() string { return s.instruction }

// with gives a set what it multiplies narrow numbers with. Everything else must be there.
func (s *Set) with(bf16, int8 multiplier, bf16Tile tiler, bf16Conv, int8Conv convTiling) {
	members := [numbers]*Set{s, new(Set), new(Set)}
	*members[BFloat16], *members[Int8] = *s, *s
	members[BFloat16].multiplier, members[BFloat16].tile = bf16, bf16Tile
	members[BFloat16].convTile, members[BFloat16].convHalf = bf16Conv, bf16Conv // half a panel is few columns, and time
	members[Int8].multiplier = int8
	members[Int8].convTile, members[Int8].convHalf = int8Conv, int8Conv
	for _, m := range members {
		m.family = members
		if m.numberPeak != nil {
			m.peak = m.numberPeak
		}
	}
}

// words is how many words k numbers take.
func (s *Set) words(k int) int { return (k + s.per - 1) / s.per }

// Words of narrow numbers and of int32 travel as float32, as the memory does that callers lend.

func wordsOf(x []float32) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}

// wordView is x as words, if x lies as words do: each row, of so many numbers, begins one, and the first number is in the lowest bits.
func wordView[T uint16 | int8](x []T, columns, ld int) (words []float32, ok bool) {
	per := 4 / int(unsafe.Sizeof(T(0)))
	first := unsafe.Pointer(unsafe.SliceData(x))
	if !littleEndian || columns%per != 0 || ld%per != 0 || uintptr(first)%4 != 0 {
		return nil, false
	}
	return unsafe.Slice((*float32)(first), len(x)/per), true
}

var littleEndian = encoding.NativeEndian.Uint16([]byte{1, 0}) == 1

func intsOf(x []float32) []int32 {
	return unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}
