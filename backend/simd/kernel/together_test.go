package kernel

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// inParts does some parts of a work, one after the other or all together.
func inParts(parts int, together bool, do func(part int)) {
	var all sync.WaitGroup
	for i := range parts {
		if together {
			all.Go(func() { do(i) })
		} else {
			do(i)
		}
	}
	all.Wait()
}

// TestTogether: goroutines that share operands and do parts of one result at the same time write nothing that another reads or writes, and get the
// bits of one that does all. It is the test that the race detector runs, which sees the portable set's arithmetic and what is Go around the others'.
func TestTogether(t *testing.T) {
	const parts = 4
	eachNumber(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(45, 46))
		for epilogue := range 5 {
			p := randomProduct(r, 61, 150, 70, epilogue%3, 7*epilogue)
			p.multiply(s, 1)
			want := slices.Clone(p.c.x)
			spoil(p.c.x)
			p.together = true
			p.multiply(s, parts)
			sameResult(t, "product", p.c.x, want)
		}
		for i, w := range windows[:5] {
			c := randomConvolving(r, filling(s, w), 70, i%3, 7*i)
			c.convolve(s, 1)
			want := slices.Clone(c.c.x)
			spoil(c.c.x)
			c.together = true
			c.convolve(s, parts)
			sameResult(t, "convolution", c.c.x, want)
			if n, rows := s.PicturesLen(&c.w), c.w.PictureRows(); n > 0 {
				buffer := func(n int) []float32 { return make([]float32, n) }
				want, got := c.pictures(s, 1, buffer), buffer(n)
				for _, do := range []func(dst, x []float32, w Window, from, to int){s.MeasurePictures, s.PackPictures} {
					inParts(parts, true, func(i int) { do(got, c.x.x, c.w, rows*i/parts, rows*(i+1)/parts) })
				}
				sameResult(t, "pictures", got, want)
			}
		}
		for _, scores := range []bool{true, false} {
			const heads = 3
			p := headsOf(scores, 20, 37, heads, 30)
			a, b := randomFenced(r, p.StrideA.Outer, 3), randomFenced(r, p.StrideB.Outer, 1)
			want, got := newFenced(p.StrideC.Outer, 2), newFenced(p.StrideC.Outer, 2)
			s.Multiply(want.x, a.x, b.x, p, 0, heads, newFenced(s.ProductsScratch(p), 0).x)
			inParts(heads, true, func(i int) { s.Multiply(got.x, a.x, b.x, p, i, i+1, newFenced(s.ProductsScratch(p), 0).x) })
			sameResult(t, "products", got.x, want.x)
		}
		if s.number != Float32 {
			return
		}
		for _, w := range squareWindows[:2] {
			c := randomConvolving(r, w, 40, 1, 7)
			c.winograd(s, 1)
			want := slices.Clone(c.c.x)
			spoil(c.c.x)
			c.together = true
			c.winograd(s, parts)
			sameResult(t, "Winograd's convolution", c.c.x, want)
		}
		for _, p := range poolings {
			w := windows[2]
			x := randomFenced(r, w.Batch*w.Height*w.Width*w.Channels, 1)
			want, got := newFenced(w.Pixels()*w.Channels, 0), newFenced(w.Pixels()*w.Channels, 0)
			p.run(s, want.x, x.x, w, 0, w.Pixels())
			inParts(parts, true, func(i int) { p.run(s, got.x, x.x, w, w.Pixels()*i/parts, w.Pixels()*(i+1)/parts) })
			sameResult(t, p.name, got.x, want.x)
		}
	})
}

// spoil makes NaNs of all values.
func spoil(x []float32) {
	for i := range x {
		x[i] = nan
	}
}

func sameResult(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i, v := range got {
		if !same(v, want[i]) {
			t.Fatalf("%s: value %d is %v in parts at the same time, %v in one", what, i, v, want[i])
		}
	}
}
