package pickle

import (
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// testdata/values_N.pkl are what "python3 testdata/values.py" writes, with any Python 3.8 or newer. It is no go:generate directive: the tests of a change need no Python.

// python is what the values of values.py need: in protocols 0 to 2 sets and bytes are calls.
var python = Options{
	MaxSteps: 1000,
	Global:   func(module, name string) (any, error) { return name, nil },
	Call: func(function any, arguments []any) (any, error) {
		switch function {
		case "encode":
			var out Bytes
			for _, letter := range arguments[0].(string) {
				out = append(out, byte(letter))
			}
			return out, nil
		case "set", "frozenset":
			return &Set{Values: arguments[0].(*List).Values}, nil
		case "bytearray":
			return arguments[0], nil
		}
		return nil, fmt.Errorf("found %v", function)
	},
}

// What Python made of the values of values.py, in each protocol.
func TestLoad(t *testing.T) {
	for protocol := range 6 {
		content, err := os.ReadFile(filepath.Join("testdata", fmt.Sprintf("values_%d.pkl", protocol)))
		if err != nil {
			t.Fatal(err)
		}
		v, size, err := Load(append(slices.Clip(content), "more"...), python)
		if err != nil || size != len(content) {
			t.Errorf("protocol %d: read %d bytes of %d, %v", protocol, size, len(content), err)
			continue
		}
		got := map[any]any{}
		for _, p := range v.(*Dict).Pairs {
			got[p.Key] = p.Value
		}
		for key, want := range map[any]any{
			"none": nil, "true": true, "false": false, int64(3): "number",
			"small": int64(5), "negative": int64(-5), "two bytes": int64(40000), "four bytes": int64(-1 << 31), "eight bytes": int64(-1 << 62),
			"float": -1.5, "text": "é€\n\\u0041 \U0001f600", "bytes": Bytes("\x00\xff'\\ab"), "bytearray": Bytes("xy"),
			"list":   []any{int64(1), []any{int64(2)}, []any{}},
			"tuples": []any{[]any{}, []any{int64(1)}, []any{int64(1), int64(2)}, []any{int64(1), int64(2), int64(3)}, []any{int64(1), int64(2), int64(3), int64(4)}},
			"set":    []any{int64(7)}, "frozenset": []any{int64(8)}, "shared": []any{[]any{"once"}, []any{"once"}},
			"long":   new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 70), big.NewInt(1)).String(),
			"longer": new(big.Int).Neg(new(big.Int).Lsh(big.NewInt(1), 2100)).String(),
		} {
			if value, ok := got[key]; !ok || !reflect.DeepEqual(unwrap(value), want) {
				t.Errorf("protocol %d: %v is %v, want %v", protocol, key, unwrap(value), want)
			}
		}
		if shared := got["shared"].(*List).Values; shared[0] != shared[1] {
			t.Errorf("protocol %d: what was shared is there twice", protocol)
		}
		if looped := got["looped"].(*List); looped.Values[1] != looped {
			t.Errorf("protocol %d: the loop is open", protocol)
		}
		for cut := range content {
			if _, _, err := Load(content[:cut], python); err == nil {
				t.Errorf("protocol %d: read when cut off at %d", protocol, cut)
			}
		}
	}
}

// unwrap makes lists, tuples and sets slices, and long numbers decimal digits.
func unwrap(v any) any {
	var values []any
	switch v := v.(type) {
	case *List:
		values = v.Values
	case *Tuple:
		values = v.Values
	case *Set:
		values = v.Values
	case *Long:
		if v.Digits != "" {
			return v.Digits
		}
		bytes := slices.Clone(v.Bytes)
		slices.Reverse(bytes)
		n := new(big.Int).SetBytes(bytes)
		if bytes[0] >= 0x80 {
			n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(bytes))))
		}
		return n.String()
	default:
		return v
	}
	out := []any{}
	for _, v := range values {
		out = append(out, unwrap(v))
	}
	return out
}

