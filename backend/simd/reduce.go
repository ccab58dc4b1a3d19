package simd

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"

	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

// reduction is how the values of a row, and two rows, become one.
type reduction struct {
	row  func(s *kernel.Set, x []float32) float32
	rows func(s *kernel.Set, dst, x []float32) // dst = dst and x
	adds bool
}

var (
	bySum = reduction{func(s *kernel.Set, x []float32) float32 { return s.Sum(x) }, func(s *kernel.Set, dst, x []float32) { s.Add(dst, dst, x) }, true}
	byMax = reduction{func(s *kernel.Set, x []float32) float32 { return s.Max(x) }, func(s *kernel.Set, dst, x []float32) { s.Larger(dst, dst, x) }, false}
	byMin = reduction{func(_ *kernel.Set, x []float32) float32 { return slices.Min(x) }, func(s *kernel.Set, dst, x []float32) { s.Smaller(dst, dst, x) }, false}
)

// ReduceSum implements compute.Function.
func (f *function) ReduceSum(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(x, axes, bySum, compute.Function.ReduceSum)
}

// ReduceMax implements compute.Function.
func (f *function) ReduceMax(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(x, axes, byMax, compute.Function.ReduceMax)
}

// ReduceMin implements compute.Function.
func (f *function) ReduceMin(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(x, axes, byMin, compute.Function.ReduceMin)
}

// reduce records a reduction. Where the reduced axes stand together it has a kernel, which adds in float32 and rounds once where the values are bfloat16.
func (f *function) reduce(x compute.Value, axes []int, by reduction, op func(compute.Function, compute.Value, ...int) (compute.Value, error)) (compute.Value, error) {
	inputs := []compute.Value{x}
	v, err := f.one(inputs, func(g compute.Function, in []compute.Value) (compute.Value, error) { return op(g, in[0], axes...) })
	if err != nil {
		return nil, err
	}
	n := f.made(v, inputs)
	if n == nil || !f.floats(x, v) {
		return v, nil
	}
	r, ok := readReduced(f.shape(x), axes)
	if !ok {
		return v, nil
	}
	f.setKernel(v, func(b *Backend, dst []float32, in [][]float32) { b.reduce(r, by, dst, in[0]) })
	n.sums = by.adds && f.shape(v).Size() == 1 && f.plain(v)
	return v, nil
}

// reduced is a reduction of the middle one of three axes.
type reduced struct{ outer, middle, inner int }

// readReduced finds the three axes; it is false where there are more.
func readReduced(shape shapes.Shape, axes []int) (reduced, bool) {
	if len(axes) == 0 {
		return reduced{1, shape.Size(), 1}, true
	}
	r := reduced{1, 1, 1}
	for axis, n := range shape.Dimensions {
		switch {
		case n == 1:
		case slices.Contains(axes, axis):
			if r.inner > 1 {
				return r, false
			}
			r.middle *= n
		case r.middle > 1:
			r.inner *= n
		default:
			r.outer *= n
		}
	}
	return r, true
}

// reduce reduces; threads share the results, or parts of a long row.
func (b *Backend) reduce(r reduced, by reduction, dst, x []float32) {
	switch {
	case r.inner > 1 && r.outer > 1:
		b.shareRows(r.outer, r.middle*r.inner, func(from, to int) {
			for o := from; o < to; o++ {
				b.reduceRows(by, dst[o*r.inner:][:r.inner], x[o*r.middle*r.inner:], r.middle, r.inner)
			}
		})
	case r.inner > 1:
		b.shareRows(r.inner, r.middle, func(from, to int) { b.reduceRows(by, dst[from:to], x[from:], r.middle, r.inner) })
	case r.outer > 1 || r.middle < 4*minimum:
		b.shareRows(r.outer, r.middle, func(from, to int) {
			for o := from; o < to; o++ {
				dst[o] = by.row(b.set, x[o*r.middle:][:r.middle])
			}
		})
	default:
		parts := (r.middle + minimum - 1) / minimum
		some := b.memory.take(parts)
		b.share(parts, func(from, to int) {
			for i := from; i < to; i++ {
				some[i] = by.row(b.set, x[i*minimum:min((i+1)*minimum, r.middle)])
			}
		})
		dst[0] = by.row(b.set, some)
		b.memory.give(some)
	}
}

// reduceRows makes one row of rows that are ld apart.
func (b *Backend) reduceRows(by reduction, dst, x []float32, rows, ld int) {
	copy(dst, x)
	for i := 1; i < rows; i++ {
		by.rows(b.set, dst, x[i*ld:][:len(dst)])
	}
}
