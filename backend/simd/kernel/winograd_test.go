package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// squareWindow is a 3×3 window with the paddings above, below, left and right.
func squareWindow(batch, height, width, channels int, padding ...int) Window {
	return Window{Batch: batch, Height: height, Width: width, Channels: channels, KernelY: 3, KernelX: 3,
		Top: padding[0], Bottom: padding[1], Left: padding[2], Right: padding[3]}
}

var squareWindows = []Window{
	squareWindow(1, 8, 8, 16, 1, 1, 1, 1),
	squareWindow(2, 7, 9, 20, 1, 1, 1, 1),
	squareWindow(1, 1, 1, 3, 1, 1, 1, 1),
	squareWindow(1, 6, 6, 1, 0, 0, 0, 0),
	squareWindow(1, 2, 13, 33, 4, 0, 1, 7),
	squareWindow(1, 40, 38, 17, 1, 1, 1, 1),
	squareWindow(1, 2, 2, 4, 0, 0, 0, 0),
	squareWindow(0, 9, 9, 4, 0, 0, 0, 0),
	squareWindow(1, 1, 1, 5, 9, 9, 9, 9),
	squareWindow(1, 12, 13, 300, 1, 1, 1, 1),
	dilated(2, 2, squareWindow(3, 14, 14, 20, 2, 2, 2, 2)),
	dilated(3, 1, squareWindow(1, 31, 6, 5, 1, 4, 0, 2)),
	dilated(2, 5, squareWindow(1, 30, 51, 7, 2, 2, 5, 5)),
	dilated(4, 3, squareWindow(1, 2, 1, 9, 4, 4, 3, 3)),
}

func dilated(y, x int, w Window) Window {
	w.DilationY, w.DilationX = y, x
	return w
}

// winograd runs a convolution in parts of the squares.
func (c *convolving) winograd(s *Set, parts int) {
	g := s.NewWinograd(c.w.Channels, c.outputs)
	inParts(2, c.together, func(i int) { g.Pack(c.b.x, c.layout, g.Panels()*i/2, g.Panels()*(i+1)/2) })
	n := WinogradSquares(&c.w)
	inParts(parts, c.together, func(i int) {
		scratch := newFenced(g.Scratch(), 1)
		g.Convolve(c.c.x, c.ldc, c.x.x, c.w, n*i/parts, n*(i+1)/parts, c.epilogue, scratch.x)
		for i, v := range scratch.all { // the scratch has values of its own, but not beside it
			if inside := i >= 33 && i < 33+len(scratch.x); !inside && v == v {
				panic("a write beside the scratch")
			}
		}
	})
}

// off is the largest error over the largest sum, before the activation.
func (c *convolving) off() float64 {
	c.terms = c.termsOf(Float32)
	var worst, largest float64
	step := 1 + c.w.Pixels()*c.outputs*9*c.w.Channels/3_000_000
	if step > 1 {
		step |= 1 // of all columns
	}
	for i := 0; i < c.w.Pixels()*c.outputs; i += step {
		want, _ := c.at(i/c.outputs, i%c.outputs)
		got := float64(c.c.x[i/c.outputs*c.ldc+i%c.outputs])
		if off := math.Abs(got - want); !(off <= worst) { // so that NaN shows
			worst = off
		}
		largest = max(largest, math.Abs(want))
	}
	if worst == 0 {
		return 0
	}
	return worst / largest
}

// checkLoosely allows errors of 1e-5 of the largest sum of the terms' sizes: what holds also where a small result is all there is.
func (c *convolving) checkLoosely(t *testing.T) {
	t.Helper()
	var worst, most float64
	for i := range c.w.Pixels() * c.outputs {
		want, bound := c.at(i/c.outputs, i%c.outputs)
		if off := math.Abs(float64(c.c.x[i/c.outputs*c.ldc+i%c.outputs]) - want); !(off <= worst) { // so that NaN shows
			worst = off
		}
		most = max(most, bound)
	}
	k := 9 * c.w.Channels
	if size := most / (float64(k+k/blockK+4) * 0x1p-24); !(worst <= 1e-5*size) {
		t.Fatalf("%+v, %d outputs: off by %v, the largest sum of sizes is %v", c.w, c.outputs, worst, size)
	}
}

func TestWinograd(t *testing.T) {
	eachSet(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(71, 72))
		epilogue := 0
		for _, w := range squareWindows {
			for _, outputs := range []int{1, 16, 31, 32, 64, 97} {
				c := randomConvolving(r, w, outputs, epilogue%3, epilogue)
				if epilogue%5 == 0 {
					c.layout = OutputsInputsOver(9)
				}
				c.winograd(s, 1+epilogue%3)
				c.c.check(t)
				if off := c.off(); !(off <= 1e-5) {
					t.Fatalf("%+v, %d outputs, layout %d, epilogue %d: off by %v of the largest", w, outputs, c.layout, epilogue, off)
				}
				epilogue += 5
			}
		}
	})
}

// TestWinogradAccuracy has as many channels as networks have, on cells that are not negative, as after ReLU, and on cells that are.
func TestWinogradAccuracy(t *testing.T) {
	eachSet(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(73, 74))
		for _, channels := range []int{64, 128, 256, 512, 1024} {
			for _, positive := range []bool{false, true} {
				c := randomConvolving(r, squareWindow(1, 12, 12, channels, 1, 1, 1, 1), 32, 0, 0)
				if positive {
					for i, v := range c.x.x {
						c.x.x[i] = max(v, 0)
					}
				}
				c.winograd(s, 1)
				off := c.off()
				c.run(s, 1)
				t.Logf("%d channels, positive %v: off by %.1e of the largest, direct %.1e", channels, positive, off, c.off())
				if !(off <= 5e-6) {
					t.Errorf("%d channels, positive %v: off by %v of the largest", channels, positive, off)
				}
			}
		}
	})
}

