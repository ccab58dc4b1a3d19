package oip

import (
	"encoding/binary"
	"fmt"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/serve/service"
)

// maxRank is how many axes a tensor may have; no model here has more than three.
const maxRank = 8

// maxTexts is how many elements a BYTES tensor may have. Each takes more memory than it has bytes, if they are short.
const maxTexts = 4096

// A tensor is an input. Its contents have been checked to be as many as its shape says.
type tensor struct {
	name     string
	datatype string
	shape    []int // all 1 or more

	texts   [][]byte          // of a BYTES tensor
	numbers checkpoint.Tensor // of every other

	base64 bool // the texts are base64 of what is meant
}

// datatypes are the protocol's names for the types of numbers.
var datatypes = map[string]checkpoint.DType{
	"BOOL": checkpoint.BOOL, "UINT8": checkpoint.U8, "UINT16": checkpoint.U16, "UINT32": checkpoint.U32, "UINT64": checkpoint.U64,
	"INT8": checkpoint.I8, "INT16": checkpoint.I16, "INT32": checkpoint.I32, "INT64": checkpoint.I64,
	"FP16": checkpoint.F16, "BF16": checkpoint.BF16, "FP32": checkpoint.F32, "FP64": checkpoint.F64,
}

// newTensor checks a name, a type and a shape. A tensor has at most limit elements: no request has room for more.
func newTensor(name, datatype string, shape []int64, limit int64) (t tensor, elements int, err error) {
	if name == "" {
		return t, 0, service.Invalidf("inputs: an input has no name")
	}
	t.name, t.datatype = name, datatype
	if _, ok := datatypes[datatype]; !ok && datatype != "BYTES" {
		return t, 0, t.bad("datatype: found %.80q, want BYTES, BOOL, INT8 to INT64, UINT8 to UINT64, FP16, BF16, FP32 or FP64", datatype)
	}
	if len(shape) == 0 || len(shape) > maxRank {
		return t, 0, t.bad("shape: found %d axes, want 1 to %d", len(shape), maxRank)
	}
	n := int64(1)
	t.shape = make([]int, len(shape))
	for i, size := range shape {
		if size < 1 {
			return t, 0, t.bad("shape: found %v, want 1 or more on every axis", shape)
		}
		if size > limit/n {
			return t, 0, tooLarge("tensor_too_large", "input %.80s: shape: found %v, more elements than the %d bytes that a request may have", name, shape, limit)
		}
		n *= size
		t.shape[i] = int(size)
	}
	if datatype == "BYTES" && n > maxTexts {
		return t, 0, tooLarge("tensor_too_large", "input %.80s: shape: found %v, want at most %d elements", name, shape, maxTexts)
	}
	return t, int(n), nil
}

func (t *tensor) bad(format string, args ...any) error {
	return service.Invalidf("input %.80s: %s", t.name, fmt.Sprintf(format, args...))
}

// setRaw gives the tensor its contents in the binary form: numbers little endian, in row-major order; of BYTES each element after its length in four bytes. The
// tensor keeps raw.
func (t *tensor) setRaw(raw []byte, elements int) error {
	if t.datatype != "BYTES" {
		dtype := datatypes[t.datatype]
		if want := elements * dtype.Size(); len(raw) != want {
			return t.bad("found %d bytes, want %d for %s %v", len(raw), want, t.datatype, t.shape)
		}
		t.numbers = checkpoint.Tensor{Name: t.name, DType: dtype, Shape: t.shape, Data: raw}
		return nil
	}
	if len(raw)/4 < elements {
		return t.bad("found %d bytes, want %d elements, each after its length in 4 bytes", len(raw), elements)
	}
	t.texts = make([][]byte, elements)
	for i := range t.texts {
		if len(raw) < 4 {
			return t.bad("found %d elements, want %d for shape %v", i, elements, t.shape)
		}
		size := binary.LittleEndian.Uint32(raw)
		if uint64(size) > uint64(len(raw)-4) {
			return t.bad("element %d has %d bytes by its length, but %d are left", i, size, len(raw)-4)
		}
		t.texts[i], raw = raw[4:4+size:4+size], raw[4+size:]
	}
	if len(raw) > 0 {
		return t.bad("%d bytes are left after %d elements", len(raw), elements)
	}
	return nil
}

// setFloats gives the tensor numbers as its contents, and keeps them.
func (t *tensor) setFloats(values []float32) (err error) {
	t.numbers, err = checkpoint.FromFloat32s(t.name, t.shape, values)
	return t.counted(err)
}

// setIntegers is setFloats for whole numbers, and for BOOL as 0 and 1.
func (t *tensor) setIntegers(values []int64) (err error) {
	t.numbers, err = checkpoint.FromInt64s(t.name, t.shape, values)
	return t.counted(err)
}

// setTexts gives the tensor texts as its contents, and keeps them.
func (t *tensor) setTexts(values [][]byte, elements int) error {
	if len(values) != elements {
		return t.bad("found %d elements, want %d for shape %v", len(values), elements, t.shape)
	}
	t.texts = values
	return nil
}

func (t *tensor) counted(err error) error {
	if err != nil {
		return service.Invalidf("input %w", err)
	}
	return nil
}

// floats are the numbers of a tensor of a floating type, without a copy where that can be.
func (t *tensor) floats() ([]float32, error) {
	if values, ok := t.numbers.Float32View(); ok {
		return values, nil
	}
	if !t.numbers.DType.IsFloat() {
		return nil, t.bad("datatype: found %s, want FP32, FP16, BF16 or FP64", t.datatype)
	}
	values, err := t.numbers.Float32s()
	return values, t.counted(err)
}

// integers are the numbers of a tensor of an integer type.
func (t *tensor) integers() ([]int64, error) {
	if !t.numbers.DType.IsInteger() {
		return nil, t.bad("datatype: found %s, want INT64 or another integer type", t.datatype)
	}
	values, err := t.numbers.Int64s()
	return values, t.counted(err)
}

// list are the texts of a tensor whose axes are 1 but for one.
func (t *tensor) list() ([][]byte, error) {
	if t.datatype != "BYTES" {
		return nil, t.bad("datatype: found %s, want BYTES", t.datatype)
	}
	for i, size := range t.shape {
		if i > 0 && size > 1 {
			return nil, t.bad("shape: found %v, want [N]", t.shape)
		}
	}
	return t.texts, nil
}

// An output has contents of one kind.
type output struct {
	signature
	floats   []float32
	integers []int64
	texts    []string
}

// appendRaw appends the contents in the binary form, see setRaw.
func (o *output) appendRaw(data []byte) []byte {
	switch {
	case o.floats != nil:
		stored, _ := checkpoint.FromFloat32s(o.Name, []int{len(o.floats)}, o.floats)
		return append(data, stored.Data...)
	case o.integers != nil:
		stored, _ := checkpoint.FromInt64s(o.Name, []int{len(o.integers)}, o.integers)
		return append(data, stored.Data...)
	}
	for _, text := range o.texts {
		data = append(binary.LittleEndian.AppendUint32(data, uint32(len(text))), text...)
	}
	return data
}

// rawLen is how many bytes appendRaw appends.
func (o *output) rawLen() int {
	n := 4*len(o.floats) + 8*len(o.integers) + 4*len(o.texts)
	for _, text := range o.texts {
		n += len(text)
	}
	return n
}
