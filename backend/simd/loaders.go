package simd

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/dtypes/float16"

	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

// loader is dst[i] = flat[at+i] as float32; flat is a slice of the type that the loader is for.
type loader func(s *kernel.Set, dst []float32, flat any, at int)

// loaders say how chains read each type of value. For float32 that is a copy, which chains avoid where they can.
var loaders = map[dtypes.DType]loader{
	dtypes.Float32: func(_ *kernel.Set, dst []float32, flat any, at int) { copy(dst, flat.([]float32)[at:]) },
	dtypes.Bool: func(_ *kernel.Set, dst []float32, flat any, at int) {
		for i, v := range flat.([]bool)[at : at+len(dst)] {
			dst[i] = 0
			if v {
				dst[i] = 1
			}
		}
	},
	dtypes.BFloat16: func(s *kernel.Set, dst []float32, flat any, at int) {
		s.FromBF16(dst, bitsOf(flat.([]bfloat16.BFloat16)[at:at+len(dst)]))
	},
	dtypes.Float16: func(_ *kernel.Set, dst []float32, flat any, at int) {
		for i, v := range flat.([]float16.Float16)[at : at+len(dst)] {
			dst[i] = v.Float32()
		}
	},
	dtypes.Float64: load[float64], dtypes.Int8: load[int8], dtypes.Int16: load[int16], dtypes.Int32: load[int32], dtypes.Int64: load[int64],
	dtypes.Uint8: load[uint8], dtypes.Uint16: load[uint16], dtypes.Uint32: load[uint32], dtypes.Uint64: load[uint64],
}

func load[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float64](_ *kernel.Set, dst []float32, flat any, at int) {
	for i, v := range flat.([]T)[at : at+len(dst)] {
		dst[i] = float32(v)
	}
}
