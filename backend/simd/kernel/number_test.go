package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// terms are the operands of a product as a type of number has them, in float64.
type terms struct {
	number      Number
	m, n, k     int
	left, right []float64 // [m, k] and [n, k]
	rows, sums  []float64 // of int8: each row's and each column's step
}

// termsOf rounds the operands by the definition, a number at a time.
func (p *product) termsOf(number Number) terms {
	t := terms{number: number, m: p.m, n: p.n, k: p.k, left: make([]float64, p.m*p.k), right: make([]float64, p.n*p.k)}
	for i := range p.m {
		t.rows = append(t.rows, rounded(number, t.left[i*p.k:][:p.k], p.a.x[min(i*p.lda, len(p.a.x)):][:p.k]))
	}
	column := make([]float32, p.k)
	for j := range p.n {
		for i := range column {
			column[i] = p.b.x[p.layout.at(i, j, p.k, p.ldb)]
		}
		t.sums = append(t.sums, rounded(number, t.right[j*p.k:][:p.k], column))
	}
	return t
}

// rounded sets values, which are as many as x and 0, to a row's numbers, which count step each.
func rounded(number Number, values []float64, x []float32) (step float64) {
	switch number {
	case BFloat16:
		for i, v := range x {
			values[i] = toBF16(v)
		}
		return 1
	case Int8:
		largest := 0.0
		for _, v := range x {
			largest = math.Max(largest, math.Abs(float64(v)))
		}
		switch {
		case math.IsNaN(largest) || math.IsInf(largest, 0):
			return math.NaN()
		case largest < 0x1p-100:
			return 0
		}
		scale := float32(largest) / 127
		for i, v := range x {
			values[i] = math.RoundToEven(float64(v * (1 / scale)))
		}
		return float64(scale)
	default:
		for i, v := range x {
			values[i] = float64(v)
		}
		return 1
	}
}

// toBF16 rounds by arithmetic: to 8 bits of significand.
func toBF16(x float32) float64 {
	y := float64(x)
	if math.IsNaN(y) || math.IsInf(y, 0) || y == 0 {
		return y
	}
	fraction, exponent := math.Frexp(y)
	if exponent < -125 {
		return math.Copysign(0, y)
	}
	y = math.Ldexp(math.RoundToEven(math.Ldexp(fraction, 8)), exponent-8)
	if math.Abs(y) >= 0x1p128 {
		return math.Inf(int(math.Copysign(1, y)))
	}
	return y
}

// sum is an element of the product, the sum of its terms' magnitudes, and how often float32 may round it.
func (t *terms) sum(row, column int) (sum, size, roundings float64) {
	left, right := t.left[row*t.k:][:t.k], t.right[column*t.k:][:t.k]
	for i, v := range left {
		term := v * right[i]
		sum += term
		size += math.Abs(term)
	}
	if t.number == Int8 {
		sum *= t.rows[row] * t.sums[column]
		return sum, math.Abs(sum), 6
	}
	return sum, size, float64(t.k + t.k/blockK + 4)
}

// sameBits skips sets that do not return the bits that others do.
func sameBits(t *testing.T, s *Set) {
	t.Helper()
	switch {
	case s.number == Float32:
		t.Skip("float32 differs in the last bits")
	case s.instruction == "BFMMLA":
		t.Skip("BFMMLA rounds sums in a way of its own: TestMatrixBF16 knows it")
	}
}

