package simd

import (
	"fmt"
	"math"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
)

// Computations that a caller could build of operations, against the portable backend.

// computation builds the values to be returned.
type computation func(p *planner) []compute.Value

// runOn runs a computation on an engine: each parameter is one of the buffers.
func runOn(t *testing.T, engine compute.Backend, build computation, donate []bool, args ...compute.Buffer) ([][]float32, error) {
	t.Helper()
	b := engine.Builder(t.Name())
	p := &planner{t, b, b.Main()}
	if err := p.Return(build(p), nil); err != nil {
		t.Fatal(err)
	}
	e, err := b.Compile()
	if err != nil {
		t.Fatal(err)
	}
	defer e.Finalize()
	results, err := e.Execute(args, donate, 0)
	if err != nil {
		return nil, err
	}
	var values [][]float32
	for i, result := range results {
		flat := make([]float32, e.Outputs()[i].Size())
		if err := result.ToFlatData(flat); err != nil {
			t.Fatal(err)
		}
		values = append(values, flat)
	}
	return values, nil
}

// twoEngines are ours and the portable one.
func twoEngines(t *testing.T) (ours, portable compute.Backend) {
	t.Helper()
	ours, err := New("threads=2")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ours.Finalize)
	if portable, err = gobackend.New("ops_sequential"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(portable.Finalize)
	return ours, portable
}

// buffers are an engine's, of one value list and shape each.
func buffers(t *testing.T, engine compute.Backend, values [][]float32, dims ...[]int) []compute.Buffer {
	t.Helper()
	var list []compute.Buffer
	for i, v := range values {
		buffer, err := engine.BufferFromFlatData(0, v, shapes.Make(dtypes.Float32, dims[i]...))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, buffer)
	}
	return list
}

// sameOnBoth runs a computation of parameters with those dimensions on both engines and compares.
func sameOnBoth(t *testing.T, build computation, dims ...[]int) {
	t.Helper()
	var values [][]float32
	for i, d := range dims {
		values = append(values, ramp(shapes.Make(dtypes.Float32, d...).Size(), i))
	}
	ours, portable := twoEngines(t)
	got, err := runOn(t, ours, build, nil, buffers(t, ours, values, dims...)...)
	if err != nil {
		t.Fatal(err)
	}
	want, err := runOn(t, portable, build, nil, buffers(t, portable, values, dims...)...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		alike(t, i, got[i], want[i])
	}
}

// ramp is n values between -1 and 1 that repeat after a prime number of them.
func ramp(n, seed int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32((i+7*seed)%61)/30 - 1
	}
	return x
}

// alike compares an output, to the roundings of float32.
func alike(t *testing.T, output int, got, want []float32) {
	t.Helper()
	for i, w := range want {
		equal := got[i] == w || got[i] != got[i] && w != w
		if !equal && !(math.Abs(float64(got[i]-w)) <= 1e-5*(1+math.Abs(float64(w)))) {
			t.Errorf("output %d: element %d is %v, want %v", output, i, got[i], w)
			return
		}
	}
}

// TestProductsOfTransposed: the shadow gives a product of a matrix and one of its transpose that are equal as one value.
func TestProductsOfTransposed(t *testing.T) {
	square := []int{5, 5}
	for first := range 4 {
		sameOnBoth(t, func(p *planner) []compute.Value {
			a, b := p.parameter("a", square...), p.parameter("b", square...)
			var products []compute.Value
			for i := range 4 {
				lhs, rhs := a, b
				axes := [2]int{0, 0}
				if way := (first + i) % 4; way&1 == 1 {
					lhs, axes[0] = p.must(p.Transpose(a, 1, 0)), 1
				} else if way&2 == 2 {
					rhs, axes[1] = p.must(p.Transpose(b, 1, 0)), 1
				}
				products = append(products, p.must(p.DotGeneral(lhs, axes[:1], nil, rhs, axes[1:], nil, compute.DotGeneralConfig{})))
			}
			return products
		}, square, square)
	}
}

