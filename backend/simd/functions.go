package simd

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// What is built from other functions, or with dynamic shapes, is left to the shadow as a whole.

// closure is a shadow's closure that knows its place in this computation.
type closure struct {
	compute.Function
	parent  compute.Function
	builder *builder
}

// Parent implements compute.Function.
func (c *closure) Parent() compute.Function { return c.parent }

// Builder implements compute.Function.
func (c *closure) Builder() compute.Builder { return c.builder }

// Closure implements compute.Function.
func (c *closure) Closure() (compute.Function, error) { return newClosure(c.Function, c, c.builder) }

// Closure implements compute.Function.
func (f *function) Closure() (compute.Function, error) {
	return newClosure(f.Function, f, f.builder)
}

func newClosure(shadow, parent compute.Function, b *builder) (compute.Function, error) {
	b.whole = true
	made, err := shadow.Closure()
	if err != nil {
		return nil, err
	}
	return &closure{Function: made, parent: parent, builder: b}, nil
}

// shadowOf is the shadow's function behind one of ours.
func shadowOf(f compute.Function) compute.Function {
	switch f := f.(type) {
	case *closure:
		return f.Function
	case *function:
		return f.Function
	}
	return f
}

// Call implements compute.Function.
func (f *function) Call(g compute.Function, inputs ...compute.Value) ([]compute.Value, error) {
	f.builder.whole = true
	return f.Function.Call(shadowOf(g), inputs...)
}

// Sort implements compute.Function.
func (f *function) Sort(comparator compute.Function, axis int, stable bool, inputs ...compute.Value) ([]compute.Value, error) {
	return f.Function.Sort(shadowOf(comparator), axis, stable, inputs...)
}

// While implements compute.Function.
func (f *function) While(cond, body compute.Function, state ...compute.Value) ([]compute.Value, error) {
	return f.Function.While(shadowOf(cond), shadowOf(body), state...)
}

// If implements compute.Function.
func (f *function) If(pred compute.Value, yes, no compute.Function) ([]compute.Value, error) {
	return f.Function.If(pred, shadowOf(yes), shadowOf(no))
}

// Sort implements compute.Function.
func (c *closure) Sort(comparator compute.Function, axis int, stable bool, inputs ...compute.Value) ([]compute.Value, error) {
	return c.Function.Sort(shadowOf(comparator), axis, stable, inputs...)
}

// While implements compute.Function.
func (c *closure) While(cond, body compute.Function, state ...compute.Value) ([]compute.Value, error) {
	return c.Function.While(shadowOf(cond), shadowOf(body), state...)
}

// If implements compute.Function.
func (c *closure) If(pred compute.Value, yes, no compute.Function) ([]compute.Value, error) {
	return c.Function.If(pred, shadowOf(yes), shadowOf(no))
}

// DynamicReshape implements compute.Function.
func (f *function) DynamicReshape(x compute.Value, dimensions ...compute.DynamicDimensionSpec) (compute.Value, error) {
	return f.dynamic(x)(f.Function.DynamicReshape(x, dimensions...))
}

// DynamicBroadcastInDim implements compute.Function.
func (f *function) DynamicBroadcastInDim(x compute.Value, axes []int, dimensions ...compute.DynamicDimensionSpec) (compute.Value, error) {
	return f.dynamic(x)(f.Function.DynamicBroadcastInDim(x, axes, dimensions...))
}

// DynamicIota implements compute.Function.
func (f *function) DynamicIota(dtype dtypes.DType, axis int, dimensions ...compute.DynamicDimensionSpec) (compute.Value, error) {
	return f.dynamic()(f.Function.DynamicIota(dtype, axis, dimensions...))
}

// DynamicPad implements compute.Function.
func (f *function) DynamicPad(x, fill compute.Value, axes ...compute.DynamicPadAxis) (compute.Value, error) {
	return f.dynamic(x, fill)(f.Function.DynamicPad(x, fill, axes...))
}

// dynamic records an operation that only the shadow can run.
func (f *function) dynamic(inputs ...compute.Value) func(compute.Value, error) (compute.Value, error) {
	return func(v compute.Value, err error) (compute.Value, error) {
		if err == nil {
			f.record(&node{inputs: inputs, outputs: []compute.Value{v}, parameter: -1, whole: true})
		}
		return v, err
	}
}

// QuantizedEmbeddingLookup implements compute.Function.
func (f *function) QuantizedEmbeddingLookup(compute.Value, compute.Value, *compute.Quantization) (compute.Value, error) {
	return nil, fmt.Errorf("simd: QuantizedEmbeddingLookup: %w", compute.ErrNotImplemented)
}
