package simd

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

// fusible is an error where x is of a type in which neither our kernels nor the portable backend, which would only say so when it
// runs, compute fused operations: GoMLX then builds them of parts.
func (f *function) fusible(op compute.OpType, x compute.Value) error {
	shape, err := f.builder.OpShape(x)
	if err != nil {
		return err
	}
	if shape.DType != dtypes.Float32 && shape.DType != dtypes.Float64 {
		return fmt.Errorf("simd: %s of %s: %w", op, shape.DType, compute.ErrNotImplemented)
	}
	return nil
}

// float32Rows reports whether a value is float32 and has rows, of which it gives the length.
func (f *function) float32Rows(v compute.Value) (columns int, ok bool) {
	if !f.plain(v) || f.shape(v).Rank() == 0 {
		return 0, false
	}
	return f.shape(v).Dim(-1), true
}

// FusedLayerNorm implements compute.Function.
func (f *function) FusedLayerNorm(x compute.Value, axes []int, epsilon float64, gamma, beta compute.Value) (compute.Value, error) {
	if err := f.fusible(compute.OpTypeFusedLayerNorm, x); err != nil {
		return nil, err
	}
	inputs := []compute.Value{x, gamma, beta}
	v, err := f.one(inputs, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.FusedLayerNorm(in[0], axes, epsilon, in[1], in[2])
	})
	if err != nil {
		return nil, err
	}
	columns, ok := f.float32Rows(v)
	if f.made(v, inputs) == nil || !ok || len(axes) != 1 || axes[0] != f.shape(v).Rank()-1 && axes[0] != -1 || !f.perColumn(gamma, columns) || !f.perColumn(beta, columns) {
		return v, nil
	}
	f.setKernel(v, func(b *Backend, dst []float32, in [][]float32) {
		b.shareRows(len(dst)/columns, columns, func(from, to int) {
			from, to = from*columns, to*columns
			b.set.LayerNorm(dst[from:to], in[0][from:to], nil, in[1], in[2], (to-from)/columns, columns, float32(epsilon))
		})
	})
	return v, nil
}

// perColumn reports whether a value is absent or has one float32 for each column.
func (f *function) perColumn(v compute.Value, columns int) bool {
	if v == nil {
		return true
	}
	return f.plain(v) && f.shape(v).Size() == columns
}

// FusedSoftmax implements compute.Function.
func (f *function) FusedSoftmax(x compute.Value, axis int) (compute.Value, error) {
	if err := f.fusible(compute.OpTypeFusedSoftmax, x); err != nil {
		return nil, err
	}
	inputs := []compute.Value{x}
	v, err := f.one(inputs, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.FusedSoftmax(in[0], axis)
	})
	if err != nil {
		return nil, err
	}
	columns, ok := f.float32Rows(v)
	if f.made(v, inputs) != nil && ok && axis == f.shape(v).Rank()-1 {
		f.rowKernel(v, columns, func(b *Backend, dst, src []float32) {
			b.set.Softmax(dst, src, len(src)/columns, columns, 1, nil, 0)
		})
	}
	return v, nil
}

// FusedGelu implements compute.Function.
func (f *function) FusedGelu(x compute.Value, exact bool) (compute.Value, error) {
	if err := f.fusible(compute.OpTypeFusedGelu, x); err != nil {
		return nil, err
	}
	op := opGELUTanh
	if exact {
		op = opGELU
	}
	return f.element(op, []compute.Value{x}, func(g compute.Function, in []compute.Value) (compute.Value, error) { return g.FusedGelu(in[0], exact) })
}

// rowKernel gives a node of one argument a kernel that works on some rows at a time.
func (f *function) rowKernel(v compute.Value, columns int, work func(b *Backend, dst, src []float32)) {
	f.setKernel(v, func(b *Backend, dst []float32, in [][]float32) {
		b.shareRows(len(dst)/columns, columns, func(from, to int) {
			work(b, dst[from*columns:to*columns], in[0][from*columns:to*columns])
		})
	})
}
