package simd

import "github.com/gomlx/compute"

// float32Rows reports whether a value is float32 and has rows, of which it gives the length.
func (f *function) float32Rows(v compute.Value) (columns int, ok bool) {
	if !f.plain(v) || f.shape(v).Rank() == 0 {
		return 0, false
	}
	return f.shape(v).Dim(-1), true
}

// FusedLayerNorm implements compute.Function.
func (f *function) FusedLayerNorm(x compute.Value, axes []int, epsilon float64, gamma, beta compute.Value) (compute.Value, error) {
	v, err := f.one([]compute.Value{x, gamma, beta}, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.FusedLayerNorm(in[0], axes, epsilon, in[1], in[2])
	})
	if err != nil {
		return nil, err
	}
	columns, ok := f.float32Rows(v)
	out := f.shape(v)
	if !ok || len(axes) != 1 || axes[0] != out.Rank()-1 && axes[0] != -1 || !f.perColumn(gamma, columns) || !f.perColumn(beta, columns) {
		return v, nil
	}
	f.maker[v].kernel = func(run *execution, n *node) error {
		dst, err := run.output(v, out)
		if err != nil {
			return err
		}
		src, err := run.input(n.inputs[0])
		if err != nil {
			return err
		}
		var scale, shift []float32
		if n.inputs[1] != nil {
			if scale, err = run.input(n.inputs[1]); err != nil {
				return err
			}
		}
		if n.inputs[2] != nil {
			if shift, err = run.input(n.inputs[2]); err != nil {
				return err
			}
		}
		run.backend.shareRows(len(src)/columns, columns, func(from, to int) {
			from, to = from*columns, to*columns
			run.backend.set.LayerNorm(dst[from:to], src[from:to], nil, scale, shift, (to-from)/columns, columns, float32(epsilon))
		})
		return nil
	}
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
	v, err := f.one([]compute.Value{x}, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.FusedSoftmax(in[0], axis)
	})
	if err != nil {
		return nil, err
	}
	columns, ok := f.float32Rows(v)
	if out := f.shape(v); ok && axis == out.Rank()-1 {
		f.rowKernel(v, columns, func(run *execution, dst, src []float32) {
			run.backend.set.Softmax(dst, src, len(src)/columns, columns, 1, nil, 0)
		})
	}
	return v, nil
}

// FusedGelu implements compute.Function.
func (f *function) FusedGelu(x compute.Value, exact bool) (compute.Value, error) {
	v, err := f.one([]compute.Value{x}, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.FusedGelu(in[0], exact)
	})
	if err != nil {
		return nil, err
	}
	if columns, ok := f.float32Rows(v); ok {
		f.rowKernel(v, columns, func(run *execution, dst, src []float32) {
			if exact {
				run.backend.set.GELU(dst, src)
			} else {
				run.backend.set.GELUTanh(dst, src)
			}
		})
	}
	return v, nil
}

// rowKernel gives a node of one argument a kernel that works on some rows at a time.
func (f *function) rowKernel(v compute.Value, columns int, kernel func(run *execution, dst, src []float32)) {
	out := f.shape(v)
	f.maker[v].kernel = func(run *execution, n *node) error {
		dst, err := run.output(v, out)
		if err != nil {
			return err
		}
		src, err := run.input(n.inputs[0])
		if err != nil {
			return err
		}
		run.backend.shareRows(len(src)/columns, columns, func(from, to int) {
			kernel(run, dst[from*columns:to*columns], src[from*columns:to*columns])
		})
		return nil
	}
}

// pairKernel gives a node of two arguments its kernel.
func (f *function) pairKernel(v compute.Value, work func(run *execution, c, a, b []float32)) {
	out := f.shape(v)
	f.maker[v].kernel = func(run *execution, n *node) error {
		a, err := run.input(n.inputs[0])
		if err != nil {
			return err
		}
		b, err := run.input(n.inputs[1])
		if err != nil {
			return err
		}
		c, err := run.output(v, out)
		if err != nil {
			return err
		}
		work(run, c, a, b)
		return nil
	}
}
