package torch

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// A Tensor is a name, a type under its safetensors name ("F32", "BF16", "I64", …), a shape (empty for a scalar),
// and where the elements are.
type Tensor struct {
	Name  string
	DType string
	Shape []int

	array *array
}

// check compares an array with its storage, and returns how many bytes its elements take.
func (a *array) check() (int, error) {
	if a.problem != "" {
		return 0, fmt.Errorf("%s", a.problem)
	}
	size, ok := product(a.shape, a.dtype.width)
	if !ok {
		return 0, fmt.Errorf("has shape %v, which no memory has room for", a.shape)
	}
	s := a.storage
	if !s.found {
		return 0, fmt.Errorf("lies in storage %s, which is not in the file", show(s.key))
	}
	if size == 0 {
		return 0, nil
	}
	last := uint64(a.offset)
	for i, dim := range a.shape {
		hi, lo := bits.Mul64(uint64(dim-1), uint64(a.stride[i]))
		if last += lo; hi != 0 || lo > math.MaxInt || last > math.MaxInt {
			return 0, fmt.Errorf("has strides %v for shape %v, which no memory has room for", a.stride, a.shape)
		}
	}
	if room := uint64(s.size / a.dtype.width); last >= room {
		return 0, fmt.Errorf("has shape %v, strides %v and offset %d, so its last element is number %d of a storage of %d", a.shape, a.stride, a.offset, last, room)
	}
	return size, nil
}

// contiguous says whether the elements lie one after the other, last index fastest.
func (a *array) contiguous() bool {
	want := 1
	for i := len(a.shape) - 1; i >= 0; i-- {
		if a.shape[i] != 1 && a.stride[i] != want {
			return false
		}
		want *= a.shape[i]
	}
	return true
}

// bytes are those from the first element to the end of the storage.
func (a *array) bytes() []byte {
	from := a.storage.from
	return a.storage.data[from : from+a.storage.size][a.offset*a.dtype.width:]
}

// Len is the number of elements.
func (t Tensor) Len() int {
	n, _ := product(t.array.shape, 1)
	return n
}

// View is the elements as they lie in the file, little endian, in rows: it must not be written to. It is false
// where they do not lie so: for transposed or expanded tensors, NumPy's column order, and big-endian arrays.
func (t Tensor) View() ([]byte, bool) {
	a := t.array
	size := t.Len() * a.dtype.width
	switch {
	case size == 0:
		return []byte{}, true
	case a.swap || !a.contiguous():
		return nil, false
	}
	return a.bytes()[:size:size], true
}

// Bytes is the elements, little endian, in rows: a view of the file where there is one, else a new slice. All the
// tensors of a file together take at most 8 times its size and 64 MB.
func (t Tensor) Bytes() []byte {
	if view, ok := t.View(); ok {
		return view
	}
	a := t.array
	width := a.dtype.width
	out := make([]byte, 0, t.Len()*width)
	data := a.bytes()
	inner, step := 1, 0 // the last dimension is a loop of its own
	outer := a.shape
	if n := len(a.shape); n > 0 {
		inner, step, outer = a.shape[n-1], a.stride[n-1]*width, a.shape[:n-1]
	}
	index := make([]int, len(outer))
	for at := 0; len(out) < cap(out); {
		if step == width {
			out = append(out, data[at:at+inner*width]...)
		} else {
			for i := range inner {
				out = append(out, data[at+i*step:][:width]...)
			}
		}
		for d := len(index) - 1; d >= 0; d-- { // the next index, last fastest
			at += a.stride[d] * width
			if index[d]++; index[d] < outer[d] {
				break
			}
			at -= index[d] * a.stride[d] * width
			index[d] = 0
		}
	}
	if a.swap {
		unit := width
		if a.dtype.name == "C64" {
			unit = 4 // the two parts of a complex number, each of its own
		}
		for chunk := range slices.Chunk(out, unit) {
			slices.Reverse(chunk)
		}
	}
	return out
}
