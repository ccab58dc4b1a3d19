package checkpoint

import "math/bits"

// DType is the type of a tensor's elements, under its safetensors name.
type DType uint8

// The types of the format, by rising alignment: the order in which the safetensors
// library itself lists them, and by which it (and Write) sorts tensors in a file. Those
// without a Go counterpart (F4, F6, F8, C64) are carried as bytes and never converted.
const (
	BOOL DType = iota + 1
	F4
	F6_E2M3
	F6_E3M2
	U8
	I8
	F8_E5M2
	F8_E4M3
	F8_E8M0
	I16
	U16
	F16
	BF16
	I32
	U32
	F32
	C64
	F64
	I64
	U64
)

var dtypes = [...]struct {
	name string
	bits int
}{
	BOOL: {"BOOL", 8}, F4: {"F4", 4}, F6_E2M3: {"F6_E2M3", 6}, F6_E3M2: {"F6_E3M2", 6},
	U8: {"U8", 8}, I8: {"I8", 8}, F8_E5M2: {"F8_E5M2", 8}, F8_E4M3: {"F8_E4M3", 8},
	F8_E8M0: {"F8_E8M0", 8}, I16: {"I16", 16}, U16: {"U16", 16}, F16: {"F16", 16},
	BF16: {"BF16", 16}, I32: {"I32", 32}, U32: {"U32", 32}, F32: {"F32", 32},
	C64: {"C64", 64}, F64: {"F64", 64}, I64: {"I64", 64}, U64: {"U64", 64},
}

// ParseDType finds a type by its safetensors name, such as "BF16".
func ParseDType(name string) (DType, bool) {
	for d := BOOL; d <= U64; d++ {
		if dtypes[d].name == name {
			return d, true
		}
	}
	return 0, false
}

// String is the safetensors name, such as "BF16".
func (d DType) String() string {
	if !d.valid() {
		return "no type"
	}
	return dtypes[d].name
}

// Bits is the width of one element; below 8 for the packed types F4 and F6.
func (d DType) Bits() int {
	if !d.valid() {
		return 0
	}
	return dtypes[d].bits
}

// Size is the width of one element in bytes, 0 for the packed types F4 and F6.
func (d DType) Size() int { return d.Bits() / 8 }

// IsFloat says whether Float32s can read the type: F64, F32, F16 and BF16.
func (d DType) IsFloat() bool { return d == F64 || d == F32 || d == F16 || d == BF16 }

// IsInteger says whether Int64s can read the type: signed, unsigned and BOOL.
func (d DType) IsInteger() bool {
	switch d {
	case BOOL, U8, I8, I16, U16, I32, U32, I64, U64:
		return true
	}
	return false
}

func (d DType) valid() bool { return d >= BOOL && d <= U64 }

// byteLen is how many bytes a tensor of this type and shape takes. It is false where
// there is no such number: a negative dimension, a product beyond what the machine can
// address, or a packed type that ends within a byte.
func (d DType) byteLen(shape []int) (int, bool) {
	n, ok := elements(shape)
	if !ok || !d.valid() {
		return 0, false
	}
	hi, total := bits.Mul64(uint64(n), uint64(d.Bits()))
	if hi != 0 || total%8 != 0 || total/8 > maxInt {
		return 0, false
	}
	return int(total / 8), true
}

const maxInt = uint64(^uint(0) >> 1)

// elements is the product of the dimensions, 1 for a scalar. A dimension of 0 does not
// excuse the others: [1<<62, 8, 0] overflows, here as in the safetensors library.
func elements(shape []int) (int, bool) {
	n := uint64(1)
	for _, dim := range shape {
		if dim < 0 {
			return 0, false
		}
		hi, lo := bits.Mul64(n, uint64(dim))
		if hi != 0 || lo > maxInt {
			return 0, false
		}
		n = lo
	}
	return int(n), true
}
