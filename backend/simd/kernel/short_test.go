package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// eachBF16 runs a test for every set with products of bfloat16.
func eachBF16(t *testing.T, f func(t *testing.T, s *Set)) {
	eachNumber(t, func(t *testing.T, s *Set) {
		if s.number == BFloat16 {
			f(t, s)
		}
	})
}

// places are float32 numbers at and beside every place where rounding to bfloat16 changes.
func places() []float32 {
	var x []float32
	for upper := range 1 << 16 {
		if size := upper & 0x7fff; upper%13 != 0 && size > 0x90 && size < 0x7f70 {
			continue // of those that are like others
		}
		for _, lower := range []int{0, 1, 0x7fff, 0x8000, 0x8001, 0xffff} {
			x = append(x, math.Float32frombits(uint32(upper<<16|lower)))
		}
	}
	return x
}

// nearestOf rounds by arithmetic, to 8 bits of significand, or as many as there are of what is not normal.
func nearestOf(x float32) float64 {
	y := float64(x)
	if math.IsNaN(y) || math.IsInf(y, 0) || y == 0 {
		return y
	}
	fraction, exponent := math.Frexp(y)
	bits := min(8, exponent+133)
	if y = math.Ldexp(math.RoundToEven(math.Ldexp(fraction, bits)), exponent-bits); math.Abs(y) >= 0x1p128 {
		return math.Inf(int(math.Copysign(1, y)))
	}
	return y
}

// TestConversions rounds numbers to bfloat16 and back, wherever rounding changes, and of every length.
func TestConversions(t *testing.T) {
	eachSet(t, func(t *testing.T, s *Set) {
		x := places()
		bits, back, rounded := make([]uint16, len(x)), make([]float32, len(x)), slices.Clone(x)
		s.ToBF16(bits, x)
		s.FromBF16(back, bits)
		s.RoundBF16(rounded)
		for i, v := range x {
			want := float32(nearestOf(v))
			if !same(back[i], want) || !same(rounded[i], want) || math.Signbit(float64(back[i])) != math.Signbit(float64(v)) {
				t.Fatalf("%x: found %v and %v, want %v", math.Float32bits(v), back[i], rounded[i], want)
			}
		}
		for n := range 140 {
			dst, words := newFenced(n, n%17), slices.Repeat([]uint16{0x7fc1}, n+40)
			s.ToBF16(words[20:][:n], x[n:][:n])
			s.FromBF16(dst.x, words[20:][:n])
			dst.checkOutside(t)
			for i, w := range words {
				switch at := i - 20; {
				case at < 0 || at >= n:
					if w != 0x7fc1 {
						t.Fatalf("of %d numbers another one was written", n)
					}
				case !same(dst.x[at], float32(nearestOf(x[n+at]))):
					t.Fatalf("number %d of %d: found %v", at, n, dst.x[at])
				}
			}
		}
		panics(t, "kernel.ToBF16: lengths differ: 2 and 3", func() { s.ToBF16(make([]uint16, 2), make([]float32, 3)) })
		panics(t, "kernel.FromBF16: lengths differ: 2 and 3", func() { s.FromBF16(make([]float32, 2), make([]uint16, 3)) })
	})
}

// shortOf are a matrix's numbers as bfloat16, those that are not normal too, but not rounded to one that is, for products take them for 0. They
// begin at so many numbers after a word of 32 bits does.
func shortOf(x []float32, at int) []uint16 {
	bits := make([]uint16, len(x)+at)[at:]
	for i, v := range x {
		if bits[i] = nearestBF16(v); math.Abs(float64(v)) < 0x1p-126 {
			bits[i] = uint16(math.Float32bits(v) >> 16)
		}
	}
	return bits
}

