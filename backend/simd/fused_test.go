package simd_test

import (
	"math"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/nn"
)

// TestFusedTypes: operations that GoMLX fuses are there in the types that only their parts are there in.
func TestFusedTypes(t *testing.T) {
	x := [][]float32{{0.5, -1, 2, 0.25}, {1, 3, -2, 0.5}}
	eachSet(t, func(t *testing.T, backend compute.Backend) {
		results := func(dtype dtypes.DType) [][][]float32 {
			t.Helper()
			out, err := CallOnceN(backend, func(x *Node) []*Node {
				x = ConvertDType(x, dtype)
				parts := []*Node{
					nn.Dense(x, Transpose(x, 0, 1), nil, compute.DenseLayoutInputOutputs), Softmax(x), activation.Gelu(x),
					nn.LayerNorm(x, []int{-1}, 1e-3, nil, nil, nil),
				}
				for i, p := range parts {
					parts[i] = ConvertDType(p, dtypes.Float32)
				}
				return parts
			}, x)
			if err != nil {
				t.Fatal(err)
			}
			var values [][][]float32
			for _, o := range out {
				values = append(values, o.Value().([][]float32))
			}
			return values
		}
		want := results(dtypes.Float32)
		for dtype, tolerance := range map[dtypes.DType]float64{dtypes.Float64: 1e-6, dtypes.BFloat16: 0.05, dtypes.Float16: 0.01} {
			for i, got := range results(dtype) {
				for r, row := range got {
					for c, v := range row {
						if w := want[i][r][c]; !(math.Abs(float64(v-w)) <= tolerance*(1+math.Abs(float64(w)))) {
							t.Errorf("%s, output %d, [%d, %d]: %v, in float32 %v", dtype, i, r, c, v, w)
						}
					}
				}
			}
		}
	})
}

// TestEmptyBuffer: a tensor without values has no memory that GoMLX could point at.
func TestEmptyBuffer(t *testing.T) {
	eachSet(t, func(t *testing.T, backend compute.Backend) {
		empty, err := tensors.FromRaw(backend, 0, shapes.Make(dtypes.Float32, 3, 0), nil)
		if err != nil {
			t.Fatal(err)
		}
		out, err := CallOnce(backend, func(x *Node) *Node { return Concatenate([]*Node{x, x}, 0) }, empty)
		if err != nil || !out.Shape().Equal(shapes.Make(dtypes.Float32, 6, 0)) {
			t.Errorf("got %v, %v", out, err)
		}
		if _, err := backend.BufferFromFlatData(0, nil, shapes.Make(dtypes.Float32, 2)); err == nil {
			t.Error("two values were made of none")
		}
	})
}
