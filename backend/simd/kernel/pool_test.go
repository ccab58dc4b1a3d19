package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// poolings are the functions with their definitions: what is made of the cells that a window sees, and of how many it has.
var poolings = []struct {
	name string
	run  func(s *Set, dst, x []float32, w Window, from, to int)
	want func(seen []float64, all int) float64
}{
	{"max", (*Set).MaxPool, func(seen []float64, _ int) float64 {
		top := math.Inf(-1)
		for _, v := range seen {
			top = max(top, v)
		}
		return top
	}},
	{"sum", (*Set).SumPool, func(seen []float64, _ int) float64 { return total(seen) }},
	{"mean with padding", func(s *Set, dst, x []float32, w Window, from, to int) { s.MeanPool(dst, x, w, true, from, to) },
		func(seen []float64, all int) float64 { return total(seen) / float64(all) }},
	{"mean", func(s *Set, dst, x []float32, w Window, from, to int) { s.MeanPool(dst, x, w, false, from, to) },
		func(seen []float64, _ int) float64 { return total(seen) / math.Max(1, float64(len(seen))) }},
}

func total(x []float64) (sum float64) {
	for _, v := range x {
		sum += v
	}
	return sum
}

// cells are the values that the window sees at a pixel of the result.
func cells(x []float32, w Window, pixel, channel int) (seen []float64) {
	height, width := w.Out()
	picture, y, z := pixel/(height*width), pixel/width%height, pixel%width
	for ky := range w.KernelY {
		for kx := range w.KernelX {
			iy, ix := y*max(1, w.StrideY)-w.Top+ky*max(1, w.DilationY), z*max(1, w.StrideX)-w.Left+kx*max(1, w.DilationX)
			if iy >= 0 && ix >= 0 && iy < w.Height && ix < w.Width {
				seen = append(seen, float64(x[((picture*w.Height+iy)*w.Width+ix)*w.Channels+channel]))
			}
		}
	}
	return seen
}

func checkPooling(t *testing.T, got, x []float32, w Window, want func([]float64, int) float64) {
	t.Helper()
	for i, got := range got {
		seen := cells(x, w, i/w.Channels, i%w.Channels)
		want := want(seen, w.KernelY*w.KernelX)
		bound := float64(len(seen)+2) * 0x1p-24 * float64(len(seen)) // values are at most 1
		if float64(got) != want && !(math.Abs(float64(got)-want) <= bound) && !(got != got && want != want) {
			t.Fatalf("%+v: value %d is %v, want %v", w, i, got, want)
		}
	}
}

func TestPool(t *testing.T) {
	eachSet(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(51, 52))
		for _, p := range poolings {
			t.Run(p.name, func(t *testing.T) {
				for i, w := range windows {
					x := randomFenced(r, w.Batch*w.Height*w.Width*w.Channels, i)
					dst := newFenced(w.Pixels()*w.Channels, i%3)
					half := w.Pixels() / 2
					p.run(s, dst.x, x.x, w, 0, half)
					p.run(s, dst.x, x.x, w, half, w.Pixels())
					dst.check(t)
					checkPooling(t, dst.x, x.x, w, p.want)
				}
			})
		}
	})
}

func TestPoolNaN(t *testing.T) {
	eachSet(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(53, 54))
		w := Window{Batch: 1, Height: 7, Width: 8, Channels: 37, KernelY: 3, KernelX: 2, StrideX: 2, Top: 1, Left: 1, Right: 2}
		x := randomFenced(r, w.Height*w.Width*w.Channels, 0).x
		x[(3*8+3)*37+11], x[(5*8+6)*37+36] = nan, nan
		x[40], x[50] = float32(math.Inf(1)), float32(math.Inf(-1))
		dst := make([]float32, w.Pixels()*w.Channels)
		for _, p := range poolings[:2] {
			p.run(s, dst, x, w, 0, w.Pixels())
			checkPooling(t, dst, x, w, p.want)
		}
	})
}

// TestPoolGuard lets operands end, and then begin, at a page that nobody may touch.
func TestPoolGuard(t *testing.T) {
	eachSet(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(55, 56))
		for _, atStart := range []bool{false, true} {
			for i, w := range windows {
				if w.Pixels() == 0 || w.Channels == 0 {
					continue
				}
				t.Run(fmt.Sprint(i), func(t *testing.T) {
					x, dst := guarded(t, w.Batch*w.Height*w.Width*w.Channels, atStart), guarded(t, w.Pixels()*w.Channels, atStart)
					fill(r, x)
					for _, p := range poolings {
						p.run(s, dst, x, w, 0, w.Pixels())
						checkPooling(t, dst, x, w, p.want)
					}
				})
			}
		}
	})
}