// TestShort: products of numbers that are bfloat16 already have the bits of those that are rounded on the way, and a result of bfloat16
// is the other one, rounded; in every layout, packed beforehand and not.
func TestShort(t *testing.T) {
	eachBF16(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(51, 52))
		for i, shape := range []struct{ m, n, k int }{
			{1, 1, 1}, {3, 40, 7}, {5, 3, 2}, {14, 33, 36}, {20, 33, 768}, {15, 100, 1000}, {15, 40, 3073}, {29, 34, 1600}, {36, 36, 64}, {36, 64, 36}, {2, 2, 0},
		} {
			for pad := range 2 {
				p := randomProduct(r, shape.m, shape.n, shape.k, pad, i+5*pad)
				p.epilogue.Round = i%2 == 1
				for _, x := range [][]float32{p.a.x, p.b.x} {
					for j := range x {
						x[j] *= float32(math.Exp2(float64(r.IntN(40) - 20)))
						if r.IntN(50) == 0 {
							x[j] = math.Float32frombits(r.Uint32N(0x900000)) // hardly normal, or not
						}
					}
				}
				p.run(s, 1)
				checkShortProduct(t, s, p, i)
			}
		}
	})
}

func checkShortProduct(t *testing.T, s *Set, p *product, at int) {
	t.Helper()
	a, b := shortOf(p.a.x, at%2), shortOf(p.b.x, at/2%2)
	turned := make([]uint16, size(p.k, p.m, p.m+at%3))
	for row := range p.m {
		for i := range p.k {
			turned[i*(p.m+at%3)+row] = a[row*p.lda+i]
		}
	}
	left, again := newFenced(s.LeftLen(p.m, p.k), 5), newFenced(s.LeftLen(p.m, p.k), 4)
	scratch := newFenced(LeftScratch, 1)
	s.PackLeftBF16(left.x, a, p.lda, p.m, p.k, 0, s.LeftTiles(p.m), scratch.x)
	for i := range s.LeftTiles(p.m) {
		s.PackLeftColumnsBF16(again.x, turned, p.m+at%3, p.m, p.k, i, i+1, scratch.x)
	}
	for _, f := range []fenced{left, again, scratch} {
		f.checkOutside(t)
	}
	packed := s.NewPacked(nil, p.k, p.n)
	packed.PackBF16(b, p.ldb, p.layout, 0, packed.Panels())
	right := &Right{BF16: b, Layout: p.layout, K: p.k, N: p.n, Stride: p.ldb}
	room := newFenced(s.OnceScratch(p.k)+s.ShortScratch(p.m), 3)
	wide := newFenced(len(p.c.x), 0)
	s.MulOnce(wide.x, p.ldc, left.x, right, p.m, 0, packed.Panels(), p.epilogue, room.x[:s.OnceScratch(p.k)])
	var results [3][]uint16
	for i := range results {
		results[i] = slices.Repeat([]uint16{0x7fc1}, len(p.c.x))
	}
	s.MulOnceBF16(results[0], p.ldc, again.x, right, p.m, 0, packed.Panels(), p.epilogue, room.x)
	packed.MulBF16(results[1], p.ldc, left.x, p.m, 0, packed.Panels()/2, p.epilogue, room.x[:s.ShortScratch(p.m)])
	packed.MulBF16(results[1], p.ldc, left.x, p.m, packed.Panels()/2, packed.Panels(), p.epilogue, room.x[:s.ShortScratch(p.m)])
	other := &Right{Values: p.b.x, Layout: p.layout, K: p.k, N: p.n, Stride: p.ldb}
	s.MulOnceBF16(results[2], p.ldc, left.x, other, p.m, 0, packed.Panels(), p.epilogue, room.x)
	room.checkOutside(t)
	for i, want := range p.c.x {
		if !same(wide.x[i], want) {
			t.Fatalf("m=%d n=%d k=%d: element %d is %v, want %v", p.m, p.n, p.k, i, wide.x[i], want)
		}
		for way, c := range results {
			if bits := nearestBF16(want); !same(FromBF16(c[i]), FromBF16(bits)) {
				t.Fatalf("m=%d n=%d k=%d, way %d: element %d is %v, want %v rounded", p.m, p.n, p.k, way, i, FromBF16(c[i]), want)
			}
		}
	}
}

