package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func streamTensor(t testing.TB, i int) Tensor {
	t.Helper()
	made, err := FromFloat32s(fmt.Sprintf("t%d \"é\"", i), []int{2, 2}, []float32{float32(i), 1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// checkStream opens what a stream has written and finds tensors 0 to n-1 in it.
func checkStream(t *testing.T, path string, n int) {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := len(f.Names()); got != n || f.Metadata()["key"] != "valüe" {
		t.Errorf("%d tensors, metadata %v; want %d", got, f.Metadata(), n)
	}
	for i := range n {
		tensor, _ := f.Tensor(streamTensor(t, i).Name)
		values, err := tensor.Float32s()
		if err != nil || !slices.Equal(values, []float32{float32(i), 1, 2, 3}) {
			t.Errorf("tensor %d: %v, %v", i, values, err)
		}
	}
	if _, err := os.Stat(path + PartialSuffix); err == nil {
		t.Error("the partial file is still there")
	}
}

// A stream fills its header's room, or leaves spaces, or is copied where it left too many.
func TestStream(t *testing.T) {
	for name, c := range map[string]struct{ room, tensors int }{"full": {0, 0}, "spaces": {4000, 20}, "copied": {1 << 20, 3}, "none": {100, 0}} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.safetensors")
			s, err := CreateStream(path, c.room, map[string]string{"key": "valüe"})
			if err != nil {
				t.Fatal(err)
			}
			for i := range c.tensors {
				if err := s.Add(streamTensor(t, i)); err != nil {
					t.Fatal(err)
				}
			}
			if c.room == 0 {
				if err := s.Add(streamTensor(t, 0)); !errors.Is(err, ErrHeaderFull) {
					t.Errorf("got %v, want ErrHeaderFull", err)
				}
			}
			if err := s.Commit(); err != nil {
				t.Fatal(err)
			}
			s.Discard()
			checkStream(t, path, c.tensors)
			if info, err := os.Stat(path); err != nil || info.Size() > 8192 {
				t.Errorf("%v bytes, %v: the room was not given back", info.Size(), err)
			}
		})
	}
}

// A program that was killed goes on where its own list ends; what came later is cut off.
func TestStreamResume(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	metadata := map[string]string{"key": "valüe"}
	s, err := CreateStream(path, 3000, metadata)
	if err != nil {
		t.Fatal(err)
	}
	var parts []Part
	for i := range 5 {
		tensor := streamTensor(t, i)
		parts = append(parts, Part{Name: tensor.Name, DType: tensor.DType, Shape: tensor.Shape, Begin: int(s.Size())})
		if err := s.Add(tensor); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Suspend(); err != nil {
		t.Fatal(err)
	}
	if _, err := ResumeStream(path, metadata, append(slices.Clone(parts), parts[0])); err == nil || !strings.Contains(err.Error(), "begins at byte 0, want 80") {
		t.Errorf("parts that do not follow each other: %v", err)
	}
	more := append(slices.Clone(parts), Part{Name: "more", DType: U8, Shape: []int{1}, Begin: 80})
	if _, err := ResumeStream(path, metadata, more); err == nil || !strings.Contains(err.Error(), "want at least") {
		t.Errorf("parts that are not there: %v", err)
	}
	s, err = ResumeStream(path, metadata, parts[:3])
	if err != nil {
		t.Fatal(err)
	}
	for i := 3; i < 7; i++ {
		if err := s.Add(streamTensor(t, i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	checkStream(t, path, 7)
}

func TestRaw(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := Write(path, []Tensor{streamTensor(t, 0), streamTensor(t, 1)}, nil); err != nil {
		t.Fatal(err)
	}
	r, err := OpenRaw(path)
	if err != nil {
		t.Fatal(err)
	}
	parts, _, err := r.Parts()
	if err != nil || len(parts) != 2 || parts[1].Begin != 16 || parts[1].ByteLen() != 16 || r.Len() != 32 {
		t.Errorf("parts %v, %v, %d bytes", parts, err, r.Len())
	}
	for _, place := range [][2]int{{-1, 4}, {0, 33}, {33, 0}, {32, 1}, {0, -1}, {1 << 62, 1 << 62}} {
		if err := r.Use(place[0], place[1], func([]byte) error { t.Error("lent"); return nil }); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%v: %v", place, err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Use(0, 4, func([]byte) error { return nil }); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
