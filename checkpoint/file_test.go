package checkpoint

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// floats makes an F32 tensor that counts from 1.
func floats(t *testing.T, name string, shape ...int) Tensor {
	t.Helper()
	n, _ := elements(shape)
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(i + 1)
	}
	out, err := FromFloat32s(name, shape, values)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func write(t *testing.T, path string, tensors ...Tensor) string {
	t.Helper()
	if err := Write(path, tensors, map[string]string{"format": "pt"}); err != nil {
		t.Fatal(err)
	}
	return path
}

func says(t *testing.T, err error, wants ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one that says %q", wants)
		return
	}
	for _, want := range wants {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want it to say %q", err, want)
		}
	}
}

// Every type comes back as it was written; conversions give the numbers.
func TestTensorTypes(t *testing.T) {
	values := []float32{0, 1, -2.5, 65504, float32(math.Inf(1))}
	var in []Tensor
	for _, d := range []DType{F32, F16, BF16, F64} {
		tensor, err := FromFloat32sAs(d, "float."+d.String(), []int{5}, values)
		if err != nil {
			t.Fatal(err)
		}
		in = append(in, tensor)
	}
	wide, err := FromInt64s("int.I64", []int{3}, []int64{-1, 0, math.MaxInt64})
	if err != nil {
		t.Fatal(err)
	}
	in = append(in, wide,
		Tensor{Name: "int.BOOL", DType: BOOL, Shape: []int{3}, Data: []byte{0, 1, 1}},
		Tensor{Name: "int.U8", DType: U8, Shape: []int{2}, Data: []byte{0, 255}},
		Tensor{Name: "int.I8", DType: I8, Shape: []int{2}, Data: []byte{127, 255}},
		Tensor{Name: "int.I16", DType: I16, Shape: []int{2}, Data: []byte{1, 0, 255, 255}},
		Tensor{Name: "int.U16", DType: U16, Shape: []int{2}, Data: []byte{1, 0, 255, 255}},
		Tensor{Name: "int.I32", DType: I32, Shape: []int{1}, Data: []byte{255, 255, 255, 255}},
		Tensor{Name: "int.U32", DType: U32, Shape: []int{1}, Data: []byte{255, 255, 255, 255}},
		Tensor{Name: "int.U64", DType: U64, Shape: []int{1}, Data: []byte{1, 0, 0, 0, 0, 0, 0, 0}},
		Tensor{Name: "opaque.F8", DType: F8_E4M3, Shape: []int{2}, Data: []byte{1, 2}},
		Tensor{Name: "opaque.C64", DType: C64, Shape: []int{1}, Data: make([]byte, 8)},
	)
	f := open(t, write(t, filepath.Join(t.TempDir(), "types.safetensors"), in...))

	rounded := slices.Clone(values)
	rounded[3] = 65536 // of bfloat16's eight bits
	want := map[string][]float32{"float.F32": values, "float.F16": values, "float.BF16": rounded, "float.F64": values}
	for name, want := range want {
		tensor, _ := f.Tensor(name)
		if got, err := tensor.Float32s(); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, want)
		}
		_, err := tensor.Int64s()
		says(t, err, name, "want an integer type")
	}
	ints := map[string][]int64{
		"int.I64": {-1, 0, math.MaxInt64}, "int.BOOL": {0, 1, 1}, "int.U8": {0, 255}, "int.I8": {127, -1}, "int.I16": {1, -1},
		"int.U16": {1, 65535}, "int.I32": {-1}, "int.U32": {1<<32 - 1}, "int.U64": {1},
	}
	for name, want := range ints {
		tensor, _ := f.Tensor(name)
		if got, err := tensor.Int64s(); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, want)
		}
		_, err := tensor.Float32s()
		says(t, err, name, "want F32")
	}
	opaque, _ := f.Tensor("opaque.F8")
	if _, err := opaque.Float32s(); err == nil {
		t.Error("F8 became float32")
	}
	if len(f.Names()) != len(in) {
		t.Errorf("%d names, want %d", len(f.Names()), len(in))
	}
	if _, ok := f.Tensor("none"); ok {
		t.Error("a tensor that is not there")
	}
}

// What does not fit is an error that names the tensor and the element.
func TestTensorRefuses(t *testing.T) {
	_, err := Tensor{Name: "x", DType: BOOL, Shape: []int{1}, Data: []byte{2}}.Int64s()
	says(t, err, "tensor x", "element 0", "want 0 or 1")
	_, err = Tensor{Name: "x", DType: U64, Shape: []int{1}, Data: slices.Repeat([]byte{255}, 8)}.Int64s()
	says(t, err, "tensor x", "too large for int64")
	_, err = Tensor{Name: "x", DType: F64, Shape: []int{1}, Data: []byte{0, 0, 0, 0, 0, 0, 0xE0, 0x7F}}.Float32s()
	says(t, err, "tensor x", "too large for float32")
	_, err = Tensor{Name: "x", DType: F32, Shape: []int{2}, Data: make([]byte, 4)}.Float32s()
	says(t, err, "tensor x has 4 bytes, want 8 for F32 [2]")
	_, err = Tensor{Name: "x", DType: F32, Shape: []int{-1}}.Float32s()
	says(t, err, "there is no F32 tensor of shape [-1]")
	_, err = Tensor{}.Float32s()
	says(t, err, "no type")
	_, err = FromFloat32s("x", []int{2, 3}, make([]float32, 5))
	says(t, err, "tensor x: 5 values, want 6 for shape [2 3]")
	_, err = FromInt64s("x", []int{-2}, nil)
	says(t, err, "tensor x", "[-2]")
	_, err = FromFloat32sAs(I16, "x", []int{1}, []float32{1})
	says(t, err, "tensor x", "I16", "use F32, F16, BF16, F64 or I8")
	_, err = FromFloat32sAs(I8, "x", []int{1}, []float32{1})
	says(t, err, "tensor x", "only matrices are quantised", "[1]")
}

