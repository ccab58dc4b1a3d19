package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// A convolving is a convolution with its operands, fenced.
type convolving struct {
	w        Window
	outputs  int
	x, b, c  fenced
	ldc      int
	layout   Layout
	epilogue Epilogue

	terms    convTerms // what the set that ran it multiplies
	together bool      // parts are convolved at the same time
}

// convTerms are the operands of a convolution as a type of number has them, in float64, and what they count.
type convTerms struct {
	number     Number
	x, b       []float64 // where they lie in memory
	pixels     []float64 // each pixel's step
	outputs    []float64 // each output's
	ofPictures bool      // all pixels of a picture have one step
}

// termsOf rounds the operands by the definition.
func (c *convolving) termsOf(number Number) convTerms {
	w := &c.w
	t := convTerms{number: number, x: make([]float64, len(c.x.x)), b: make([]float64, len(c.b.x)), ofPictures: !w.single()}
	group := max(1, w.Channels)
	if t.ofPictures && number == Int8 {
		group *= w.Height * w.Width
	}
	for at := 0; at < len(c.x.x); at += group {
		step := rounded(number, t.x[at:][:group], c.x.x[at:][:group])
		for range group / max(1, w.Channels) {
			t.pixels = append(t.pixels, step)
		}
	}
	k := w.KernelY * w.KernelX * w.Channels
	column, values := make([]float32, k), make([]float64, k)
	for output := range c.outputs {
		at := func(i int) int { return c.layout.at(i, output, k, c.ldb()) }
		for i := range column {
			column[i] = c.b.x[at(i)]
		}
		clear(values)
		t.outputs = append(t.outputs, rounded(number, values, column))
		for i, v := range values {
			t.b[at(i)] = v
		}
	}
	return t
}

// ldb is how far rows of the weights lie apart.
func (c *convolving) ldb() int {
	if c.layout != InputsOutputs {
		return c.w.KernelY * c.w.KernelX * c.w.Channels
	}
	return c.outputs
}

// pictures are the pictures as the set reads them, packed in parts.
func (c *convolving) pictures(s *Set, parts int, buffer func(n int) []float32) []float32 {
	n := s.PicturesLen(&c.w)
	if n == 0 {
		return c.x.x
	}
	x, rows := buffer(n), c.w.PictureRows()
	for _, do := range []func(dst, x []float32, w Window, from, to int){s.MeasurePictures, s.PackPictures} {
		for i := range parts {
			do(x, c.x.x, c.w, rows*i/parts, rows*(i+1)/parts)
		}
	}
	return x
}

// randomConvolving has rows of the result that are pad values longer than they need to be, and the epilogue of that number.
func randomConvolving(r *rand.Rand, w Window, outputs, pad, epilogue int) *convolving {
	c := &convolving{w: w, outputs: outputs, ldc: outputs + pad}
	cells := w.KernelY * w.KernelX
	if epilogue%2 == 1 {
		c.layout = OutputsInputsOver(cells)
	}
	c.x = randomFenced(r, w.Batch*w.Height*w.Width*w.Channels, pad)
	c.b = randomFenced(r, cells*w.Channels*outputs, 2*pad)
	c.c = newFenced(size(w.Pixels(), outputs, c.ldc), 3*pad)
	e := &c.epilogue
	e.Activation = Activation(epilogue % 3)
	if epilogue&2 != 0 {
		e.Bias = randomFenced(r, outputs, pad).x
	}
	if epilogue&4 != 0 {
		e.LDResidual = outputs + 2*pad
		e.Residual = randomFenced(r, size(w.Pixels(), outputs, e.LDResidual), pad).x
	}
	if epilogue&24 == 24 {
		e.Scale = 0.125
	}
	return c
}

// pack is the weights.
func (c *convolving) pack(s *Set, buffer []float32) *Packed {
	k := c.w.KernelY * c.w.KernelX * c.w.Channels
	p := s.NewPacked(buffer, k, c.outputs)
	ldb := c.ldb()
	inParts(2, c.together, func(i int) { p.Pack(c.b.x, ldb, c.layout, p.Panels()*i/2, p.Panels()*(i+1)/2) })
	return p
}

