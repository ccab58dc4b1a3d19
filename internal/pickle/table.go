package pickle

import "errors"

// maxTableSteps allows for a table of some ten million entries.
const maxTableSteps = 1 << 26

// ReadDict reads a table of numbers and texts, such as the one from image id to row that goes with feature files
// in HDF5: a dict in the order in which it was written, or a list as a dict from its texts and numbers to their
// places. Keys and values are int64 or string. Every protocol of Python 2 and 3 will do; a pickle that names any
// class or function is refused.
func ReadDict(text []byte) ([]Pair, error) {
	top, _, err := Load(text, Options{MaxSteps: maxTableSteps})
	if err != nil {
		return nil, err
	}
	switch top := top.(type) {
	case *Dict:
		for i, p := range top.Pairs {
			key, ok := plain(p.Key)
			value, okToo := plain(p.Value)
			if !ok || !okToo {
				return nil, errors.New("found a dict of other things than numbers and texts")
			}
			top.Pairs[i] = Pair{key, value}
		}
		return top.Pairs, nil
	case *List:
		var out []Pair
		for i, v := range top.Values {
			v, ok := plain(v)
			if !ok {
				return nil, errors.New("found a list of other things than numbers and texts")
			}
			out = append(out, Pair{v, int64(i)})
		}
		return out, nil
	}
	return nil, errors.New("found no dict and no list in it")
}

// plain is a number or a short text.
func plain(v any) (any, bool) {
	if n, ok := v.(int64); ok {
		return n, true
	}
	text, ok := Text(v)
	return text, ok
}
