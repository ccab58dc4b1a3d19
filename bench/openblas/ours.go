package main

import (
	"time"

	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

// weightsSize is how many weights the products go through in turn, as in sgemm.c.
const weightsSize = 700 << 18

// ours multiplies with this module's kernels: the weights are packed beforehand, as a model's are, the left side each time.
type ours struct {
	set     *kernel.Set
	threads int
	weights map[shape][]*kernel.Packed // of m = 0
}

// shape is that of a product [m, k] × [k, n].
type shape struct{ m, k, n int }

func (o *ours) pack(k, n int) {
	weights := make([]*kernel.Packed, weightsSize/(k*n))
	for i := range weights {
		weights[i] = o.set.PackB(filled(k*n), n, k, n, kernel.InputsOutputs)
	}
	o.weights[shape{0, k, n}] = weights
}

// time makes so many products, each with the next weights, and returns the milliseconds of each.
func (o *ours) time(s shape, runs int) []float64 {
	weights, set := o.weights[shape{0, s.k, s.n}], o.set
	groups := (s.m + set.GroupRows(s.k) - 1) / set.GroupRows(s.k)
	rows := (s.m + groups - 1) / groups
	left := [2][]float32{make([]float32, rows*s.k), make([]float32, rows*s.k)} // one is packed while the other is still in use
	a, c := filled(s.m*s.k), make([]float32, s.m*s.n)
	scratch := make([]kernel.Scratch, o.threads)
	var barrier barrier
	team := newTeam(o.threads)
	defer team.do(nil)
	ms := make([]float64, runs)
	for i := range ms {
		w := weights[i%len(weights)]
		start := time.Now()
		team.do(func(thread int) {
			part := func(n int) (from, to int) { return n * thread / o.threads, n * (thread + 1) / o.threads }
			for group := range groups {
				row := group * rows
				rows, left := min(rows, s.m-row), left[group%2]
				from, to := part(set.LeftTiles(rows))
				set.PackLeft(left, a[row*s.k:], s.k, rows, s.k, from, to)
				barrier.wait(o.threads)
				from, to = part(w.Panels())
				w.Mul(c[row*s.n:], s.n, left, rows, from, to, kernel.Epilogue{}, &scratch[thread])
			}
		})
		ms[i] = float64(time.Since(start)) / 1e6
	}
	return ms
}

// peak is the multiply-add rate of all threads in GFLOP/s, the best of some tries: in others a thread came late.
func (o *ours) peak() float64 {
	team := newTeam(o.threads)
	defer team.do(nil)
	best := 0.0
	for range 10 {
		operations := make([]int, o.threads)
		start := time.Now()
		team.do(func(thread int) { operations[thread] = o.set.Peak(1 << 19) })
		best = max(best, float64(o.threads*operations[0])/float64(time.Since(start)))
	}
	return best
}

// filled is n values between -1 and 1, the same as sgemm.c's.
func filled(n int) []float32 {
	x := make([]float32, n)
	seed := uint32(n)
	for i := range x {
		seed = seed*1664525 + 1013904223
		x[i] = float32(int32(seed)) * 0x1p-31
	}
	return x
}
