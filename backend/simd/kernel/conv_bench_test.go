package kernel

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// A layer is a convolution of ResNet-101 with stages to the fourth, on a picture of 600 × 800, and the fifth stage on regions.
type layer struct {
	name     string
	w        Window
	outputs  int
	residual bool
}

// resnetLayers are its shapes. Where the first block of a stage halves the picture, the stride is on its 1×1 convolutions, as in Caffe.
var resnetLayers = func() []layer {
	one := func(height, width, in int) Window {
		return Window{Batch: 1, Height: height, Width: width, Channels: in, KernelY: 1, KernelX: 1}
	}
	three := func(height, width, in int) Window {
		return Window{Batch: 1, Height: height, Width: width, Channels: in, KernelY: 3, KernelX: 3, Top: 1, Bottom: 1, Left: 1, Right: 1}
	}
	halved := func(w Window) Window {
		w.StrideY, w.StrideX = 2, 2
		return w
	}
	regions := func(n int, w Window) Window {
		w.Batch = n
		return w
	}
	dilated := Window{Height: 14, Width: 14, Channels: 512, KernelY: 3, KernelX: 3, DilationY: 2, DilationX: 2, Top: 2, Bottom: 2, Left: 2, Right: 2}
	return []layer{
		{"stem-7x7s2-3-64", Window{Batch: 1, Height: 600, Width: 800, Channels: 3, KernelY: 7, KernelX: 7, StrideY: 2, StrideX: 2, Top: 3, Bottom: 3, Left: 3, Right: 3}, 64, false},
		{"res2-1x1-64-64", one(150, 200, 64), 64, false},
		{"res2-3x3-64-64", three(150, 200, 64), 64, false},
		{"res2-1x1-64-256", one(150, 200, 64), 256, true},
		{"res2-1x1-256-64", one(150, 200, 256), 64, false},
		{"res2-shortcut-64-256", one(150, 200, 64), 256, false},
		{"res3-1x1s2-256-128", halved(one(150, 200, 256)), 128, false},
		{"res3-3x3-128-128", three(75, 100, 128), 128, false},
		{"res3-3x3s2-128-128", halved(three(150, 200, 128)), 128, false},
		{"res3-1x1-128-512", one(75, 100, 128), 512, true},
		{"res3-1x1-512-128", one(75, 100, 512), 128, false},
		{"res3-shortcut-s2-256-512", halved(one(150, 200, 256)), 512, false},
		{"res4-1x1s2-512-256", halved(one(75, 100, 512)), 256, false},
		{"res4-3x3-256-256", three(38, 50, 256), 256, false},
		{"res4-1x1-256-1024", one(38, 50, 256), 1024, true},
		{"res4-1x1-1024-256", one(38, 50, 1024), 256, false},
		{"res4-shortcut-s2-512-1024", halved(one(75, 100, 512)), 1024, false},
		{"rpn-3x3-1024-512", three(38, 50, 1024), 512, false},
		{"rpn-1x1-512-15", one(38, 50, 512), 15, false},
		{"rpn-1x1-512-60", one(38, 50, 512), 60, false},
		{"res5-36-1x1-1024-512", regions(36, one(14, 14, 1024)), 512, false},
		{"res5-36-3x3d2-512-512", regions(36, dilated), 512, false},
		{"res5-36-1x1-512-2048", regions(36, one(14, 14, 512)), 2048, true},
		{"res5-36-shortcut-1024-2048", regions(36, one(14, 14, 1024)), 2048, false},
		{"res5-36-1x1-2048-512", regions(36, one(14, 14, 2048)), 512, false},
		{"res5-300-3x3d2-512-512", regions(300, dilated), 512, false},
		{"res5-300-1x1-512-2048", regions(300, one(14, 14, 512)), 2048, true},
	}
}()

// BenchmarkConv times the convolutions of ResNet-101 with bias, ReLU and, where the network has one, the residual. Beside each
// it times multiply-adds in registers on as many threads, so that the share of the peak holds on a busy machine.
func BenchmarkConv(b *testing.B) {
	for _, s := range Sets() {
		for _, l := range resnetLayers {
			for threads := 1; threads <= min(2, runtime.NumCPU()); threads++ {
				b.Run(fmt.Sprintf("%s/%s/threads=%d", s, l.name, threads), func(b *testing.B) { benchmarkConv(b, s, l, threads) })
			}
		}
	}
}

