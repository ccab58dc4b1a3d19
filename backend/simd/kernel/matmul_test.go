package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// A product is a matrix product with its operands, fenced.
type product struct {
	m, n, k  int
	ldc, lda int
	a, b, c  fenced
	layout   Layout
	ldb      int
	epilogue Epilogue

	terms    terms // what the set that ran it multiplies
	together bool  // parts are multiplied at the same time
}

// randomProduct has rows that are pad values longer than they need to be, and the epilogue of that number.
func randomProduct(r *rand.Rand, m, n, k, pad, epilogue int) *product {
	p := &product{m: m, n: n, k: k, lda: k + pad, ldc: n + pad, layout: Layout(epilogue % 2)}
	rows, columns := k, n
	if p.layout == OutputsInputs {
		rows, columns = n, k
	}
	p.ldb = columns + pad
	p.a = randomFenced(r, size(m, k, p.lda), pad)
	p.b = randomFenced(r, size(rows, columns, p.ldb), 2*pad)
	p.c = newFenced(size(m, n, p.ldc), 3*pad)
	e := &p.epilogue
	e.Activation = Activation(epilogue % activations)
	if epilogue&2 != 0 {
		e.Bias = randomFenced(r, n, pad).x
	}
	if epilogue&4 != 0 {
		e.LDResidual = n + 2*pad
		e.Residual = randomFenced(r, size(m, n, e.LDResidual), pad).x
	}
	if epilogue&8 != 0 {
		e.Scale = 0.125
	}
	return p
}

// size is how many values rows of columns take, ld apart.
func size(rows, columns, ld int) int {
	if rows == 0 || columns == 0 {
		return 0
	}
	return (rows-1)*ld + columns
}

func (p *product) at(row, column int) (want, bound float64) {
	sum, size, roundings := p.terms.sum(row, column)
	e := &p.epilogue
	if e.Scale != 0 {
		sum *= float64(e.Scale)
		size *= float64(e.Scale)
	}
	if e.Bias != nil {
		sum += float64(e.Bias[column])
		size += math.Abs(float64(e.Bias[column]))
	}
	if e.Residual != nil {
		v := float64(e.Residual[row*e.LDResidual+column])
		sum += v
		size += math.Abs(v)
	}
	bound = roundings*0x1p-24*size + 0x1p-149
	switch e.Activation { // their slopes are at most 1.13, and they add errors of their own
	case ReLU:
		sum = reluOf(sum)
	case GELU:
		sum, bound = geluOf(sum), 1.13*bound+0x1p-23*math.Abs(sum)
	case GELUTanh:
		sum, bound = geluTanhOf(sum), 1.13*bound+0x1p-23*math.Abs(sum)
	case Tanh:
		sum, bound = math.Tanh(sum), bound+0x1p-23
	}
	return sum, bound
}

// run multiplies, for check.
func (p *product) run(s *Set, parts int) {
	p.terms = p.termsOf(s.number)
	p.multiply(s, parts)
}

// multiply multiplies, in parts of the panels and of the left side's tiles.
func (p *product) multiply(s *Set, parts int) {
	packed := s.PackB(p.b.x, p.ldb, p.k, p.n, p.layout)
	left := newFenced(s.LeftLen(p.m, p.k), 5)
	part := func(n, i int) (from, to int) { return n * i / parts, n * (i + 1) / parts }
	inParts(parts, p.together, func(i int) {
		from, to := part(s.LeftTiles(p.m), i)
		s.PackLeft(left.x, p.a.x, p.lda, p.m, p.k, from, to)
	})
	inParts(parts, p.together, func(i int) {
		var scratch Scratch
		for i := range scratch {
			scratch[i] = nan
		}
		from, to := part(packed.Panels(), i)
		packed.Mul(p.c.x, p.ldc, left.x, p.m, from, to, p.epilogue, &scratch)
	})
}