// TestNumbersAgree: sets return the same bits for narrow numbers, whatever instructions they have.
func TestNumbersAgree(t *testing.T) {
	eachNumber(t, func(t *testing.T, s *Set) {
		sameBits(t, s)
		r := rand.New(rand.NewPCG(21, 22))
		for i, shape := range []struct{ m, n, k int }{
			{1, 1, 1}, {3, 40, 7}, {20, 33, 768}, {15, 100, 1000}, {37, 64, 3073}, {29, 70, 6200}, {500, 20, 900},
		} {
			p := randomProduct(r, shape.m, shape.n, shape.k, i%2, 6*i%15)
			p.epilogue.Activation = Activation(i % 2)
			for j := range p.a.x {
				p.a.x[j] *= float32(math.Exp2(float64(r.IntN(40) - 20)))
			}
			p.multiply(s, 2)
			got := slices.Clone(p.c.x)
			p.multiply(generic.In(s.number), 1)
			for j, want := range p.c.x {
				if !same(got[j], want) {
					t.Fatalf("m=%d n=%d k=%d: element %d is %v, the portable set has %v", p.m, p.n, p.k, j, got[j], want)
				}
			}
		}
	})
}

// TestBF16Rounding packs numbers at and beside every place where rounding changes, in each way that packing has.
func TestBF16Rounding(t *testing.T) {
	var x []float32
	for upper := range 1 << 16 {
		if size := upper & 0x7fff; testing.Short() && upper%11 != 0 && size > 0x90 && size < 0x7f70 {
			continue // of those that are like others
		}
		for _, lower := range []int{0, 1, 0x7fff, 0x8000, 0x8001, 0xffff} {
			x = append(x, math.Float32frombits(uint32(upper<<16|lower)))
		}
	}
	x = append(x, make([]float32, -len(x)&255)...) // whole matrices, below
	want := func(t *testing.T, got, x float32) {
		t.Helper()
		if want := toBF16(x); !same(got, float32(want)) || x == x && math.Signbit(float64(got)) != math.Signbit(want) {
			t.Fatalf("%v became %v, want %v", x, got, want)
		}
	}
	eachSet(t, func(t *testing.T, s *Set) {
		for _, v := range NarrowSets() {
			if v.rows != s.rows || v.width != s.width {
				continue // another set's test packs with it
			}
			s := v.In(BFloat16)
			const m, k = 4, 64
			p := s.NewPacked(nil, k, m)
			left := make([]float32, s.LeftLen(m, k))
			back := make([]float32, m*k)
			for at := 0; at < len(x); at += m * k {
				x := x[at:][:m*k]
				for _, layout := range []Layout{OutputsInputs, InputsOutputs, OutputsInputsOver(4)} {
					ldb := k
					if layout == InputsOutputs {
						ldb = m
					}
					p.Pack(x, ldb, layout, 0, 1)
					p.Unpack(back, ldb, layout, 0, 1)
					for i := range x {
						want(t, back[i], x[i])
					}
				}
				s.PackLeft(left, x, k, m, k, 0, 1)
				for i := range x {
					row, i := i/k, i%k
					got := bf16At(wordsOf(left)[i/2*m+row], i)
					if s.wide == 2 {
						got = left[i*m+row]
					}
					want(t, got, x[row*k+i])
				}
			}
		}
	})
}

// TestBF16Tiny: where sums and products are smaller than the smallest normal number, sets differ by no more than that: the CPU's instruction
// lets them be 0.
func TestBF16Tiny(t *testing.T) {
	eachNumber(t, func(t *testing.T, s *Set) {
		if s.number != BFloat16 {
			t.Skip("only bfloat16 has numbers that count as 0")
		}
		r := rand.New(rand.NewPCG(23, 24))
		p := randomProduct(r, 16, 33, 50, 0, 0)
		for i := range p.a.x {
			p.a.x[i] *= 0x1p-64
		}
		for i := range p.b.x {
			p.b.x[i] *= 0x1p-63
		}
		p.multiply(s, 1)
		got := slices.Clone(p.c.x)
		p.multiply(generic.In(BFloat16), 1)
		for i, want := range p.c.x {
			off := math.Abs(float64(got[i]) - float64(want))
			limit := 0.0
			if s.instruction != "" {
				limit = 2 * 50 * 0x1p-126
			}
			if !(off <= limit) {
				t.Fatalf("element %d is %g, want %g", i, got[i], want)
			}
		}
	})
}