// Pickles of few bytes that ask for much.
func TestLoadBounds(t *testing.T) {
	const n = 100_000
	options := python
	options.MaxSteps = 1 << 20
	nested := func(begin, end string) string { return strings.Repeat(begin, n) + strings.Repeat(end, n) + "." }
	laughs := "]\x94" + strings.Repeat("]\x94(h\x00h\x00h\x00h\x00h\x00h\x00h\x00h\x00h\x00h\x00e", 50) + "."
	for name, c := range map[string]struct{ text, want string }{
		"lists in lists":        {nested("]", "a"), "more than 1000 deep"},
		"dicts in dicts":        {"}" + nested("K\x00}", "s"), "more than 1000 deep"},
		"tuples in tuples":      {")" + strings.Repeat("\x85", n) + ".", "more than 1000 deep"},
		"marks":                 {nested("(", "t"), "more than 1000 deep"},
		"sets in sets":          {"\x8f" + strings.Repeat("q\x00(h\x00\x91", n) + ".", "more than 1000 deep"},
		"operations":            {strings.Repeat("N0", 2<<20) + ".", "more than 1048576 operations"},
		"empty dicts":           {strings.Repeat("}", 4<<20), "more than 1048576 operations"},
		"remembered":            {"}" + strings.Repeat("\x94", 4<<20), "more than 1048576 operations"},
		"far memory":            {"}r\xff\xff\xff\xff.", "something to remember as 4294967295"},
		"far memory in digits":  {"}p99999999999\n.", "something to remember as"},
		"memory before nothing": {"}p-1\n.", "something to remember as -1"},
		"bytes that are not":    {"\x8e\xff\xff\xff\xff\xff\xff\xff\x0f", "cut off"},
		"bytes beyond numbers":  {"\x8e\xff\xff\xff\xff\xff\xff\xff\xff", "cut off"},
		"text that is not":      {"X\xff\xff\xff\xff", "cut off"},
		"number that is not":    {"\x8b\xff\xff\xff\x7f", "cut off"},
		"digits":                {"I" + strings.Repeat("9", 1<<20) + "\n.", ""},
		"a billion laughs":      {laughs, ""},
		"protocol":              {"\x80\x06.", "protocol 6"},
		"unknown operation":     {"\x97.", `operation '\u0097'`},
		"instance":              {"(ios\nsystem\n.", "operation 'i'"},
		"extension":             {"\x82\x01.", `operation '\u0082'`},
		"global of long name":   {"c" + strings.Repeat("m", 1<<20) + "\nx\n.", ""},
		"global of a number":    {"K\x01K\x01\x93.", "not a short text"},
		"under the mark":        {"K\x01(\x85.", "nothing is on the stack"},
	} {
		t.Run(name, func(t *testing.T) {
			var took time.Duration
			for range 5 { // a busy machine may need several seconds to have one
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				began := time.Now()
				_, _, err := Load([]byte(c.text), options)
				took = time.Since(began)
				runtime.ReadMemStats(&after)
				if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("%v, want %q", err, c.want)
				}
				if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 200 {
					t.Errorf("took %d MB", used)
				}
				if took < second {
					return
				}
			}
			t.Errorf("took %v", took)
		})
	}
}

// Hooks see what the pickle says, and their errors end it.
func TestHooks(t *testing.T) {
	var seen []any
	refuse := errors.New("no")
	options := Options{
		MaxSteps:   100,
		Global:     func(module, name string) (any, error) { return module + "." + name, nil },
		Call:       func(f any, arguments []any) (any, error) { seen = append(seen, f, arguments); return "made", nil },
		Build:      func(object, state any) error { seen = append(seen, object, state); return nil },
		Persistent: func(id any) (any, error) { seen = append(seen, id); return id, nil },
	}
	text := []byte("ca.b\nc\n(K\x01K\x02tRK\x03bK\x04Q0P5\n0\x8c\x01m\x8c\x01n\x93)\x81.")
	v, _, err := Load(text, options)
	want := []any{"a.b.c", []any{int64(1), int64(2)}, "made", int64(3), int64(4), "5", "m.n", []any(nil)}
	if err != nil || v != "made" || !reflect.DeepEqual(seen, want) {
		t.Errorf("%v, %v: saw %v, want %v", v, err, seen, want)
	}
	for i, change := range []func(*Options){
		func(o *Options) { o.Global = func(string, string) (any, error) { return nil, refuse } },
		func(o *Options) { o.Call = func(any, []any) (any, error) { return nil, refuse } },
		func(o *Options) { o.Build = func(any, any) error { return refuse } },
		func(o *Options) { o.Persistent = func(any) (any, error) { return nil, refuse } },
	} {
		o := options
		change(&o)
		if _, _, err := Load(text, o); !errors.Is(err, refuse) {
			t.Errorf("hook %d: %v, want its error", i, err)
		}
	}
}

// No pickle makes the machine panic, whatever the hooks allow.
func FuzzLoad(f *testing.F) {
	for protocol := range 6 {
		content, err := os.ReadFile(filepath.Join("testdata", fmt.Sprintf("values_%d.pkl", protocol)))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Add([]byte("ca.b\nc\n(K\x01K\x02tRK\x03bK\x04Q0P5\n0\x8c\x01m\x8c\x01n\x93)\x81."))
	options := Options{
		MaxSteps:   10_000,
		Global:     func(module, name string) (any, error) { return name, nil },
		Call:       func(f any, arguments []any) (any, error) { return &List{Values: arguments}, nil },
		Build:      func(object, state any) error { return nil },
		Persistent: func(id any) (any, error) { return id, nil },
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, size, err := Load(text, options)
		if err == nil && (size < 1 || size > len(text) || text[size-1] != '.') {
			t.Errorf("%T in %d bytes of %d", v, size, len(text))
		}
	})
}
