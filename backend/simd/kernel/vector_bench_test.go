package kernel

import (
	"fmt"
	"testing"
)

// BenchmarkVector times functions of vectors on what stays in the first cache: [1, 3072], a row between the maps of a
// feed-forward network.
func BenchmarkVector(b *testing.B) {
	const n = 3072
	for _, s := range Sets() {
		x, y, dst := filled(n), filled(n), Aligned(n)
		run := func(name string, bytes int64, f func()) {
			b.Run(fmt.Sprintf("%s/%s", s, name), func(b *testing.B) {
				b.SetBytes(bytes)
				for b.Loop() {
					f()
				}
			})
		}
		for _, u := range unaries {
			f := u.f(s)
			run(u.name, 8*n, func() { f(dst, x) })
		}
		run("Add", 12*n, func() { s.Add(dst, x, y) })
		run("Axpy", 12*n, func() { s.Axpy(dst, x, 1e-9) })
		run("Sum", 4*n, func() { s.Sum(x) })
		run("Max", 4*n, func() { s.Max(x) })
	}
}

// BenchmarkRows times functions of rows at the sizes of a question with its regions: twelve heads' maps of 36 × 36, and
// 36 rows of hidden states.
func BenchmarkRows(b *testing.B) {
	const regions, heads, hidden = 36, 12, 768
	for _, s := range Sets() {
		x, dst, mask := filled(heads*regions*regions), Aligned(heads*regions*regions), filled(regions)
		b.Run(fmt.Sprintf("%s/Softmax", s), func(b *testing.B) {
			b.SetBytes(8 * heads * regions * regions)
			for b.Loop() {
				s.Softmax(dst, x, heads*regions, regions, 0.125, mask, 0)
			}
		})
		states, residual, normal := filled(regions*hidden), filled(regions*hidden), Aligned(regions*hidden)
		gamma, beta := filled(hidden), filled(hidden)
		b.Run(fmt.Sprintf("%s/LayerNorm", s), func(b *testing.B) {
			b.SetBytes(12 * regions * hidden)
			for b.Loop() {
				s.LayerNorm(normal, states, residual, gamma, beta, regions, hidden, 1e-12)
			}
		})
	}
}

// BenchmarkMultiply times attention's products for one layer: twelve heads of 64, 36 regions looking at 36.
func BenchmarkMultiply(b *testing.B) {
	const regions, heads, size = 36, 12, 64
	for _, s := range Sets() {
		for _, scores := range []bool{true, false} {
			p := headsOf(scores, regions, regions, heads, size)
			x, y, c := filled(p.StrideA.Outer), filled(p.StrideB.Outer), Aligned(p.StrideC.Outer)
			scratch := Aligned(s.ProductsScratch(p))
			name := "probabilities·value"
			if scores {
				name = "query·key"
			}
			b.Run(fmt.Sprintf("%s/%s", s, name), func(b *testing.B) {
				for b.Loop() {
					s.Multiply(c, x, y, p, 0, heads, scratch)
				}
				operations := 2 * heads * regions * regions * size * b.N
				b.ReportMetric(float64(operations)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
			})
		}
	}
}
