package simd

import (
	"fmt"
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

// FusedScaledDotProductAttention implements compute.Function. What the kernels cannot do is not implemented, and GoMLX
// falls back to attention in parts.
func (f *function) FusedScaledDotProductAttention(query, key, value compute.Value, layout compute.AttentionAxesLayout,
	options *compute.ScaledDotProductAttentionConfig) (compute.Value, []compute.Value, error) {
	if options == nil {
		options = &compute.ScaledDotProductAttentionConfig{}
	}
	a, ok := f.attention(query, key, value, layout, options)
	if !ok {
		return nil, nil, fmt.Errorf("simd: FusedScaledDotProductAttention of this kind: %w", compute.ErrNotImplemented)
	}
	// The portable backend has no such operation: the shadow gets it in parts.
	v, err := a.inParts(f.Function, query, key, value, options.Mask, layout)
	if err != nil {
		return nil, nil, err
	}
	inputs := []compute.Value{query, key, value, options.Mask}
	f.record(&node{inputs: inputs, outputs: []compute.Value{v}, parameter: -1, again: func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
		v, err := a.inParts(g, in[0], in[1], in[2], in[3], layout)
		return []compute.Value{v}, err
	}})
	if f.made(v, inputs) == nil { // the shadow knew the value already, by its parts
		return v, nil, nil
	}
	f.setKernel(v, func(b *Backend, dst []float32, in [][]float32) { b.attend(a, dst, in[0], in[1], in[2], in[3]) })
	return v, nil, nil
}

// inParts builds softmax(scale · q·kᵀ + mask) · v of operations that every backend has.
func (a attention) inParts(f compute.Function, query, key, value, mask compute.Value, layout compute.AttentionAxesLayout) (compute.Value, error) {
	heads, rows := layout.HeadsAxis(), layout.SeqAxis()
	scores, err := f.DotGeneral(query, []int{3}, []int{0, heads}, key, []int{3}, []int{0, heads}, compute.DotGeneralConfig{})
	if err != nil {
		return nil, err
	}
	shape := shapes.Make(dtypes.Float32, a.batch, a.heads, a.queries, a.keys)
	scale, err := f.Constant([]float32{a.scale})
	if err != nil {
		return nil, err
	}
	if scale, err = f.BroadcastInDim(scale, shape, nil); err != nil {
		return nil, err
	}
	if scores, err = f.Mul(scores, scale); err != nil {
		return nil, err
	}
	if mask != nil {
		if mask, err = f.BroadcastInDim(mask, shape, []int{0, 1, 2, 3}); err != nil {
			return nil, err
		}
		if scores, err = f.Add(scores, mask); err != nil {
			return nil, err
		}
	}
	probabilities, err := f.FusedSoftmax(scores, 3)
	if err != nil {
		return nil, err
	}
	seen, err := f.DotGeneral(probabilities, []int{3}, []int{0, 1}, value, []int{rows}, []int{0, heads}, compute.DotGeneralConfig{})
	if err != nil || layout == compute.AttentionAxesLayoutBHSD {
		return seen, err
	}
	return f.Transpose(seen, 0, 2, 1, 3)
}

// FusedScaledDotProductAttentionVJP implements compute.Function; gradients go through the decomposed attention.
func (f *function) FusedScaledDotProductAttentionVJP(query, key, value compute.Value, layout compute.AttentionAxesLayout,
	options *compute.ScaledDotProductAttentionConfig, output compute.Value, states []compute.Value, dOutput compute.Value) (_, _, _ compute.Value, err error) {
	return f.Function.FusedScaledDotProductAttentionVJP(query, key, value, layout, options, output, states, dOutput)
}

// attention is the work of one attention operation: batch · heads pairs of matrices.
type attention struct {
	batch, heads, queries, keys, size int
	scale                             float32
	query, key                        kernel.Strides // of query and result, and of key and value
	maskBatch                         int            // distance between the masks of two examples; 0: one for all
}

// attention reports whether the kernels can do it: float32, as many heads on both sides, and no mask but one that is
// added to the scores and the same for all heads and queries.
func (f *function) attention(query, key, value compute.Value, layout compute.AttentionAxesLayout, o *compute.ScaledDotProductAttentionConfig) (attention, bool) {
	q, k, v := f.shape(query), f.shape(key), f.shape(value)
	if !f.plain(query, key, value) || !k.Equal(v) ||
		o.Causal || o.Bias != nil || o.QuerySeqLen != nil || o.KeyValueSeqLen != nil {
		return attention{}, false
	}
	a := attention{
		batch: q.Dim(0), heads: q.Dim(layout.HeadsAxis()), queries: q.Dim(layout.SeqAxis()), keys: k.Dim(layout.SeqAxis()), size: q.Dim(3),
		scale: float32(o.Scale),
	}
	if o.Scale == 0 {
		a.scale = float32(1 / math.Sqrt(float64(a.size)))
	}
	if k.Dim(layout.HeadsAxis()) != a.heads || k.Dim(0) != a.batch || k.Dim(3) != a.size {
		return attention{}, false
	}
	a.query, a.key = strides(layout, a.heads, a.queries, a.size), strides(layout, a.heads, a.keys, a.size)
	if o.Mask != nil {
		m := f.shape(o.Mask)
		if !f.plain(o.Mask) || m.Rank() != 4 || m.Dim(1) != 1 || m.Dim(2) != 1 || m.Dim(3) != a.keys || m.Dim(0) != 1 && m.Dim(0) != a.batch {
			return attention{}, false
		}
		if m.Dim(0) > 1 {
			a.maskBatch = a.keys
		}
	}
	return a, true
}

// strides says where the matrices [rows, size] of each head lie.
func strides(layout compute.AttentionAxesLayout, heads, rows, size int) kernel.Strides {
	if layout == compute.AttentionAxesLayoutBSHD {
		return kernel.Strides{Row: heads * size, Inner: size, Outer: rows * heads * size}
	}
	return kernel.Strides{Row: size, Inner: rows * size, Outer: heads * rows * size}
}

// attend is softmax(scale · q·kᵀ + mask) · v for each head; threads share the heads.
func (b *Backend) attend(a attention, dst, q, k, v, mask []float32) {
	pairs := a.batch * a.heads
	scores := b.memory.take(pairs * a.queries * a.keys)
	defer b.memory.give(scores)
	perHead := kernel.Strides{Row: a.keys, Inner: a.queries * a.keys, Outer: a.heads * a.queries * a.keys}
	toScores := kernel.Products{M: a.queries, N: a.keys, K: a.size, B: kernel.OutputsInputs, Scale: a.scale,
		Inner: a.heads, StrideA: a.query, StrideB: a.key, StrideC: perHead}
	toResult := kernel.Products{M: a.queries, N: a.size, K: a.keys, B: kernel.InputsOutputs,
		Inner: a.heads, StrideA: perHead, StrideB: a.key, StrideC: a.query}
	b.share(pairs, func(from, to int) {
		scratch := b.memory.take(max(b.set.ProductsScratch(&toScores), b.set.ProductsScratch(&toResult)))
		defer b.memory.give(scratch)
		b.set.Multiply(scores, q, k, &toScores, from, to, scratch)
		for pair := from; pair < to; pair++ {
			rows := scores[pair*perHead.Inner : (pair+1)*perHead.Inner]
			var row []float32
			if mask != nil {
				at := pair / a.heads * a.maskBatch
				row = mask[at : at+a.keys]
			}
			b.set.Softmax(rows, rows, a.queries, a.keys, 1, row, 0)
		}
		b.set.Multiply(dst, scores, v, &toResult, from, to, scratch)
	})
}
