package checkpoint

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// The layout, by hand: what the safetensors library writes for these tensors.
func TestWriteLayout(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	half, err := FromFloat32sAs(F16, "a", []int{1}, []float32{1})
	if err != nil {
		t.Fatal(err)
	}
	err = Write(path, []Tensor{half, floats(t, "z<&>", 1), floats(t, "é\n", 1, 1), floats(t, "none", 0)}, map[string]string{"b": `"`, "a": "x"})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"__metadata__":{"a":"x","b":"\""},` +
		`"none":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},` +
		`"z<&>":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},` +
		`"é\n":{"dtype":"F32","shape":[1,1],"data_offsets":[4,8]},` +
		`"a":{"dtype":"F16","shape":[1],"data_offsets":[8,10]}}`
	for len(want)%8 != 0 {
		want += " "
	}
	wantBytes := append(content(want, 0), 0, 0, 0x80, 0x3F, 0, 0, 0x80, 0x3F, 0, 0x3C)
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, wantBytes) {
		t.Errorf("got\n%q\nwant\n%q", got, wantBytes)
	}
}

// Nothing wrong is written: every fault is named and the old file stays.
func TestWriteRefuses(t *testing.T) {
	dir := t.TempDir()
	path := write(t, filepath.Join(dir, "x.safetensors"), floats(t, "old", 1))
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	late := errors.New("the device is gone")
	for _, c := range []struct {
		name   string
		tensor Tensor
		want   []string
	}{
		{"twice", floats(t, "x", 1), []string{"tensor x is given twice"}},
		{"bytes", Tensor{Name: "y", DType: F32, Shape: []int{2}, Data: make([]byte, 4)}, []string{"tensor y has 4 bytes, want 8 for F32 [2]"}},
		{"no bytes", Tensor{Name: "y", DType: F32, Shape: []int{2}}, []string{"tensor y has 0 bytes, want 8"}},
		{"no type", Tensor{Name: "y", Shape: []int{2}}, []string{"tensor y", "no type"}},
		{"unknown type", Tensor{Name: "y", DType: 99}, []string{"tensor y", "no type"}},
		{"negative", Tensor{Name: "y", DType: F32, Shape: []int{-2}}, []string{"tensor y", "[-2]"}},
		{"overflow", Tensor{Name: "y", DType: F32, Shape: []int{math.MaxInt, 4}}, []string{"tensor y: there is no F32 tensor"}},
		{"rank", Tensor{Name: "y", DType: F32, Shape: slices.Repeat([]int{1}, 65), Data: make([]byte, 4)}, []string{"tensor y"}},
		{"reserved name", floats(t, "__metadata__", 1), []string{"__metadata__"}},
		{"name not UTF-8", floats(t, "\xff", 1), []string{`"\xff"`}},
		{"late error", Tensor{Name: "y", DType: F32, Shape: []int{1}, Fetch: func() ([]byte, error) { return nil, late }}, []string{"tensor y: the device is gone"}},
		{"late bytes", Tensor{Name: "y", DType: F32, Shape: []int{1}, Fetch: func() ([]byte, error) { return make([]byte, 3), nil }}, []string{"tensor y has 3 bytes, want 4"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			says(t, Write(path, []Tensor{floats(t, "x", 1), c.tensor}, nil), append(c.want, path)...)
		})
	}
	says(t, Write(path, nil, map[string]string{"\xff": ""}), "metadata", "UTF-8")
	says(t, Write(dir, nil, nil), dir, "directory")
	says(t, Write(filepath.Join(dir, "none", "x"), nil, nil), "none")
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, after) {
		t.Error("the old file changed")
	}
	if got := files(t, dir); len(got) != 1 {
		t.Errorf("left behind: %v", got)
	}
}

// A file can be rewritten from itself: what is mapped stays until it is closed.
func TestWriteOntoItself(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "x.safetensors"), floats(t, "a", 1000), floats(t, "b", 10))
	f := open(t, path)
	b, _ := f.Tensor("b")
	if err := Write(path, []Tensor{b}, nil); err != nil {
		t.Skipf("a mapped file cannot be replaced here: %v", err)
	}
	if got, err := b.Float32s(); err != nil || got[9] != 10 {
		t.Errorf("the old file: %v, %v", got, err)
	}
	if got := open(t, path).Names(); !slices.Equal(got, []string{"b"}) {
		t.Errorf("the new file has %v", got)
	}
}

// The writer asks for one tensor after the other, each once.
func TestWriteStreams(t *testing.T) {
	var order []string
	lazy := func(name string) Tensor {
		return Tensor{Name: name, DType: F32, Shape: []int{1}, Fetch: func() ([]byte, error) {
			order = append(order, name)
			return make([]byte, 4), nil
		}}
	}
	write(t, filepath.Join(t.TempDir(), "x.safetensors"), lazy("b"), lazy("a"))
	if !slices.Equal(order, []string{"a", "b"}) {
		t.Errorf("fetched %v, want a, b", order)
	}
}
