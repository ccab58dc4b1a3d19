package simd

import "github.com/gomlx/compute"

// Reshape implements compute.Function. Where only kernels read the result it costs nothing, see findViews.
func (f *function) Reshape(x compute.Value, dimensions ...int) (compute.Value, error) {
	v, err := f.one([]compute.Value{x}, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.Reshape(in[0], dimensions...)
	})
	if err != nil {
		return nil, err
	}
	if n := f.maker[v]; f.plain(v) && len(n.inputs) == 1 && n.inputs[0] == x && v != x {
		n.reshapes = true
	}
	return v, nil
}

// Add implements compute.Function.
func (f *function) Add(x, y compute.Value) (compute.Value, error) {
	return f.elementwise(x, y, compute.Function.Add, func(b *Backend, dst, x, y []float32) { b.set.Add(dst, x, y) })
}

// Mul implements compute.Function.
func (f *function) Mul(x, y compute.Value) (compute.Value, error) {
	return f.elementwise(x, y, compute.Function.Mul, func(b *Backend, dst, x, y []float32) { b.set.Mul(dst, x, y) })
}

// elementwise records an operation on two values; of one shape and float32 it has a kernel.
func (f *function) elementwise(x, y compute.Value, op func(compute.Function, compute.Value, compute.Value) (compute.Value, error),
	work func(b *Backend, dst, x, y []float32)) (compute.Value, error) {
	v, err := f.one([]compute.Value{x, y}, func(g compute.Function, in []compute.Value) (compute.Value, error) { return op(g, in[0], in[1]) })
	if err != nil {
		return nil, err
	}
	shape := f.shape(v)
	if !f.plain(v) || shape.Size() < minimum || !f.shape(x).Equal(shape) || !f.shape(y).Equal(shape) {
		return v, nil
	}
	f.setKernel(v, func(b *Backend, dst []float32, in [][]float32) {
		b.shareRows(len(dst), 1, func(from, to int) { work(b, dst[from:to], in[0][from:to], in[1][from:to]) })
	})
	return v, nil
}
