package torch

import (
	"errors"
	"fmt"

	"github.com/go-lxmert/lxmert/internal/pickle"
)

// A dtype is a type of elements: its safetensors name, and how many bytes one takes.
type dtype struct {
	name  string
	width int
}

// A storageClass is one of torch's classes of storages.
type storageClass dtype

// An opaque thing is harmless, and of no interest: a class, or an object of it.
type opaque struct{ name string }

// A callable is a function of the allow list. One without do is a class that is only mentioned.
type callable struct {
	name    string
	do      func(*reader, *callable, []any) (any, error)
	tensors bool // makes a tensor
}

// globals is the allow list: what a pickle may mention.
var globals = allowed()

func allowed() map[string]any {
	m := map[string]any{}
	for name, do := range map[string]func(*reader, *callable, []any) (any, error){
		"torch._utils._rebuild_tensor":               rebuildTensor,
		"torch._utils._rebuild_tensor_v2":            rebuildTensor,
		"torch._utils._rebuild_tensor_v3":            rebuildTensorV3,
		"torch._utils._rebuild_parameter":            rebuildParameter,
		"torch._utils._rebuild_parameter_with_state": rebuildParameter,
		"numpy.core.multiarray._reconstruct":         reconstructArray,
		"numpy._core.multiarray._reconstruct":        reconstructArray,
		"numpy.core.numeric._frombuffer":             arrayFromBuffer,
		"numpy._core.numeric._frombuffer":            arrayFromBuffer,
	} {
		m[name] = &callable{name, do, true}
	}
	for name, do := range map[string]func(*reader, *callable, []any) (any, error){
		"torch._tensor._rebuild_from_type_v2": rebuildFromType,
		"torch.Size":                          sizeOf,
		"collections.OrderedDict":             makeDict,
		"collections.defaultdict":             makeDict,
		"numpy.dtype":                         makeNumpyType,
		"_codecs.encode":                      encode,
		"builtins.bytes":                      makeBytes,
		"__builtin__.bytes":                   makeBytes,
		"builtins.bytearray":                  makeBytes,
		"__builtin__.bytearray":               makeBytes,
		"copyreg._reconstructor":              reconstruct,
		"copy_reg._reconstructor":             reconstruct,
	} {
		m[name] = &callable{name: name, do: do}
	}
	for _, name := range []string{
		"argparse.Namespace", "collections.Counter", "torch.device", "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar",
		"torch.nn.parameter.Parameter", "torch.Tensor", "numpy.ndarray",
	} {
		m[name] = &callable{name: name, do: makeOpaque}
	}
	for _, name := range []string{"set", "frozenset", "dict", "list", "tuple", "int", "float", "str", "bool", "complex", "object", "long", "unicode"} {
		for _, module := range []string{"builtins.", "__builtin__."} {
			m[module+name] = &callable{name: module + name, do: makeOpaque}
		}
	}
	for class, d := range map[string]dtype{
		"Double": {"F64", 8}, "Float": {"F32", 4}, "Half": {"F16", 2}, "BFloat16": {"BF16", 2}, "Long": {"I64", 8}, "Int": {"I32", 4},
		"Short": {"I16", 2}, "Char": {"I8", 1}, "Byte": {"U8", 1}, "Bool": {"BOOL", 1}, "ComplexFloat": {"C64", 8},
	} {
		m["torch."+class+"Storage"] = storageClass(d)
		m["torch.cuda."+class+"Storage"] = storageClass(d)
	}
	for _, name := range []string{"UntypedStorage", "_UntypedStorage", "TypedStorage", "_TypedStorage"} {
		m["torch.storage."+name] = storageClass{"U8", 1}
	}
	for names, d := range map[[2]string]dtype{
		{"float64", "double"}: {"F64", 8}, {"float32", "float"}: {"F32", 4}, {"float16", "half"}: {"F16", 2}, {"bfloat16"}: {"BF16", 2},
		{"int64", "long"}: {"I64", 8}, {"int32", "int"}: {"I32", 4}, {"int16", "short"}: {"I16", 2}, {"int8"}: {"I8", 1},
		{"uint8"}: {"U8", 1}, {"uint16"}: {"U16", 2}, {"uint32"}: {"U32", 4}, {"uint64"}: {"U64", 8}, {"bool"}: {"BOOL", 1},
		{"complex64", "cfloat"}: {"C64", 8}, {"float8_e4m3fn"}: {"F8_E4M3", 1}, {"float8_e5m2"}: {"F8_E5M2", 1},
	} {
		for _, name := range names {
			if name != "" {
				m["torch."+name] = d
			}
		}
	}
	return m
}

