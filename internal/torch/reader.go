package torch

import (
	"errors"
	"fmt"
	"math"

	"github.com/go-lxmert/lxmert/internal/pickle"
)

const (
	maxSteps   = 1 << 20  // operations of a pickle: a tensor has some forty
	maxRank    = 64       // what PyTorch and NumPy can hold
	maxKey     = 256      // bytes of a storage's key, which is a number
	extraBytes = 16 << 20 // beyond the file's size, for small files
	growth     = 4        // how many times a file's size its compressed members may have
	maxShare   = 8        // how many times a file's size its tensors may have, which may share storages
	shareBytes = 64 << 20 // beyond that
)

// A reader keeps what a file's pickles have made.
type reader struct {
	content  []byte
	find     func(key string) ([]byte, error) // a storage's bytes; nil where they come later
	storages map[string]*storage
	arrays   int // tensors and arrays made
	items    int // values that calls may still copy
	texts    int // bytes that may still be made from texts
	unpacked int // bytes of compressed members so far
}

func newReader(content []byte) *reader {
	return &reader{content: content, storages: map[string]*storage{}, items: maxSteps, texts: len(content)}
}

// load reads a pickle.
func (r *reader) load(text []byte) (any, int, error) {
	return pickle.Load(text, pickle.Options{
		MaxSteps: maxSteps, Global: global, Call: r.call, Build: r.build, Persistent: r.persistent,
	})
}

// global is the allow list.
func global(module, name string) (any, error) {
	v, ok := globals[module+"."+name]
	if !ok {
		return nil, fmt.Errorf("found global %s, which is not one of those a checkpoint of weights needs: refused", show(module+"."+name))
	}
	return v, nil
}

func (r *reader) call(function any, arguments []any) (any, error) {
	f, ok := function.(*callable)
	if !ok || f.do == nil {
		return nil, fmt.Errorf("found a call of %s", kind(function))
	}
	v, err := f.do(r, f, arguments)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	return v, nil
}

// build sets an object's state. Only arrays and their types have one that matters: an OrderedDict's is _metadata,
// the versions of PyTorch's modules, and what opaque things are does not matter.
func (r *reader) build(object, state any) error {
	switch object := object.(type) {
	case *array:
		return object.build(state)
	case *numpyType:
		return object.build(state)
	case *pickle.Dict, *opaque:
		return nil
	}
	return fmt.Errorf("found the state of %s", kind(object))
}

// A storage is memory that tensors lie in.
type storage struct {
	key   string
	width int // bytes of an element
	count int // elements, by the pickle
	data  []byte
	found bool
}

// A typedStorage is a storage, or a part of one, as a pickle refers to it.
type typedStorage struct {
	*storage
	dtype dtype
	from  int // the first byte of it
	size  int // bytes
}

// persistent finds a storage: ("storage", type, key, device, elements), in the legacy format with a last part that
// is None or says which part of the storage is meant.
func (r *reader) persistent(id any) (any, error) {
	parts, ok := id.(*pickle.Tuple)
	if !ok || len(parts.Values) < 5 || len(parts.Values) > 6 {
		return nil, fmt.Errorf("found a reference to %s, want one to a storage", kind(id))
	}
	v := parts.Values
	if what, _ := pickle.Text(v[0]); what != "storage" {
		return nil, fmt.Errorf("found a reference to a %s, want one to a storage", show(what))
	}
	class, ok := v[1].(storageClass)
	key, okToo := pickle.Text(v[2])
	count, okThree := v[4].(int64)
	switch {
	case !ok || !okToo || !okThree || len(key) > maxKey:
		return nil, errors.New("found a reference to a storage that does not say its type, key and size")
	case count < 0 || count > math.MaxInt/16: // so that bytes can be counted
		return nil, fmt.Errorf("storage %s has %d elements, out of a file of %d bytes", show(key), count, len(r.content))
	}
	s, err := r.storage(key, class, int(count))
	if err != nil {
		return nil, err
	}
	if len(v) == 6 && v[5] != nil {
		return part(s, class, v[5])
	}
	return &typedStorage{s, dtype(class), 0, s.count * s.width}, nil
}

func (r *reader) storage(key string, class storageClass, count int) (*storage, error) {
	if s := r.storages[key]; s != nil {
		if s.count != count || s.width != class.width {
			return nil, fmt.Errorf("storage %s has once %d elements of %d bytes, once %d of %d", show(key), s.count, s.width, count, class.width)
		}
		return s, nil
	}
	s := &storage{key: key, width: class.width, count: count}
	if r.find != nil {
		data, err := r.find(key)
		if err != nil {
			return nil, fmt.Errorf("storage %s: %w", show(key), err)
		}
		if len(data) < count*class.width {
			return nil, fmt.Errorf("storage %s: found %d bytes, want %d", show(key), len(data), count*class.width)
		}
		s.data, s.found = data[:count*class.width:count*class.width], true
	}
	r.storages[key] = s
	return s, nil
}
