package kernel

import (
	"fmt"
	"runtime"
	"testing"
	"time"
)

// BenchmarkNumbers times linear layers in each type of number, packing of their left side included, in turn on the same threads, so that their ratios
// hold on a busy machine. Weights come from memory, as in BenchmarkMul; those of large products are few.
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
	var products [numbers]func(thread int, w *Packed)
	for number := range products {
		products[number] = linear(weights[number][0], m, threads)
	}
	team := newTeam(threads)
	defer team.do(nil)
	var took [numbers][]time.Duration
	next := 0
	for b.Loop() {
		next++
		for number, product := range products {
			w := weights[number][next%len(weights[number])]
			start := time.Now()
			team.do(func(thread int) { product(thread, w) })
			took[number] = append(took[number], time.Since(start))
		}
	}
	operations := 2 * float64(m) * float64(weights[0][0].K()) * float64(weights[0][0].N())
	float := median(took[Float32])
	for number := range Number(numbers) {
		b.ReportMetric(operations/median(took[number]), number.String()+"-GFLOP/s")
		b.ReportMetric(float/median(took[number]), number.String()+"/float32")
	}
	b.ReportMetric(0, "ns/op")
}
