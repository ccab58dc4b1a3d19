package checkpoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"unsafe"

	"github.com/go-lxmert/lxmert/internal/quantize"
)

// ErrClosed is what a tensor or a file answers after the file was closed.
var ErrClosed = errors.New("checkpoint is closed")

// A Tensor is a name, a type, a shape (row-major, empty for a scalar) and the bytes.
type Tensor struct {
	Name  string
	DType DType
	Shape []int

	// Data holds the elements, little endian. In a tensor from an open File it is a view
	// of the mapped file: it must not be written to, and must not be touched after Close,
	// when the memory is gone (the program would crash). The methods below know about
	// Close and return ErrClosed instead.
	Data []byte

	// Fetch, if Data is nil, makes the bytes when Write wants them, so that only one such
	// tensor is in memory at a time: for weights that live on a device, or in another type.
	Fetch func() ([]byte, error)

	// Scales belong to a quantised tensor, of type I8: [rows] or [rows, 1], of floating-point numbers. Its elements are the whole numbers times
	// the scale of their row. Float32s, As and Clone know; Write writes them too.
	Scales *Tensor

	// SameAs, when tensors are written, names another one among them whose elements these are too. PyTorch's files hold them once.
	SameAs string

	fill   func(data []byte) error // what Fetch does, into room that is there already; nil if it cannot
	source *mapping                // where Data is mapped; nil for a tensor of the program's own
}

// Len is the number of elements: the product of the dimensions, 1 for a scalar. It is 0
// for a shape that no tensor can have.
func (t Tensor) Len() int {
	n, _ := elements(t.Shape)
	return n
}

// ByteLen is the number of bytes that the type and the shape ask for.
func (t Tensor) ByteLen() int {
	n, _ := t.DType.byteLen(t.Shape)
	return n
}

// IsFloat says whether Float32s can read the tensor: its type is a floating-point one, or it is quantised.
func (t Tensor) IsFloat() bool { return t.DType.IsFloat() || t.Scales != nil }

// Float32s returns a copy of the elements, good for as long as it is wanted. F32, F16 and
// BF16 come out as they are, F64 rounded to the nearest float32, quantised ones as what they stand for. The error says that the
// type is none of these, that an F64 is too large, or that the file was closed.
func (t Tensor) Float32s() ([]float32, error) { return t.Float32sIn(nil) }

// Float32sIn is Float32s in the memory of buffer, if it has the capacity: for who takes one tensor after the other and
// has no use for them all at once.
func (t Tensor) Float32sIn(buffer []float32) ([]float32, error) {
	if !t.IsFloat() {
		return nil, fmt.Errorf("tensor %s is %s, want F32, F16, BF16 or F64", quote(t.Name), t.DType)
	}
	var scales []float32
	if t.Scales != nil {
		var err error
		if scales, err = t.scaleOfRows(); err != nil {
			return nil, err
		}
	}
	room := func() []float32 {
		if n := t.Len(); n > cap(buffer) {
			return make([]float32, n)
		}
		return buffer[:t.Len()]
	}
	if t.fill != nil && t.DType == F32 && littleEndian {
		out := room()
		data, _ := bytesOf(out)
		return out, t.fillUnlessClosed(data)
	}
	var out []float32
	err := t.read(func(data []byte) error {
		out = room()
		switch t.DType {
		case I8:
			quantize.Values(out, wholeNumbers(data), scales)
		case F32:
			if view, ok := viewAs[float32](data); ok {
				copy(out, view)
				break
			}
			for i := range out {
				out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
			}
		case F16:
			for i := range out {
				out[i] = FromF16Bits(binary.LittleEndian.Uint16(data[2*i:]))
			}
		case BF16:
			for i := range out {
				out[i] = FromBF16Bits(binary.LittleEndian.Uint16(data[2*i:]))
			}
		case F64:
			for i := range out {
				x := math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
				out[i] = float32(x)
				if math.IsInf(float64(out[i]), 0) && !math.IsInf(x, 0) {
					return fmt.Errorf("tensor %s: element %d is %g, too large for float32", quote(t.Name), i, x)
				}
			}
		}
		return nil
	})
	return out, err
}

