package torch

import (
	"errors"
	"fmt"

	"github.com/go-lxmert/lxmert/internal/pickle"
)

// An array is a tensor before it has a name: where its elements lie. Nothing of it is checked before it is listed.
type array struct {
	dtype   dtype
	shape   []int
	stride  []int // in elements
	offset  int   // in elements
	storage *typedStorage
	swap    bool   // most significant byte first
	problem string // why it cannot be read
}

// rebuildTensor is torch's _rebuild_tensor(storage, offset, size, stride) and _rebuild_tensor_v2, which has three
// more: whether it needs a gradient, hooks, and metadata.
func rebuildTensor(r *reader, _ *callable, arguments []any) (any, error) {
	if len(arguments) < 4 {
		return nil, fmt.Errorf("found %d arguments, want at least 4", len(arguments))
	}
	s, ok := arguments[0].(*typedStorage)
	if !ok {
		return nil, fmt.Errorf("found %s, want a storage", kind(arguments[0]))
	}
	return r.tensor(s, s.dtype, arguments, 6)
}

// rebuildTensorV3 has the type of the elements as the seventh argument; the storage is bytes.
func rebuildTensorV3(r *reader, _ *callable, arguments []any) (any, error) {
	if len(arguments) < 7 {
		return nil, fmt.Errorf("found %d arguments, want at least 7", len(arguments))
	}
	s, ok := arguments[0].(*typedStorage)
	d, okToo := arguments[6].(dtype)
	if !ok || !okToo {
		return nil, fmt.Errorf("found %s and %s, want a storage and a type", kind(arguments[0]), kind(arguments[6]))
	}
	return r.tensor(s, d, arguments, 7)
}

// tensor is one of the type d. Metadata, if it is among the arguments, is the one of that number: a dict in which
// PyTorch notes that the tensor is the conjugate or the negative of what lies in the storage.
func (r *reader) tensor(s *typedStorage, d dtype, arguments []any, metadata int) (any, error) {
	offset, ok := arguments[1].(int64)
	shape, err := dimensions(arguments[2])
	stride, errToo := dimensions(arguments[3])
	switch {
	case err != nil || errToo != nil:
		return nil, errors.Join(err, errToo)
	case !ok || offset < 0:
		return nil, errors.New("the offset into the storage is no whole number from 0")
	case len(shape) != len(stride):
		return nil, fmt.Errorf("found %d dimensions and %d strides", len(shape), len(stride))
	}
	r.arrays++
	a := &array{dtype: d, shape: shape, stride: stride, offset: int(offset), storage: s}
	if len(arguments) > metadata {
		if notes, ok := arguments[metadata].(*pickle.Dict); ok {
			a.note(notes)
		}
	}
	return a, nil
}

func (a *array) note(notes *pickle.Dict) {
	for _, p := range notes.Pairs[:min(len(notes.Pairs), 10)] {
		if key, _ := pickle.Text(p.Key); p.Value != false {
			a.problem = fmt.Sprintf("is not what lies in its storage, but that with the note %s", show(key))
		}
	}
}

// dimensions reads a tuple of whole numbers from 0.
func dimensions(v any) ([]int, error) {
	if _, ok := v.(*pickle.Tuple); !ok {
		if _, ok := v.(*pickle.List); !ok {
			return nil, fmt.Errorf("found %s, want dimensions", kind(v))
		}
	}
	all := values(v)
	if len(all) > maxRank {
		return nil, fmt.Errorf("found %d dimensions, want at most %d", len(all), maxRank)
	}
	out := make([]int, len(all))
	for i, v := range all {
		n, ok := v.(int64)
		if !ok || n < 0 || int64(int(n)) != n {
			if ok {
				return nil, fmt.Errorf("found %d as a dimension or stride", n)
			}
			return nil, fmt.Errorf("found %s as a dimension or stride", kind(v))
		}
		out[i] = int(n)
	}
	return out, nil
}

// rebuildParameter wraps a tensor, which stays what it is.
func rebuildParameter(_ *reader, _ *callable, arguments []any) (any, error) {
	if len(arguments) > 0 {
		if a, ok := arguments[0].(*array); ok {
			return a, nil
		}
	}
	return nil, errors.New("want a tensor")
}

// rebuildFromType is (function, class, its arguments, state): a tensor that has attributes of its own.
func rebuildFromType(r *reader, _ *callable, arguments []any) (any, error) {
	if len(arguments) == 4 {
		function, ok := arguments[0].(*callable)
		inner, okToo := arguments[2].(*pickle.Tuple)
		if ok && okToo && function.tensors {
			return function.do(r, function, inner.Values)
		}
	}
	return nil, errors.New("want a function that makes a tensor, and its arguments")
}

// part is a part of a storage, in the legacy format: (key, offset, elements).
func part(whole *storage, class storageClass, view any) (any, error) {
	v := values(view)
	if len(v) != 3 {
		return nil, fmt.Errorf("found %s, want the key, offset and size of a part of storage %s", kind(view), show(whole.key))
	}
	offset, ok := v[1].(int64)
	count, okToo := v[2].(int64)
	if !ok || !okToo || offset < 0 || count < 0 || offset > int64(whole.count) || count > int64(whole.count)-offset {
		return nil, fmt.Errorf("storage %s has %d elements, and a part that ends after them", show(whole.key), whole.count)
	}
	return &typedStorage{whole, dtype(class), int(offset) * whole.width, int(count) * whole.width}, nil
}