func makeOpaque(_ *reader, f *callable, _ []any) (any, error) { return &opaque{f.name}, nil }

// makeDict makes an OrderedDict or a defaultdict. Python 2 gives the former its items as a list of pairs.
func makeDict(r *reader, f *callable, arguments []any) (any, error) {
	d := &pickle.Dict{}
	if len(arguments) == 0 || f.name == "collections.defaultdict" {
		return d, nil
	}
	items, ok := arguments[0].(*pickle.List)
	if !ok || len(arguments) > 1 {
		return nil, fmt.Errorf("found %s, want a list of pairs", kind(arguments[0]))
	}
	if r.items -= len(items.Values); r.items < 0 {
		return nil, errors.New("the pickle copies too many lists")
	}
	for _, item := range items.Values {
		pair := values(item)
		if len(pair) != 2 {
			return nil, fmt.Errorf("found %s in the list, want a pair", kind(item))
		}
		if err := d.Set(pair[0], pair[1]); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// values are those of a list or tuple.
func values(v any) []any {
	switch v := v.(type) {
	case *pickle.List:
		return v.Values
	case *pickle.Tuple:
		return v.Values
	}
	return nil
}

// sizeOf is torch.Size, a tuple.
func sizeOf(_ *reader, _ *callable, arguments []any) (any, error) {
	if len(arguments) == 1 {
		if t, ok := arguments[0].(*pickle.Tuple); ok {
			return t, nil
		}
	}
	return nil, errors.New("want a tuple")
}

// reconstruct makes an object without calling its class: (class, base, its state).
func reconstruct(_ *reader, _ *callable, arguments []any) (any, error) {
	if len(arguments) == 3 {
		if class, ok := arguments[0].(*callable); ok {
			return &opaque{class.name}, nil
		}
	}
	return nil, errors.New("want a class, a base and a state")
}

// makeBytes makes bytes of nothing, bytes, or a text and its encoding.
func makeBytes(r *reader, f *callable, arguments []any) (any, error) {
	if len(arguments) == 0 {
		return pickle.Bytes{}, nil
	}
	if b, ok := arguments[0].(pickle.Bytes); ok && len(arguments) == 1 {
		return b, nil
	}
	return encode(r, f, arguments)
}

// encode is how protocols 0 to 2 write bytes in Python 3: as a text whose letters are the bytes. Together they
// cannot be more than the file, where each text stands once.
func encode(r *reader, _ *callable, arguments []any) (any, error) {
	if len(arguments) != 2 {
		return nil, errors.New("want a text and its encoding")
	}
	text, ok := arguments[0].(string)
	encoding, _ := pickle.Text(arguments[1])
	if !ok || encoding != "latin1" && encoding != "latin-1" {
		return nil, fmt.Errorf("found %s and encoding %s, want a text and latin1", kind(arguments[0]), show(encoding))
	}
	if r.texts -= len(text); r.texts < 0 {
		return nil, errors.New("the pickle makes more bytes from texts than it has texts")
	}
	out := make(pickle.Bytes, 0, len(text))
	for _, letter := range text {
		if letter > 0xff {
			return nil, fmt.Errorf("found letter %q, want one that is a byte", letter)
		}
		out = append(out, byte(letter))
	}
	return out, nil
}
