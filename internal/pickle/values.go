package pickle

import "fmt"

// Bytes are Python's bytes, bytearrays and the texts of Python 2.
type Bytes []byte

// A Long is a whole number too long for int64, little endian in two's complement or, from protocols 0 and 1, in
// decimal digits.
type Long struct {
	Bytes  Bytes
	Digits string
}

// A List is Python's list.
type List struct {
	Values []any
	depth  int
}

// A Tuple is Python's tuple.
type Tuple struct {
	Values []any
	depth  int
}

// A Set is Python's set or frozenset, in the order of the pickle.
type Set struct {
	Values []any
	depth  int
}

// A Dict is Python's dict, in the order in which it was filled. Keys may be anything and may come twice.
type Dict struct {
	Pairs []Pair
	depth int
}

// A Pair is a key of a dict and its value.
type Pair struct{ Key, Value any }

// MaxText is the length of the longest text that is taken as a name.
const MaxText = 1024

// Text is a value as a name: a text of Python 3 or 2, or bytes, of at most MaxText bytes. It need not be UTF-8.
func Text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, len(v) <= MaxText
	case Bytes:
		if len(v) <= MaxText {
			return string(v), true
		}
	}
	return "", false
}

// Set adds a key and its value. The error is that the value lies too deep.
func (d *Dict) Set(key, value any) error {
	d.Pairs = append(d.Pairs, Pair{key, value})
	return deepen(&d.depth, key, value)
}

var errDeep = fmt.Errorf("lists, tuples and dicts lie in each other more than %d deep", MaxDepth)

// deepen raises the depth of a container to that of what was put into it.
func deepen(depth *int, values ...any) error {
	for _, v := range values {
		inner := 0
		switch v := v.(type) {
		case *List:
			inner = v.depth
		case *Tuple:
			inner = v.depth
		case *Set:
			inner = v.depth
		case *Dict:
			inner = v.depth
		default:
			continue
		}
		if inner+1 > MaxDepth {
			return errDeep
		}
		*depth = max(*depth, inner+1)
	}
	return nil
}
