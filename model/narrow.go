package model

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/internal/quantize"
)

// A KeptSource gives a network its weights as it keeps them: w is one of [Precision.Kept], and the answer its values, row-major, in memory as a
// slice of float32, [bfloat16.BFloat16] or int8 has them. A quantised weight's scales are asked for right after it. The slice may be a view
// that is valid only until the next call.
type KeptSource func(w Weight) ([]byte, error)

// Kept is the source for networks of any precision. It converts one weight at a time: bfloat16 is rounded to nearest, ties to
// even; int8 has the scale largest magnitude / 127 in each row, and is rounded likewise. The error says which
// number has no counterpart.
func (source Source) Kept() KeptSource {
	var n narrowing
	return func(w Weight) ([]byte, error) {
		if n.isScales(w) {
			return dtypes.UnsafeByteSliceFromAny(n.scales), nil
		}
		values, err := source(w.Name, w.Dimensions)
		if err != nil {
			return nil, err
		}
		if len(values) != w.Size() {
			return nil, fmt.Errorf("found %d values, want %d for shape %v", len(values), w.Size(), w.Dimensions)
		}
		return n.as(w, values)
	}
}

// narrowing converts weights one after the other, in the same memory.
type narrowing struct {
	of     string // whose scales these are
	scales []float32
	int8   []int8
	half   []bfloat16.BFloat16
}

// isScales says whether w is the scales of the weight that was quantised last.
func (n *narrowing) isScales(w Weight) bool { return n.of != "" && w.Name == n.of+ScaleSuffix }

// as is a weight's values in its type, as they are in memory, until the next call.
func (n *narrowing) as(w Weight, values []float32) ([]byte, error) {
	switch w.DType {
	case dtypes.Float32:
		return dtypes.UnsafeByteSliceFromAny(values), nil
	case dtypes.BFloat16:
		n.half = room(n.half, len(values))
		for i, v := range values {
			n.half[i] = bfloat16.FromFloat32(v)
			if math.IsInf(float64(n.half[i].Float32()), 0) && !math.IsInf(float64(v), 0) {
				return nil, fmt.Errorf("element %d is %v, too large for bfloat16", i, v)
			}
		}
		return dtypes.UnsafeByteSliceFromAny(n.half), nil
	case dtypes.Int8:
		n.of, n.int8, n.scales = w.Name, room(n.int8, len(values)), room(n.scales, w.Dimensions[0])
		err := quantize.Rows(n.int8, n.scales, values)
		return dtypes.UnsafeByteSliceFromAny(n.int8), err
	}
	return nil, fmt.Errorf("a weight cannot be kept as %s", w.DType)
}

// room is a slice of that length, in the same memory if it is large enough.
func room[T any](s []T, length int) []T {
	if cap(s) < length {
		return make([]T, length)
	}
	return s[:length]
}

// widened is a copy of a weight in float32; scales are those of a quantised one.
func widened(value, scales *tensors.Tensor) (*tensors.Tensor, error) {
	out := make([]float32, value.Size())
	var err error
	switch value.DType() {
	case dtypes.Float32:
		return value.LocalClone()
	case dtypes.BFloat16:
		err = tensors.ConstFlatData(value, func(half []bfloat16.BFloat16) {
			for i, v := range half {
				out[i] = v.Float32()
			}
		})
	case dtypes.Int8:
		var s []float32
		if s, err = tensors.CopyFlatData[float32](scales); err == nil {
			err = tensors.ConstFlatData(value, func(whole []int8) { quantize.Values(out, whole, s) })
		}
	default:
		err = fmt.Errorf("found a weight of %s", value.DType())
	}
	if err != nil {
		return nil, err
	}
	return tensors.FromFlatDataAndDimensions(out, value.Shape().Dimensions...), nil
}