// TestWinogradSplit: the split of the work does not change a bit.
func TestWinogradSplit(t *testing.T) {
	eachSet(t, func(t *testing.T, s *Set) {
		c := randomConvolving(rand.New(rand.NewPCG(75, 76)), squareWindow(1, 40, 39, 40, 1, 1, 1, 1), 70, 0, 7)
		c.winograd(s, 1)
		want := append([]float32{}, c.c.x...)
		c.winograd(s, 7)
		for i, got := range c.c.x {
			if got != want[i] {
				t.Fatalf("value %d: in parts %v, whole %v", i, got, want[i])
			}
		}
	})
}

// TestWinogradGuard lets every operand end, and then begin, at a page that nobody may touch.
func TestWinogradGuard(t *testing.T) {
	eachSet(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(77, 78))
		for _, atStart := range []bool{false, true} {
			for i, w := range squareWindows {
				if w.Pixels() == 0 {
					continue
				}
				for j, outputs := range []int{1, 16, 40, 64} {
					t.Run(fmt.Sprintf("%d/%d", i, outputs), func(t *testing.T) {
						c := randomConvolving(r, w, outputs, 0, 2*i+j)
						c.layout = InputsOutputs
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
						g := s.NewWinograd(w.Channels, outputs)
						g.data = guarded(t, len(g.data), atStart)
						clear(g.data)
						g.Pack(c.b.x, c.layout, 0, g.Panels())
						g.Convolve(out, c.ldc, c.x.x, w, 0, WinogradSquares(&w), c.epilogue, guarded(t, g.Scratch(), atStart))
						copy(c.c.x, out)
						if off := c.off(); !(off <= 1e-5) {
							t.Errorf("off by %v of the largest", off)
						}
					})
				}
			}
		}
	})
}

func TestWinogradAllocatesNothing(t *testing.T) {
	eachSet(t, func(t *testing.T, s *Set) {
		w := squareWindows[1]
		c := randomConvolving(rand.New(rand.NewPCG(79, 80)), w, 40, 0, 7)
		g := s.NewWinograd(w.Channels, c.outputs)
		g.Pack(c.b.x, c.layout, 0, g.Panels())
		scratch := make([]float32, g.Scratch())
		if n := testing.AllocsPerRun(10, func() {
			g.Convolve(c.c.x, c.ldc, c.x.x, w, 0, WinogradSquares(&w), c.epilogue, scratch)
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

func TestWinogradPromises(t *testing.T) {
	s := &generic
	w := squareWindow(1, 6, 6, 2, 0, 0, 0, 0)
	g := s.NewWinograd(2, 3)
	if g.Bytes() != 4*36*2*16 || WinogradSquares(&w) != 1 {
		t.Errorf("%d bytes, %d squares", g.Bytes(), WinogradSquares(&w))
	}
	x, dst, scratch := make([]float32, 72), make([]float32, 48), make([]float32, g.Scratch())
	convolve := func(w Window, to int) func() { return func() { g.Convolve(dst, 3, x, w, 0, to, Epilogue{}, scratch) } }
	convolve(w, 1)()
	panics(t, "kernel.Winograd.Pack: b has 48 values", func() { g.Pack(dst, InputsOutputs, 0, 1) })
	panics(t, "kernel.Winograd.Convolve: part 0 to 2 of 1", convolve(w, 2))
	w.StrideX = 2
	panics(t, "kernel.Winograd.Convolve: weights of another window", convolve(w, 1))
	w.StrideX, w.Height = 0, 7
	panics(t, "kernel.Winograd.Convolve: x has 72 values, want 42 rows of 2", convolve(w, 1))
	w.Height, w.Top = 6, 1
	panics(t, "kernel.Winograd.Convolve: dst has 48 values, want 20 rows of 3", convolve(w, 1))
	w.Top, scratch = 0, scratch[1:]
	panics(t, "kernel.Winograd.Convolve: scratch is too short", convolve(w, 1))
}

// BenchmarkWinograd is [BenchmarkConv] for the convolutions that it fits, with the operations of the direct way counted.
func BenchmarkWinograd(b *testing.B) {
	for _, s := range Sets() {
		for _, l := range resnetLayers {
			if !WinogradFits(&l.w) {
				continue
			}
			for threads := 1; threads <= 2; threads++ {
				b.Run(fmt.Sprintf("%s/%s/threads=%d", s, l.name, threads), func(b *testing.B) { benchmarkWinograd(b, s, l, threads) })
			}
		}
	}
}

func benchmarkWinograd(b *testing.B, s *Set, l layer, threads int) {
	w, n := l.w, l.outputs
	g := s.NewWinograd(w.Channels, n)
	g.Pack(filled(9*w.Channels*n), InputsOutputs, 0, g.Panels())
	x, dst := filled(w.Batch*w.Height*w.Width*w.Channels), Aligned(w.Pixels()*n)
	epilogue := Epilogue{Bias: filled(n), Activation: ReLU}
	scratch := make([][]float32, threads)
	for i := range scratch {
		scratch[i] = Aligned(g.Scratch())
	}
	squares := WinogradSquares(&w)
	team := newTeam(threads)
	defer team.do(nil)
	againstPeak(b, s, team, 2*float64(w.Pixels())*9*float64(w.Channels)*float64(n), func(thread int) {
		g.Convolve(dst, n, x, w, squares*thread/threads, squares*(thread+1)/threads, epilogue, scratch[thread])
	})
}