// checkOnce multiplies without packing the right side beforehand, the left side given transposed, and compares with c, the bits.
func (p *product) checkOnce(t *testing.T, s *Set, parts int) {
	t.Helper()
	turned := newFenced(size(p.k, p.m, p.m+3), 2)
	for row := range p.m {
		for i := range p.k {
			turned.x[i*(p.m+3)+row] = p.a.x[row*p.lda+i]
		}
	}
	left, scratch, c := newFenced(s.LeftLen(p.m, p.k), 5), newFenced(s.OnceScratch(p.k), 7), newFenced(len(p.c.x), 0)
	part := func(n, i int) (from, to int) { return n * i / parts, n * (i + 1) / parts }
	for i := range parts {
		from, to := part(s.LeftTiles(p.m), i)
		s.PackLeftColumns(left.x, turned.x, p.m+3, p.m, p.k, from, to)
	}
	right := &Right{Values: p.b.x, Layout: p.layout, K: p.k, N: p.n, Stride: p.ldb}
	panels := (p.n + s.width - 1) / s.width
	for i := range parts {
		from, to := part(panels, i)
		s.MulOnce(c.x, p.ldc, left.x, right, p.m, from, to, p.epilogue, scratch.x)
	}
	c.check(t)
	left.checkOutside(t)
	scratch.checkOutside(t)
	for i, v := range c.x {
		if !same(v, p.c.x[i]) {
			t.Fatalf("m=%d n=%d k=%d: element %d is %v at once, %v packed", p.m, p.n, p.k, i, v, p.c.x[i])
		}
	}
}

// oneOf says one of how many values of a result is compared: a result takes so many multiplications, of which the comparison makes most again.
func oneOf(multiplications, most int) int {
	if testing.Short() {
		most = 100_000 // for CPUs that are imitated
	}
	return 1 + multiplications/most
}

// check compares c with float64, and what lies between its rows with what was there: NaN.
func (p *product) check(t *testing.T) {
	t.Helper()
	p.c.check(t)
	step := oneOf(p.m*p.n*p.k, math.MaxInt)
	for row := range p.m {
		for column := range p.ldc {
			i := row*p.ldc + column
			if column >= p.n {
				if i < len(p.c.x) && p.c.x[i] == p.c.x[i] {
					t.Fatalf("m=%d n=%d k=%d: the product wrote %d values beyond row %d", p.m, p.n, p.k, column-p.n, row)
				}
				continue
			}
			if (row+column)%step != 0 {
				continue
			}
			want, bound := p.at(row, column)
			if got := float64(p.c.x[i]); !(math.Abs(got-want) <= bound) {
				t.Fatalf("m=%d n=%d k=%d %+v: c[%d][%d] is %v, want %v ± %v", p.m, p.n, p.k, p.epilogue.Activation, row, column, got, want, bound)
			}
		}
	}
}

func TestMul(t *testing.T) {
	eachNumber(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(7, 8))
		epilogue := 0
		step := 1
		if s.number != Float32 && testing.Short() {
			step = 3
		}
		for _, n := range []int{1, 2, 15, 16, 17, 31, 32, 33, 48, 63, 65, 97} {
			for m := 0; m < 32; m += step {
				for _, k := range []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 64, 67} {
					p := randomProduct(r, m, n, k, epilogue%3, epilogue)
					p.run(s, 1+epilogue%3)
					p.check(t)
					p.checkOnce(t, s, 1+epilogue%2)
					epilogue++
				}
			}
		}
	})
}

// TestMulBlocks has sums longer than a block of k, and left sides larger than the second cache.
func TestMulBlocks(t *testing.T) {
	eachNumber(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(9, 10))
		for i, shape := range []struct{ m, n, k int }{
			{1, 33, 767}, {3, 33, 768}, {15, 65, 769}, {29, 40, 1537}, {20, 31, 3072}, {90, 35, 3072}, {400, 40, 700}, {700, 19, 800},
		} {
			p := randomProduct(r, shape.m, shape.n, shape.k, i%2, i)
			p.run(s, 1+i%2)
			p.check(t)
			p.checkOnce(t, s, 1+i%3)
		}
	})
}

