package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// softmaxExact is softmax(scale·x + mask) of a row in float64, and the largest distance of scale·x + mask from the top, which
// is what the error of an exponential is proportional to.
func softmaxExact(x, mask []float32, scale float32) (y []float64, spread float64) {
	y = make([]float64, len(x))
	top, size := math.Inf(-1), 0.0
	for i := range x {
		y[i] = float64(scale) * float64(x[i])
		size = max(size, math.Abs(y[i]))
		if mask != nil {
			y[i] += float64(mask[i])
		}
		top = max(top, y[i])
	}
	sum := 0.0
	for i := range y {
		y[i] = math.Exp(y[i] - top)
		sum += y[i]
	}
	for i := range y {
		y[i] /= sum
	}
	return y, size
}

func TestSoftmax(t *testing.T) {
	eachSet(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(19, 20))
		const rows, scale = 3, 5
		for _, n := range lengths() {
			for shift := range 17 {
				x, dst := randomFenced(r, rows*n, shift), newFenced(rows*n, 16-shift)
				var mask []float32
				ldMask := shift % 3 * n // no mask, one for all rows, one for each: n, 0, 2n
				if shift%4 != 0 {
					ldMask = shift % 2 * (n + 1)
					mask = randomFenced(r, max(ldMask, 0)*(rows-1)+n, shift).x
					for i := range mask {
						if r.IntN(4) == 0 {
							mask[i] = -10000
						}
					}
				}
				s.Softmax(dst.x, x.x, rows, n, scale, mask, ldMask)
				dst.check(t)
				for row := range rows {
					var added []float32
					if mask != nil {
						added = mask[row*ldMask:][:n]
					}
					want, spread := softmaxExact(x.x[row*n:][:n], added, scale)
					for i, w := range want {
						// Of the exponent: the roundings of scale·x, + mask and - top. Of the result: exp, the sum, the quotient.
						bound := w*(8*spread+float64(n)+6)*0x1p-24 + 0x1p-126
						if mask != nil && added[i] == -10000 {
							bound = 1e-3 * w // rounding 10000 costs this much, but e^-10000 is 0 anyway
							if top := maxOf(added); top == -10000 {
								bound = 4e-3 * w
							}
						}
						if got := float64(dst.x[row*n+i]); !(math.Abs(got-w) <= bound+1e-30) {
							t.Fatalf("n=%d shift=%d: [%d][%d] is %v, want %v ± %v", n, shift, row, i, got, w, bound)
						}
					}
				}
				s.Softmax(x.x, x.x, rows, n, scale, mask, ldMask)
				for i := range x.x {
					if x.x[i] != dst.x[i] {
						t.Fatalf("n=%d: in place, element %d is %v, not %v", n, i, x.x[i], dst.x[i])
					}
				}
			}
		}
	})
}

func maxOf(x []float32) float32 {
	top := x[0]
	for _, v := range x {
		top = max(top, v)
	}
	return top
}

func TestSoftmaxSpecial(t *testing.T) {
	inf := float32(math.Inf(1))
	eachSet(t, func(t *testing.T, s *Set) {
		for _, n := range []int{2, 8, 17, 36} {
			for place := range n {
				x := make([]float32, n)
				row := func(v, mask float32) []float32 {
					dst, added := make([]float32, n), make([]float32, n)
					clear(x)
					x[place], added[place] = v, mask
					s.Softmax(dst, x, 1, n, 1, added, 0)
					return dst
				}
				for i, got := range row(0, -inf) {
					want := float32(1) / float32(n-1)
					if i == place {
						want = 0
					}
					if math.Abs(float64(got-want)) > 0x1p-23 {
						t.Fatalf("n=%d: with element %d masked, %d is %v, want %v", n, place, i, got, want)
					}
				}
				for _, v := range []float32{nan, inf} {
					if got := row(v, 0); got[place] == got[place] {
						t.Fatalf("n=%d: with %v at %d: %v", n, v, place, got)
					}
				}
			}
			x := make([]float32, n)
			for i := range x {
				x[i] = -inf
			}
			s.Softmax(x, x, 1, n, 1, nil, 0)
			for i, got := range x {
				if got == got {
					t.Fatalf("n=%d: of nothing but -Inf, %d is %v", n, i, got)
				}
			}
		}
	})
}

