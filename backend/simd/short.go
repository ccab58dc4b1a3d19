package simd

import (
	"fmt"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/shapes"
)

// Values of bfloat16 lie in memory as 16 bits each, in the slab too. Chains widen what they read and round what they write, products read and write them
// as they are, and other kernels work on a widened copy.

// short reports whether values are bfloat16, of known size, and not empty.
func (f *function) short(values ...compute.Value) bool {
	for _, v := range values {
		if shape := f.shape(v); shape.DType != dtypes.BFloat16 || shape.IsDynamic() || shape.Size() == 0 {
			return false
		}
	}
	return true
}

// floats reports whether values are all float32 or all bfloat16, of known size, and not empty. Absent ones are.
func (f *function) floats(values ...compute.Value) bool {
	var first compute.Value
	for _, v := range values {
		switch {
		case v == nil:
		case !f.plain(v) && !f.short(v), first != nil && f.shape(v).DType != f.shape(first).DType:
			return false
		default:
			first = v
		}
	}
	return true
}

// wordsOf is how many places of 32 bits a value takes in the slab. Booleans take one each, as chains hold them.
func wordsOf(shape shapes.Shape) int {
	if shape.DType == dtypes.BFloat16 {
		return (shape.Size() + 1) / 2
	}
	return shape.Size()
}

// bitsOf are bfloat16 numbers as their 16 bits.
func bitsOf(x []bfloat16.BFloat16) []uint16 {
	return unsafe.Slice((*uint16)(unsafe.SliceData(x)), len(x))
}

// inSlab are the n bfloat16 numbers of some words.
func inSlab(words []float32, n int) []bfloat16.BFloat16 {
	return unsafe.Slice((*bfloat16.BFloat16)(unsafe.Pointer(unsafe.SliceData(words))), n)
}

// shortInput is a kernel's bfloat16 argument.
func (x *execution) shortInput(v value) ([]uint16, error) {
	flat, err := x.values(x.plan.source(v))
	if err != nil {
		return nil, err
	}
	short, ok := flat.([]bfloat16.BFloat16)
	if !ok {
		return nil, fmt.Errorf("simd: found a value of %T, want bfloat16", flat)
	}
	return bitsOf(short), nil
}

// shortOutput is memory for a bfloat16 result.
func (x *execution) shortOutput(v value) ([]uint16, error) {
	if offset, ok := x.plan.offsets[v]; ok {
		return bitsOf(inSlab(x.slab[offset:], x.plan.shapes[v].Size())), nil
	}
	flat, err := x.typed(v)
	if err != nil {
		return nil, err
	}
	return bitsOf(flat.([]bfloat16.BFloat16)), nil
}

// widened is a kernel's float32 or bfloat16 argument in float32; done gives scratch back.
func (x *execution) widened(v value) (values []float32, done func(), err error) {
	if x.plan.shapes[v].DType != dtypes.BFloat16 {
		values, err = x.input(v)
		return values, func() {}, err
	}
	short, err := x.shortInput(v)
	if err != nil {
		return nil, nil, err
	}
	b := x.backend
	values = b.memory.take(len(short))
	b.shareRows(len(short), 1, func(from, to int) { b.set.FromBF16(values[from:to], short[from:to]) })
	return values, func() { b.memory.give(values) }, nil
}

// rounded lets make fill a float32 or bfloat16 result as float32.
func (x *execution) rounded(v value, make func(dst []float32)) error {
	if x.plan.shapes[v].DType != dtypes.BFloat16 {
		dst, err := x.output(v)
		if err == nil {
			make(dst)
		}
		return err
	}
	short, err := x.shortOutput(v)
	if err != nil {
		return err
	}
	b := x.backend
	dst := b.memory.take(len(short))
	make(dst)
	b.shareRows(len(short), 1, func(from, to int) { b.set.ToBF16(short[from:to], dst[from:to]) })
	b.memory.give(dst)
	return nil
}
