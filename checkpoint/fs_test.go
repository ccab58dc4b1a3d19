package checkpoint

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
)

// memory reads a directory into a file system of its own, below the directory "sub".
func memory(t *testing.T, dir string) fstest.MapFS {
	t.Helper()
	fsys := fstest.MapFS{}
	for _, name := range files(t, dir) {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		fsys["sub/"+name] = &fstest.MapFile{Data: content}
	}
	return fsys
}

// TestOpenFS: single or sharded, by directory or by name, a checkpoint in memory is the one on disk.
func TestOpenFS(t *testing.T) {
	tensors := []Tensor{floats(t, "a", 4), floats(t, "b", 4), floats(t, "big", 100)}
	for shard, opened := range map[int64][]string{0: {"sub", "sub/model.safetensors"}, 32: {"sub", "sub/model.safetensors.index.json"}} {
		dir := t.TempDir()
		if err := WriteSharded(dir, tensors, nil, shard); err != nil {
			t.Fatal(err)
		}
		fsys := memory(t, dir)
		for _, name := range opened {
			f, err := OpenFS(fsys, name)
			if err != nil {
				t.Errorf("%s, shards of %d: %v", name, shard, err)
				continue
			}
			defer f.Close()
			if !slices.Equal(f.Names(), []string{"a", "b", "big"}) || f.Path() != opened[1] {
				t.Errorf("%s: found %v in %s", name, f.Names(), f.Path())
			}
			for _, want := range tensors {
				if got, _ := f.Tensor(want.Name); !bytes.Equal(got.Data, want.Data) {
					t.Errorf("%s: %s has other bytes", name, want.Name)
				}
			}
		}
	}
}

func TestOpenFSRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := WriteSharded(dir, []Tensor{floats(t, "a", 4), floats(t, "b", 4)}, nil, 16); err != nil {
		t.Fatal(err)
	}
	fsys := memory(t, dir)
	if _, err := OpenFS(fsys, "nothing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing: %v", err)
	}
	_, err := OpenFS(fsys, ".")
	says(t, err, SingleName, "found none of them")
	second := fsys["sub/model-00002-of-00002.safetensors"]
	second.Data = second.Data[:len(second.Data)-1]
	_, err = OpenFS(fsys, "sub")
	says(t, err, "sub/model-00002-of-00002.safetensors")
	delete(fsys, "sub/model-00002-of-00002.safetensors")
	if _, err = OpenFS(fsys, "sub"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a shard is missing: %v", err)
	}
	says(t, err, "sub/model.safetensors.index.json", "sub/model-00002-of-00002.safetensors")
}

func TestParse(t *testing.T) {
	want := floats(t, "a", 4)
	content, err := os.ReadFile(write(t, filepath.Join(t.TempDir(), "x.safetensors"), want))
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse("memory", content)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := f.Tensor("a"); !bytes.Equal(got.Data, want.Data) || f.Path() != "memory" {
		t.Errorf("%s has %v", f.Path(), got.Data)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if a, _ := f.Tensor("a"); a.Data != nil {
		t.Error("a closed checkpoint gives data")
	}
	_, err = Parse("memory", content[:len(content)-1])
	says(t, err, "memory: ")
}

// TestAs: the rounding is BF16Bits' and F16Bits'; what has no finite counterpart is refused, but an infinity is one already.
func TestAs(t *testing.T) {
	values := []float32{0, 1, -2.5, 1.0009766, 65504, float32(math.Inf(-1))}
	wide, err := FromFloat32s("x", []int{6}, values)
	if err != nil {
		t.Fatal(err)
	}
	for dtype, round := range map[DType]func(float32) float32{
		F32:  func(x float32) float32 { return x },
		F64:  func(x float32) float32 { return x },
		F16:  func(x float32) float32 { return FromF16Bits(F16Bits(x)) },
		BF16: func(x float32) float32 { return FromBF16Bits(BF16Bits(x)) },
	} {
		narrow, err := wide.As(dtype)
		if err != nil || narrow.DType != dtype {
			t.Errorf("%s: %v, %v", dtype, narrow.DType, err)
			continue
		}
		back, err := narrow.As(F32)
		if err != nil {
			t.Fatal(err)
		}
		got, err := back.Float32s()
		for i, x := range values {
			if err != nil || got[i] != round(x) {
				t.Fatalf("%s: got %v, %v, want %v rounded", dtype, got, err, values)
			}
		}
	}
	for dtype, value := range map[DType]float32{F16: 65520, BF16: math.MaxFloat32} {
		large, err := FromFloat32sAs(dtype, "large", []int{2}, []float32{0, -value})
		if err != nil {
			t.Fatal(err)
		}
		_, err = large.Float32s()
		says(t, err, "tensor large: element 1 is -", "too large for "+dtype.String())
		says(t, Write(filepath.Join(t.TempDir(), "x"), []Tensor{large}, nil), "tensor large: element 1")
	}
	whole, _ := FromInt64s("x", []int{1}, []int64{1})
	_, err = whole.As(F16)
	says(t, err, "I64 values cannot be stored as F16")
}