// run convolves, for check.
func (c *convolving) run(s *Set, parts int) {
	c.terms = c.termsOf(s.number)
	c.convolve(s, parts)
}

// convolve convolves, in parts of the tiles.
func (c *convolving) convolve(s *Set, parts int) {
	x := c.pictures(s, parts, func(n int) []float32 { return newFenced(n, 3).x })
	packed := c.pack(s, nil)
	tiles := s.LeftTiles(c.w.Pixels())
	inParts(parts, c.together, func(i int) {
		scratch := newFenced(s.ConvolveScratch(&c.w), 1)
		s.Convolve(c.c.x, c.ldc, x, c.w, packed, tiles*i/parts, tiles*(i+1)/parts, c.epilogue, scratch.x)
	})
}

// at is one value of the result, by the definition, in float64.
func (c *convolving) at(pixel, output int) (want, bound float64) {
	w := &c.w
	height, width := w.Out()
	picture, y, x := pixel/(height*width), pixel/width%height, pixel%width
	var sum, size float64
	stride := func(v int) int { return max(v, 1) }
	for ky := range w.KernelY {
		for kx := range w.KernelX {
			iy, ix := y*stride(w.StrideY)-w.Top+ky*stride(w.DilationY), x*stride(w.StrideX)-w.Left+kx*stride(w.DilationX)
			if iy < 0 || ix < 0 || iy >= w.Height || ix >= w.Width {
				continue
			}
			b, step := (ky*w.KernelX+kx)*w.Channels*c.outputs+output, c.outputs
			if c.layout != InputsOutputs {
				b, step = (output*w.Channels*w.KernelY+ky)*w.KernelX+kx, w.KernelY*w.KernelX
			}
			for _, v := range c.terms.x[((picture*w.Height+iy)*w.Width+ix)*w.Channels:][:w.Channels] {
				term := v * c.terms.b[b]
				sum += term
				size += math.Abs(term)
				b += step
			}
		}
	}
	roundings := float64(w.KernelY*w.KernelX*w.Channels*(blockK+1)/blockK + 4)
	if c.terms.number == Int8 {
		step := 1.0
		if len(c.terms.pixels) > 0 {
			step = c.terms.pixels[picture*w.Height*w.Width] // of the picture, or
			if !c.terms.ofPictures {
				step = c.terms.pixels[(picture*w.Height+y*stride(w.StrideY))*w.Width+x*stride(w.StrideX)]
			}
		}
		sum *= step * c.terms.outputs[output]
		size, roundings = math.Abs(sum), 6
	}
	e := &c.epilogue
	if e.Scale != 0 {
		sum *= float64(e.Scale)
		size *= float64(e.Scale)
	}
	if e.Bias != nil {
		sum += float64(e.Bias[output])
		size += math.Abs(float64(e.Bias[output]))
	}
	if e.Residual != nil {
		v := float64(e.Residual[pixel*e.LDResidual+output])
		sum += v
		size += math.Abs(v)
	}
	bound = roundings*0x1p-24*size + 0x1p-149
	switch e.Activation {
	case ReLU:
		sum = reluOf(sum)
	case GELU:
		sum, bound = geluOf(sum), 1.13*bound+0x1p-23*math.Abs(sum)
	}
	return sum, bound
}

// check compares some values of the result with float64 (all of a small one), and what lies between rows with NaN.
func (c *convolving) check(t *testing.T) {
	t.Helper()
	c.c.check(t)
	step := oneOf(c.w.Pixels()*c.outputs*c.w.KernelY*c.w.KernelX*c.w.Channels, 4_000_000)
	for pixel := range c.w.Pixels() {
		for column := range c.ldc {
			i := pixel*c.ldc + column
			if column >= c.outputs {
				if i < len(c.c.x) && c.c.x[i] == c.c.x[i] {
					t.Fatalf("%+v: wrote beyond row %d", c.w, pixel)
				}
				continue
			}
			if (pixel+column)%step != 0 {
				continue
			}
			want, bound := c.at(pixel, column)
			if got := float64(c.c.x[i]); !(math.Abs(got-want) <= bound) {
				t.Fatalf("%+v, %d outputs, layout %d, activation %d: pixel %d output %d is %v, want %v ± %v", c.w, c.outputs, c.layout, c.epilogue.Activation, pixel, column, got, want, bound)
			}
		}
	}
}