// TestMulRowsAlone multiplies rows together and each alone: the results have the same bits.
func TestMulRowsAlone(t *testing.T) {
	eachNumber(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(11, 12))
		for i, m := range []int{2, 9, 14, 15, 36, 400} {
			p := randomProduct(r, m, 70, 1000, 0, i)
			p.multiply(s, 1)
			for row := 0; row < m; row += 1 + m/20 {
				alone := *p
				alone.m = 1
				alone.a.x = p.a.x[row*p.lda:][:p.k]
				alone.c = newFenced(p.n, 1)
				if p.epilogue.Residual != nil {
					alone.epilogue.Residual = p.epilogue.Residual[row*p.epilogue.LDResidual:]
				}
				alone.multiply(s, 3)
				for j, got := range alone.c.x {
					if want := p.c.x[row*p.ldc+j]; got != want {
						t.Fatalf("m=%d row %d column %d: alone %v, together %v", m, row, j, got, want)
					}
				}
			}
		}
	})
}

func TestGroupRows(t *testing.T) {
	for _, s := range sets() {
		for _, k := range []int{0, 1, 64, 768, 3072, 1 << 20} {
			if rows := s.GroupRows(k); rows < 2*s.rows || rows%s.rows != 0 || k >= 64 && k <= 3072 && rows < 200 {
				t.Errorf("%s: %d rows of %d at a time", s, rows, k)
			}
		}
	}
}

// TestMulNaN: zeros that fill up a panel must not let a NaN or an infinity of one row or column into another.
func TestMulNaN(t *testing.T) {
	eachNumber(t, func(t *testing.T, s *Set) {
		p := randomProduct(rand.New(rand.NewPCG(13, 14)), 17, 37, 20, 0, 0)
		p.a.x[3*p.lda+5] = nan
		p.b.x[7*p.ldb+36] = float32(math.Inf(1))
		p.multiply(s, 1)
		for row := range p.m {
			for column := range p.n {
				got := p.c.x[row*p.ldc+column]
				if odd := row == 3 || column == 36; odd != (got != got || math.IsInf(float64(got), 0)) {
					t.Errorf("c[%d][%d] is %v", row, column, got)
				}
			}
		}
	})
}

// TestMulGuard lets every operand end, and then begin, at a page that nobody may touch.
func TestMulGuard(t *testing.T) {
	eachNumber(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(15, 16))
		for _, atStart := range []bool{false, true} {
			for i, n := range []int{1, 16, 31, 32, 40, 64} {
				for m := 1; m < 30; m += 3 {
					for _, k := range []int{1, 3, 4, 9, 800} {
						t.Run(fmt.Sprintf("%dx%dx%d", m, n, k), func(t *testing.T) {
							p := randomProduct(r, m, n, k, 0, i)
							p.terms = p.termsOf(s.number)
							move := func(x []float32) []float32 {
								y := guarded(t, len(x), atStart)
								copy(y, x)
								return y
							}
							p.a.x, p.b.x = move(p.a.x), move(p.b.x)
							c := guarded(t, m*n, atStart)
							if p.epilogue.Bias != nil {
								p.epilogue.Bias = move(p.epilogue.Bias)
							}
							if p.epilogue.Residual != nil {
								p.epilogue.Residual = move(p.epilogue.Residual)
							}
							packed := s.NewPacked(guarded(t, s.PackedLen(k, n), atStart), k, n)
							packed.Pack(p.b.x, p.ldb, p.layout, 0, packed.Panels())
							left := guarded(t, s.LeftLen(m, k), atStart)
							s.PackLeft(left, p.a.x, k, m, k, 0, s.LeftTiles(m))
							packed.Mul(c, n, left, m, 0, packed.Panels(), p.epilogue, (*Scratch)(guarded(t, len(Scratch{}), atStart)))
							copy(p.c.x, c)
							p.check(t)
						})
					}
				}
			}
		}
	})
}