// Float32View returns the elements without copying them: the same memory as Data, under
// the same rules. It is false where that cannot be: another type than F32, bytes that are
// not aligned (files by other writers), a big-endian machine, a tensor that is only
// fetched. Float32s always works.
func (t Tensor) Float32View() ([]float32, bool) {
	if t.DType != F32 || t.source.isClosed() || t.ByteLen() != len(t.Data) {
		return nil, false
	}
	return viewAs[float32](t.Data)
}

// Native returns the elements as this machine stores numbers of their type, without copying them: Data, under the same rules. Of a
// quantised tensor these are the whole numbers. It is false where that cannot be: a big-endian machine, a tensor that is only fetched.
func (t Tensor) Native() ([]byte, bool) {
	if !littleEndian && t.DType.Size() != 1 || t.source.isClosed() || t.Data == nil || t.ByteLen() != len(t.Data) {
		return nil, false
	}
	return t.Data, true
}

// Forget says that the elements will not be wanted again soon: where the tensor is mapped from a file, its
// pages leave memory, and come back when they are touched. Whoever copies a large checkpoint tensor by
// tensor thus holds it once, not twice.
func (t Tensor) Forget() {
	if t.source == nil || !t.source.acquire() {
		return
	}
	defer t.source.release()
	if t.source.drop != nil && len(t.Data) > 0 {
		t.source.drop(t.Data)
	}
}

// Int64s returns a copy of the elements of any integer type; BOOL becomes 0 and 1. The
// error says that the type is no integer, that a U64 is too large, or that the file was
// closed.
func (t Tensor) Int64s() ([]int64, error) {
	if !t.DType.IsInteger() {
		return nil, fmt.Errorf("tensor %s is %s, want an integer type or BOOL", quote(t.Name), t.DType)
	}
	var out []int64
	err := t.read(func(data []byte) error {
		out = make([]int64, t.Len())
		for i := range out {
			at := data[i*t.DType.Size():]
			switch t.DType {
			case BOOL:
				if at[0] > 1 {
					return fmt.Errorf("tensor %s: element %d is the byte %d, want 0 or 1 for BOOL", quote(t.Name), i, at[0])
				}
				out[i] = int64(at[0])
			case U8:
				out[i] = int64(at[0])
			case I8:
				out[i] = int64(int8(at[0]))
			case I16:
				out[i] = int64(int16(binary.LittleEndian.Uint16(at)))
			case U16:
				out[i] = int64(binary.LittleEndian.Uint16(at))
			case I32:
				out[i] = int64(int32(binary.LittleEndian.Uint32(at)))
			case U32:
				out[i] = int64(binary.LittleEndian.Uint32(at))
			case I64:
				out[i] = int64(binary.LittleEndian.Uint64(at))
			case U64:
				u := binary.LittleEndian.Uint64(at)
				if u > math.MaxInt64 {
					return fmt.Errorf("tensor %s: element %d is %d, too large for int64", quote(t.Name), i, u)
				}
				out[i] = int64(u)
			}
		}
		return nil
	})
	return out, err
}

// Clone returns the tensor with bytes of its own, which outlive the file.
func (t Tensor) Clone() (Tensor, error) {
	err := t.read(func(data []byte) error {
		t.Data = data
		if t.fill == nil { // whose bytes are nobody else's
			t.Data = slices.Clone(data)
		}
		return nil
	})
	t.Shape = slices.Clone(t.Shape)
	t.Fetch, t.fill, t.source = nil, nil, nil
	if err == nil && t.Scales != nil {
		var scales Tensor
		scales, err = t.Scales.Clone()
		t.Scales = &scales
	}
	return t, err
}

// fillUnlessClosed makes the bytes in data, which is as long as they are.
func (t Tensor) fillUnlessClosed(data []byte) error {
	if !t.source.acquire() {
		return fmt.Errorf("tensor %s: %w", quote(t.Name), ErrClosed)
	}
	defer t.source.release()
	if err := t.fill(data); err != nil {
		return fmt.Errorf("tensor %s: %w", quote(t.Name), err)
	}
	return nil
}

