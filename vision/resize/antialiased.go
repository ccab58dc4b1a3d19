package resize

import (
	"math"

	"github.com/go-lxmert/lxmert/vision"
)

// Antialiased resizes as PIL's resize(..., BILINEAR) does, bit by bit, and Detectron2 with it: each pixel is a weighted mean of all those below it, by a
// triangle as wide as two resized pixels, first along rows and then along columns, rounded to 8 bits both times (Resample.c). The order of the channels
// is kept.
//
// The error says which size is impossible.
func Antialiased(rgb []uint8, from, to vision.Size) ([]uint8, error) {
	if err := check(rgb, from, to); err != nil {
		return nil, err
	}
	if from.Width != to.Width {
		columns := triangles(from.Width, to.Width)
		narrow := make([]uint8, 3*to.Width*from.Height)
		for y := range from.Height {
			columns.across(narrow[3*to.Width*y:][:3*to.Width], rgb[3*from.Width*y:][:3*from.Width])
		}
		rgb = narrow
	}
	out := make([]uint8, 3*to.Width*to.Height)
	if from.Height == to.Height {
		copy(out, rgb)
		return out, nil
	}
	triangles(from.Height, to.Height).down(out, rgb, 3*to.Width)
	return out, nil
}

// fractionBits are those of a weight after the point; a byte times the sum of weights, and a sign, fill 32 bits.
const fractionBits = 32 - 8 - 2

// A filter has, for each resized pixel along an axis, the first pixel that counts and the weights from there on.
type filter struct {
	first   []int
	weights [][]int32
}

// triangles is precompute_coeffs with the bilinear filter, and normalize_coeffs_8bpc.
func triangles(from, to int) filter {
	scale := float64(from) / float64(to)
	wide := max(scale, 1) // how far a triangle reaches
	narrow := 1 / wide
	f := filter{make([]int, to), make([][]int32, to)}
	values := make([]float64, 0, int(math.Ceil(wide))*2+1)
	for i := range to {
		center := float64((float64(i) + 0.5) * scale)
		first := max(int(center-wide+0.5), 0)
		last := min(int(center+wide+0.5), from)
		values = values[:0]
		sum := 0.0
		for x := range last - first {
			v := max(1-math.Abs(float64((float64(x+first)-center+0.5)*narrow)), 0)
			values = append(values, v)
			sum += v
		}
		weights := make([]int32, len(values))
		for x, v := range values {
			if sum != 0 {
				v /= sum
			}
			weights[x] = int32(0.5 + float64(v*(1<<fractionBits)))
		}
		f.first[i], f.weights[i] = first, weights
	}
	return f
}

// round takes the fraction off a sum that began with half.
func round(sum int32) uint8 { return uint8(min(max(sum>>fractionBits, 0), 255)) }

const half = 1 << (fractionBits - 1)

// across resizes a row.
func (f filter) across(out, row []uint8) {
	for i, weights := range f.weights {
		r, g, b := int32(half), int32(half), int32(half)
		from := row[3*f.first[i]:]
		for _, w := range weights {
			p := from[:3:3]
			r, g, b = r+w*int32(p[0]), g+w*int32(p[1]), b+w*int32(p[2])
			from = from[3:]
		}
		p := out[3*i : 3*i+3 : 3*i+3]
		p[0], p[1], p[2] = round(r), round(g), round(b)
	}
}

// down resizes columns: rows of so many bytes.
func (f filter) down(out, rows []uint8, bytes int) {
	sums := make([]int32, bytes)
	for i, weights := range f.weights {
		from := rows[bytes*f.first[i]:]
		to := out[bytes*i:][:bytes]
		if len(weights) == 2 { // when enlarging, most are
			a, b := from[:bytes], from[bytes:][:bytes]
			v, w := weights[0], weights[1]
			for x := range to {
				to[x] = round(half + v*int32(a[x]) + w*int32(b[x]))
			}
			continue
		}
		for x := range sums {
			sums[x] = half
		}
		for _, w := range weights {
			row := from[:bytes]
			for x, v := range row {
				sums[x] += w * int32(v)
			}
			from = from[bytes:]
		}
		for x, sum := range sums {
			to[x] = round(sum)
		}
	}
}