func TestMulAllocatesNothing(t *testing.T) {
	eachNumber(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(17, 18))
		p := randomProduct(r, 20, 40, 64, 0, 15)
		packed := s.PackB(p.b.x, p.ldb, p.k, p.n, p.layout)
		left := make([]float32, s.LeftLen(p.m, p.k))
		scratch := new(Scratch)
		if n := testing.AllocsPerRun(10, func() {
			s.PackLeft(left, p.a.x, p.lda, p.m, p.k, 0, s.LeftTiles(p.m))
			packed.Mul(p.c.x, p.ldc, left, p.m, 0, packed.Panels(), p.epilogue, scratch)
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

func TestMulPromises(t *testing.T) {
	s := &generic
	x := make([]float32, 11)
	p := s.PackB(x[:6], 3, 2, 3, InputsOutputs)
	if p.K() != 2 || p.N() != 3 || p.Panels() != 1 || p.Width() != 16 || p.Bytes() != 128 {
		t.Errorf("got %d × %d in %d panels of %d, %d bytes", p.K(), p.N(), p.Panels(), p.Width(), p.Bytes())
	}
	scratch := new(Scratch)
	panics(t, "kernel.Pack: b has 11 values, want 4 rows of 3, 3 apart", func() { s.PackB(x, 3, 4, 3, InputsOutputs) })
	panics(t, "kernel.Pack: b has 11 values, want 3 rows of 4, 4 apart", func() { s.PackB(x, 4, 4, 3, OutputsInputs) })
	panics(t, "kernel.NewPacked: buffer has 11 values", func() { s.NewPacked(x, 2, 3) })
	panics(t, "kernel.Pack: part 0 to 2 of 1", func() { p.Pack(x[:6], 3, InputsOutputs, 0, 2) })
	panics(t, "kernel.PackLeft: a has 11 values, want 6 rows of 2, 2 apart", func() { s.PackLeft(make([]float32, 12), x, 2, 6, 2, 0, 1) })
	panics(t, "kernel.PackLeft: part 0 to 3 of 2", func() { s.PackLeft(make([]float32, 12), x, 2, 5, 2, 0, 3) })
	panics(t, "kernel.Mul: c has 11 values, want 4 rows of 3, 3 apart", func() { p.Mul(x, 3, x, 4, 0, 1, Epilogue{}, scratch) })
	panics(t, "kernel.Mul: part 0 to 2 of 1", func() { p.Mul(x, 3, x, 2, 0, 2, Epilogue{}, scratch) })
	panics(t, "kernel.Mul: bias has 2 values", func() { p.Mul(x, 3, x, 2, 0, 1, Epilogue{Bias: x[:2]}, scratch) })
	panics(t, "kernel.Mul: residual has 5 values", func() { p.Mul(x, 3, x, 2, 0, 1, Epilogue{Residual: x[:5], LDResidual: 3}, scratch) })
	panics(t, "kernel.Mul: no such activation", func() { p.Mul(x, 3, x, 2, 0, 1, Epilogue{Activation: 9}, scratch) })
}

// TestAligned: what holds weights begins on a cache line and is zero, also where large pages were asked for.
func TestAligned(t *testing.T) {
	for _, n := range []int{0, 1, 15, 16, 1000, 3 << 20} {
		x := Aligned(n)
		if len(x) != n || cap(x) != n {
			t.Fatalf("%d values with room for %d, want %d", len(x), cap(x), n)
		}
		if n > 0 && uintptr(unsafe.Pointer(&x[0]))%64 != 0 {
			t.Errorf("%d values begin at %p", n, &x[0])
		}
		for i, v := range x {
			if v != 0 {
				t.Fatalf("value %d of %d is %v", i, n, v)
			}
		}
	}
}
