package torch

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-lxmert/lxmert/internal/pickle"
)

// A dictOfTensors is one, and the keys that lead to it.
type dictOfTensors struct {
	dict *pickle.Dict
	path []string
}

var (
	// wrappers are the keys under which programs put a model's weights, by rank.
	wrappers = []string{"state_dict", "model_state_dict", "model", "module"}

	// notWeights have tensors that are no model's.
	notWeights = map[string]bool{"optimizer": true, "optimizer_state_dict": true, "optim": true, "scheduler": true, "lr_scheduler": true, "scaler": true, "amp": true}
)

// choose finds the dict of tensors by the rules of File.Path.
func choose(top any) (dictOfTensors, error) {
	d, ok := top.(*pickle.Dict)
	if !ok {
		return dictOfTensors{}, fmt.Errorf("found %s, want a dict of tensors", kind(top))
	}
	s := search{seen: map[*pickle.Dict]bool{}}
	found := s.in(d, nil)
	switch len(found) {
	case 0:
		return dictOfTensors{}, fmt.Errorf("found no dict of tensors, but %s", contents(d))
	case 1:
		return found[0], nil
	}
	var names []string
	for _, f := range found[:min(len(found), 5)] {
		names = append(names, show(strings.Join(f.path, ".")))
	}
	return dictOfTensors{}, fmt.Errorf("found %d dicts of tensors (%s), none of them under a key such as model or state_dict", len(found), strings.Join(names, ", "))
}

// A search looks into each dict once, whatever refers to it.
type search struct{ seen map[*pickle.Dict]bool }

// in is the dicts of tensors that are meant by d: one where it is plain.
func (s *search) in(d *pickle.Dict, path []string) []dictOfTensors {
	const maxPath = 4
	if s.seen[d] || len(path) > maxPath {
		return nil
	}
	s.seen[d] = true
	inner := map[string]*pickle.Dict{}
	var keys []string
	tensors := false
	for _, p := range d.Pairs {
		switch v := p.Value.(type) {
		case *array:
			tensors = true
		case *pickle.Dict:
			if key, ok := pickle.Text(p.Key); ok && inner[key] == nil {
				inner[key] = v
				keys = append(keys, key)
			}
		}
	}
	below := func(key string) []dictOfTensors { return s.in(inner[key], append(path[:len(path):len(path)], key)) }
	for _, key := range wrappers {
		if inner[key] != nil {
			if found := below(key); len(found) > 0 {
				return found
			}
		}
	}
	if tensors {
		return []dictOfTensors{{d, path}}
	}
	var found []dictOfTensors
	for _, key := range keys {
		if !notWeights[key] {
			found = append(found, below(key)...)
		}
	}
	return found
}

// list gives the tensors of a dict their names, and checks them.
func (r *reader) list(d *pickle.Dict) ([]Tensor, error) {
	var out []Tensor
	var errs []error
	names := map[string]bool{}
	left := uint64(len(r.content)+r.unpacked)*maxShare + shareBytes
	for _, p := range d.Pairs {
		a, ok := p.Value.(*array)
		if !ok {
			continue
		}
		name, ok := pickle.Text(p.Key)
		switch {
		case !ok || !utf8.ValidString(name):
			return nil, fmt.Errorf("found a tensor under %s, want a name", kind(p.Key))
		case names[name]:
			return nil, fmt.Errorf("tensor %s is there twice", show(name))
		}
		names[name] = true
		size, err := a.check()
		if err != nil {
			if errs = append(errs, fmt.Errorf("tensor %s %w", show(name), err)); len(errs) == 20 {
				break
			}
			continue
		}
		if uint64(size) > left {
			return nil, fmt.Errorf("tensor %s has shape %v, too much for a file of %d bytes", show(name), a.shape, len(r.content))
		}
		left -= uint64(size)
		out = append(out, Tensor{Name: name, DType: a.dtype.name, Shape: a.shape, array: a})
	}
	return out, errors.Join(errs...)
}

// contents says what is in a dict.
func contents(d *pickle.Dict) string {
	if len(d.Pairs) == 0 {
		return "an empty dict"
	}
	var parts []string
	for _, p := range d.Pairs[:min(len(d.Pairs), 8)] {
		key, ok := pickle.Text(p.Key)
		if !ok {
			key = kind(p.Key)
		}
		parts = append(parts, show(key)+": "+kind(p.Value))
	}
	if len(d.Pairs) > len(parts) {
		parts = append(parts, fmt.Sprintf("and %d more", len(d.Pairs)-len(parts)))
	}
	return "a dict of " + strings.Join(parts, ", ")
}

// kind says what a value is, without looking into it.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "a truth value"
	case int64, float64, *pickle.Long:
		return "a number"
	case string:
		return "a text"
	case pickle.Bytes:
		return "bytes"
	case *pickle.Dict:
		return fmt.Sprintf("a dict of %d", len(v.Pairs))
	case *pickle.List:
		return fmt.Sprintf("a list of %d", len(v.Values))
	case *pickle.Tuple:
		return fmt.Sprintf("a tuple of %d", len(v.Values))
	case *pickle.Set:
		return fmt.Sprintf("a set of %d", len(v.Values))
	case *array:
		return "a tensor"
	case *typedStorage:
		return "a storage"
	case *numpyType:
		return "numpy.dtype"
	case *opaque:
		return v.name
	case *callable:
		return v.name
	case dtype:
		return "type " + v.name
	case storageClass:
		return "a class of storages"
	}
	return "something else"
}

// show is a name from a file: quoted if it is no ordinary one, cut if it is long.
func show(name string) string {
	const longest = 200
	if len(name) > longest {
		return strconv.Quote(name[:longest]) + "…"
	}
	if quoted := strconv.Quote(name); name == "" || len(quoted) != len(name)+2 || strings.Contains(name, " ") {
		return quoted
	}
	return name
}
