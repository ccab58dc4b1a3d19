// Package numpy reads NumPy's arrays (.npy) and archives of them (.npz). Arrays of Python objects, which are
// pickles, are recognised and not read.
package numpy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-lxmert/lxmert/checkpoint"
)

const (
	magic     = "\x93NUMPY"
	maxHeader = 1 << 16
	maxRank   = 32 // what NumPy can hold

	// MaxBytes is how large an array may be: a thousand regions of two thousand float64 numbers have 16 million.
	MaxBytes = 64 << 20
)

// ErrObjects is the answer to an array of Python objects.
var ErrObjects = errors.New("an array of Python objects (a pickle), which is not read")

// An Array is a NumPy array.
type Array struct {
	Shape   []int
	kind    byte // f, i, u or b
	size    int  // bytes of an element
	big     bool // most significant byte first
	fortran bool // first index fastest
	data    []byte
}

// Dims are the dimensions, none for a single number.
func (a *Array) Dims() []int { return a.Shape }

// Len is the number of elements.
func (a *Array) Len() int { return len(a.data) / a.size }

// header is the dictionary as NumPy writes it, keys sorted.
var header = regexp.MustCompile(`^\{'descr': ?('[^']*'|\[.*\]), ?'fortran_order': ?(True|False), ?'shape': ?\(([0-9L, ]*)\),? ?\}\s*$`)

var descr = regexp.MustCompile(`^'([<>|=])([fiubOUSV])([0-9]*)'$`)

// Read reads an array to the end of r. The error says what in the header was found and expected, ErrObjects, or
// that there are too many bytes or too few.
func Read(r io.Reader) (*Array, error) {
	a, size, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	// One more than there should be; what is there decides how much memory is taken, not what the header says.
	a.data, err = io.ReadAll(io.LimitReader(r, int64(size)+1))
	if err != nil {
		return nil, err
	}
	if len(a.data) != size {
		more := ""
		if len(a.data) > size {
			more = "more than "
		}
		return nil, fmt.Errorf("found %s%d bytes, want %d for shape %v", more, min(len(a.data), size), size, a.Shape)
	}
	return a, nil
}

func readHeader(r io.Reader) (*Array, int, error) {
	start := make([]byte, 8)
	if _, err := io.ReadFull(r, start); err != nil || !bytes.HasPrefix(start, []byte(magic)) {
		return nil, 0, fmt.Errorf("found %q, want a NumPy array (%q)", start, magic)
	}
	var length int
	switch start[6] {
	case 1:
		var n uint16
		if err := binary.Read(r, binary.LittleEndian, &n); err != nil {
			return nil, 0, err
		}
		length = int(n)
	case 2, 3:
		var n uint32
		if err := binary.Read(r, binary.LittleEndian, &n); err != nil {
			return nil, 0, err
		}
		length = int(min(n, maxHeader+1))
	default:
		return nil, 0, fmt.Errorf("found version %d of NumPy's format, want 1 to 3", start[6])
	}
	if length > maxHeader {
		return nil, 0, fmt.Errorf("header has more than %d bytes", maxHeader)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, 0, fmt.Errorf("header: %w", err)
	}
	return parseHeader(string(text))
}

func parseHeader(text string) (*Array, int, error) {
	parts := header.FindStringSubmatch(text)
	if parts == nil {
		return nil, 0, fmt.Errorf("header: found %.100q, want {'descr': …, 'fortran_order': …, 'shape': …}", text)
	}
	a := &Array{fortran: parts[2] == "True"}
	kind := descr.FindStringSubmatch(parts[1])
	if kind == nil {
		return nil, 0, fmt.Errorf("descr: found %.40s, want numbers such as '<f4'", parts[1])
	}
	if kind[2] == "O" {
		return nil, 0, ErrObjects
	}
	a.kind, a.big = kind[2][0], kind[1] == ">"
	a.size, _ = strconv.Atoi(kind[3])
	switch kind[2] + kind[3] {
	case "f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1":
	default:
		return nil, 0, fmt.Errorf("descr: found %.40s, want floats of 2, 4 or 8 bytes, integers or booleans", parts[1])
	}
	total := uint64(a.size)
	for field := range strings.SplitSeq(parts[3], ",") {
		if field = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(field), "L")); field == "" {
			continue
		}
		n, err := strconv.Atoi(field)
		hi, product := bits.Mul64(total, uint64(n))
		if err != nil || len(a.Shape) == maxRank || hi != 0 || product > MaxBytes {
			return nil, 0, fmt.Errorf("shape: found (%.60s), want at most %d bytes", parts[3], MaxBytes)
		}
		total = product
		a.Shape = append(a.Shape, n)
	}
	return a, int(total), nil
}

// Float32s are the elements in row-major order, rounded to float32. The error says which is too large.
func (a *Array) Float32s() ([]float32, error) {
	out := make([]float32, a.Len())
	for i := range out {
		v := a.float(i)
		out[i] = float32(v)
		if math.IsInf(float64(out[i]), 0) && !math.IsInf(v, 0) {
			return nil, fmt.Errorf("element %d is %g, too large for float32", i, v)
		}
	}
	return inRows(a, out), nil
}

// Int64s are the elements of an array of whole numbers in row-major order; floats are taken where they are whole.
func (a *Array) Int64s() ([]int64, error) {
	out := make([]int64, a.Len())
	for i := range out {
		if a.kind == 'f' {
			v := a.float(i)
			if v != math.Trunc(v) || math.Abs(v) > 1<<53 {
				return nil, fmt.Errorf("element %d is %v, want a whole number", i, v)
			}
			out[i] = int64(v)
			continue
		}
		b := a.bits(i)
		if a.kind == 'u' && b > math.MaxInt64 {
			return nil, fmt.Errorf("element %d is %d, too large", i, b)
		}
		out[i] = int64(b)
		if a.kind == 'i' {
			shift := 64 - 8*a.size
			out[i] = int64(b) << shift >> shift
		}
	}
	return inRows(a, out), nil
}

// bits are an element's bytes.
func (a *Array) bits(i int) (b uint64) {
	at := a.data[i*a.size : (i+1)*a.size]
	for k, v := range at {
		if a.big {
			b = b<<8 | uint64(v)
		} else {
			b |= uint64(v) << (8 * k)
		}
	}
	return b
}

func (a *Array) float(i int) float64 {
	b := a.bits(i)
	switch {
	case a.kind == 'f' && a.size == 8:
		return math.Float64frombits(b)
	case a.kind == 'f' && a.size == 4:
		return float64(math.Float32frombits(uint32(b)))
	case a.kind == 'f':
		return float64(checkpoint.FromF16Bits(uint16(b)))
	case a.kind == 'i':
		shift := 64 - 8*a.size
		return float64(int64(b) << shift >> shift)
	}
	return float64(b)
}

// inRows puts elements whose first index runs fastest into the order of rows.
func inRows[T any](a *Array, values []T) []T {
	if !a.fortran || len(a.Shape) < 2 {
		return values
	}
	out := make([]T, len(values))
	index := make([]int, len(a.Shape))
	for at := range out {
		from, step := 0, 1
		for d, n := range a.Shape {
			from += index[d] * step
			step *= n
		}
		out[at] = values[from]
		for d := len(index) - 1; d >= 0; d-- { // the next index, last fastest
			if index[d]++; index[d] < a.Shape[d] {
				break
			}
			index[d] = 0
		}
	}
	return out
}
