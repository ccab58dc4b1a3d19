package model

import (
	"fmt"
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// With [Options.BFloat16] the linear maps and the products of attention multiply bfloat16 values, forward and backward, and hidden states are
// kept in bfloat16 between layers: what is given in bfloat16 is multiplied in bfloat16. The rest is float32, for it is sensitive to
// rounding and costs little: the embeddings, the map of the spatial encoding, biases, activations, dropout, residuals, normalisation,
// softmax, losses. Weights are float32 variables that are converted where they are used, and their gradients are float32.

// narrow is x in the type in which the layers compute.
func (o Options) narrow(x *Node) *Node {
	if !o.BFloat16 {
		return x
	}
	return ConvertDType(x, dtypes.BFloat16)
}

// wide is x in float32.
func wide(x *Node) *Node { return ConvertDType(x, dtypes.Float32) }

// like is x in the type of y.
func like(x, y *Node) *Node { return ConvertDType(x, y.DType()) }

// check panics where the options ask for what the backend does not have.
func (o Options) check(b compute.Backend) {
	if o.BFloat16 && !b.Capabilities().DTypes[dtypes.BFloat16] {
		panic(fmt.Errorf("the backend %q has no bfloat16: leave model.Options.BFloat16 off or take another backend", b.Name()))
	}
}

// product multiplies bfloat16 values. Engines add in float32 anyway; asking for it, as Dot and Einsum do, would make GoMLX's gradient
// multiply in float32.
func product(x, y *Node) *DotBuilder { return Dot(x, y).WithAccumulatorDType(dtypes.InvalidDType) }

// lookInParts is look in bfloat16, with scores and probabilities in float32; and in float32, where what is seen comes of the very node
// of the probabilities that it returns, so that gradients reach it.
func (c *Config) lookInParts(heads *model.Scope, q, k, v, mask *Node) (seen, probabilities *Node) {
	scores := product(q, k).General([]int{3}, []int{0, 2}, []int{3}, []int{0, 2})
	scaled := MulScalar(wide(scores), 1/math.Sqrt(float64(c.headSize())))
	if mask != nil {
		scaled = Add(scaled, mask)
	}
	probabilities = dropout(heads, Softmax(scaled), c.AttentionDropout)
	seen = product(like(probabilities, v), v).General([]int{3}, []int{0, 1}, []int{1}, []int{0, 2})
	return Transpose(seen, 1, 2), probabilities
}