// TestInt8Extremes: sums as large as there are, rows and columns of zeros, of tiny and huge numbers, of NaN and infinity.
func TestInt8Extremes(t *testing.T) {
	eachNumber(t, func(t *testing.T, s *Set) {
		if s.number != Int8 {
			t.Skip("only int8 has steps")
		}
		inf := float32(math.Inf(1))
		sizes := []float32{1, 0, 1e28, math.MaxFloat32, 1e-28, 0x1p-100, 0x1p-101, 1e-40, 0x1p-149, nan, inf, -inf, -1}
		r := rand.New(rand.NewPCG(25, 26))
		for _, layout := range []int{0, 1} {
			p := randomProduct(r, len(sizes), len(sizes), 70, 1, layout)
			for i, size := range sizes {
				for j := range p.k {
					a, b := &p.a.x[i*p.lda+j], &p.b.x[p.layout.at(j, i, p.k, p.ldb)]
					switch {
					case j > 5 && !(math.Abs(float64(size)) <= math.MaxFloat32): // NaN and infinity here and there
					default:
						*a *= size
						*b *= min(size, 1e28) // larger columns may overflow, as Int8 says
					}
				}
			}
			for i, size := range sizes { // the largest is at the end
				p.a.x[i*p.lda+p.k-1] = size
			}
			p.run(s, 1)
			for row, x := range sizes {
				for column, y := range sizes {
					got := float64(p.c.x[row*p.ldc+column])
					want, bound := p.at(row, column)
					if math.Abs(want) > math.MaxFloat32 {
						want = math.Inf(int(math.Copysign(1, want)))
					}
					if !(math.Abs(got-want) <= bound) && got != want && !(got != got && want != want) {
						t.Errorf("row of %g, column of %g: got %g, want %g ± %g", x, y, got, want, bound)
					}
				}
			}
		}

		for _, k := range []int{5, 3073, maxInt8K} {
			const n = 2
			weights, scales := make([]int8, n*k), []float32{0.5, 2}
			a := make([]float32, 5*k)
			for i := range k {
				weights[i], weights[k+i] = -128, 127
				for row := range 5 {
					a[row*k+i] = [5]float32{1, -1, 1, 1, 0}[row]
				}
				a[3*k+i] *= float32(1 - 2*(i&1))
			}
			p := s.NewPacked(nil, k, n)
			p.PackInt8(weights, scales, k, OutputsInputs, 0, 1)
			left, c := make([]float32, s.LeftLen(5, k)), make([]float32, 5*n)
			s.PackLeft(left, a, k, 5, k, 0, s.LeftTiles(5))
			p.Mul(c, n, left, 5, 0, 1, Epilogue{}, new(Scratch))
			for row := range 5 {
				for column, w := range []int64{-128, 127} {
					sum := [5]int64{127, -127, 127, 127, 0}[row] * w * int64(k)
					if row == 3 {
						sum = 127 * w * int64(k%2)
					}
					want := float32(sum) * scales[column] * (float32(1) / 127)
					if got := c[row*n+column]; got != want && row != 4 || row == 4 && got != 0 {
						t.Errorf("k=%d, row %d, column %d: got %v, want %v", k, row, column, got, want)
					}
				}
			}
		}
		panics(t, "sums of 131073 int8 products, want at most 131072", func() { s.NewPacked(nil, maxInt8K+1, 1) })
	})
}

