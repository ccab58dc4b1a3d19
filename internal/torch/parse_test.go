package torch

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

// testdata/*.pt and *.pkl are what "python3 testdata/models.py" (PyTorch 1.13) and "python3 testdata/arrays.py" (NumPy 1.24) write. They are no go:generate directives: the tests of a change need no Python.

// le is values as a file has them.
func le(values any) []byte {
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, values); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// A wanted is a tensor as it should be read.
type wanted struct {
	name, dtype string
	shape       []int
	data        []byte
	view        bool
}

// checkFile compares a file with what should be in it.
func checkFile(t testing.TB, content []byte, f *File, want []wanted) {
	t.Helper()
	if len(f.Tensors()) != len(want) {
		t.Fatalf("found %d tensors, want %d", len(f.Tensors()), len(want))
	}
	for i, w := range want {
		x := f.Tensors()[i]
		view, ok := x.View()
		switch {
		case x.Name != w.name || x.DType != w.dtype || !slices.Equal(x.Shape, w.shape):
			t.Errorf("tensor %d is %s %s %v, want %s %s %v", i, x.Name, x.DType, x.Shape, w.name, w.dtype, w.shape)
		case !bytes.Equal(x.Bytes(), w.data):
			t.Errorf("tensor %s is % x, want % x", x.Name, x.Bytes(), w.data)
		case ok != w.view || ok && !bytes.Equal(view, w.data):
			t.Errorf("tensor %s has view % x, %v", x.Name, view, ok)
		case ok && len(view) > 0 && content != nil && !within(view, content):
			t.Errorf("tensor %s is a copy, want a view of the file", x.Name)
		}
	}
}

func within(view, content []byte) bool {
	at, begin := uintptr(unsafe.Pointer(&view[0])), uintptr(unsafe.Pointer(&content[0]))
	return at >= begin && at+uintptr(len(view)) <= begin+uintptr(len(content))
}

func parseFile(t testing.TB, name string) ([]byte, *File) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(content)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return content, f
}

func arange(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(i)
	}
	return out
}

// What PyTorch saved: tensors of every type, and ones that lie across their storages.
func TestParseModel(t *testing.T) {
	content, f := parseFile(t, "model.pt")
	var transposed []float32
	for i := range 24 {
		transposed = append(transposed, float32(i%4*6+i/4))
	}
	var permuted []int16
	for i := range 4 {
		for j := range 6 {
			permuted = append(permuted, int16(4*j+i))
		}
	}
	checkFile(t, content, f, []wanted{
		{"plain", "F32", []int{4, 6}, le(arange(24)), true},
		{"same", "F32", []int{4, 6}, le(arange(24)), true},
		{"transposed", "F32", []int{6, 4}, le(transposed), false},
		{"rows", "F32", []int{2, 6}, le(arange(24)[6:18]), true},
		{"columns", "F32", []int{4, 2}, le([]float32{1, 3, 7, 9, 13, 15, 19, 21}), false},
		{"expanded", "F32", []int{2, 3}, le([]float32{1, 1, 1, 2, 2, 2}), false},
		{"permuted", "I16", []int{4, 2, 3}, le(permuted), false},
		{"parameter", "F32", []int{2}, le([]float32{0.5, -0.5}), true},
		{"scalar", "I64", nil, le(int64(7)), true},
		{"empty", "F32", []int{0, 3}, nil, true},
		{"bf16", "BF16", []int{2}, le([]uint16{0x3f80, 0xc000}), true},
		{"f16", "F16", []int{2}, le([]uint16{0x3c00, 0xc000}), true},
		{"f64", "F64", []int{2}, le([]float64{1, -2}), true},
		{"i32", "I32", []int{2}, le([]int32{1, -2}), true},
		{"i8", "I8", []int{2}, []byte{1, 0xfe}, true},
		{"u8", "U8", []int{2}, []byte{1, 0xfe}, true},
		{"truth", "BOOL", []int{2}, []byte{1, 0}, true},
		{"c64", "C64", []int{1}, le([]float32{1, 2}), true},
	})
	if f.Format() != Zip || f.Path() != nil || f.Others() != 0 {
		t.Errorf("%v, path %q, %d others", f.Format(), f.Path(), f.Others())
	}
}