// windows are the shapes that tests go over: plain, strided, dilated and padded ones, pictures of one pixel, windows larger than the
// picture, strides larger than the window, paddings that differ, no result, no pictures, no channels.
var windows = []Window{
	{Batch: 1, Height: 5, Width: 7, Channels: 16, KernelY: 1, KernelX: 1},
	{Batch: 2, Height: 9, Width: 6, Channels: 20, KernelY: 1, KernelX: 1, StrideY: 2, StrideX: 2},
	{Batch: 1, Height: 8, Width: 9, Channels: 17, KernelY: 3, KernelX: 3, Top: 1, Bottom: 1, Left: 1, Right: 1},
	{Batch: 2, Height: 20, Width: 25, Channels: 3, KernelY: 7, KernelX: 7, StrideY: 2, StrideX: 2, Top: 3, Bottom: 3, Left: 3, Right: 3},
	{Batch: 3, Height: 14, Width: 14, Channels: 8, KernelY: 3, KernelX: 3, DilationY: 2, DilationX: 2, Top: 2, Bottom: 2, Left: 2, Right: 2},
	{Batch: 1, Height: 1, Width: 1, Channels: 5, KernelY: 3, KernelX: 3, Top: 1, Bottom: 1, Left: 1, Right: 1},
	{Batch: 1, Height: 2, Width: 3, Channels: 4, KernelY: 5, KernelX: 6, Top: 3, Bottom: 2, Left: 0, Right: 4},
	{Batch: 1, Height: 11, Width: 13, Channels: 2, KernelY: 2, KernelX: 2, StrideY: 3, StrideX: 4, Top: 1, Right: 2},
	{Batch: 1, Height: 6, Width: 40, Channels: 1, KernelY: 1, KernelX: 5, DilationX: 3, Left: 7, Right: 1},
	{Batch: 1, Height: 12, Width: 4, Channels: 33, KernelY: 4, KernelX: 1, StrideY: 2, DilationY: 2, Bottom: 5},
	{Batch: 1, Height: 2, Width: 2, Channels: 3, KernelY: 3, KernelX: 3},
	{Batch: 0, Height: 4, Width: 4, Channels: 3, KernelY: 3, KernelX: 3},
	{Batch: 1, Height: 4, Width: 4, Channels: 0, KernelY: 3, KernelX: 3},
	{Batch: 1, Height: 1, Width: 1, Channels: 3, KernelY: 1, KernelX: 1, Top: 4, Bottom: 4, Left: 4, Right: 4},
	{Batch: 1, Height: 5, Width: 5, Channels: 300, KernelY: 3, KernelX: 3, Top: 1, Bottom: 1, Left: 1, Right: 1},
}

// filling is the window with as many channels as the set's type of number wants.
func filling(s *Set, w Window) Window {
	if !s.Convolves(&w) {
		w.Channels = s.words(w.Channels) * s.per
	}
	return w
}

func TestConvolve(t *testing.T) {
	eachNumber(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(31, 32))
		epilogue := 0
		for _, w := range windows {
			w := filling(s, w)
			for _, outputs := range []int{1, 15, 16, 31, 32, 33, 64, 97} {
				times := 3
				if s.number != Float32 {
					times = 1 // all types have the same walk
				}
				for range times {
					c := randomConvolving(r, w, outputs, epilogue%3, epilogue)
					c.run(s, 1+epilogue%3)
					c.check(t)
					epilogue += 5
				}
			}
		}
	})
}