func TestLayerNorm(t *testing.T) {
	const rows, epsilon = 2, 1e-12
	eachSet(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(21, 22))
		for _, n := range lengths()[2:] {
			for shift := range 17 {
				x, dst := randomFenced(r, rows*n, shift), newFenced(rows*n, 16-shift)
				for i := range x.x {
					x.x[i] += 3 // a mean that is not small
				}
				var residual, gamma, beta []float32
				if shift&1 != 0 {
					residual = randomFenced(r, rows*n, shift).x
				}
				if shift&2 != 0 {
					gamma = randomFenced(r, n, shift).x
				}
				if shift&4 != 0 {
					beta = randomFenced(r, n, shift).x
				}
				s.LayerNorm(dst.x, x.x, residual, gamma, beta, rows, n, epsilon)
				dst.check(t)
				for row := range rows {
					y := make([]float64, n)
					var mean, variance, size float64
					for i := range y {
						y[i] = float64(x.x[row*n+i])
						if residual != nil {
							y[i] += float64(residual[row*n+i])
						}
						mean += y[i] / float64(n)
						size = max(size, math.Abs(y[i]))
					}
					for _, v := range y {
						variance += (v - mean) * (v - mean) / float64(n)
					}
					deviation := math.Sqrt(variance + epsilon)
					// The mean and each y are off by a few roundings of size; the rest is relative to the result.
					off := size * (float64(n)/8 + 8) * 0x1p-24 / deviation
					for i, v := range y {
						want, bound := (v-mean)/deviation, 0.0
						bound = off*(1+math.Abs(want)) + (float64(n)+8)*0x1p-24*math.Abs(want)
						if gamma != nil {
							want *= float64(gamma[i])
							bound *= math.Abs(float64(gamma[i]))
						}
						if beta != nil {
							want += float64(beta[i])
						}
						bound += 0x1p-23 * (1 + math.Abs(want))
						if got := float64(dst.x[row*n+i]); !(math.Abs(got-want) <= bound) {
							t.Fatalf("n=%d shift=%d: [%d][%d] is %v, want %v ± %v", n, shift, row, i, got, want, bound)
						}
					}
				}
				for _, place := range [][]float32{x.x, residual} { // in place of either operand
					if place == nil {
						continue
					}
					before := append([]float32(nil), place...)
					s.LayerNorm(place, x.x, residual, gamma, beta, rows, n, epsilon)
					for i := range place {
						if place[i] != dst.x[i] {
							t.Fatalf("n=%d: in place, element %d is %v, not %v", n, i, place[i], dst.x[i])
						}
					}
					copy(place, before)
				}
			}
		}
	})
}

func TestRowsGuard(t *testing.T) {
	eachSet(t, func(t *testing.T, s *Set) {
		for _, atStart := range []bool{false, true} {
			for n := 1; n < 70; n++ {
				t.Run(fmt.Sprint(n), func(t *testing.T) {
					of := func(n int) []float32 { return guarded(t, n, atStart) }
					s.Softmax(of(2*n), of(2*n), 2, n, 1, of(n), 0)
					s.Softmax(of(2*n), of(2*n), 2, n, 1, of(2*n), n)
					s.Softmax(of(n), of(n), 1, n, 1, nil, 0)
					s.LayerNorm(of(2*n), of(2*n), of(2*n), of(n), of(n), 2, n, 1)
					s.LayerNorm(of(n), of(n), nil, nil, nil, 1, n, 1)
				})
			}
		}
	})
}

func TestRowsPromises(t *testing.T) {
	s := &generic
	x := make([]float32, 6)
	panics(t, "kernel.Softmax: dst has 5 values, want 2 rows of 3, 3 apart", func() { s.Softmax(x[:5], x, 2, 3, 1, nil, 0) })
	panics(t, "kernel.Softmax: x has 5 values", func() { s.Softmax(x, x[:5], 2, 3, 1, nil, 0) })
	panics(t, "kernel.Softmax: mask has 2 values, want 1 rows of 3, 3 apart", func() { s.Softmax(x, x, 2, 3, 1, x[:2], 0) })
	panics(t, "kernel.Softmax: mask has 6 values, want 2 rows of 3, 4 apart", func() { s.Softmax(x, x, 2, 3, 1, x, 4) })
	panics(t, "kernel.LayerNorm: residual has 5 values", func() { s.LayerNorm(x, x, x[:5], nil, nil, 2, 3, 1) })
	panics(t, "kernel.LayerNorm: gamma has 2 values", func() { s.LayerNorm(x, x, nil, x[:2], nil, 2, 3, 1) })
	panics(t, "kernel.LayerNorm: beta has 2 values", func() { s.LayerNorm(x, x, nil, nil, x[:2], 2, 3, 1) })
}