func benchmarkConv(b *testing.B, s *Set, l layer, threads int) {
	w, n := l.w, l.outputs
	k := w.KernelY * w.KernelX * w.Channels
	pixels := w.Pixels()
	weights := s.PackB(filled(k*n), n, k, n, InputsOutputs)
	x, dst := filled(w.Batch*w.Height*w.Width*w.Channels), Aligned(pixels*n)
	epilogue := Epilogue{Bias: filled(n), Activation: ReLU}
	if l.residual {
		epilogue.Residual, epilogue.LDResidual = filled(pixels*n), n
	}
	scratch := make([][]float32, threads)
	for i := range scratch {
		scratch[i] = Aligned(s.ConvolveScratch(&w))
	}
	tiles := s.LeftTiles(pixels)
	team := newTeam(threads)
	defer team.do(nil)
	againstPeak(b, s, team, 2*float64(pixels)*float64(k)*float64(n), func(thread int) {
		s.Convolve(dst, n, x, w, weights, tiles*thread/threads, tiles*(thread+1)/threads, epilogue, scratch[thread])
	})
}

// againstPeak times work of some operations on a team's threads, in turn with as long a time of multiply-adds in registers.
func againstPeak(b *testing.B, s *Set, team *team, operations float64, work func(thread int)) {
	var took, peak []time.Duration
	turns, count := 0, 0
	for b.Loop() {
		if turns == 0 { // a first turn says how long the peak is to be timed for
			team.do(work)
			start := time.Now()
			team.do(work)
			turns = int(time.Since(start).Nanoseconds() / 4)
			start = time.Now()
			s.Peak(turns)
			turns = max(1, int(float64(turns)*float64(4*turns)/float64(time.Since(start).Nanoseconds())))
		}
		start := time.Now()
		team.do(work)
		took = append(took, time.Since(start))
		start = time.Now()
		team.do(func(int) { count = s.Peak(turns) })
		peak = append(peak, time.Since(start))
	}
	gflops := operations / median(took)
	gpeak := float64(team.threads*count) / median(peak)
	b.ReportMetric(gflops, "GFLOP/s")
	b.ReportMetric(gpeak, "peak-GFLOP/s")
	b.ReportMetric(100*gflops/gpeak, "%peak")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkBottleneck times the three convolutions of a block in turn, the 3×3 the way of Winograd: each finds in the caches what the
// one before left there.
func BenchmarkBottleneck(b *testing.B) {
	for _, s := range Sets() {
		for _, stage := range []struct {
			name                            string
			height, width, channels, inside int
		}{{"res2", 150, 200, 256, 64}, {"res3", 75, 100, 512, 128}, {"res4", 38, 50, 1024, 256}} {
			b.Run(fmt.Sprintf("%s/%s/threads=2", s, stage.name), func(b *testing.B) {
				n, c, m := stage.height*stage.width, stage.channels, stage.inside
				wide := Window{Batch: 1, Height: stage.height, Width: stage.width, Channels: c, KernelY: 1, KernelX: 1}
				narrow := wide
				narrow.Channels = m
				three := Window{Batch: 1, Height: stage.height, Width: stage.width, Channels: m, KernelY: 3, KernelX: 3, Top: 1, Bottom: 1, Left: 1, Right: 1}
				first, last, middle := s.PackB(filled(c*m), m, c, m, InputsOutputs), s.PackB(filled(c*m), c, m, c, InputsOutputs), s.NewWinograd(m, m)
				middle.Pack(filled(9*m*m), InputsOutputs, 0, middle.Panels())
				x, y, p, q := filled(n*c), Aligned(n*c), Aligned(n*m), Aligned(n*m)
				scratch := [2][]float32{}
				for i := range scratch {
					scratch[i] = Aligned(max(s.ConvolveScratch(&wide), s.ConvolveScratch(&narrow), middle.Scratch()))
				}
				var barrier barrier
				team := newTeam(2)
				defer team.do(nil)
				againstPeak(b, s, team, 2*float64(n)*float64(2*c*m+9*m*m), func(thread int) {
					part := func(n int) (from, to int) { return n * thread / 2, n * (thread + 1) / 2 }
					from, to := part(s.LeftTiles(n))
					s.Convolve(p, m, x, wide, first, from, to, Epilogue{Activation: ReLU}, scratch[thread])
					barrier.wait(2)
					from, to = part(WinogradSquares(&three))
					middle.Convolve(q, m, p, three, from, to, Epilogue{Activation: ReLU}, scratch[thread])
					barrier.wait(2)
					from, to = part(s.LeftTiles(n))
					s.Convolve(y, c, q, narrow, last, from, to, Epilogue{Activation: ReLU, Residual: x, LDResidual: c}, scratch[thread])
				})
			})
		}
	}
}