func TestFloat32View(t *testing.T) {
	f := open(t, write(t, filepath.Join(t.TempDir(), "x.safetensors"), floats(t, "x", 2, 2)))
	x, _ := f.Tensor("x")
	view, ok := x.Float32View()
	if !ok {
		t.Fatal("no view of an aligned F32 tensor")
	}
	if want := []float32{1, 2, 3, 4}; !slices.Equal(view, want) {
		t.Errorf("got %v, want %v", view, want)
	}
	odd := Tensor{Name: "odd", DType: F32, Shape: []int{1}, Data: make([]byte, 8)[1:5]}
	if _, ok := odd.Float32View(); ok {
		t.Error("a view of bytes that are not aligned")
	}
	if got, err := odd.Float32s(); err != nil || len(got) != 1 {
		t.Errorf("a copy of bytes that are not aligned: %v, %v", got, err)
	}
}

// After Close tensors know it; copies made before live on.
func TestClose(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "x.safetensors"), floats(t, "x", 3))
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	x, _ := f.Tensor("x")
	copied, err := x.Clone()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := x.Float32s(); !errors.Is(err, ErrClosed) {
		t.Errorf("Float32s after Close: %v", err)
	}
	if _, err := x.Clone(); !errors.Is(err, ErrClosed) {
		t.Errorf("Clone after Close: %v", err)
	}
	if _, ok := x.Float32View(); ok {
		t.Error("Float32View after Close")
	}
	if err := Write(path, []Tensor{x}, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("Write after Close: %v", err)
	}
	late, ok := f.Tensor("x")
	if !ok || late.Data != nil || !slices.Equal(late.Shape, []int{3}) {
		t.Errorf("Tensor after Close: %v, %v", late, ok)
	}
	if got, err := copied.Float32s(); err != nil || !slices.Equal(got, []float32{1, 2, 3}) {
		t.Errorf("the copy: %v, %v", got, err)
	}
}

// Readers and Close may meet: each reader gets the numbers or ErrClosed.
func TestCloseWhileReading(t *testing.T) {
	f, err := Open(write(t, filepath.Join(t.TempDir(), "x.safetensors"), floats(t, "x", 10000)))
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for {
				x, _ := f.Tensor("x")
				got, err := x.Float32s()
				if errors.Is(err, ErrClosed) {
					return
				}
				if err != nil || got[9999] != 10000 {
					t.Errorf("%v, %v", got[9999], err)
					return
				}
			}
		})
	}
	f.Close()
	wait.Wait()
}

func TestOpenDirectory(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(dir)
	says(t, err, dir, SingleName, IndexName, PyTorchName, KerasName, "found none of them")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not fs.ErrNotExist", err)
	}
	touch(t, dir, "model.onnx")
	_, err = Open(dir)
	says(t, err, "model.onnx", "which is not read")
	write(t, filepath.Join(dir, "first.safetensors"), floats(t, "x", 1))
	if f, err := Open(dir); err != nil || f.Path() != filepath.Join(dir, "first.safetensors") {
		t.Errorf("a single file of another name: %v", err)
	} else {
		f.Close()
	}
	write(t, filepath.Join(dir, "other.safetensors"), floats(t, "x", 1))
	_, err = Open(dir)
	says(t, err, "other.safetensors", "name the one to open")
	write(t, filepath.Join(dir, SingleName), floats(t, "x", 1))
	f := open(t, dir)
	if want := filepath.Join(dir, SingleName); f.Path() != want || f.FileOf("x") != want || f.FileOf("y") != "" {
		t.Errorf("path %s, file of x %s, want %s", f.Path(), f.FileOf("x"), want)
	}
	if _, err := Open(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing path: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, SingleName)); err != nil && !strings.Contains(err.Error(), "used by another process") {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, SingleName), 0o755); err == nil {
		_, err = Open(dir)
		says(t, err, "no plain file")
	}
}

func touch(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Load reads what Open maps.
func TestLoad(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "x.safetensors"), floats(t, "x", 3))
	f, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Truncate(path, 0); err != nil { // with Open this would be the end
		t.Fatal(err)
	}
	x, _ := f.Tensor("x")
	if got, err := x.Float32s(); err != nil || !slices.Equal(got, []float32{1, 2, 3}) {
		t.Errorf("%v, %v", got, err)
	}
}
