package kernel

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// BenchmarkNumbers times linear layers in each type of number, packing of their left side included, in turn on the same threads, so that
// their ratios hold on a busy machine. Weights come from memory, as in BenchmarkMul.
func BenchmarkNumbers(b *testing.B) {
	threads := min(2, runtime.NumCPU())
	for _, s := range Sets() {
		if s == &generic {
			continue // its types are all of about one speed
		}
		for _, layer := range []struct{ k, n int }{{768, 3072}, {3072, 768}} {
			var weights [numbers][]*Packed
			for number := range weights {
				s := s.In(Number(number))
				first := s.PackB(filled(layer.k*layer.n), layer.n, layer.k, layer.n, InputsOutputs)
				for range weightsBytes / first.Bytes() {
					p := s.NewPacked(nil, layer.k, layer.n)
					copy(p.data, first.data)
					copy(p.scales, first.scales)
					weights[number] = append(weights[number], p)
				}
			}
			for _, m := range []int{1, 20, 36, 56, 1152} {
				b.Run(fmt.Sprintf("%s/%dx%d/m=%d", s, layer.k, layer.n, m), func(b *testing.B) { benchmarkNumbers(b, weights, m, threads) })
			}
		}
	}
}

func benchmarkNumbers(b *testing.B, weights [numbers][]*Packed, m, threads int) {
	var products [numbers]func(thread, turn int)
	for number := range products {
		product, weights := linear(weights[number][0], m, threads), weights[number]
		products[number] = func(thread, turn int) { product(thread, weights[turn%len(weights)]) }
	}
	inTurn(b, 2*float64(m)*float64(weights[0][0].K())*float64(weights[0][0].N()), products, threads)
}

// BenchmarkConvNumbers times the convolutions of ResNet-101 in each type of number, packing of pictures included, in turn on the same threads.
func BenchmarkConvNumbers(b *testing.B) {
	threads := min(2, runtime.NumCPU())
	for _, s := range Sets() {
		if s == &generic {
			continue
		}
		for _, l := range resnetLayers {
			if w := l.w; s.In(Int8).Convolves(&w) {
				b.Run(fmt.Sprintf("%s/%s", s, l.name), func(b *testing.B) { benchmarkConvNumbers(b, s, l, threads) })
			}
		}
	}
}

func benchmarkConvNumbers(b *testing.B, s *Set, l layer, threads int) {
	w, n := l.w, l.outputs
	k, pixels := w.KernelY*w.KernelX*w.Channels, w.Pixels()
	x, dst := filled(w.Batch*w.Height*w.Width*w.Channels), Aligned(pixels*n)
	epilogue := Epilogue{Bias: filled(n), Activation: ReLU}
	if l.residual {
		epilogue.Residual, epilogue.LDResidual = filled(pixels*n), n
	}
	barrier := new(barrier)
	var convolutions [numbers]func(thread, turn int)
	for number := range Number(numbers) {
		s := s.In(number)
		weights, pictures := s.PackB(filled(k*n), n, k, n, InputsOutputs), Aligned(s.PicturesLen(&w))
		scratch := make([][]float32, threads)
		for i := range scratch {
			scratch[i] = Aligned(s.ConvolveScratch(&w))
		}
		convolutions[number] = func(thread, _ int) {
			part := func(n int) (from, to int) { return n * thread / threads, n * (thread + 1) / threads }
			in := x
			if len(pictures) > 0 {
				in = pictures
				from, to := part(w.PictureRows())
				s.MeasurePictures(pictures, x, w, from, to)
				barrier.wait(threads)
				s.PackPictures(pictures, x, w, from, to)
				barrier.wait(threads)
			}
			from, to := part(s.LeftTiles(pixels))
			s.Convolve(dst, n, in, w, weights, from, to, epilogue, scratch[thread])
		}
	}
	inTurn(b, 2*float64(pixels)*float64(k)*float64(n), convolutions, threads)
}

// inTurn times work of some operations in each type of number, and reports how much faster than float32 each is.
func inTurn(b *testing.B, operations float64, work [numbers]func(thread, turn int), threads int) {
	team := newTeam(threads)
	defer team.do(nil)
	var took [numbers][]time.Duration
	for turn := 0; b.Loop(); turn++ {
		for number, work := range work {
			start := time.Now()
			team.do(func(thread int) { work(thread, turn) })
			took[number] = append(took[number], time.Since(start))
		}
	}
	float := median(took[Float32])
	for number := range Number(numbers) {
		b.ReportMetric(operations/median(took[number]), number.String()+"-GFLOP/s")
		b.ReportMetric(float/median(took[number]), number.String()+"/float32")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkPackNarrow times what each weight goes through once when a model is loaded: from float32 in either layout, and from narrow numbers.
func BenchmarkPackNarrow(b *testing.B) {
	const n, k = 3072, 768
	half, quarter, scales := make([]uint16, n*k), make([]int8, n*k), make([]float32, n)
	for _, set := range Sets() {
		for _, number := range []Number{BFloat16, Int8} {
			s := set.In(number)
			w, p := filled(n*k), s.NewPacked(nil, k, n)
			run := func(name string, pack func()) {
				b.Run(fmt.Sprintf("%s/%s/%s", set, number, name), func(b *testing.B) {
					for b.Loop() {
						pack()
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(n*k), "ns/weight")
				})
			}
			run("OutputsInputs", func() { p.Pack(w, k, OutputsInputs, 0, p.Panels()) })
			run("InputsOutputs", func() { p.Pack(w, n, InputsOutputs, 0, p.Panels()) })
			for name, layout := range map[string]Layout{"narrow-OutputsInputs": OutputsInputs, "narrow-InputsOutputs": InputsOutputs} {
				ldb := map[Layout]int{InputsOutputs: n, OutputsInputs: k}[layout]
				run(name, func() {
					if number == BFloat16 {
						p.PackBF16(half, ldb, layout, 0, p.Panels())
					} else {
						p.PackInt8(quarter, scales, ldb, layout, 0, p.Panels())
					}
				})
			}
		}
	}
}
