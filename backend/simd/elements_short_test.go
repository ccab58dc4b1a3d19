package simd

import (
	"math"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// TestShortElementsOfSpecialValues is TestElementsOfSpecialValues in bfloat16: operands are float32 numbers that are rounded, also to
// infinity and to numbers that are not normal. Where a function is not rounded in the same way on both sides, a result may be its neighbour.
func TestShortElementsOfSpecialValues(t *testing.T) {
	special := []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 0, 1, -1, 0.5, -0.5, 2, 3, -3, 1.00390625, 1.01171875,
		math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, 1e-40, -1e-39, 0x1p-126, 3.3895314e38, 89, -104, 1e20}
	side := len(special)
	square := []int{side, side}
	all := func(p *planner) []compute.Value {
		x := p.must(p.ConvertDType(p.parameter("x", square...), dtypes.BFloat16))
		y := p.must(p.ConvertDType(p.parameter("y", square...), dtypes.BFloat16))
		var results []compute.Value
		wide := func(v compute.Value) { results = append(results, p.must(p.ConvertDType(v, dtypes.Float32))) }
		wide(x)
		for _, op := range []func(compute.Function, compute.Value) (compute.Value, error){
			compute.Function.Abs, compute.Function.Erf, compute.Function.Exp, compute.Function.Log, compute.Function.Logistic, compute.Function.Neg,
			compute.Function.Rsqrt, compute.Function.Sqrt, compute.Function.Tanh,
		} {
			wide(p.must(op(p, x)))
		}
		for _, op := range []func(compute.Function, compute.Value, compute.Value) (compute.Value, error){
			compute.Function.Add, compute.Function.Sub, compute.Function.Mul, compute.Function.Div, compute.Function.Max, compute.Function.Min, compute.Function.Pow,
			compute.Function.Equal, compute.Function.NotEqual, compute.Function.LessThan, compute.Function.LessOrEqual, compute.Function.GreaterThan,
			compute.Function.GreaterOrEqual,
		} {
			wide(p.must(op(p, x, y)))
		}
		for _, op := range []func(compute.Function, compute.Value, ...int) (compute.Value, error){compute.Function.ReduceMax, compute.Function.ReduceMin} {
			wide(p.must(op(p, x, 0)))
			wide(p.must(op(p, y, 1)))
		}
		wide(p.must(p.Where(p.must(p.LessThan(x, y)), x, y)))
		wide(p.must(p.Clamp(x, y, x)))
		wide(p.must(p.Transpose(x, 1, 0)))
		wide(p.must(p.Slice(x, []int{1, 0}, []int{3, side}, []int{1, 1})))
		wide(p.must(p.Concatenate(1, x, y)))
		return results
	}
	onEverySet(t, special, all, func(t *testing.T, output int, got, want, xs, ys []float32) {
		for j, w := range want {
			g := got[j]
			if g != w && (g == g || w == w) && !(math.Abs(float64(g-w)) <= 0x1p-7*math.Abs(float64(w))) {
				t.Errorf("output %d of %v and %v: %v, want %v", output, xs[j%len(xs)], ys[j%len(ys)], g, w)
				break
			}
		}
	})
}

// TestShortSums adds up bfloat16 numbers in float32, and rounds once: the portable backend rounds at each number.
func TestShortSums(t *testing.T) {
	const n = 5000
	ones := make([]float32, n)
	for i := range ones {
		ones[i] = 1
	}
	ours, _ := twoEngines(t)
	got, err := runOn(t, ours, func(p *planner) []compute.Value {
		x := p.must(p.ConvertDType(p.parameter("x", n), dtypes.BFloat16))
		return []compute.Value{p.must(p.ConvertDType(p.must(p.ReduceSum(x)), dtypes.Float32))}
	}, nil, buffers(t, ours, [][]float32{ones}, []int{n})...)
	if err != nil {
		t.Fatal(err)
	}
	if want := float32(4992); got[0][0] != want { // 5000 to 8 bits
		t.Errorf("found %v, want %v", got[0][0], want)
	}
}

// TestEmptyShort: values without elements go to the portable backend. (It divides by zero in products of them.)
func TestEmptyShort(t *testing.T) {
	sameOnBoth(t, func(p *planner) []compute.Value {
		x := p.must(p.ConvertDType(p.parameter("x", 0, 3), dtypes.BFloat16))
		sum := p.must(p.Transpose(p.must(p.Add(x, x)), 1, 0))
		return []compute.Value{p.must(p.ConvertDType(sum, dtypes.Float32)), p.must(p.ConvertDType(p.must(p.ReduceSum(x, 0)), dtypes.Float32))}
	}, []int{0, 3})
}

// TestShortPlan: a linear map in bfloat16 as training has it, with weights of float32, is one kernel with its bias and rounding, and its
// gradients are one each; conversions cost nothing but where a result is stored.
func TestShortPlan(t *testing.T) {
	p := newPlanner(t)
	short := func(v compute.Value) compute.Value { return p.must(p.ConvertDType(v, dtypes.BFloat16)) }
	wide := func(v compute.Value) compute.Value { return p.must(p.ConvertDType(v, dtypes.Float32)) }
	x, weight, bias, gradient := p.parameter("x", 20, 64), p.parameter("w", 48, 64), p.parameter("b", 48), p.parameter("g", 20, 48)
	narrow, w, g := short(p.must(p.Tanh(x))), short(weight), short(p.must(p.Tanh(gradient)))
	y := p.must(p.DotGeneral(narrow, []int{1}, nil, w, []int{1}, nil, compute.DotGeneralConfig{}))
	spread := p.must(p.BroadcastInDim(bias, shapes.Make(dtypes.Float32, 20, 48), []int{1}))
	y = short(p.must(p.Add(wide(y), spread)))
	byX := p.must(p.DotGeneral(g, []int{1}, nil, w, []int{0}, nil, compute.DotGeneralConfig{}))
	byWeight := wide(p.must(p.DotGeneral(g, []int{0}, nil, narrow, []int{0}, nil, compute.DotGeneralConfig{})))
	// Three products; two chains that round their operands, and one that updates the weight.
	p.want(3, 3, 0, y, byX, p.must(p.Sub(weight, byWeight)))
}

// TestThereAndBack: what is widened and rounded again is what it was.
func TestThereAndBack(t *testing.T) {
	p := newPlanner(t)
	x := p.must(p.ConvertDType(p.parameter("x", 8), dtypes.BFloat16))
	if again := p.must(p.ConvertDType(p.must(p.ConvertDType(x, dtypes.Float32)), dtypes.BFloat16)); again != x {
		t.Error("found another value")
	}
}