// TestConvolveGroups has more tiles, weights and blocks of k than are gone over at once.
func TestConvolveGroups(t *testing.T) {
	eachNumber(t, func(t *testing.T, s *Set) {
		if testing.Short() && s.In(Float32) == &generic {
			t.Skip("-short: these sizes take seconds without assembly")
		}
		r := rand.New(rand.NewPCG(33, 34))
		for i, c := range []struct {
			w       Window
			outputs int
		}{
			{Window{Batch: 1, Height: 30, Width: 31, Channels: 100, KernelY: 3, KernelX: 3, Top: 1, Bottom: 1, Left: 1, Right: 1}, 100},
			{Window{Batch: 1, Height: 25, Width: 14, Channels: 800, KernelY: 1, KernelX: 1}, 130},
			{Window{Batch: 1, Height: 25, Width: 20, Channels: 768, KernelY: 1, KernelX: 1, StrideX: 2}, 200},
		} {
			c := randomConvolving(r, c.w, c.outputs, i, 3*i+1)
			c.run(s, 1+i%2)
			c.check(t)
		}
	})
}

// TestConvolvePixelsAlone: the split of the work does not change a bit.
func TestConvolvePixelsAlone(t *testing.T) {
	eachNumber(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(35, 36))
		w := filling(s, Window{Batch: 1, Height: 13, Width: 17, Channels: 90, KernelY: 3, KernelX: 3, Top: 1, Bottom: 1, Left: 1, Right: 1})
		c := randomConvolving(r, w, 70, 0, 7)
		c.convolve(s, 1)
		want := append([]float32{}, c.c.x...)
		c.convolve(s, 16)
		for i, got := range c.c.x {
			if got != want[i] {
				t.Fatalf("value %d: in parts %v, whole %v", i, got, want[i])
			}
		}
	})
}

// TestConvolveNaN: a NaN or an infinity reaches the pixels whose window sees it, and no other; of int8, the whole picture.
func TestConvolveNaN(t *testing.T) {
	eachNumber(t, func(t *testing.T, s *Set) {
		w := filling(s, Window{Batch: 1, Height: 9, Width: 20, Channels: 5, KernelY: 3, KernelX: 3, Top: 1, Bottom: 1, Left: 1, Right: 1})
		for activation := range 2 {
			c := randomConvolving(rand.New(rand.NewPCG(37, 38)), w, 37, 0, activation)
			c.x.x[(4*20+7)*w.Channels+2] = nan
			c.convolve(s, 1)
			for pixel := range w.Pixels() {
				y, x := pixel/20, pixel%20
				sees := y >= 3 && y <= 5 && x >= 6 && x <= 8 || s.number == Int8
				for output := range c.outputs {
					if got := c.c.x[pixel*c.ldc+output]; sees != (got != got) {
						t.Fatalf("activation %d: pixel %d,%d output %d is %v", activation, y, x, output, got)
					}
				}
			}
		}
	})
}

// TestConvolveGuard lets every operand end, and then begin, at a page that nobody may touch.
func TestConvolveGuard(t *testing.T) {
	eachNumber(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(39, 40))
		for _, atStart := range []bool{false, true} {
			for i, w := range windows {
				if w.Pixels() == 0 || w.Channels == 0 {
					continue
				}
				w := filling(s, w)
				for j, outputs := range []int{1, 16, 32, 40, 64} {
					t.Run(fmt.Sprintf("%d/%d", i, outputs), func(t *testing.T) {
						c := randomConvolving(r, w, outputs, 0, 2*i+j)
						move := func(x []float32) []float32 {
							if x == nil {
								return nil
							}
							y := guarded(t, len(x), atStart)
							copy(y, x)
							return y
						}
						c.x.x, c.b.x = move(c.x.x), move(c.b.x)
						c.epilogue.Bias, c.epilogue.Residual = move(c.epilogue.Bias), move(c.epilogue.Residual)
						out := guarded(t, len(c.c.x), atStart)
						k := w.KernelY * w.KernelX * w.Channels
						packed := c.pack(s, guarded(t, s.PackedLen(k, outputs), atStart))
						c.terms = c.termsOf(s.number)
						x := c.pictures(s, 1+i%2, func(n int) []float32 { return guarded(t, n, atStart) })
						s.Convolve(out, c.ldc, x, w, packed, 0, s.LeftTiles(w.Pixels()), c.epilogue, guarded(t, s.ConvolveScratch(&w), atStart))
						copy(c.c.x, out)
						c.check(t)
					})
				}
			}
		}
	})
}

