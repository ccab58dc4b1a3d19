package explain

import (
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"
)

// A matrix has rows of equal length, one after the other.
type matrix struct {
	rows, cols int
	v          []float64
}

func newMatrix(rows, cols int) matrix { return matrix{rows, cols, make([]float64, rows*cols)} }

// identity is 1 on the diagonal.
func identity(n int) matrix {
	m := newMatrix(n, n)
	for i := range n {
		m.v[i*n+i] = 1
	}
	return m
}

func (m matrix) row(i int) []float64 { return m.v[i*m.cols:][:m.cols] }

// plus is m + other.
func (m matrix) plus(other matrix) matrix {
	sum := newMatrix(m.rows, m.cols)
	for i := range sum.v {
		sum.v[i] = m.v[i] + other.v[i]
	}
	return sum
}

// minus is m - other.
func (m matrix) minus(other matrix) matrix {
	return m.each(func(i int, x float64) float64 { return x - other.v[i] })
}

// each has f of every element.
func (m matrix) each(f func(i int, x float64) float64) matrix {
	of := newMatrix(m.rows, m.cols)
	for i, x := range m.v {
		of.v[i] = f(i, x)
	}
	return of
}

// times is the matrix product m·other.
func (m matrix) times(other matrix) matrix {
	product := newMatrix(m.rows, other.cols)
	for i := range m.rows {
		to := product.row(i)
		for k, x := range m.row(i) {
			for j, y := range other.row(k) {
				to[j] += x * y
			}
		}
	}
	return product
}

// transposed has rows for columns.
func (m matrix) transposed() matrix {
	t := newMatrix(m.cols, m.rows)
	for i := range m.rows {
		for j, x := range m.row(i) {
			t.v[j*t.cols+i] = x
		}
	}
	return t
}

// normalised divides each row by its sum; a row of sum 0 becomes 0, as the row of a masked token must.
func (m matrix) normalised() matrix {
	n := newMatrix(m.rows, m.cols)
	for i := range m.rows {
		sum := 0.0
		for _, x := range m.row(i) {
			sum += x
		}
		if sum == 0 {
			continue
		}
		for j, x := range m.row(i) {
			n.v[i*n.cols+j] = x / sum
		}
	}
	return n
}

// clone is a copy.
func (m matrix) clone() matrix { return m.each(func(_ int, x float64) float64 { return x }) }

// mean is that of several matrices of one shape.
func mean(several []matrix) matrix {
	sum := newMatrix(several[0].rows, several[0].cols)
	for _, m := range several {
		sum = sum.plus(m)
	}
	return sum.each(func(_ int, x float64) float64 { return x / float64(len(several)) })
}

// floats are the rows, as JSON has them; nil for a matrix that there is not.
func (m matrix) floats() [][]float32 {
	if m.v == nil {
		return nil
	}
	rows := make([][]float32, m.rows)
	for i := range rows {
		rows[i] = float32s(m.row(i))
	}
	return rows
}

func float32s(values []float64) []float32 {
	narrow := make([]float32, len(values))
	for i, x := range values {
		narrow[i] = float32(x)
	}
	return narrow
}

// heads are the matrices [queries, keys] of a tensor [1, heads, queries, keys].
func heads(x *tensors.Tensor) ([]matrix, error) {
	dims := x.Shape().Dimensions
	if len(dims) != 4 || dims[0] != 1 {
		return nil, fmt.Errorf("found shape %v, want [1, heads, queries, keys]", dims)
	}
	flat, err := tensors.CopyFlatData[float32](x)
	if err != nil {
		return nil, err
	}
	of := make([]matrix, dims[1])
	for h := range of {
		of[h] = newMatrix(dims[2], dims[3])
		for i := range of[h].v {
			of[h].v[i] = float64(flat[h*len(of[h].v)+i])
		}
	}
	return of, nil
}
