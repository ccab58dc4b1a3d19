package simd_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/layers/attention"
	"github.com/gomlx/gomlx/ml/nn"
)

// layer is what a transformer is made of: dense, GELU, layer normalisation, attention with or without a mask,
// softmax, and operations between them that the portable backend runs.
func layer(in []*Node, layout attention.AxesLayout, out compute.DenseLayout, act activation.Type) []*Node {
	x, context, weight, bias, gamma, mask := in[0], in[1], in[2], in[3], in[4], in[5]
	y := nn.Dense(x, weight, bias, out, act)
	y = activation.Gelu(y)
	z := nn.LayerNorm(Add(y, MulScalar(y, 0.5)), []int{-1}, 1e-12, gamma, bias, nil)
	heads := func(x *Node) *Node {
		b, s, h := x.Shape().Dim(0), x.Shape().Dim(1), x.Shape().Dim(2)
		x = Reshape(x, b, s, 2, h/2)
		if layout == attention.LayoutBHSD {
			x = Transpose(x, 1, 2)
		}
		return x
	}
	seen, _ := attention.Core(heads(z), heads(context), heads(context), layout, attention.CoreOptions{AttentionMask: mask})
	bare, _ := attention.Core(heads(z), heads(context), heads(context), layout, attention.CoreOptions{})
	turned := TransposeAllAxes(z, 2, 0, 1)
	moved := TransposeAllAxes(Reshape(z, z.Shape().Dim(0), z.Shape().Dim(1), 2, -1), 0, 2, 1, 3)
	return []*Node{y, z, seen, bare, Softmax(z), seen, x, turned, moved, Transpose(z, 0, 2), Dot(z, z).General([]int{0, 1}, nil, []int{0, 1}, nil)}
}

// TestDifferential compares layers of random sizes with the portable backend's.
func TestDifferential(t *testing.T) {
	portable, err := gobackend.New("ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	eachSet(t, func(t *testing.T, backend compute.Backend) {
		r := rand.New(rand.NewPCG(5, 6))
		for round := range 40 {
			batch, rows, others, in, width := 1+r.IntN(3), 1+r.IntN(40), 1+r.IntN(40), 1+r.IntN(70), 2*(4+r.IntN(50)) // of two columns layer normalisation would be ill-conditioned
			layout, out := attention.LayoutBSHD, compute.DenseLayoutOutputsInput
			weight := []int{width, in}
			if round%2 == 1 {
				layout, out = attention.LayoutBHSD, compute.DenseLayoutInputOutputs
				weight = []int{in, width}
			}
			maskBatch := 1
			if round%3 == 0 {
				maskBatch = batch
			}
			act := []activation.Type{activation.TypeNone, activation.TypeRelu, activation.TypeTanh, activation.TypeSilu}[round%4]
			shapes := [][]int{{batch, rows, in}, {batch, others, width}, weight, {width}, {width}, {maskBatch, 1, 1, others}}
			var results [2][]*tensors.Tensor
			for i, b := range []compute.Backend{portable, backend} {
				exec, err := NewExec(b, func(in []*Node) []*Node { return layer(in, layout, out, act) })
				if err != nil {
					t.Fatal(err)
				}
				random := rand.New(rand.NewPCG(uint64(round), 7)) // the same numbers for both
				var args []any
				for _, shape := range shapes {
					args = append(args, randomTensor(random, shape))
				}
				if results[i], err = exec.Call(args...); err != nil {
					t.Fatal(err)
				}
			}
			for i := range results[0] {
				near(t, fmt.Sprintf("round %d %v %v, output %d", round, shapes, layout, i), results[1][i], results[0][i])
			}
		}
	})
}

// TestConcurrent: many callers of one computation, whose weight is packed by whoever comes first.
func TestConcurrent(t *testing.T) {
	eachSet(t, func(t *testing.T, backend compute.Backend) {
		exec, err := NewExec(backend, func(x, w *Node) *Node { return nn.Dense(x, w, nil, compute.DenseLayoutOutputsInput) })
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(1, 2))
		weight := randomTensor(r, []int{300, 400}) // large enough to be kept packed alone
		x := randomTensor(r, []int{7, 400})
		want, err := exec.Call(x, weight)
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for range 16 {
			group.Go(func() {
				got, err := exec.Call(x, weight)
				if err != nil {
					t.Error(err)
					return
				}
				near(t, "product", got[0], want[0])
			})
		}
		group.Wait()
		// The weight itself is still there for those who ask.
		again, err := CallOnce(backend, func(w *Node) *Node { return AddScalar(w, 0) }, weight)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "the weight", again, weight)
	})
}

func randomTensor(r *rand.Rand, shape []int) *tensors.Tensor {
	size := 1
	for _, d := range shape {
		size *= d
	}
	values := make([]float32, size)
	for i := range values {
		values[i] = float32(r.NormFloat64())
	}
	return tensors.FromFlatDataAndDimensions(values, shape...)
}

func near(t *testing.T, name string, got, want *tensors.Tensor) {
	t.Helper()
	if !got.Shape().Equal(want.Shape()) {
		t.Errorf("%s: %v, want %v", name, got.Shape(), want.Shape())
		return
	}
	g, w := tensors.MustCopyFlatData[float32](got), tensors.MustCopyFlatData[float32](want)
	for i := range w {
		if !(math.Abs(float64(g[i]-w[i])) <= 2e-5*(1+math.Abs(float64(w[i])))) {
			t.Errorf("%s: element %d is %v, want %v", name, i, g[i], w[i])
			return
		}
	}
}