func TestConvolveAllocatesNothing(t *testing.T) {
	eachNumber(t, func(t *testing.T, s *Set) {
		c := randomConvolving(rand.New(rand.NewPCG(41, 42)), filling(s, windows[2]), 40, 0, 7)
		x := make([]float32, s.PicturesLen(&c.w))
		packed := c.pack(s, nil)
		scratch := make([]float32, s.ConvolveScratch(&c.w))
		if n := testing.AllocsPerRun(10, func() {
			x := c.pictures(s, 1, func(int) []float32 { return x })
			s.Convolve(c.c.x, c.ldc, x, c.w, packed, 0, s.LeftTiles(c.w.Pixels()), c.epilogue, scratch)
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

func TestConvolvePromises(t *testing.T) {
	s := &generic
	w := Window{Batch: 1, Height: 4, Width: 4, Channels: 2, KernelY: 3, KernelX: 3}
	x, dst := make([]float32, 32), make([]float32, 12)
	p := s.NewPacked(nil, 18, 3)
	scratch := make([]float32, s.ConvolveScratch(&w))
	convolve := func(w Window, to int, e Epilogue) func() {
		return func() { s.Convolve(dst, 3, x, w, p, 0, to, e, scratch) }
	}
	convolve(w, 1, Epilogue{})()
	panics(t, "kernel.Convolve: part 0 to 2 of 1", convolve(w, 2, Epilogue{}))
	panics(t, "kernel.Mul: bias has 2 values", convolve(w, 1, Epilogue{Bias: x[:2]}))
	panics(t, "kernel.Convolve: x has 32 values, want 20 rows of 2", convolve(Window{Batch: 1, Height: 5, Width: 4, Channels: 2, KernelY: 3, KernelX: 3}, 1, Epilogue{}))
	panics(t, "kernel.Convolve: no such window", convolve(Window{Batch: 1, Height: 4, Width: 4, Channels: 2, KernelY: 3}, 1, Epilogue{}))
	panics(t, "kernel.Convolve: no such window", convolve(Window{Batch: 1, Height: 4, Width: 4, Channels: 2, KernelY: 3, KernelX: 3, Top: -1}, 1, Epilogue{}))
	panics(t, "kernel.Convolve: weights of another set or window", convolve(Window{Batch: 1, Height: 4, Width: 4, Channels: 2, KernelY: 3, KernelX: 2, StrideX: 2}, 1, Epilogue{}))
	panics(t, "kernel.Convolve: dst has 12 values, want 6 rows of 3", convolve(Window{Batch: 1, Height: 4, Width: 4, Channels: 2, KernelY: 3, KernelX: 2}, 1, Epilogue{}))
	scratch = scratch[1:]
	panics(t, "kernel.Convolve: scratch is too short", convolve(w, 1, Epilogue{}))
}

// TestConvolvePastCaches has results so large that they go past the caches, tile by tile and in groups; the last begins beside a
// cache line and does not.
func TestConvolvePastCaches(t *testing.T) {
	eachSet(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(43, 44))
		for _, c := range []struct {
			side, channels, outputs, pad int
			groups                       bool
		}{{231, 3, 64, 0, false}, {31, 24, 3520, 0, true}, {231, 5, 64, 1, false}} {
			w := Window{Batch: 1, Height: c.side, Width: c.side, Channels: c.channels, KernelY: 1, KernelX: 1}
			if 4*w.Pixels()*c.outputs < streamFrom || s.panelsAtOnce(c.channels) < c.outputs/s.width != c.groups {
				t.Fatal("the result or the weights are too small")
			}
			c := randomConvolving(r, w, c.outputs, c.pad, 6)
			c.epilogue.Activation = ReLU
			c.run(s, 3)
			c.check(t)
		}
	})
}
