package pretrained

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert/checkpoint"
)

// A Difference is what two checkpoints have under one name.
type Difference struct {
	Name          string
	First, Second *checkpoint.Tensor // type and shape; nil where it is not there
	// Max is the largest difference of two elements, Relative that divided by the largest element of the first (0 where both are 0). Both are NaN where shapes differ, and where
	// only one of two elements is NaN.
	Max, Relative float64
}

// Equal says whether both have the tensor, with the same numbers; their types may differ.
func (d Difference) Equal() bool { return d.First != nil && d.Second != nil && d.Max == 0 }

// Diff compares two checkpoints, whatever their formats, tensor by tensor, sorted by name. A base model's names are compared with those of a model with heads, and a tied tensor that
// one of the two leaves out with what it is tied to.
func Diff(first, second string) ([]Difference, error) {
	a, err := checkpoint.Open(first)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	b, err := checkpoint.Open(second)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	findA, findB := finder(a), finder(b)
	names := map[string]bool{}
	for _, f := range []*checkpoint.File{a, b} {
		for _, name := range f.Names() {
			names[withBase(f, name)] = true
		}
	}
	var out []Difference
	for name := range names {
		d := Difference{Name: name, Max: math.NaN(), Relative: math.NaN()}
		x, okX := findA(name)
		y, okY := findB(name)
		if okX {
			d.First = &x
		}
		if okY {
			d.Second = &y
		}
		if okX && okY && slices.Equal(x.Shape, y.Shape) {
			if d.Max, d.Relative, err = distance(x, y); err != nil {
				return nil, err
			}
		}
		for _, t := range []*checkpoint.Tensor{d.First, d.Second} {
			if t != nil {
				t.Data, t.Fetch = nil, nil // gone with the file
			}
		}
		out = append(out, d)
	}
	slices.SortFunc(out, func(x, y Difference) int { return strings.Compare(x.Name, y.Name) })
	return out, nil
}

// withBase is the name that a tensor has in a model with heads.
func withBase(f *checkpoint.File, name string) string {
	prefix := checkpoint.LXMERT().Prefix + "."
	if _, base := f.Tensor("embeddings.word_embeddings.weight"); base {
		return prefix + name
	}
	return name
}

// finder finds tensors by such names.
func finder(f *checkpoint.File) func(name string) (checkpoint.Tensor, bool) {
	stored := map[string]string{}
	for _, name := range f.Names() {
		stored[withBase(f, name)] = name
	}
	return func(name string) (checkpoint.Tensor, bool) {
		if t, ok := f.Tensor(stored[name]); ok {
			return t, true
		}
		if of, ok := checkpoint.LXMERT().Tied[name]; ok {
			return f.Tensor(stored[of])
		}
		return checkpoint.Tensor{}, false
	}
}

// distance is the largest difference of two tensors' elements, as it is and relative to the first's largest.
func distance(a, b checkpoint.Tensor) (most, relative float64, err error) {
	x, err := numbers(a)
	if err != nil {
		return 0, 0, err
	}
	y, err := numbers(b)
	if err != nil {
		return 0, 0, err
	}
	largest := 0.0
	for i := range x {
		largest = max(largest, math.Abs(x[i]))
		switch d := math.Abs(x[i] - y[i]); {
		case x[i] == y[i] || math.IsNaN(x[i]) && math.IsNaN(y[i]): // two infinities, too
		case math.IsNaN(d):
			return math.NaN(), math.NaN(), nil
		default:
			most = max(most, d)
		}
	}
	if most > 0 {
		relative = most / largest
	}
	return most, relative, nil
}

// numbers are a tensor's elements, integers and floating-point ones.
func numbers(t checkpoint.Tensor) ([]float64, error) {
	defer t.Forget()
	out := make([]float64, 0, t.Len())
	switch {
	case t.IsFloat():
		values, err := t.Float32s()
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			out = append(out, float64(v))
		}
	case t.DType.IsInteger():
		values, err := t.Int64s()
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			out = append(out, float64(v))
		}
	default:
		return nil, fmt.Errorf("tensor %s: %s values cannot be compared", t.Name, t.DType)
	}
	return out, nil
}