func TestPoolAllocatesNothing(t *testing.T) {
	eachSet(t, func(t *testing.T, s *Set) {
		w := windows[2]
		x, dst := make([]float32, w.Height*w.Width*w.Channels), make([]float32, w.Pixels()*w.Channels)
		for _, p := range poolings {
			if n := testing.AllocsPerRun(10, func() { p.run(s, dst, x, w, 0, w.Pixels()) }); n != 0 {
				t.Errorf("%s: %v allocations", p.name, n)
			}
		}
	})
}

func TestPoolPromises(t *testing.T) {
	w := Window{Batch: 1, Height: 4, Width: 4, Channels: 2, KernelY: 2, KernelX: 2}
	x, dst := make([]float32, 32), make([]float32, 18)
	pool := func(w Window, to int) func() { return func() { generic.MaxPool(dst, x, w, 0, to) } }
	pool(w, 9)()
	panics(t, "kernel.MaxPool: part 0 to 10 of 9", pool(w, 10))
	w.Bottom = 1
	panics(t, "kernel.MaxPool: dst has 18 values, want 12 rows of 2", pool(w, 9))
	w.Height = 5
	panics(t, "kernel.MaxPool: x has 32 values, want 20 rows of 2", pool(w, 9))
	w.StrideX = -1
	panics(t, "kernel.MaxPool: no such window", pool(w, 9))
}

// FuzzWindows pools and convolves with any small window, also the way of Winograd, and compares every set with float64.
func FuzzWindows(f *testing.F) {
	f.Add(uint64(1), uint32(0x12345678), uint32(0x01234567), uint8(33))
	f.Add(uint64(2), uint32(0xffffffff), uint32(0x76543210), uint8(64))
	f.Add(uint64(3), uint32(0), uint32(0), uint8(0))
	f.Fuzz(func(t *testing.T, seed uint64, sizes, steps uint32, outputs uint8) {
		pick := func(from *uint32, n uint32) int {
			v := *from % n
			*from /= n
			return int(v)
		}
		w := Window{
			Batch: pick(&sizes, 3), Height: pick(&sizes, 20), Width: pick(&sizes, 40), Channels: pick(&sizes, 40), KernelY: 1 + pick(&sizes, 5), KernelX: 1 + pick(&sizes, 7),
			StrideY: pick(&steps, 4), StrideX: pick(&steps, 4), DilationY: pick(&steps, 3), DilationX: pick(&steps, 3),
			Top: pick(&steps, 5), Bottom: pick(&steps, 5), Left: pick(&steps, 7), Right: pick(&steps, 7),
		}
		r := rand.New(rand.NewPCG(seed, 0))
		for _, s := range Sets() {
			c := randomConvolving(r, w, int(outputs%100), int(seed%3), int(seed%32))
			c.run(s, 1+int(seed%3))
			c.check(t)
			if w.Channels > 0 {
				square := w
				square.KernelY, square.KernelX, square.StrideY, square.StrideX = 3, 3, 1, 1
				c := randomConvolving(r, square, int(outputs%100), int(seed%3), int(seed%32))
				c.winograd(s, 1+int(seed%3))
				c.checkLoosely(t)
			}
			for _, p := range poolings {
				dst := newFenced(w.Pixels()*w.Channels, 0)
				p.run(s, dst.x, c.x.x, w, 0, w.Pixels())
				dst.check(t)
				checkPooling(t, dst.x, c.x.x, w, p.want)
			}
		}
	})
}

// BenchmarkPool times the pooling after ResNet's first convolution.
func BenchmarkPool(b *testing.B) {
	w := Window{Batch: 1, Height: 300, Width: 400, Channels: 64, KernelY: 3, KernelX: 3, StrideY: 2, StrideX: 2, Bottom: 1, Right: 1}
	x, dst := filled(w.Height*w.Width*w.Channels), Aligned(w.Pixels()*w.Channels)
	for _, s := range Sets() {
		for _, p := range poolings {
			b.Run(s.String()+"/"+p.name, func(b *testing.B) {
				b.SetBytes(int64(4 * (len(x) + len(dst))))
				for b.Loop() {
					p.run(s, dst, x, w, 0, w.Pixels())
				}
			})
		}
	}
}
