package simd

import (
	"math"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

// TestElementsOfSpecialValues compares every element-wise operation and reduction with the portable backend where numbers end: NaN,
// infinities, both zeros, the largest and the smallest, each with each. It leaves out two differences: of zeros of both signs vector
// instructions take the second one for the larger and for the smaller; and the sign of NaN is NaN here, as XLA has it, and 0 there.
func TestElementsOfSpecialValues(t *testing.T) {
	special := []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 0, float32(math.Copysign(0, -1)), 1, -1, 0.5, -0.5, 2, 3, -3,
		math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, 1e-40, 89, -104, 1e20}
	side := len(special)
	square := []int{side, side}
	one := func(p *planner, v compute.Value) compute.Value {
		return p.must(p.ConvertDType(v, dtypes.Float32))
	}
	all := func(p *planner) []compute.Value {
		x, y := p.parameter("x", square...), p.parameter("y", square...)
		var results []compute.Value
		for _, op := range []func(compute.Function, compute.Value) (compute.Value, error){
			compute.Function.Abs, compute.Function.Erf, compute.Function.Exp, compute.Function.Log, compute.Function.Logistic, compute.Function.Neg,
			compute.Function.Rsqrt, compute.Function.Sqrt, compute.Function.Tanh,
		} {
			results = append(results, p.must(op(p, x)))
		}
		for _, op := range []func(compute.Function, compute.Value, compute.Value) (compute.Value, error){
			compute.Function.Add, compute.Function.Sub, compute.Function.Mul, compute.Function.Div, compute.Function.Max, compute.Function.Min, compute.Function.Pow,
		} {
			results = append(results, p.must(op(p, x, y)))
		}
		for _, op := range []func(compute.Function, compute.Value, compute.Value) (compute.Value, error){
			compute.Function.Equal, compute.Function.NotEqual, compute.Function.LessThan, compute.Function.LessOrEqual, compute.Function.GreaterThan,
			compute.Function.GreaterOrEqual,
		} {
			results = append(results, one(p, p.must(op(p, x, y))))
		}
		for _, op := range []func(compute.Function, compute.Value, ...int) (compute.Value, error){
			compute.Function.ReduceSum, compute.Function.ReduceMax, compute.Function.ReduceMin,
		} {
			results = append(results, p.must(op(p, x, 0)), p.must(op(p, y, 1)), p.must(op(p, y)))
		}
		less := p.must(p.LessThan(x, y))
		identity := p.must(p.Constant([]float32{1}, 1, 1))
		column := p.must(p.Reshape(x, side*side, 1))
		zero := p.must(p.BroadcastInDim(p.must(p.Constant([]float32{0})), shapes.Make(dtypes.Float32, side*side, 1), nil))
		product := p.must(p.DotGeneral(column, []int{1}, nil, identity, []int{0}, nil, compute.DotGeneralConfig{}))
		return append(results, p.must(p.FusedGelu(x, true)), p.must(p.FusedGelu(x, false)), p.must(p.Clamp(x, y, x)), p.must(p.Where(less, x, y)),
			p.must(p.Where(p.must(p.LogicalNot(less)), x, y)), p.must(p.Max(product, zero)), // the product's ReLU
			p.must(p.FusedDense(column, identity, nil, compute.DenseConfig{Activation: compute.ActivationRelu})))
	}
	onEverySet(t, special, all, func(t *testing.T, output int, got, want, _, _ []float32) { alike(t, output, got, want) })
}

// onEverySet compares the portable engine with ours, with each set of kernels, on every pair x, y of some numbers. What is computed has two parameters of [side, side].
func onEverySet(t *testing.T, special []float32, build func(*planner) []compute.Value, compare func(t *testing.T, output int, got, want, xs, ys []float32)) {
	t.Helper()
	var xs, ys []float32
	for _, x := range special {
		for _, y := range special {
			xs, ys = append(xs, x), append(ys, y)
		}
	}
	square := []int{len(special), len(special)}
	_, portable := twoEngines(t)
	want, err := runOn(t, portable, build, nil, buffers(t, portable, [][]float32{xs, ys}, square, square)...)
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range kernel.Sets() {
		t.Run(set.String(), func(t *testing.T) {
			ours, err := New("isa=" + set.String())
			if err != nil {
				t.Fatal(err)
			}
			defer ours.Finalize()
			got, err := runOn(t, ours, build, nil, buffers(t, ours, [][]float32{xs, ys}, square, square)...)
			if err != nil {
				t.Fatal(err)
			}
			for i := range want {
				compare(t, i, got[i], want[i], xs, ys)
			}
		})
	}
}
