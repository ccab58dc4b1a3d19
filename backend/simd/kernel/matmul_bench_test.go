package kernel

import (
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// weightsBytes is how much packed weight a benchmark cycles through, as a pass through a model does: more than any cache.
const weightsBytes = 220 << 20

// BenchmarkMul times a linear layer, packing of its left side included, on weights that come from memory. Beside each
// product it times multiply-adds in registers on as many threads, so that the share of the peak holds on a busy machine.
func BenchmarkMul(b *testing.B) {
	for _, s := range Sets() {
		for _, layer := range []struct{ k, n int }{{768, 3072}, {3072, 768}} {
			weights := make([]*Packed, weightsBytes/(4*layer.k*layer.n))
			for i := range weights {
				weights[i] = s.PackB(filled(layer.k*layer.n), layer.n, layer.k, layer.n, InputsOutputs)
			}
			for _, m := range []int{1, 8, 20, 36, 56, 72, 1152} {
				for threads := 1; threads <= min(2, runtime.NumCPU()); threads++ {
					name := fmt.Sprintf("%s/%dx%d/m=%d/threads=%d", s, layer.k, layer.n, m, threads)
					b.Run(name, func(b *testing.B) { benchmarkMul(b, s, weights, m, threads) })
				}
			}
		}
	}
}

func benchmarkMul(b *testing.B, s *Set, weights []*Packed, m, threads int) {
	k, n := weights[0].K(), weights[0].N()
	product := linear(weights[0], m, threads)
	team := newTeam(threads)
	defer team.do(nil)
	var took, peak []time.Duration
	turns, operations := 0, 0
	next := 0
	for b.Loop() {
		if turns == 0 { // a first product says how long the peak is to be timed for
			start := time.Now()
			team.do(func(thread int) { product(thread, weights[0]) })
			turns = int(time.Since(start).Nanoseconds() / 4)
			start = time.Now()
			s.Peak(turns)
			turns = max(1, int(float64(turns)*float64(4*turns)/float64(time.Since(start).Nanoseconds())))
		}
		next = (next + 1) % len(weights)
		start := time.Now()
		team.do(func(thread int) { product(thread, weights[next]) })
		took = append(took, time.Since(start))
		start = time.Now()
		team.do(func(int) { operations = s.Peak(turns) })
		peak = append(peak, time.Since(start))
	}
	gflops := 2 * float64(m) * float64(k) * float64(n) / median(took)
	gpeak := float64(threads*operations) / median(peak)
	b.ReportMetric(gflops, "GFLOP/s")
	b.ReportMetric(gpeak, "peak-GFLOP/s")
	b.ReportMetric(100*gflops/gpeak, "%peak")
	b.ReportMetric(4*float64(k)*float64(n)/median(took), "GB/s")
	b.ReportMetric(0, "ns/op")
}

// linear is a product of m rows with weights like these, on threads that all call it.
func linear(weights *Packed, m, threads int) func(thread int, w *Packed) {
	s, k, n := weights.set, weights.K(), weights.N()
	groups := (m + s.GroupRows(k) - 1) / s.GroupRows(k)
	rows := (m + groups - 1) / groups
	left := [2][]float32{Aligned(s.LeftLen(rows, k)), Aligned(s.LeftLen(rows, k))} // one is packed while the other is still in use
	a, c := filled(m*k), Aligned(m*n)
	scratch := make([]Scratch, threads)
	barrier := new(barrier)
	return func(thread int, w *Packed) {
		part := func(n int) (from, to int) { return n * thread / threads, n * (thread + 1) / threads }
		for group := range groups {
			row := group * rows
			rows, left := min(rows, m-row), left[group%2]
			from, to := part(s.LeftTiles(rows))
			s.PackLeft(left, a[row*k:], k, rows, k, from, to)
			barrier.wait(threads)
			from, to = part(w.Panels())
			w.Mul(c[row*n:], n, left, rows, from, to, Epilogue{}, &scratch[thread])
		}
	}
}

// median is in nanoseconds.
func median(d []time.Duration) float64 {
	slices.Sort(d)
	return float64(d[len(d)/2])
}

// A team is some threads that wait for work without sleeping, so that waking them costs nothing.
type team struct {
	threads int
	work    func(thread int)
	begun   atomic.Int64
	done    atomic.Int64
}

func newTeam(threads int) *team {
	t := &team{threads: threads}
	for i := 1; i < threads; i++ {
		go func() {
			for round := int64(1); ; round++ {
				for t.begun.Load() < round {
				}
				if t.work == nil {
					return
				}
				t.work(i)
				t.done.Add(1)
			}
		}()
	}
	return t
}

// do runs work on every thread and waits; nil sends the team home.
func (t *team) do(work func(thread int)) {
	t.work = work
	t.begun.Add(1)
	if work == nil {
		return
	}
	work(0)
	for round := t.begun.Load(); t.done.Load() < round*int64(t.threads-1); {
	}
}

// A barrier lets nobody pass until all have come.
type barrier struct{ come atomic.Int32 }

func (b *barrier) wait(all int) {
	turn := (int(b.come.Add(1)) + all - 1) / all * all
	for int(b.come.Load()) < turn {
	}
}

// filled is n values between -1 and 1, the same each time.
func filled(n int) []float32 {
	x := Aligned(n)
	seed := uint32(n)
	for i := range x {
		seed = seed*1664525 + 1013904223
		x[i] = float32(int32(seed)) * 0x1p-31
	}
	return x
}

// BenchmarkPackB times what each weight goes through once when a model is loaded.
func BenchmarkPackB(b *testing.B) {
	const n, k = 3072, 768
	for _, s := range Sets() {
		w, p := filled(n*k), s.NewPacked(nil, k, n)
		b.Run(s.String(), func(b *testing.B) {
			b.SetBytes(4 * n * k)
			for b.Loop() {
				p.Pack(w, k, OutputsInputs, 0, p.Panels())
			}
		})
	}
}
