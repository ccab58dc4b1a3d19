package simd

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

// Gather implements compute.Function. Where indices name whole rows (of one axis or of several taken together, as an embedding and the
// choice of a label's logit do) it has a kernel.
func (f *function) Gather(operand, startIndices compute.Value, indexVectorAxis int, offsetOutputAxes, collapsedSliceAxes, startIndexMap, sliceSizes []int,
	indicesAreSorted bool) (compute.Value, error) {
	inputs := []compute.Value{operand, startIndices}
	v, err := f.one(inputs, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.Gather(in[0], in[1], indexVectorAxis, offsetOutputAxes, collapsedSliceAxes, startIndexMap, sliceSizes, indicesAreSorted)
	})
	if err != nil {
		return nil, err
	}
	n := f.made(v, inputs)
	if n == nil || !f.plain(v, operand) {
		return v, nil
	}
	table := f.shape(operand)
	r, ok := readIndexed(table, f.shape(startIndices), indexVectorAxis, startIndexMap, collapsedSliceAxes)
	out := f.shape(v)
	if !ok || !slices.Equal(sliceSizes[len(r.indexed):], table.Dimensions[len(r.indexed):]) || !areLast(offsetOutputAxes, out.Rank()) {
		return v, nil
	}
	n.kernel = func(x *execution, n *node) error {
		dst, err := x.output(v)
		if err != nil {
			return err
		}
		rows, err := x.input(n.inputs[0])
		if err != nil {
			return err
		}
		indices, err := x.indices(n.inputs[1])
		if err != nil {
			return err
		}
		x.backend.shareRows(r.count, r.row, func(from, to int) {
			for i := from; i < to; i++ {
				at, _ := r.at(indices, i)
				copy(dst[i*r.row:][:r.row], rows[at*r.row:])
			}
		})
		return nil
	}
	return v, nil
}

// ScatterSum implements compute.Function. Where indices name whole rows it has a kernel; what falls outside is left out, as XLA does.
func (f *function) ScatterSum(operand, scatterIndices, updates compute.Value, indexVectorAxis int, updateWindowAxes, insertedWindowAxes, scatterAxesToOperandAxes []int,
	indicesAreSorted, uniqueIndices bool) (compute.Value, error) {
	inputs := []compute.Value{operand, scatterIndices, updates}
	v, err := f.one(inputs, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.ScatterSum(in[0], in[1], in[2], indexVectorAxis, updateWindowAxes, insertedWindowAxes, scatterAxesToOperandAxes, indicesAreSorted, uniqueIndices)
	})
	if err != nil {
		return nil, err
	}
	n := f.made(v, inputs)
	if n == nil || !f.plain(v, operand, updates) {
		return v, nil
	}
	r, ok := readIndexed(f.shape(operand), f.shape(scatterIndices), indexVectorAxis, scatterAxesToOperandAxes, insertedWindowAxes)
	if !ok || f.shape(updates).Size() != r.count*r.row || !areLast(updateWindowAxes, f.shape(updates).Rank()) {
		return v, nil
	}
	if made := f.maker[f.source(operand)]; made.spread != nil && f.shape(made.inputs[0]).Size() == 1 {
		// The table is one number everywhere, of which the kernel makes the sums' first value.
		scatter := n.again
		n.inputs = []compute.Value{made.inputs[0], scatterIndices, updates}
		n.again = func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			table, err := made.again(g, in[:1])
			if err != nil {
				return nil, err
			}
			if table[0], err = g.Reshape(table[0], f.shape(operand).Dimensions...); err != nil {
				return nil, err
			}
			return scatter(g, []compute.Value{table[0], in[1], in[2]})
		}
	}
	n.kernel = func(x *execution, n *node) error {
		sums, err := x.output(v)
		if err != nil {
			return err
		}
		base, err := x.input(n.inputs[0])
		if err != nil {
			return err
		}
		indices, err := x.indices(n.inputs[1])
		if err != nil {
			return err
		}
		added, err := x.input(n.inputs[2])
		if err != nil {
			return err
		}
		x.backend.shareRows(len(sums), 1, func(from, to int) {
			if len(base) == 1 {
				sums[from] = base[0]
				spreadFirst(sums[from:to])
			} else {
				copy(sums[from:to], base[from:to])
			}
		})
		for i := range r.count { // in order, so that a row's sum is the same on every run
			if at, inside := r.at(indices, i); inside {
				row := sums[at*r.row:][:r.row]
				x.backend.set.Add(row, row, added[i*r.row:][:r.row])
			}
		}
		return nil
	}
	return v, nil
}

// indexed says how vectors of indices name rows of a table.
type indexed struct {
	indexed []int // the dimensions that indices go over
	row     int   // how long a row is
	count   int   // how many rows are named
}

// readIndexed is false where indices are not for the table's first axes, in order, or do not lie together.
func readIndexed(table, indices shapes.Shape, indexVectorAxis int, indexedAxes, droppedAxes []int) (indexed, bool) {
	n := len(indexedAxes)
	if indices.IsDynamic() || !indices.DType.IsInt() || !slices.Equal(indexedAxes, droppedAxes) || n == 0 || n > table.Rank() {
		return indexed{}, false
	}
	for i, axis := range indexedAxes {
		if axis != i {
			return indexed{}, false
		}
	}
	if indexVectorAxis < indices.Rank()-1 || indexVectorAxis == indices.Rank() && n != 1 {
		return indexed{}, false
	}
	r := indexed{indexed: table.Dimensions[:n], row: 1, count: indices.Size() / n}
	for _, d := range table.Dimensions[n:] {
		r.row *= d
	}
	return r, true
}

// at is the row that the vector of indices i names: the nearest that there is, and whether it is the one that was meant.
func (r *indexed) at(indices []int, i int) (row int, inside bool) {
	inside = true
	for axis, n := range r.indexed {
		index := indices[i*len(r.indexed)+axis]
		inside = inside && index >= 0 && index < n
		row = row*n + max(0, min(index, n-1))
	}
	return row, inside
}

// areLast reports whether axes are the last of that many, in order.
func areLast(axes []int, rank int) bool {
	for i, axis := range axes {
		if axis != rank-len(axes)+i {
			return false
		}
	}
	return true
}

// indices is a kernel's integer argument.
func (x *execution) indices(v value) ([]int, error) {
	flat, err := x.values(x.plan.source(v))
	if err != nil {
		return nil, err
	}
	switch flat := flat.(type) {
	case []int8:
		return toInts(flat), nil
	case []int16:
		return toInts(flat), nil
	case []int32:
		return toInts(flat), nil
	case []int64:
		return toInts(flat), nil
	case []uint8:
		return toInts(flat), nil
	case []uint16:
		return toInts(flat), nil
	case []uint32:
		return toInts(flat), nil
	case []uint64:
		return toInts(flat), nil
	}
	return nil, fmt.Errorf("simd: found indices of %T, want integers", flat)
}

func toInts[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](flat []T) []int {
	indices := make([]int, len(flat))
	for i, v := range flat {
		indices[i] = int(v)
	}
	return indices
}