// read lends the bytes to use, checked against type and shape. The file cannot be closed
// meanwhile.
func (t Tensor) read(use func(data []byte) error) error {
	want, ok := t.DType.byteLen(t.Shape)
	if !ok {
		return fmt.Errorf("tensor %s: there is no %s tensor of shape %v", quote(t.Name), t.DType, t.Shape)
	}
	if !t.source.acquire() {
		return fmt.Errorf("tensor %s: %w", quote(t.Name), ErrClosed)
	}
	defer t.source.release()
	data := t.Data
	if data == nil && t.Fetch != nil {
		var err error
		if data, err = t.Fetch(); err != nil {
			return fmt.Errorf("tensor %s: %w", quote(t.Name), err)
		}
	}
	if len(data) != want {
		return fmt.Errorf("tensor %s has %d bytes, want %d for %s %v", quote(t.Name), len(data), want, t.DType, t.Shape)
	}
	return use(data)
}

// FromFloat32s makes an F32 tensor of the shape from its elements in row-major order. It
// shares values' memory where the machine's byte order allows: leave them alone until the
// tensor is written. The error says that shape and number of values disagree.
func FromFloat32s(name string, shape []int, values []float32) (Tensor, error) {
	t := Tensor{Name: name, DType: F32, Shape: slices.Clone(shape)}
	if err := t.holds(len(values)); err != nil {
		return Tensor{}, err
	}
	data, ok := bytesOf(values)
	if !ok {
		data = make([]byte, 0, 4*len(values))
		for _, v := range values {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		}
	}
	t.Data = data
	return t, nil
}

// FromFloat32sAs is FromFloat32s with the elements in another type, see [Tensor.As].
func FromFloat32sAs(dtype DType, name string, shape []int, values []float32) (Tensor, error) {
	t, err := FromFloat32s(name, shape, values)
	if err != nil {
		return Tensor{}, err
	}
	return t.As(dtype)
}

// FromInt64s makes an I64 tensor of the shape from its elements in row-major order; it
// shares values' memory as FromFloat32s does.
func FromInt64s(name string, shape []int, values []int64) (Tensor, error) {
	t := Tensor{Name: name, DType: I64, Shape: slices.Clone(shape)}
	if err := t.holds(len(values)); err != nil {
		return Tensor{}, err
	}
	data, ok := bytesOf(values)
	if !ok {
		data = make([]byte, 0, 8*len(values))
		for _, v := range values {
			data = binary.LittleEndian.AppendUint64(data, uint64(v))
		}
	}
	t.Data = data
	return t, nil
}

func (t Tensor) holds(values int) error {
	want, ok := elements(t.Shape)
	if !ok {
		return fmt.Errorf("tensor %s: there is no tensor of shape %v", quote(t.Name), t.Shape)
	}
	if want != values {
		return fmt.Errorf("tensor %s: %d values, want %d for shape %v", quote(t.Name), values, want, t.Shape)
	}
	return nil
}

// littleEndian says whether this machine stores numbers as the files do.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// viewAs reads the bytes as numbers without copying. It is false if this machine has the
// other byte order or the bytes are not aligned.
func viewAs[T float32 | uint32 | int64](data []byte) ([]T, bool) {
	var one T
	size := unsafe.Sizeof(one)
	if len(data) == 0 {
		return []T{}, littleEndian
	}
	first := unsafe.Pointer(unsafe.SliceData(data))
	if !littleEndian || uintptr(first)%unsafe.Alignof(one) != 0 {
		return nil, false
	}
	return unsafe.Slice((*T)(first), len(data)/int(size)), true
}

// bytesOf is the way back: the numbers' memory as bytes.
func bytesOf[T float32 | int64](values []T) ([]byte, bool) {
	if len(values) == 0 {
		return []byte{}, littleEndian
	}
	var one T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), len(values)*int(unsafe.Sizeof(one))), littleEndian
}