// A training run's checkpoint has its weights under a key, and much else: Adam has three tensors for each of two
// weights, and there is one tensor more.
func TestParseWrapped(t *testing.T) {
	content, f := parseFile(t, "wrapped.pt")
	checkFile(t, content, f, []wanted{
		{"weight", "F32", []int{1, 2}, le([]float32{1, 2}), true},
		{"bias", "F32", []int{1}, le([]float32{3}), true},
	})
	if !reflect.DeepEqual(f.Path(), []string{"state_dict"}) || f.Others() != 7 {
		t.Errorf("path %q, %d others, want state_dict and 7", f.Path(), f.Others())
	}
}

// NumPy's arrays in each of Python's protocols.
func TestParseArrays(t *testing.T) {
	for protocol := range 6 {
		content, f := parseFile(t, fmt.Sprintf("arrays_%d.pkl", protocol))
		if protocol < 3 {
			content = nil // bytes are texts there, and copied
		}
		checkFile(t, content, f, []wanted{
			{"rows", "F32", []int{2, 3}, le(arange(6)), true},
			{"again", "F32", []int{2, 3}, le(arange(6)), true},
			{"columns", "F32", []int{2, 3}, le(arange(6)), false},
			{"transposed", "F32", []int{3, 2}, le([]float32{0, 3, 1, 4, 2, 5}), false},
			{"sliced", "I32", []int{2, 3}, le([]int32{5, 7, 9, 15, 17, 19}), true},
			{"big", "F64", []int{3}, le([]float64{0, 1, 2}), false},
			{"bigcomplex", "C64", []int{2}, le([]float32{1, 2, 3, -4}), false},
			{"half", "F16", []int{2}, le([]uint16{0x3c00, 0xc000}), true},
			{"long", "I64", []int{2}, le([]int64{-1, 1 << 40}), true},
			{"bytes", "U8", []int{2}, []byte{1, 255}, true},
			{"truth", "BOOL", []int{2}, []byte{1, 0}, true},
			{"scalar", "I16", nil, le(int16(7)), true},
			{"empty", "F32", []int{0, 3}, nil, true},
		})
		if f.Format() != Pickle || !reflect.DeepEqual(f.Path(), []string{"model"}) || f.Others() != 1 {
			t.Errorf("protocol %d: %v, path %q, %d others", protocol, f.Format(), f.Path(), f.Others())
		}
	}
}

// Python 2 has texts for bytes, and OrderedDicts as lists of pairs.
func TestParsePython2(t *testing.T) {
	short := func(s string) string { return "U" + string(rune(len(s))) + s }
	class := call2(global2("numpy", "dtype"), short("f4"), number2(0), number2(1)) + tuple2(number2(3), short("<"), "N", "N", "N", number2(-1), number2(-1), number2(0)) + "b"
	array := func(data string) string {
		return call2(global2("numpy.core.multiarray", "_reconstruct"), global2("numpy", "ndarray"), numbers2([]int{0}), short("b")) +
			tuple2(number2(1), numbers2([]int{2}), class, "I00\n", data) + "b"
	}
	content := []byte(pickle2(call2(global2("collections", "OrderedDict"), "]("+
		"]("+short("a")+array(short(string(le([]float32{1, 2}))))+"e"+
		"]("+short("b")+array("S'\\x00\\x00@@\\x00\\x00\\x80@'\n")+"e"+
		"e")))
	f, err := Parse(content)
	if err != nil {
		t.Fatal(err)
	}
	checkFile(t, nil, f, []wanted{
		{"a", "F32", []int{2}, le([]float32{1, 2}), true},
		{"b", "F32", []int{2}, le([]float32{3, 4}), true},
	})
}

