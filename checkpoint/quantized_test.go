package checkpoint

import (
	"math"
	"path/filepath"
	"slices"
	"testing"
)

// quantised is a matrix in I8, of a row of zeros and two others.
func quantised(t *testing.T, name string) Tensor {
	t.Helper()
	made, err := FromFloat32sAs(I8, name, []int{3, 4}, []float32{0, 0, 0, 0, 1, -127, 63.5, 2, 0.5, 0.25, -0.5, 0})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// A quantised tensor is written as two, and read as one: what it stands for.
func TestQuantised(t *testing.T) {
	want := []float32{0, 0, 0, 0, 1, -127, 64, 2, 0.5, 64 * (0.5 / 127.0), -0.5, 0}
	for _, limit := range []int64{0, 20} { // in one file, in a shard each
		dir := t.TempDir()
		if err := WriteSharded(dir, []Tensor{quantised(t, "a.weight"), floats(t, "b", 2)}, nil, limit); err != nil {
			t.Fatal(err)
		}
		f := open(t, dir)
		if names := f.Names(); !slices.Equal(names, []string{"a.weight", "b"}) {
			t.Fatalf("names are %v", names)
		}
		stored, _ := f.Tensor("a.weight")
		if stored.DType != I8 || stored.Scales == nil || !slices.Equal(stored.Scales.Shape, []int{3, 1}) || !stored.IsFloat() {
			t.Fatalf("found %+v", stored)
		}
		values, err := stored.Float32s()
		if err != nil || !slices.Equal(values, want) {
			t.Errorf("got %v, %v, want %v", values, err, want)
		}
		copied, err := stored.Clone()
		if err != nil {
			t.Fatal(err)
		}
		again := filepath.Join(t.TempDir(), "again.safetensors")
		write(t, again, copied)
		reread, _ := open(t, again).Tensor("a.weight")
		f.Close()
		for _, tensor := range []Tensor{copied, reread} {
			if values, err := tensor.Float32s(); err != nil || !slices.Equal(values, want) {
				t.Errorf("a copy: got %v, %v, want %v", values, err, want)
			}
		}
		if _, err := stored.Float32s(); err == nil {
			t.Error("read after Close")
		}
		r := Match(open(t, again), []Want{{Name: "a.weight", Shape: []int{3, 4}}}, Rules{})
		if err := r.Err(); err != nil {
			t.Error(err)
		}
	}
}

// An element that is not finite is an error with the tensor's name, in writing and in reading.
func TestQuantisedRefuses(t *testing.T) {
	made, err := FromFloat32sAs(I8, "a.weight", []int{1, 2}, []float32{1, float32(math.NaN())})
	if err != nil {
		t.Fatal(err)
	}
	says(t, Write(filepath.Join(t.TempDir(), "x.safetensors"), []Tensor{made}, nil), "tensor a.weight", "row 0, column 1 is NaN")
	_, err = made.Float32s()
	says(t, err, "tensor a.weight", "row 0, column 1 is NaN")
}

// Scales that cannot be right are refused when the file is opened; whole numbers without scales when they are wanted as a weight.
func TestScalesRefused(t *testing.T) {
	whole := Tensor{Name: "a.weight", DType: I8, Shape: []int{2, 3}, Data: make([]byte, 6)}
	for _, c := range []struct {
		scales []float32
		shape  []int
		says   string
	}{
		{[]float32{1, -1}, []int{2}, "the scale of row 1 is -1"},
		{[]float32{float32(math.NaN()), 1}, []int{2, 1}, "the scale of row 0 is NaN"},
		{[]float32{1, float32(math.Inf(1))}, []int{2, 1}, "the scale of row 1 is +Inf"},
		{[]float32{1, 2, 3}, []int{3}, "want [2] or [2, 1]"},
		{[]float32{1, 2}, []int{1, 2}, "want [2] or [2, 1]"},
	} {
		scales, err := FromFloat32s("a.weight_scale", c.shape, c.scales)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "x.safetensors")
		write(t, path, whole, scales)
		_, err = Open(path)
		says(t, err, path, "a.weight_scale", c.says)
	}
	path := filepath.Join(t.TempDir(), "x.safetensors")
	write(t, path, whole, Tensor{Name: "a.weight_scale", DType: I8, Shape: []int{2}, Data: []byte{1, 1}})
	_, err := Open(path)
	says(t, err, "a.weight_scale", "I8")
	write(t, path, whole)
	says(t, Match(open(t, path), []Want{{Name: "a.weight", Shape: []int{2, 3}}}, Rules{}).Err(), "a.weight is I8", "a.weight_scale")
	wrong := whole
	wrong.Scales = &Tensor{DType: F32, Shape: []int{1}, Data: make([]byte, 4)}
	_, err = wrong.Float32s()
	says(t, err, "tensor a.weight", "one for each row")
}
