package hdf5

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
)

// An Array is elements with a shape, row by row.
type Array struct {
	DType DType
	Dims  []int // empty for a single element

	file *File
	data []byte // as the file has them
}

// Len is the number of elements.
func (a Array) Len() int { return len(a.data) / max(a.DType.Size, 1) }

// LittleEndian are the elements' bytes, the lowest of each number first. They may be the file's own: they must not be
// written to, and not be used after the file's content is gone.
func (a Array) LittleEndian() []byte {
	if !a.DType.BigEndian || a.DType.Size == 1 {
		return a.data
	}
	out := slices.Clone(a.data)
	for at := 0; at < len(out); at += a.DType.Size {
		slices.Reverse(out[at : at+a.DType.Size])
	}
	return out
}

// Float32s are the elements of any kind of numbers, rounded to the nearest.
func (a Array) Float32s() ([]float32, error) {
	if !a.DType.IsNumber() {
		return nil, fmt.Errorf("found %s, want numbers", a.DType)
	}
	out := make([]float32, a.Len())
	if a.DType == Float32 {
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(a.data[4*i:]))
		}
		return out, nil
	}
	for i := range out {
		switch word := a.word(i); {
		case a.DType.Kind == Int:
			out[i] = float32(a.signed(word))
		case a.DType.Kind == Uint:
			out[i] = float32(word)
		default:
			out[i] = float32(a.float(word))
		}
	}
	return out, nil
}

// Int64s are the elements of any kind of numbers. The error names one that is no whole number, or too large.
func (a Array) Int64s() ([]int64, error) {
	if !a.DType.IsNumber() {
		return nil, fmt.Errorf("found %s, want whole numbers", a.DType)
	}
	out := make([]int64, a.Len())
	for i := range out {
		switch word := a.word(i); {
		case a.DType.Kind == Int:
			out[i] = a.signed(word)
		case a.DType.Kind == Float:
			v := a.float(word)
			if v != math.Trunc(v) || !(math.Abs(v) <= 1<<62) {
				return nil, fmt.Errorf("element %d is %v, want a whole number", i, v)
			}
			out[i] = int64(v)
		case word > math.MaxInt64:
			return nil, fmt.Errorf("element %d is %d, which is too large", i, word)
		default:
			out[i] = int64(word)
		}
	}
	return out, nil
}

// word is a number's bits.
func (a Array) word(i int) uint64 {
	var wide [8]byte
	size := a.DType.Size
	copy(wide[:], a.data[i*size:(i+1)*size])
	if a.DType.BigEndian {
		slices.Reverse(wide[:size])
	}
	return binary.LittleEndian.Uint64(wide[:])
}

// signed widens a number with its sign.
func (a Array) signed(word uint64) int64 {
	unused := 64 - 8*a.DType.Size
	return int64(word<<unused) >> unused
}

func (a Array) float(word uint64) float64 {
	switch a.DType.Size {
	case 2:
		return half(uint16(word))
	case 4:
		return float64(math.Float32frombits(uint32(word)))
	}
	return math.Float64frombits(word)
}

// half widens a float16.
func half(h uint16) float64 {
	sign := 1 - 2*float64(h>>15)
	exponent, mantissa := int(h>>10&31), float64(h&1023)
	switch exponent {
	case 0:
		return sign * math.Ldexp(mantissa, -24)
	case 31:
		if mantissa != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+mantissa, exponent-25)
}

// maxTexts is how many texts are read at once: a text takes sixteen times the room of an element of one byte.
const maxTexts = 1 << 20

// Strings are the elements, which must be texts.
func (a Array) Strings() ([]string, error) {
	if a.Len() > maxTexts {
		return nil, fmt.Errorf("found %d texts, at most %d are read", a.Len(), maxTexts)
	}
	switch a.DType.Kind {
	case VarString:
		return a.file.texts(a.data, a.DType.Size, a.Len())
	case String:
		out := make([]string, a.Len())
		for i := range out {
			part := a.data[i*a.DType.Size : (i+1)*a.DType.Size]
			switch a.DType.padding {
			case 0:
				part, _, _ = bytes.Cut(part, []byte{0})
				out[i] = string(part)
			case 1:
				out[i] = strings.TrimRight(string(part), "\x00")
			default:
				out[i] = strings.TrimRight(string(part), " ")
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("found %s, want texts", a.DType)
}
