// Package quantize turns matrices of floating-point numbers into int8 and back: symmetric, with one scale for each row. The rows of a
// linear map's weight [out, in] are its outputs.
package quantize

import (
	"fmt"
	"math"
)

// Most is the largest of the whole numbers that stand for a row's numbers; the smallest is -Most. That -128 is not among them makes
// negation exact, and products of two such numbers fit where engines add them in pairs.
const Most = 127

// Rows fills q with whole numbers in -Most..Most and scales with one scale a row, so that q × scale is within half a scale of x: the scale is the
// row's largest magnitude / [Most], and each number is rounded to the nearest, ties to even. A row of zeros has scale 0, and so has one whose
// largest magnitude is too small for its scale to be a float32. x and q are len(scales) rows, one after the other.
//
// The error names the first number that is not finite; q and scales then hold nothing of use.
func Rows(q []int8, scales, x []float32) error {
	if len(scales) == 0 {
		return nil
	}
	width := len(x) / len(scales)
	for row := range scales {
		values := x[row*width : (row+1)*width]
		most := largest(values)
		if !(most <= math.MaxFloat32) {
			return notFinite(row, values)
		}
		scales[row] = most / Most
		put(q[row*width:(row+1)*width], values, scales[row])
	}
	return nil
}

// put is one row in whole numbers. It divides in float64, whose quotient of two float32 is never rounded to a tie, and adds 1.5 × 2⁵²: that leaves
// the whole number, rounded to nearest with ties to even, in the last bits.
func put(q []int8, x []float32, scale float32) {
	const shift = 3 << 51
	if scale < 0x1p-126 { // subnormal scales have few bits: quotients may be beyond Most
		putSmall(q, x, scale)
		return
	}
	divisor := float64(scale)
	q = q[:len(x)]
	for i, v := range x {
		q[i] = int8(math.Float64bits(float64(v)/divisor + shift))
	}
}

func putSmall(q []int8, x []float32, scale float32) {
	if scale == 0 {
		clear(q)
		return
	}
	for i, v := range x {
		q[i] = int8(max(-Most, min(Most, math.RoundToEven(float64(v)/float64(scale)))))
	}
}

// largest is the largest magnitude, or something larger if any number is not finite: bits of magnitudes are in their order, those of infinity and NaN last.
func largest(values []float32) float32 {
	most := uint32(0)
	for _, v := range values {
		most = max(most, math.Float32bits(v)&^(1<<31))
	}
	return math.Float32frombits(most)
}

func notFinite(row int, values []float32) error {
	for column, v := range values {
		if v-v != 0 {
			return fmt.Errorf("row %d, column %d is %v, want a finite number: it cannot be quantised", row, column, v)
		}
	}
	return nil
}

// Values fills x with what q stands for: each whole number times its row's scale, rounded to float32.
func Values(x []float32, q []int8, scales []float32) {
	if len(scales) == 0 {
		return
	}
	width := len(x) / len(scales)
	for row, scale := range scales {
		values := x[row*width : (row+1)*width]
		for i, whole := range q[row*width : (row+1)*width] {
			values[i] = float32(whole) * scale
		}
	}
}

// Check is nil if each scale is one that [Rows] may give: finite, not negative.
func Check(scales []float32) error {
	for row, scale := range scales {
		if !(scale >= 0 && scale <= math.MaxFloat32) {
			return fmt.Errorf("the scale of row %d is %v, want a finite number of 0 or more", row, scale)
		}
	}
	return nil
}
