package simd

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

// Transpose implements compute.Function. Most permutations are, once axes that stay together are taken for one, a list of
// matrices to be transposed, or of blocks to be moved.
func (f *function) Transpose(x compute.Value, permutation ...int) (compute.Value, error) {
	if shape, err := f.builder.OpShape(x); err == nil && movesNothing(shape.Rank(), permutation) {
		return x, nil // gradients of linear maps are full of these
	}
	inputs := []compute.Value{x}
	v, err := f.one(inputs, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.Transpose(in[0], permutation...)
	})
	if err != nil {
		return nil, err
	}
	n := f.made(v, inputs)
	if n == nil {
		return v, nil
	}
	n.turned = permutation
	if !f.floats(x) {
		return v, nil
	}
	m, ok := readMove(f.shape(x), permutation)
	switch {
	case !ok:
	case f.plain(x):
		f.setKernel(v, func(b *Backend, dst []float32, in [][]float32) { shuffle(b, m, dst, in[0]) })
	default:
		n.kernel = func(x *execution, n *node) error {
			src, err := x.shortInput(n.inputs[0])
			if err != nil {
				return err
			}
			dst, err := x.shortOutput(n.outputs[0])
			if err == nil {
				shuffle(x.backend, m, dst, src)
			}
			return err
		}
	}
	return v, nil
}

// movesNothing reports whether each axis stays where it is.
func movesNothing(rank int, permutation []int) bool {
	for i, axis := range permutation {
		if axis != i {
			return false
		}
	}
	return len(permutation) == rank
}

// move is a permutation that exchanges two neighbouring groups of axes: [outer, rows, columns, block] becomes [outer, columns,
// rows, block].
type move struct{ outer, rows, columns, block int }

// readMove finds the groups; it is false for other permutations.
func readMove(in shapes.Shape, permutation []int) (move, bool) {
	rank := len(permutation)
	first, last := 0, rank
	for first < rank && permutation[first] == first {
		first++
	}
	for last > first && permutation[last-1] == last-1 {
		last--
	}
	if first == last {
		return move{}, false // it moves nothing
	}
	// The middle must be two runs: first the later axes, then the earlier ones.
	cut := permutation[first]
	for i := first; i < last; i++ {
		want := cut + i - first
		if want >= last {
			want -= last - first
		}
		if permutation[i] != want {
			return move{}, false
		}
	}
	size := func(from, to int) int {
		n := 1
		for axis := from; axis < to; axis++ {
			n *= in.Dim(axis)
		}
		return n
	}
	return move{size(0, first), size(first, cut), size(cut, last), size(last, rank)}, true
}

// shuffle permutes src into dst; threads share the outermost axis, or the rows of the result.
func shuffle[T float32 | uint16](b *Backend, m move, dst, src []T) {
	size := m.rows * m.columns * m.block
	if m.outer == 1 && m.block == 1 {
		transpose(b, dst, src, m.rows, m.columns)
		return
	}
	b.shareRows(m.outer, size, func(from, to int) {
		for o := from; o < to; o++ {
			x, y := src[o*size:(o+1)*size], dst[o*size:(o+1)*size]
			for r := range m.rows {
				for c := range m.columns {
					copy(y[(c*m.rows+r)*m.block:][:m.block], x[(r*m.columns+c)*m.block:])
				}
			}
		}
	})
}

// transpose is y = xᵀ of a matrix [rows, columns]; threads share the columns.
func transpose[T float32 | uint16](b *Backend, y, x []T, rows, columns int) {
	const block = 16 // of columns: their cache lines are read together
	b.shareRows((columns+block-1)/block, block*rows, func(from, to int) {
		for at := from * block; at < min(to*block, columns); at += block {
			end := min(at+block, columns)
			for r := range rows {
				for c, v := range x[r*columns+at : r*columns+end] {
					y[(at+c)*rows+r] = v
				}
			}
		}
	})
}
