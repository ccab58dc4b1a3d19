package torch

import (
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/go-lxmert/lxmert/internal/pickle"
)

// A numpyType is numpy.dtype: a code such as "f4", and a byte order that its state says.
type numpyType struct {
	code string
	big  bool
}

// numpyTypes are the codes of numbers.
var numpyTypes = map[string]dtype{
	"f8": {"F64", 8}, "f4": {"F32", 4}, "f2": {"F16", 2}, "i8": {"I64", 8}, "i4": {"I32", 4}, "i2": {"I16", 2}, "i1": {"I8", 1},
	"u8": {"U64", 8}, "u4": {"U32", 4}, "u2": {"U16", 2}, "u1": {"U8", 1}, "b1": {"BOOL", 1}, "c8": {"C64", 8},
}

// makeNumpyType is numpy.dtype(code, align, copy).
func makeNumpyType(_ *reader, _ *callable, arguments []any) (any, error) {
	if len(arguments) == 0 {
		return nil, errors.New("found no type")
	}
	code, ok := pickle.Text(arguments[0])
	if !ok {
		return &numpyType{code: "of structures"}, nil
	}
	t := &numpyType{code: code}
	if len(code) > 1 && (code[0] == '<' || code[0] == '>' || code[0] == '|' || code[0] == '=') {
		t.code, t.big = code[1:], code[0] == '>'
	}
	return t, nil
}

// build takes (version, byte order, …).
func (t *numpyType) build(state any) error {
	v := values(state)
	if len(v) < 2 {
		return errors.New("numpy.dtype: found a state without byte order")
	}
	switch order, _ := pickle.Text(v[1]); order {
	case "<", "|", "=":
		t.big = false
	case ">":
		t.big = true
	default:
		return fmt.Errorf("numpy.dtype: found byte order %s, want <, > or |", show(order))
	}
	return nil
}

// reconstructArray is an array that gets its state later: (class, (0,), b"b").
func reconstructArray(r *reader, _ *callable, _ []any) (any, error) {
	r.arrays++
	return &array{problem: "was never given its elements"}, nil
}

// build takes (version, shape, type, first index fastest, elements) from NumPy. PyTorch gives tensors a state where
// they have attributes of their own, which do not matter.
func (a *array) build(state any) error {
	v := values(state)
	if a.storage != nil {
		return nil
	}
	if len(v) != 5 {
		return fmt.Errorf("numpy.ndarray: found a state of %d parts, want 5", len(v))
	}
	fortran, ok := v[3].(bool)
	if n, isInt := v[3].(int64); isInt {
		fortran, ok = n != 0, true
	}
	if !ok {
		return fmt.Errorf("numpy.ndarray: found %s, want an order of elements", kind(v[3]))
	}
	return a.fill(v[1], v[2], fortran, v[4])
}

// arrayFromBuffer is an array of protocol 5: (elements, type, shape, order).
func arrayFromBuffer(r *reader, _ *callable, arguments []any) (any, error) {
	if len(arguments) != 4 {
		return nil, fmt.Errorf("found %d arguments, want 4", len(arguments))
	}
	order, _ := pickle.Text(arguments[3])
	if order != "C" && order != "F" {
		return nil, fmt.Errorf("found order %s, want C or F", show(order))
	}
	r.arrays++
	a := &array{}
	return a, a.fill(arguments[2], arguments[1], order == "F", arguments[0])
}

// fill gives an array its elements. What is wrong with them is said when it is listed.
func (a *array) fill(shape, class any, fortran bool, elements any) error {
	t, ok := class.(*numpyType)
	if !ok {
		return fmt.Errorf("numpy.ndarray: found %s, want a type", kind(class))
	}
	var err error
	if a.shape, err = dimensions(shape); err != nil {
		return fmt.Errorf("numpy.ndarray: %w", err)
	}
	data, ok := elements.(pickle.Bytes)
	d, known := numpyTypes[t.code]
	switch {
	case !known:
		a.problem = fmt.Sprintf("has elements %s, want numbers", show(t.code))
		return nil
	case !ok:
		return fmt.Errorf("numpy.ndarray: found %s, want the bytes of its elements", kind(elements))
	}
	a.dtype, a.swap, a.problem = d, t.big && d.width > 1, ""
	if n, ok := product(a.shape, d.width); !ok || n != len(data) {
		a.problem = fmt.Sprintf("has %d bytes, want those of %s %v", len(data), d.name, a.shape)
	}
	a.stride = strides(a.shape, fortran)
	a.storage = &typedStorage{&storage{width: 1, count: len(data), data: data, found: true}, d, 0, len(data)}
	return nil
}

// strides are those of an array without gaps.
func strides(shape []int, fortran bool) []int {
	out := make([]int, len(shape))
	step := 1
	for i := range shape {
		d := len(shape) - 1 - i
		if fortran {
			d = i
		}
		out[d] = step
		step *= max(shape[d], 1) // whether it overflows is found by product
	}
	return out
}

// product is the number of bytes of that many elements, and false where there is no such number. As in the
// safetensors format, a dimension of 0 does not excuse the others.
func product(shape []int, width int) (int, bool) {
	full, n := uint64(width), uint64(width)
	for _, dim := range shape {
		if dim < 0 {
			return 0, false
		}
		hi, lo := bits.Mul64(full, uint64(max(dim, 1)))
		if hi != 0 || lo > math.MaxInt {
			return 0, false
		}
		full = lo
		n *= uint64(dim)
	}
	return int(n), true
}