// TestProductAfterItsReshape: the shadow ends a product of many axes with a reshape, which the caller may have asked for before.
func TestProductAfterItsReshape(t *testing.T) {
	sameOnBoth(t, func(p *planner) []compute.Value {
		a, b := p.parameter("a", 2, 3, 4), p.parameter("b", 4, 5)
		flat := p.must(p.DotGeneral(p.must(p.Reshape(a, 6, 4)), []int{1}, nil, b, []int{0}, nil, compute.DotGeneralConfig{}))
		reshaped := p.must(p.Reshape(flat, 2, 3, 5))
		again := p.must(p.DotGeneral(a, []int{2}, nil, b, []int{0}, nil, compute.DotGeneralConfig{}))
		return []compute.Value{flat, reshaped, again, p.must(p.Add(again, reshaped))}
	}, []int{2, 3, 4}, []int{4, 5})
}

// TestAttentionOfConstants is computed when the plan is made.
func TestAttentionOfConstants(t *testing.T) {
	ours, _ := twoEngines(t)
	dims := []int{1, 5, 2, 4}
	numbers := ramp(40, 0)
	attend := func(p *planner, x compute.Value) []compute.Value {
		seen, _, err := p.FusedScaledDotProductAttention(x, x, x, compute.AttentionAxesLayoutBSHD, nil)
		return []compute.Value{p.must(seen, err)}
	}
	got, err := runOn(t, ours, func(p *planner) []compute.Value { return attend(p, p.must(p.Constant(numbers, dims...))) }, nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := runOn(t, ours, func(p *planner) []compute.Value { return attend(p, p.parameter("x", dims...)) }, nil,
		buffers(t, ours, [][]float32{numbers}, dims)...)
	if err != nil {
		t.Fatal(err)
	}
	alike(t, 0, got[0], want[0])
}

// TestDonated: what was donated is gone; a buffer that is given for two parameters is read for both, whichever is donated, and also where
// the computation runs as its shadow.
func TestDonated(t *testing.T) {
	dims := []int{100, 70}
	update := func(p *planner) []compute.Value { // in one chain, whose results could lie where the parameters are
		a, b := p.parameter("a", dims...), p.parameter("b", dims...)
		return []compute.Value{p.must(p.Add(p.must(p.Mul(a, a)), b)), p.must(p.Sub(p.must(p.Exp(b)), a))}
	}
	apart := func(p *planner) []compute.Value { // in two
		a, b := p.parameter("a", dims...), p.parameter("b", dims...)
		sum := p.must(p.ReduceSum(p.must(p.Exp(a)), 1))
		return []compute.Value{p.must(p.Neg(a)), p.must(p.Mul(b, p.must(p.BroadcastInDim(sum, shapes.Make(dtypes.Float32, dims...), []int{0}))))}
	}
	whole := func(p *planner) []compute.Value { // with a closure
		p.must(nil, func() error { _, err := p.Closure(); return err }())
		return update(p)
	}
	ours, portable := twoEngines(t)
	for name, build := range map[string]computation{"one chain": update, "two chains": apart, "whole": whole} {
		for _, equal := range []bool{false, true} {
			values := [][]float32{ramp(7000, 0), ramp(7000, 1)}
			if equal {
				values[1] = values[0]
			}
			want, err := runOn(t, portable, build, nil, buffers(t, portable, values, dims, dims)...)
			if err != nil {
				t.Fatal(err)
			}
			for _, donate := range [][]bool{{true, false}, {false, true}, {true, true}} {
				in := buffers(t, ours, values, dims, dims)
				if equal {
					in[1] = in[0]
				}
				got, err := runOn(t, ours, build, donate, in...)
				if err != nil {
					t.Fatalf("%s, the same buffer: %v, donated %v: %v", name, equal, donate, err)
				}
				for i := range want {
					alike(t, i, got[i], want[i])
				}
				for i, given := range donate {
					gone := in[i].ToFlatData(make([]float32, 7000)) != nil
					if expected := given || equal; gone != expected {
						t.Errorf("%s, the same buffer: %v, donated %v: input %d is gone: %v, want %v", name, equal, donate, i, gone, expected)
					}
				}
			}
		}
		if _, err := runOn(t, ours, build, []bool{true}, buffers(t, ours, [][]float32{ramp(7000, 0), ramp(7000, 1)}, dims, dims)...); err == nil {
			t.Errorf("%s: no error where it is not said of every input whether it is donated", name)
		}
	}
}

// TestClampOverItsOperands: a clamp reads its third operand after it has written for the first time, so its result lies neither where a
// parameter is that is donated, nor where a value in between is.
func TestClampOverItsOperands(t *testing.T) {
	dims := []int{100, 70}
	over := func(between bool) computation {
		return func(p *planner) []compute.Value {
			low, x, high := p.parameter("low", dims...), p.parameter("x", dims...), p.parameter("high", dims...)
			spread := func(v compute.Value) compute.Value {
				return p.must(p.BroadcastInDim(v, shapes.Make(dtypes.Float32, dims...), []int{0}))
			}
			if !between { // nothing else lies as the result does
				low, x = p.must(p.ReduceMin(low, 1)), p.must(p.ReduceMax(x, 1))
				return []compute.Value{p.must(p.Clamp(spread(low), spread(x), high))}
			}
			high = p.must(p.Exp(high)) // in the first place, which would be the next to be taken
			return []compute.Value{p.must(p.Tanh(p.must(p.Clamp(p.must(p.Neg(low)), p.must(p.Exp(x)), high))))}
		}
	}
	ours, portable := twoEngines(t)
	values := [][]float32{ramp(7000, 0), ramp(7000, 1), ramp(7000, 2)}
	for _, between := range []bool{false, true} {
		want, err := runOn(t, portable, over(between), nil, buffers(t, portable, values, dims, dims, dims)...)
		if err != nil {
			t.Fatal(err)
		}
		got, err := runOn(t, ours, over(between), []bool{false, false, true}, buffers(t, ours, values, dims, dims, dims)...)
		if err != nil {
			t.Fatal(err)
		}
		alike(t, 0, got[0], want[0])
	}
}

// TestSumIsKnownAtTheEnd: what reads the sum of a chain's values cannot be in that chain.
func TestSumIsKnownAtTheEnd(t *testing.T) {
	dims := []int{30, 100}
	sameOnBoth(t, func(p *planner) []compute.Value {
		x := p.parameter("x", dims...)
		square := p.must(p.Mul(x, x))
		sum := p.must(p.BroadcastInDim(p.must(p.ReduceSum(square)), shapes.Make(dtypes.Float32, dims...), nil))
		return []compute.Value{p.must(p.Div(square, sum)), p.must(p.Add(p.must(p.Sub(x, square)), p.must(p.Mul(sum, x))))}
	}, dims)
}

// TestEndings: what follows a product is done by it only where that is the same.
func TestEndings(t *testing.T) {
	out := shapes.Make(dtypes.Float32, 6, 16)
	for name, end := range map[string]func(p *planner, e ending) []compute.Value{
		"two activations": func(p *planner, e ending) []compute.Value {
			return []compute.Value{p.must(p.Tanh(p.must(p.FusedGelu(e.y, true))))}
		},
		"an activation, then a bias": func(p *planner, e ending) []compute.Value {
			return []compute.Value{p.must(p.Add(p.must(p.Tanh(e.y)), e.bias))}
		},
		"two biases": func(p *planner, e ending) []compute.Value {
			other := p.must(p.BroadcastInDim(e.other, out, []int{1}))
			return []compute.Value{p.must(p.Add(p.must(p.Add(e.y, e.bias)), other))}
		},
		"a bias for each row": func(p *planner, e ending) []compute.Value {
			return []compute.Value{p.must(p.Add(e.y, p.must(p.BroadcastInDim(e.rows, out, []int{0}))))}
		},
		"itself": func(p *planner, e ending) []compute.Value { return []compute.Value{p.must(p.Add(e.y, e.y))} },
		"the largest of it and 0.5": func(p *planner, e ending) []compute.Value {
			return []compute.Value{p.must(p.Max(e.y, p.must(p.BroadcastInDim(p.must(p.Constant([]float32{0.5})), out, nil))))}
		},
		"others read it": func(p *planner, e ending) []compute.Value {
			return []compute.Value{p.must(p.Tanh(p.must(p.Add(e.y, e.residual)))), p.must(p.FusedSoftmax(e.y, 1))}
		},
		"others read what lies between": func(p *planner, e ending) []compute.Value {
			sum := p.must(p.Add(e.y, e.residual))
			return []compute.Value{p.must(p.Tanh(sum)), p.must(p.FusedSoftmax(sum, 1))}
		},
		"what lies between is returned, reshaped": func(p *planner, e ending) []compute.Value {
			sum := p.must(p.Add(e.y, e.residual))
			return []compute.Value{p.must(p.Tanh(sum)), p.must(p.Reshape(sum, 96))}
		},
		"a residual that depends on it": func(p *planner, e ending) []compute.Value {
			return []compute.Value{p.must(p.Add(e.y, p.must(p.FusedSoftmax(p.must(p.Mul(e.y, e.residual)), 1))))}
		},
		"summed up": func(p *planner, e ending) []compute.Value {
			sum := p.must(p.Add(e.y, e.residual))
			return []compute.Value{p.must(p.ReduceSum(sum)), p.must(p.Tanh(sum))}
		},
	} {
		t.Run(name, func(t *testing.T) {
			sameOnBoth(t, func(p *planner) []compute.Value {
				x, w := p.parameter("x", 6, 8), p.parameter("w", 8, 16)
				e := ending{residual: p.parameter("residual", 6, 16), other: p.parameter("other", 16), rows: p.parameter("rows", 6)}
				e.bias = p.must(p.BroadcastInDim(p.parameter("bias", 16), out, []int{1}))
				e.y = p.must(p.DotGeneral(x, []int{1}, nil, w, []int{0}, nil, compute.DotGeneralConfig{}))
				return end(p, e)
			}, []int{6, 8}, []int{8, 16}, []int{6, 16}, []int{16}, []int{6}, []int{16})
		})
	}
}

// ending is a product's result, and what may be done with it: another value, one for each column (bias, spread; other), one for each row.
type ending struct{ y, residual, bias, other, rows compute.Value }

// TestReturnedViewIsABuffer: what a computation returns reshaped, another takes in its new shape, also where the portable backend runs it.
func TestReturnedViewIsABuffer(t *testing.T) {
	ours, _ := twoEngines(t)
	b := ours.Builder(t.Name())
	p := &planner{t, b, b.Main()}
	e, _, _, _ := p.plan(p.must(p.Reshape(p.must(p.Exp(p.parameter("x", 3, 4))), 2, 6)))
	results, err := e.Execute(buffers(t, ours, [][]float32{ramp(12, 0)}, []int{3, 4}), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := runOn(t, ours, func(p *planner) []compute.Value { return []compute.Value{p.must(p.Cos(p.parameter("x", 2, 6)))} }, nil, results...); err != nil {
		t.Error(err)
	}
}

// TestNoCircles: chains that wait for each other by way of others stay apart, also where one has begun to wait after others waited for it.
func TestNoCircles(t *testing.T) {
	wide := []int{100, 70}
	for _, takesOver := range []bool{false, true} { // the chain of x goes on, or another takes it over
		sameOnBoth(t, func(p *planner) []compute.Value {
			a, x, row := p.parameter("a", wide...), p.must(p.Exp(p.parameter("b", wide...))), p.must(p.Exp(p.parameter("row", 70)))
			spread := p.must(p.BroadcastInDim(row, shapes.Make(dtypes.Float32, wide...), []int{1}))
			if takesOver {
				spread = p.must(p.Mul(a, spread))
			}
			waits := p.must(p.Tanh(p.must(p.ReduceSum(x, 0))))
			return []compute.Value{p.must(p.Add(spread, x)), p.must(p.Add(waits, row))} // x's chain waits for row's, and waits for x's
		}, wide, wide, []int{70})
	}
}

// TestBroadcastOfBroadcast: a chain reads a spread value from the value itself only where it is spread once.
func TestBroadcastOfBroadcast(t *testing.T) {
	sameOnBoth(t, func(p *planner) []compute.Value {
		row, column, x := p.parameter("row", 4), p.parameter("column", 3), p.parameter("x", 3, 6, 4)
		spread := func(v compute.Value, axes []int, dims ...int) compute.Value {
			return p.must(p.BroadcastInDim(v, shapes.Make(dtypes.Float32, dims...), axes))
		}
		twice := spread(spread(row, []int{1}, 3, 4), []int{0, 2}, 3, 6, 4)
		thrice := spread(p.must(p.Reshape(twice, 1, 72)), []int{0, 1}, 2, 72)
		implicit := spread(column, []int{0}, 3, 1, 4)
		scalar := spread(p.must(p.ReduceSum(row)), nil, 1)
		return []compute.Value{
			p.must(p.Add(x, twice)), p.must(p.Add(x, spread(spread(column, []int{0}, 3, 4), []int{0, 2}, 3, 6, 4))), p.must(p.Mul(x, implicit)), p.must(p.Sub(implicit, x)), p.must(p.Exp(thrice)), thrice,
			p.must(p.Mul(x, spread(spread(scalar, []int{1}, 6, 1), []int{1, 2}, 3, 6, 4))),
		}
	}, []int{4}, []int{3}, []int{3, 6, 4})
}

// TestAfterAFailure: the portable backend panics where integers are divided by 0. The engine has its memory back and goes on.
func TestAfterAFailure(t *testing.T) {
	ours, err := New("threads=2")
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Finalize()
	b := ours.Builder(t.Name())
	p := &planner{t, b, b.Main()}
	x, by := p.parameter("x", 100, 70), p.must(p.Parameter("by", shapes.Make(dtypes.Int32), nil))
	one := p.must(p.ConvertDType(p.must(p.Div(by, by)), dtypes.Float32))
	turned := p.must(p.Transpose(p.must(p.Exp(x)), 1, 0)) // which lies in the slab
	e, _, _, segments := p.plan(p.must(p.Mul(turned, p.must(p.BroadcastInDim(one, shapes.Make(dtypes.Float32, 70, 100), nil)))))
	if segments == 0 || e.slab == 0 {
		t.Fatalf("the plan has %d segments and a slab of %d values, want some of both", segments, e.slab)
	}
	run := func(divisor int32) (result []float32, err error) {
		defer func() {
			if failed := recover(); failed != nil {
				err = fmt.Errorf("%v", failed)
			}
		}()
		d, err := ours.BufferFromFlatData(0, []int32{divisor}, shapes.Make(dtypes.Int32))
		if err != nil {
			return nil, err
		}
		results, err := e.Execute(append(buffers(t, ours, [][]float32{ramp(7000, 0)}, []int{100, 70}), d), nil, 0)
		if err != nil {
			return nil, err
		}
		result = make([]float32, 7000)
		return result, results[0].ToFlatData(result)
	}
	want, err := run(3)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := run(0); err == nil {
			t.Fatal("no failure, want one")
		}
		got, err := run(5)
		if err != nil {
			t.Fatal(err)
		}
		alike(t, 0, got, want)
	}
	if kept := len(ours.(*Backend).memory.slabs); kept != 1 {
		t.Errorf("the engine keeps %d slabs, want one", kept)
	}
}