// TestPackNarrow: numbers that are narrow already come back as they were.
func TestPackNarrow(t *testing.T) {
	r := rand.New(rand.NewPCG(27, 28))
	for _, set := range NarrowSets() {
		for _, layout := range []Layout{InputsOutputs, OutputsInputs, OutputsInputsOver(3)} {
			for _, shape := range [][2]int{{3, 31}, {18, 32}, {63, 33}, {6, 100}, {0, 4}, {9, 1}, {24, 70}, {300, 33}} {
				k, n := shape[0], shape[1]
				rows, columns := k, n
				if layout != InputsOutputs {
					rows, columns = n, k
				}
				ldb := columns + 2*(columns/2%2) // some are whole words apart
				half, quarter := make([]uint16, size(rows, columns, ldb)), make([]int8, size(rows, columns, ldb))
				wide := make([]float32, len(half))
				for row := range rows {
					for i := row * ldb; i < row*ldb+columns; i++ {
						half[i], quarter[i] = uint16(r.Uint32()), int8(r.Uint32())
						if half[i]&0x7f80 == 0x7f80 {
							half[i] ^= 0x4000 // no NaN, which would not compare
						}
						if r.IntN(8) == 0 {
							half[i] &= 0x807f
						}
						wide[i] = FromBF16(half[i])
					}
				}
				s := set.In(BFloat16)
				p := s.NewPacked(nil, k, n)
				p.PackBF16(half, ldb, layout, 0, p.Panels())
				if want := s.PackB(wide, ldb, k, n, layout); !slices.Equal(wordsOf(p.data), wordsOf(want.data)) {
					t.Errorf("%v, layout %d, [%d, %d]: bfloat16 numbers are not packed as float32 ones", set, layout, k, n)
				}

				scales := filled(n)
				p = set.In(Int8).NewPacked(nil, k, n)
				p.PackInt8(quarter, scales, ldb, layout, 0, p.Panels())
				got, gotScales := make([]int8, len(quarter)), make([]float32, n)
				p.UnpackInt8(got, gotScales, ldb, layout, 0, p.Panels())
				if !slices.Equal(got, quarter) || !slices.Equal(gotScales, scales) {
					t.Errorf("%v, layout %d, [%d, %d]: int8 numbers came back changed", set, layout, k, n)
				}
				p.Unpack(wide, ldb, layout, 0, p.Panels())
				for i := range k {
					for j := range n {
						at := layout.at(i, j, k, ldb)
						if wide[at] != float32(quarter[at])*scales[j] {
							t.Fatalf("%v, layout %d: %v times %v is %v", set, layout, quarter[at], scales[j], wide[at])
						}
					}
				}
			}
		}
	}
}

func TestNumberPromises(t *testing.T) {
	for _, s := range NarrowSets() {
		for n := range Number(numbers) {
			if got := s.In(n); got.Number() != n || got.In(Float32) != s || got.String() != s.String() {
				t.Errorf("%v in %v is %v in %v", s, n, got, got.Number())
			}
		}
		if s.Instruction() != "" {
			t.Errorf("%v has an instruction for narrow numbers: %s", s, s.Instruction())
		}
		t.Logf("%v: bfloat16 %q, int8 %q", s, s.In(BFloat16).Instruction(), s.In(Int8).Instruction())
	}
	s := &generic
	p := s.PackB(make([]float32, 4), 2, 2, 2, InputsOutputs)
	panics(t, "kernel.PackBF16: the right side is of float32", func() { p.PackBF16(nil, 2, InputsOutputs, 0, 1) })
	panics(t, "kernel.PackInt8: the right side is of float32", func() { p.PackInt8(nil, nil, 2, InputsOutputs, 0, 1) })
	panics(t, "kernel.UnpackInt8: the right side is of float32", func() { p.UnpackInt8(nil, nil, 2, InputsOutputs, 0, 1) })
	p = s.In(Int8).PackB(make([]float32, 4), 2, 2, 2, InputsOutputs)
	panics(t, "kernel.PackInt8: b has 3 values, want 2 rows of 2, 2 apart", func() { p.PackInt8(make([]int8, 3), make([]float32, 2), 2, InputsOutputs, 0, 1) })
	panics(t, "kernel.PackInt8: scales has 1 values", func() { p.PackInt8(make([]int8, 4), make([]float32, 1), 2, InputsOutputs, 0, 1) })
	panics(t, "kernel.Mul: left has 5 values", func() { p.Mul(make([]float32, 4), 2, make([]float32, 5), 2, 0, 1, Epilogue{}, new(Scratch)) })
}

