package checkpoint

import (
	"encoding/binary"
	"fmt"
	"math"
)

// As is the tensor with its elements in another floating-point type: F32 as they are, F16 and BF16 rounded to nearest, ties to even (F64 by
// way of float32); or, a matrix, quantised: I8, with a scale of largest magnitude / 127 for each row. They are converted when they are written or read,
// not before, so that a whole model in half precision needs no second copy. The error says that there is no such conversion. That a
// finite element has no finite counterpart, as F16 has none from 65520 on, or that an element to be quantised is not finite, is
// found out in converting, and is an error then.
func (t Tensor) As(dtype DType) (Tensor, error) {
	if !t.IsFloat() || !dtype.IsFloat() && dtype != I8 {
		return Tensor{}, fmt.Errorf("tensor %s: %s values cannot be stored as %s; use F32, F16, BF16, F64 or I8", quote(t.Name), t.DType, dtype)
	}
	if t.DType == dtype {
		return t, nil
	}
	if dtype == I8 {
		return t.quantized()
	}
	return Tensor{Name: t.Name, DType: dtype, Shape: t.Shape, Fetch: func() ([]byte, error) {
		values, err := t.Float32s()
		if err != nil {
			return nil, err
		}
		return encodeFloats(dtype, values)
	}}, nil
}

// encodeFloats refuses what would become infinite.
func encodeFloats(dtype DType, values []float32) ([]byte, error) {
	data := make([]byte, 0, dtype.Size()*len(values))
	for i, v := range values {
		infinite := false
		switch dtype {
		case F16:
			bits := F16Bits(v)
			infinite = bits&0x7FFF == 0x7C00
			data = binary.LittleEndian.AppendUint16(data, bits)
		case BF16:
			bits := BF16Bits(v)
			infinite = bits&0x7FFF == 0x7F80
			data = binary.LittleEndian.AppendUint16(data, bits)
		case F32:
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		case F64:
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(float64(v)))
		}
		if infinite && !math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("element %d is %v, too large for %s; take BF16 or F32", i, v, dtype)
		}
	}
	return data, nil
}
