package simd_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/nn"

	"github.com/go-lxmert/lxmert/backend/simd"
)

// narrow is a linear map with what follows it: GELU, and a residual with a normalisation, as a transformer has them.
func narrow(y, residual *Node) []*Node {
	return []*Node{y, activation.Gelu(y), nn.LayerNorm(Add(y, residual), []int{-1}, 1e-12, nil, nil, nil)}
}

// inBFloat16 is a linear map with weights of bfloat16 [out, in].
func inBFloat16(in []*Node) []*Node {
	x, weight, bias, residual := in[0], in[1], in[2], in[3]
	y := Dot(ConvertDType(x, dtypes.BFloat16), weight).WithAccumulatorDType(dtypes.Float32).WithOutputDType(dtypes.Float32).General([]int{-1}, nil, []int{-1}, nil)
	return narrow(Add(y, ExpandLeftToRank(bias, y.Rank())), residual)
}

// inInt8 is a linear map with weights of int8 [out, in] and a scale for each output.
func inInt8(in []*Node) []*Node {
	x, weight, bias, residual, scale := in[0], in[1], in[2], in[3], in[4]
	out, inputs := weight.Shape().Dim(0), weight.Shape().Dim(1)
	spread := BroadcastPrefix(scale, inputs)
	spread.AssertDims(inputs, out)
	q := &Quantization{Scheme: compute.QuantLinear, Scale: spread, BlockAxis: 1, BlockSize: 1}
	return narrow(BackendFusedQuantizedDense(x, Transpose(weight, 0, 1), bias, q, compute.ActivationNone), residual)
}

// operands are a linear map's: x [batch, rows, inputs], weight [outputs, inputs] in both types, bias, residual, scale.
type operands struct {
	x, bias, residual, scale []float32
	bf16                     []bfloat16.BFloat16
	int8                     []int8
	batch, rows, in, out     int
}

func draw(r *rand.Rand, batch, rows, in, out int) operands {
	o := operands{batch: batch, rows: rows, in: in, out: out}
	fill := func(n int) []float32 {
		list := make([]float32, n)
		for i := range list {
			list[i] = float32(r.NormFloat64())
		}
		return list
	}
	o.x, o.bias, o.residual, o.scale = fill(batch*rows*in), fill(out), fill(batch*rows*out), fill(out)
	for i, s := range o.scale {
		o.scale[i] = float32(math.Abs(float64(s))) / 127
	}
	o.bf16, o.int8 = make([]bfloat16.BFloat16, out*in), make([]int8, out*in)
	for i := range o.bf16 {
		o.bf16[i] = bfloat16.FromFloat32(float32(r.NormFloat64()))
		o.int8[i] = int8(r.IntN(255) - 127)
	}
	return o
}

// bf16Product is what inBFloat16 has before its bias, in float64, of numbers rounded as they should be.
func (o operands) bf16Product() []float64 {
	return o.product(func(v float32) float64 { return float64(bfloat16.FromFloat32(v).Float32()) }, func(i int) float64 { return float64(o.bf16[i].Float32()) })
}

// int8Product is what inInt8 has before its bias.
func (o operands) int8Product() []float64 {
	y := make([]float64, o.batch*o.rows*o.out)
	for r := range o.batch * o.rows {
		row := o.x[r*o.in:][:o.in]
		largest := 0.0
		for _, v := range row {
			largest = max(largest, math.Abs(float64(v)))
		}
		step := float32(largest) / 127
		for j := range o.out {
			sum := 0
			for i, v := range row {
				sum += int(math.RoundToEven(float64(v*(1/step)))) * int(o.int8[j*o.in+i])
			}
			y[r*o.out+j] = float64(sum) * float64(step) * float64(o.scale[j])
		}
	}
	return y
}

func (o operands) product(left func(float32) float64, right func(int) float64) []float64 {
	y := make([]float64, o.batch*o.rows*o.out)
	for r := range o.batch * o.rows {
		for j := range o.out {
			for i := range o.in {
				y[r*o.out+j] += left(o.x[r*o.in+i]) * right(j*o.in+i)
			}
		}
	}
	return y
}

// tensors are the operands for a graph, with weights of one type.
func (o operands) tensors(weights any) []any {
	return []any{
		tensors.FromFlatDataAndDimensions(o.x, o.batch, o.rows, o.in),
		weights,
		tensors.FromFlatDataAndDimensions(o.bias, o.out),
		tensors.FromFlatDataAndDimensions(o.residual, o.batch, o.rows, o.out),
		tensors.FromFlatDataAndDimensions(o.scale, o.out),
	}
}

