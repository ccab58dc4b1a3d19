package model

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers"
	"github.com/gomlx/gomlx/ml/layers/attention"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/nn"
)

// layerNorm normalises the last axis, then scales and shifts it.
func (c *Config) layerNorm(s *model.Scope, x *Node) *Node {
	g, width := x.Graph(), x.Shape().Dim(-1)
	return nn.LayerNorm(x, []int{-1}, c.epsilon(), param(s, g, "weight", width), param(s, g, "bias", width), nil)
}

// activate applies hidden_act.
func (c *Config) activate(x *Node) *Node { return activations[c.HiddenAct](x) }

// dropout zeroes a share of x when training, and scales up the rest.
func dropout(s *model.Scope, x *Node, probability float64) *Node {
	return layers.DropoutStatic(s, x, probability)
}

// addNorm ends every sub-layer: a linear map back to the hidden size, the residual, and the
// normalisation. BertOutput and BertSelfOutput of the reference.
func (c *Config) addNorm(s *model.Scope, x, residual *Node) *Node {
	x = dropout(s, linear(s.In("dense"), x, c.HiddenSize), c.HiddenDropout)
	return like(c.layerNorm(s.In("LayerNorm"), Add(x, wide(residual))), residual)
}

// feedForward is the position-wise network: widen, activate, narrow, add, normalise.
func (c *Config) feedForward(inter, output *model.Scope, x *Node) *Node {
	inside := c.activate(linear(inter.In("dense"), x, c.IntermediateSize))
	return c.addNorm(output, like(inside, x), x)
}

// attend lets x look at context, each head on its own, and adds what it saw to x.
// x is [batch, rows, hidden], context [batch, others, hidden], mask [batch, 1, 1, others]
// or nil. x or context may be of a smaller batch that divides the other's: its linear maps are then computed once for all
// who share them.
// The probabilities are [batch, heads, rows, others], nil unless opt asks for attentions.
func (c *Config) attend(heads, output *model.Scope, x, context, mask *Node, opt Options) (y, probabilities *Node) {
	q := c.split(like(linear(heads.In("query"), x, c.HiddenSize), x))
	k := c.split(like(linear(heads.In("key"), context, c.HiddenSize), x))
	v := c.split(like(linear(heads.In("value"), context, c.HiddenSize), x))
	batch := max(x.Shape().Dim(0), context.Shape().Dim(0))
	x, q, k, v = forAll(x, batch), forAll(q, batch), forAll(k, batch), forAll(v, batch)
	seen, probabilities := c.look(heads, q, k, v, mask, opt)
	if !opt.Attentions {
		probabilities = nil
	}
	return c.addNorm(output, Reshape(seen, x.Shape().Dimensions...), x), probabilities
}

// look is softmax(q·kᵀ/√size + mask)·v for each head, [batch, rows, heads, size], as q, k and v are. The probabilities, [batch, heads,
// rows, others], may be nil where opt does not ask for them.
func (c *Config) look(heads *model.Scope, q, k, v, mask *Node, opt Options) (seen, probabilities *Node) {
	if q.DType() != dtypes.Float32 || opt.watched {
		return c.lookInParts(heads, q, k, v, mask)
	}
	options := attention.CoreOptions{AttentionMask: mask, WantCoefficients: opt.Attentions,
		DisableFusion: opt.Checkpointing} // GoMLX 0.28.8 computes a fused attention again as its query (Node.CloneWithInputs)
	if c.AttentionDropout > 0 && heads.IsTraining(q.Graph()) {
		options.Scope = heads
		options.DropoutRate = Scalar(q.Graph(), q.DType(), c.AttentionDropout)
	}
	seen, probabilities = attention.Core(q, k, v, attention.LayoutBSHD, options)
	if opt.Attentions {
		probabilities = Transpose(probabilities, 1, 2) // [batch, rows, heads, others] as it comes
	}
	return seen, probabilities
}

// forAll repeats each example, one after the other, until there are batch: what is of batch 1 for every
// example, a statement for each of its two pictures. Nil stays nil.
func forAll(x *Node, batch int) *Node {
	if x == nil || x.Shape().Dim(0) == batch {
		return x
	}
	examples, rest := x.Shape().Dim(0), x.Shape().Dimensions[1:]
	if examples == 1 {
		return BroadcastToDims(x, append([]int{batch}, rest...)...)
	}
	repeated := BroadcastToDims(InsertAxes(x, 1), append([]int{examples, batch / examples}, rest...)...)
	return Reshape(repeated, append([]int{batch}, rest...)...)
}

// split divides the hidden axis into heads: [batch, rows, heads, hidden/heads].
func (c *Config) split(x *Node) *Node {
	return Reshape(x, x.Shape().Dim(0), x.Shape().Dim(1), c.NumAttentionHeads, c.headSize())
}

// additiveMask turns a mask [batch, rows] of ones and zeros into what is added to attention
// scores: 0 where a row may be looked at, float32's lowest number where not (or [TensorFlow]'s), shape [batch, 1, 1,
// rows]. Any number noticeably below 1 masks, as in the reference. Nil stays nil.
func (c *Config) additiveMask(mask *Node) *Node {
	if mask == nil {
		return nil
	}
	hidden := OneMinus(ConvertDType(mask, dtypes.Float32))
	lowest := -math.MaxFloat32
	if c.framework == TensorFlow {
		lowest = -10000
	}
	return InsertAxes(MulScalar(hidden, lowest), 1, 1)
}