// TestRound: the product is rounded before what follows it.
func TestRound(t *testing.T) {
	eachBF16(t, func(t *testing.T, s *Set) {
		p := randomProduct(rand.New(rand.NewPCG(53, 54)), 17, 45, 33, 1, 0)
		p.run(s, 1)
		plain := slices.Clone(p.c.x)
		p.epilogue.Round, p.epilogue.Bias = true, randomFenced(rand.New(rand.NewPCG(1, 2)), 45, 0).x
		p.run(s, 2)
		for row := range p.m {
			for column := range p.n {
				i := row*p.ldc + column
				if want := FromBF16(nearestBF16(plain[i])) + p.epilogue.Bias[column]; p.c.x[i] != want {
					t.Fatalf("element %d is %v, want %v", i, p.c.x[i], want)
				}
			}
		}
	})
}

// TestMultiplyBF16: each pair's product has the bits of MulBF16's.
func TestMultiplyBF16(t *testing.T) {
	const batch, heads = 2, 3
	eachBF16(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(55, 56))
		for _, size := range []int{8, 20, 64} {
			for _, queries := range []int{1, 5, 36} {
				for _, keys := range []int{1, 14, 33, 36} {
					for _, scores := range []bool{true, false} {
						for _, turned := range []bool{false, true} {
							p := headsOf(scores, queries, keys, heads, size)
							wide := *p
							if turned { // A lies as [k, m], one after another
								p.StrideA = Strides{Row: p.M, Inner: p.M * p.K, Outer: heads * p.M * p.K}
								wide.StrideA = Strides{Row: p.K, Inner: p.M * p.K, Outer: heads * p.M * p.K}
							}
							a, b := randomFenced(r, batch*p.StrideA.Outer, 3), randomFenced(r, batch*p.StrideB.Outer, 1)
							short := shortOf(a.x, 1)
							if turned {
								for pair := range batch * heads {
									for row := range p.M {
										for k := range p.K {
											short[pair*p.M*p.K+k*p.M+row] = nearestBF16(a.x[pair*p.M*p.K+row*p.K+k])
										}
									}
								}
							}
							c, want := make([]uint16, batch*p.StrideC.Outer), newFenced(batch*p.StrideC.Outer, 2)
							scratch := newFenced(max(s.ShortProductsScratch(p), s.ProductsScratch(p)), 0)
							s.Multiply(want.x, a.x, b.x, &wide, 0, batch*heads, scratch.x)
							s.MultiplyBF16(c, short, shortOf(b.x, 0), p, turned, 0, 1, scratch.x)
							s.MultiplyBF16(c, short, shortOf(b.x, 0), p, turned, 1, batch*heads, scratch.x)
							scratch.checkOutside(t)
							for i, v := range want.x {
								if c[i] != nearestBF16(v) {
									t.Fatalf("m=%d n=%d k=%d turned=%v: element %d is %v, want %v rounded", p.M, p.N, p.K, turned, i, FromBF16(c[i]), v)
								}
							}
						}
					}
				}
			}
		}
		p := headsOf(true, 20, 36, 2, 64)
		a, b, c := make([]uint16, p.StrideA.Outer), make([]uint16, p.StrideB.Outer), make([]uint16, p.StrideC.Outer)
		scratch := make([]float32, s.ShortProductsScratch(p))
		if n := testing.AllocsPerRun(10, func() { s.MultiplyBF16(c, a, b, p, false, 0, 2, scratch) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
		panics(t, "kernel.MultiplyBF16: scratch is too short", func() { s.MultiplyBF16(c, a, b, p, false, 0, 2, scratch[1:]) })
	})
}
