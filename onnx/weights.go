package onnx

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"

	"github.com/go-lxmert/lxmert/model"
)

// values asks the source for a weight.
func (e *exporter) values(name string) ([]float32, error) {
	w := model.Weight{Name: name, Dimensions: e.declared[name]}
	values, err := e.source(name, w.Dimensions)
	if err == nil && len(values) != w.Size() {
		err = fmt.Errorf("%s: found %d numbers, want %d", name, len(values), w.Size())
	}
	return values, err
}

// weight is one of the model's, as it is.
func (e *exporter) weight(name string) string {
	e.used[name] = true
	return e.constant(name, float32Type, e.declared[name], func() ([]byte, error) {
		values, err := e.values(name)
		return dtypes.UnsafeByteSliceFromAny(values), err
	})
}

// The three linear maps of attention, in the order in which ONNX Runtime wants them side by side.
var queryKeyValue = []string{"query.", "key.", "value."}

// joinedWeights are their weights, [in, 3·out].
func (e *exporter) joinedWeights(name string) string {
	h := e.HiddenSize
	return e.joined(name, "weight", []int{h, 3 * h}, func(rows []float32) []float32 { return transposed(rows, 3*h, h) })
}

// joinedBiases are their biases, [3·out].
func (e *exporter) joinedBiases(name string) string {
	return e.joined(name, "bias", []int{3 * e.HiddenSize}, func(rows []float32) []float32 { return rows })
}

func (e *exporter) joined(name, kind string, shape []int, arranged func([]float32) []float32) string {
	for _, part := range queryKeyValue {
		e.used[name+part+kind] = true
	}
	return e.constant(name+"joined."+kind, float32Type, shape, func() ([]byte, error) {
		var rows []float32
		for _, part := range queryKeyValue {
			values, err := e.values(name + part + kind)
			if err != nil {
				return nil, err
			}
			rows = append(rows, values...)
		}
		return dtypes.UnsafeByteSliceFromAny(arranged(rows)), nil
	})
}

// transposed is x [rows, columns] with its axes exchanged.
func transposed(x []float32, rows, columns int) []float32 {
	y := make([]float32, len(x))
	for i := range rows {
		for j := range columns {
			y[j*rows+i] = x[i*columns+j]
		}
	}
	return y
}
