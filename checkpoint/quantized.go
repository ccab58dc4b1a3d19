package checkpoint

import (
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"github.com/go-lxmert/lxmert/internal/quantize"
)

// A quantised matrix is two tensors: NAME, I8 [rows, columns], and NAME_scale, a floating-point number for each row, [rows, 1] or [rows]. An
// element is the whole number times its row's scale. This is what the library compressed-tensors calls int-quantized: symmetric, a scale for each
// channel. A File shows both as one tensor, NAME, with its Scales.

// scaleSuffix makes the name of the scales of that of the tensor.
const scaleSuffix = "_scale"

// pair gives quantised tensors their scales, and takes these out of the names. The errors say which scales cannot be right.
func (f *File) pair() []error {
	var errs []error
	for _, name := range slices.Clone(f.names) {
		of, ok := strings.CutSuffix(name, scaleSuffix)
		quantised := f.places[of]
		if !ok || quantised.tensor == nil || quantised.tensor.DType != I8 {
			continue
		}
		scales := f.places[name]
		if err := checkScales(quantised.tensor, scales); err != nil {
			errs = append(errs, fmt.Errorf("%s: tensor %s: %w", scales.shard.path, quote(name), err))
		}
		quantised.scales = &scales
		f.places[of] = quantised
		delete(f.places, name)
	}
	f.names = slices.DeleteFunc(f.names, func(name string) bool { return f.places[name].tensor == nil })
	return errs
}

// checkScales says whether these can be the scales of a quantised tensor.
func checkScales(quantised *Tensor, scales place) error {
	if len(quantised.Shape) != 2 {
		return fmt.Errorf("it has scales for %s, whose shape is %v; want a matrix", quote(quantised.Name), quantised.Shape)
	}
	rows := quantised.Shape[0]
	if shape := scales.tensor.Shape; !slices.Equal(shape, []int{rows}) && !slices.Equal(shape, []int{rows, 1}) {
		return fmt.Errorf("found scales of shape %v, want [%d] or [%d, 1]: one for each row of %s", shape, rows, rows, quote(quantised.Name))
	}
	t := *scales.tensor
	t.source = scales.shard.content
	values, err := t.Float32s()
	if err != nil {
		return err
	}
	return quantize.Check(values)
}

// quantized is a matrix in I8 with its scales, both made when they are written or read. A number that is not finite is an error then.
func (t Tensor) quantized() (Tensor, error) {
	if len(t.Shape) != 2 {
		return Tensor{}, fmt.Errorf("tensor %s: only matrices are quantised, and its shape is %v", quote(t.Name), t.Shape)
	}
	rows := func() (q []int8, scales []float32, err error) {
		values, err := t.Float32s()
		if err != nil {
			return nil, nil, err
		}
		q, scales = make([]int8, len(values)), make([]float32, t.Shape[0])
		return q, scales, quantize.Rows(q, scales, values)
	}
	return Tensor{
		Name: t.Name, DType: I8, Shape: t.Shape,
		Fetch: func() ([]byte, error) {
			q, _, err := rows()
			return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(q))), len(q)), err
		},
		Scales: &Tensor{
			Name: t.Name + scaleSuffix, DType: F32, Shape: []int{t.Shape[0], 1},
			Fetch: func() ([]byte, error) {
				_, scales, err := rows()
				if err != nil {
					return nil, err
				}
				return encodeFloats(F32, scales)
			},
		},
	}, nil
}

// withScales lists quantised tensors' scales among them, as files have it.
func withScales(tensors []Tensor) []Tensor {
	if !slices.ContainsFunc(tensors, func(t Tensor) bool { return t.Scales != nil }) {
		return tensors
	}
	var out []Tensor
	for _, t := range tensors {
		scales := t.Scales
		t.Scales = nil
		out = append(out, t)
		if scales != nil {
			scales := *scales
			scales.Name = t.Name + scaleSuffix
			out = append(out, scales)
		}
	}
	return out
}

// scaleOfRows are the scales of a quantised tensor, one for each row.
func (t Tensor) scaleOfRows() ([]float32, error) {
	if t.DType != I8 || len(t.Shape) != 2 || t.Scales.Len() != t.Shape[0] {
		return nil, fmt.Errorf("tensor %s: found %s %v with scales %v, want an I8 matrix with one for each row", quote(t.Name), t.DType, t.Shape, t.Scales.Shape)
	}
	return t.Scales.Float32s()
}

// wholeNumbers are bytes as what they are in a tensor of type I8.
func wholeNumbers(data []byte) []int8 {
	return unsafe.Slice((*int8)(unsafe.Pointer(unsafe.SliceData(data))), len(data))
}