// TestMultiplyNarrow: many small products are those that are packed one by one.
func TestMultiplyNarrow(t *testing.T) {
	for _, set := range NarrowSets() {
		for _, number := range []Number{BFloat16, Int8} {
			s := set.In(number)
			r := rand.New(rand.NewPCG(29, 30))
			for _, scores := range []bool{true, false} {
				const heads = 3
				p := headsOf(scores, 20, 37, heads, 30)
				a, b := randomFenced(r, p.StrideA.Outer, 3), randomFenced(r, p.StrideB.Outer, 1)
				c, scratch := newFenced(p.StrideC.Outer, 2), newFenced(s.ProductsScratch(p), 0)
				s.Multiply(c.x, a.x, b.x, p, 0, heads, scratch.x)
				scratch.checkOutside(t)
				want, left := make([]float32, p.M*p.N), make([]float32, s.LeftLen(p.M, p.K))
				for i := range heads {
					right := s.PackB(b.x[p.StrideB.at(i, heads):], p.StrideB.Row, p.K, p.N, p.B)
					s.PackLeft(left, a.x[p.StrideA.at(i, heads):], p.StrideA.Row, p.M, p.K, 0, s.LeftTiles(p.M))
					right.Mul(want, p.N, left, p.M, 0, right.Panels(), Epilogue{Scale: p.Scale}, new(Scratch))
					for row := range p.M {
						if got := c.x[p.StrideC.at(i, heads)+row*p.StrideC.Row:][:p.N]; !slices.Equal(got, want[row*p.N:][:p.N]) {
							t.Fatalf("%v in %v: head %d, row %d: got %v, want %v", set, number, i, row, got, want[row*p.N:][:p.N])
						}
					}
				}
			}
		}
	}
}

// TestConvolutionsAgree: sets return the same bits for narrow numbers.
func TestConvolutionsAgree(t *testing.T) {
	eachNumber(t, func(t *testing.T, s *Set) {
		sameBits(t, s)
		r := rand.New(rand.NewPCG(31, 32))
		for i, w := range append(windows, Window{Batch: 2, Height: 9, Width: 8, Channels: 3100, KernelY: 1, KernelX: 1, StrideX: 2}) {
			c := randomConvolving(r, filling(s, w), 37, i%2, 6*i+i%2)
			c.epilogue.Activation = Activation(i % 2)
			c.convolve(s, 2)
			got := slices.Clone(c.c.x)
			c.convolve(generic.In(s.number), 1)
			for j, want := range c.c.x {
				if !same(got[j], want) {
					t.Fatalf("%+v: element %d is %v, the portable set has %v", c.w, j, got[j], want)
				}
			}
		}
	})
}

func TestPicturesPromises(t *testing.T) {
	s := generic.In(Int8)
	w := Window{Batch: 1, Height: 2, Width: 2, Channels: 4, KernelY: 2, KernelX: 2}
	x, dst := make([]float32, 16), make([]float32, s.PicturesLen(&w))
	panics(t, "kernel.PackPictures: dst has 9 values", func() { s.PackPictures(dst[:9], x, w, 0, 2) })
	panics(t, "kernel.PackPictures: x has 15 values", func() { s.PackPictures(dst, x[:15], w, 0, 2) })
	panics(t, "kernel.MeasurePictures: part 0 to 3 of 2", func() { s.MeasurePictures(dst, x, w, 0, 3) })
	panics(t, "kernel.PackPictures: pictures that float32 reads as they are", func() { generic.PackPictures(dst, x, w, 0, 2) })
	p, scratch := s.NewPacked(nil, 16, 1), make([]float32, s.ConvolveScratch(&w))
	panics(t, "kernel.Convolve: x has 9 values", func() { s.Convolve(x[:1], 1, dst[:9], w, p, 0, 1, Epilogue{}, scratch) })
	w.Channels = 3
	panics(t, "kernel.Convolve: channels that do not fill words of int8", func() { s.Convolve(x[:1], 1, x, w, p, 0, 1, Epilogue{}, scratch) })
}