// TestNarrow compares linear maps of bfloat16 and int8 with plain sums, on every set; a second run must give the same bits, for then the weights are packed.
func TestNarrow(t *testing.T) {
	eachSet(t, func(t *testing.T, backend compute.Backend) {
		r := rand.New(rand.NewPCG(7, 8))
		for round := range 25 {
			o := draw(r, 1+r.IntN(2), 1+r.IntN(40), 1+r.IntN(300), 1+r.IntN(300))
			if round == 0 {
				o = draw(r, 1, 20, 768, 768) // large enough that its memory is let go once it is packed
			}
			for name, c := range map[string]struct {
				graph   func([]*Node) []*Node
				weights any
				want    []float64
				bound   float64
			}{
				"bfloat16": {inBFloat16, tensors.FromFlatDataAndDimensions(o.bf16, o.out, o.in), o.bf16Product(), 1e-5},
				"int8":     {inInt8, tensors.FromFlatDataAndDimensions(o.int8, o.out, o.in), o.int8Product(), 1e-5},
			} {
				exec := MustNewExec(backend, func(in []*Node) []*Node { return c.graph(in) })
				args := o.tensors(c.weights)
				first, second := exec.MustCall(args...), exec.MustCall(args...)
				got := tensors.MustCopyFlatData[float32](first[0])
				scale := 1.0
				for _, v := range c.want {
					scale = max(scale, math.Abs(v))
				}
				for i, want := range c.want {
					if want += float64(o.bias[i%o.out]); !(math.Abs(float64(got[i])-want) <= c.bound*scale) {
						t.Fatalf("%s %v: element %d: found %v, want %v", name, []int{o.batch, o.rows, o.in, o.out}, i, got[i], want)
					}
				}
				for i := range first {
					if !slices.Equal(tensors.MustCopyFlatData[float32](first[i]), tensors.MustCopyFlatData[float32](second[i])) {
						t.Errorf("%s: result %d differs between two runs", name, i)
					}
				}
				gelu := tensors.MustCopyFlatData[float32](first[1])
				for i, y := range got {
					if want := float64(y) * 0.5 * (1 + math.Erf(float64(y)/math.Sqrt2)); !(math.Abs(float64(gelu[i])-want) <= 1e-5*max(1, math.Abs(want))) {
						t.Fatalf("%s: GELU %d of %v: found %v, want %v", name, i, y, gelu[i], want)
					}
				}
			}
		}
	})
}

// TestQuantizedAsItStands leaves other forms of quantisation to the portable backend, to the bit.
func TestQuantizedAsItStands(t *testing.T) {
	portable, err := gobackend.New("ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	eachSet(t, func(t *testing.T, backend compute.Backend) {
		r := rand.New(rand.NewPCG(9, 10))
		o := draw(r, 1, 5, 24, 16)
		scales := make([]float32, 24*4)
		for i := range scales {
			scales[i] = r.Float32()
		}
		args := func() []any {
			return []any{tensors.FromFlatDataAndDimensions(o.x, 5, 24), tensors.FromFlatDataAndDimensions(o.int8, 24, 16), tensors.FromFlatDataAndDimensions(o.bias, 16), tensors.FromFlatDataAndDimensions(scales, 24, 4)}
		}
		graph := func(in []*Node) []*Node {
			q := &Quantization{Scheme: compute.QuantLinear, Scale: in[3], BlockAxis: 1, BlockSize: 4}
			return []*Node{BackendFusedQuantizedDense(in[0], in[1], in[2], q, compute.ActivationRelu)}
		}
		got, want := MustNewExec(backend, graph).MustCall(args()...)[0], MustNewExec(portable, graph).MustCall(args()...)[0]
		if !slices.Equal(tensors.MustCopyFlatData[float32](got), tensors.MustCopyFlatData[float32](want)) {
			t.Error("found other numbers than the portable backend's")
		}
	})
}

// TestWeightsOption multiplies a float32 graph's large weights in a narrower type, and convolutions too; near enough, and in less memory.
func TestWeightsOption(t *testing.T) {
	const in, out = 512, 256
	r := rand.New(rand.NewPCG(11, 12))
	random := func(dims ...int) *tensors.Tensor {
		values := make([]float32, shapes.Make(dtypes.Float32, dims...).Size())
		for i := range values {
			values[i] = float32(r.NormFloat64())
		}
		return tensors.FromFlatDataAndDimensions(values, dims...)
	}
	drawn := []*tensors.Tensor{random(20, in), random(out, in), random(out), random(1, 9, 11, 128), random(3, 3, 128, 96)}
	args := func() []any {
		var list []any
		for _, x := range drawn {
			list = append(list, tensors.FromFlatDataAndDimensions(tensors.MustCopyFlatData[float32](x), x.Shape().Dimensions...))
		}
		return list
	}
	graph := func(in []*Node) []*Node {
		return []*Node{
			nn.Dense(in[0], in[1], in[2], compute.DenseLayoutOutputsInput),
			Convolve(in[3], in[4]).PadSame().Done(),
		}
	}
	exact, err := simd.New("")
	if err != nil {
		t.Fatal(err)
	}
	defer exact.Finalize()
	want := MustNewExec(exact, graph).MustCall(args()...)
	for number, bound := range map[string]float64{"bfloat16": 0.01, "int8": 0.03} {
		engine, err := simd.New("weights=" + number)
		if err != nil {
			t.Fatal(err)
		}
		got := MustNewExec(engine, graph).MustCall(args()...)
		for i := range got {
			if err := relative(got[i], want[i]); !(err > 0 && err < bound) {
				t.Errorf("%s: result %d: found an error of %v of the largest value, want some, below %v", number, i, err, bound)
			}
		}
		engine.Finalize()
	}
	if _, err := simd.New("weights=int4"); err == nil {
		t.Error("int4 is let in")
	}
}

// relative is the largest difference between two tensors, by the largest value.
func relative(got, want *tensors.Tensor) float64 {
	a, b := tensors.MustCopyFlatData[float32](got), tensors.MustCopyFlatData[float32](want)
	largest, difference := 0.0, 0.0
	for i := range b {
		largest = max(largest, math.Abs(float64(b[i])))
		difference = max(difference, math.Abs(float64(a[i]-b[i])))
	}
	return difference / largest
}
