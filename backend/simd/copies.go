package simd

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

// Operations that only copy.

// Slice implements compute.Function.
func (f *function) Slice(x compute.Value, starts, limits, strides []int) (compute.Value, error) {
	inputs := []compute.Value{x}
	v, err := f.one(inputs, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.Slice(in[0], starts, limits, strides)
	})
	if err != nil {
		return nil, err
	}
	if f.made(v, inputs) == nil || !f.floats(x, v) || slices.ContainsFunc(strides, func(s int) bool { return s != 1 }) {
		return v, nil
	}
	from, to := f.shape(x), f.shape(v)
	f.setKernel(v, func(_ *Backend, dst []float32, in [][]float32) {
		copyBox(dst, strideOf(to), in[0][offsetOf(from, starts):], strideOf(from), to.Dimensions)
	})
	return v, nil
}

// Concatenate implements compute.Function.
func (f *function) Concatenate(axis int, operands ...compute.Value) (compute.Value, error) {
	v, err := f.one(operands, func(g compute.Function, in []compute.Value) (compute.Value, error) { return g.Concatenate(axis, in...) })
	if err != nil {
		return nil, err
	}
	if f.made(v, operands) == nil || !f.floats(append(operands[:len(operands):len(operands)], v)...) {
		return v, nil
	}
	to := f.shape(v)
	parts := make([]shapes.Shape, len(operands))
	for i, operand := range operands {
		parts[i] = f.shape(operand)
	}
	f.setKernel(v, func(_ *Backend, dst []float32, in [][]float32) {
		at := make([]int, to.Rank())
		for i, part := range parts {
			copyBox(dst[offsetOf(to, at):], strideOf(to), in[i], strideOf(part), part.Dimensions)
			at[axis] += part.Dim(axis)
		}
	})
	return v, nil
}

// Pad implements compute.Function.
func (f *function) Pad(x, fill compute.Value, axes ...compute.PadAxis) (compute.Value, error) {
	inputs := []compute.Value{x, fill}
	v, err := f.one(inputs, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.Pad(in[0], in[1], axes...)
	})
	if err != nil {
		return nil, err
	}
	outwards := func(a compute.PadAxis) bool { return a.Start >= 0 && a.End >= 0 && a.Interior == 0 }
	if f.made(v, inputs) == nil || !f.floats(x, fill, v) || slices.ContainsFunc(axes, func(a compute.PadAxis) bool { return !outwards(a) }) {
		return v, nil
	}
	from, to := f.shape(x), f.shape(v)
	starts := make([]int, to.Rank())
	for i, a := range axes {
		starts[i] = a.Start
	}
	f.setKernel(v, func(b *Backend, dst []float32, in [][]float32) {
		b.shareRows(len(dst), 1, func(first, end int) {
			part := dst[first:end]
			part[0] = in[1][0]
			spreadFirst(part)
		})
		copyBox(dst[offsetOf(to, starts):], strideOf(to), in[0], strideOf(from), from.Dimensions)
	})
	return v, nil
}

// strideOf is how far apart the values of each axis lie.
func strideOf(shape shapes.Shape) []int {
	strides := make([]int, shape.Rank())
	stride := 1
	for axis, n := range slices.Backward(shape.Dimensions) {
		strides[axis] = stride
		stride *= n
	}
	return strides
}

// offsetOf is where a value lies.
func offsetOf(shape shapes.Shape, at []int) int {
	offset := 0
	for axis, stride := range strideOf(shape) {
		offset += at[axis] * stride
	}
	return offset
}

// copyBox copies a box of those dimensions, a run of the innermost axis at a time, or of more axes where both sides lie in one piece.
func copyBox(dst []float32, dstStrides []int, src []float32, srcStrides []int, dimensions []int) {
	run, axis := 1, len(dimensions)
	for axis > 0 && (dimensions[axis-1] == 1 || dstStrides[axis-1] == run && srcStrides[axis-1] == run) {
		axis--
		run *= dimensions[axis]
	}
	copyRuns(dst, dstStrides, src, srcStrides, dimensions[:axis], run)
}

func copyRuns(dst []float32, dstStrides []int, src []float32, srcStrides []int, dimensions []int, run int) {
	if len(dimensions) == 0 {
		copy(dst[:run], src)
		return
	}
	for i := range dimensions[0] {
		copyRuns(dst[i*dstStrides[0]:], dstStrides[1:], src[i*srcStrides[0]:], srcStrides[1:], dimensions[1:], run)
	}
}
