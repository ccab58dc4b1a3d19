package simd

import (
	"testing"

	"github.com/gomlx/compute"
)

// TestRecomputed: what is computed again behind barriers need not be kept, and equal computations behind none are one.
func TestRecomputed(t *testing.T) {
	const layers, rows, narrow, wide = 8, 32, 16, 256
	slab := func(barriers bool) int {
		p := newPlanner(t)
		widen, back := p.parameter("widen", narrow, wide), p.parameter("back", wide, narrow)
		dense := func(x, weights compute.Value) compute.Value {
			return p.must(p.FusedDense(x, weights, nil, compute.DenseConfig{}))
		}
		inside := func(x compute.Value) compute.Value { return p.must(p.Exp(dense(x, widen))) }
		inputs := []compute.Value{p.parameter("x", rows, narrow)}
		for i := range layers {
			inputs = append(inputs, dense(inside(inputs[i]), back))
		}
		gradient := inputs[layers]
		for i := layers - 1; i >= 0; i-- {
			x := inputs[i]
			if barriers {
				x = p.must(p.SchedulingBarrier(x, gradient))
			}
			gradient = dense(p.must(p.Mul(inside(x), dense(gradient, widen))), back)
		}
		e, _, _, _ := p.plan(gradient)
		return e.slab
	}
	if kept := slab(false); kept < layers*rows*wide {
		t.Errorf("without barriers %d values lie in the slab, want the insides of %d layers, %d, at least", kept, layers, layers*rows*wide)
	}
	if kept := slab(true); kept > 4*rows*wide {
		t.Errorf("with barriers %d values lie in the slab, want %d at most: the insides of four layers", kept, 4*rows*wide)
	}
}

// TestChainsEndAtBarriers: what stands behind a barrier is no part of a chain before it, nor does a barrier copy anything.
func TestChainsEndAtBarriers(t *testing.T) {
	p := newPlanner(t)
	y := p.must(p.Exp(p.parameter("x", 4, 8)))
	behind, err := p.OptimizationBarrier(y)
	if err != nil {
		t.Fatal(err)
	}
	spread := p.must(p.Reshape(behind[0], 32))
	p.want(1, 2, 0, p.must(p.ReduceSum(y)), p.must(p.Neg(spread)), p.must(p.ReduceSum(spread)))
}