// The legacy format with storages that are parts of others, and two that are not in the order of the pickle.
func TestParseLegacy(t *testing.T) {
	part := storage2("FloatStorage", "7", 6, tuple2(text2("8"), number2(2), number2(3)))
	content := legacyFile(pickle2(call2(global2("collections", "OrderedDict"))+"("+
		text2("whole")+tensor2(storage2("FloatStorage", "7", 6, "N"), 0, []int{2, 3}, []int{3, 1})+
		text2("part")+tensor2(part, 1, []int{2}, []int{1})+
		text2("ints")+call2(global2("torch._utils", "_rebuild_parameter"), call2(global2("torch._utils", "_rebuild_tensor"), storage2("IntStorage", "9", 2, "N"), number2(0), numbers2([]int{2}), numbers2([]int{1})), "\x88", "N")+
		"u"+dict2(text2("_metadata"), dict2(text2(""), dict2(text2("version"), number2(1))))+"b"),
		"9", 2, string(le([]int32{5, 6})), "7", 6, string(le(arange(6))))
	f, err := Parse(content)
	if err != nil {
		t.Fatal(err)
	}
	checkFile(t, content, f, []wanted{
		{"whole", "F32", []int{2, 3}, le(arange(6)), true},
		{"part", "F32", []int{2}, le([]float32{3, 4}), true},
		{"ints", "I32", []int{2}, le([]int32{5, 6}), true},
	})
	for cut := range content {
		if _, err := Parse(content[:cut]); err == nil {
			t.Errorf("read when cut off at %d of %d", cut, len(content))
		}
	}
}

// An archive that somebody unpacked and packed again: compressed, with another name, or none.
func TestParseRepacked(t *testing.T) {
	data := string(le(arange(1000)))
	pickle := pickle2(dict2(text2("x"), tensor2(storage2("FloatStorage", "0", 1000), 0, []int{1000}, []int{1})))
	want := []wanted{{"x", "F32", []int{1000}, le(arange(1000)), true}}
	for _, method := range []uint16{0, 8} {
		for _, prefix := range []string{"", "a/b/", "../"} {
			content := zippedAs(t, method, prefix+"data.pkl", pickle, prefix+"data/0", data, "__MACOSX/._data.pkl", "", prefix+"byteorder", "little", "/etc/passwd", "x")
			f, err := Parse(content)
			if err != nil {
				t.Fatalf("method %d, prefix %q: %v", method, prefix, err)
			}
			inFile := content
			if method != 0 {
				inFile = nil
			}
			checkFile(t, inFile, f, want)
		}
	}
}

// Newer PyTorch's ways to say what a tensor is.
func TestParseNewer(t *testing.T) {
	typed := call2(global2("torch._utils", "_rebuild_tensor_v3"), storage2("storage.UntypedStorage", "0", 8), number2(1), numbers2([]int{3}), numbers2([]int{1}), "\x89", "N", global2("torch", "uint16"), "}")
	typed = strings.ReplaceAll(typed, "ctorch\nstorage.UntypedStorage\n", global2("torch.storage", "UntypedStorage"))
	subclass := call2(global2("torch._tensor", "_rebuild_from_type_v2"), global2("torch._utils", "_rebuild_tensor_v2"), global2("torch", "Tensor"),
		tuple2(storage2("ShortStorage", "1", 2), number2(0), numbers2([]int{2}), numbers2([]int{1}), "\x89", "N"), dict2(text2("note"), text2("x")))
	content := zipped(t, pickle2(dict2(text2("typed"), typed, text2("subclass"), subclass)), "m/data/0", string(le([]uint16{1, 2, 3, 4})), "m/data/1", string(le([]int16{5, 6})))
	f, err := Parse(content)
	if err != nil {
		t.Fatal(err)
	}
	checkFile(t, content, f, []wanted{
		{"typed", "U16", []int{3}, le([]uint16{2, 3, 4}), true},
		{"subclass", "I16", []int{2}, le([]int16{5, 6}), true},
	})
}
