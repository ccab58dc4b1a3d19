package checkpoint

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// goldenDir is where the reference files are.
func goldenDir(t *testing.T) string {
	t.Helper()
	return filepath.Join("..", "testdata", "lxmert")
}

// What Hugging Face wrote is read, and written back byte for byte.
func TestGoldenRoundTrip(t *testing.T) {
	golden := goldenDir(t)
	for _, name := range []string{"tiny", "odd", "tiny/variants/bf16", "tiny/variants/f16"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(golden, filepath.FromSlash(name), SingleName)
			f := open(t, path)
			if got := f.Metadata()["format"]; got != "pt" {
				t.Errorf("metadata format %q, want pt", got)
			}
			out := filepath.Join(t.TempDir(), "copy.safetensors")
			if err := Write(out, all(t, f), f.Metadata()); err != nil {
				t.Fatal(err)
			}
			same(t, out, path)
		})
	}
}

// The shards hold what the single file holds, and come out as they went in.
func TestGoldenSharded(t *testing.T) {
	golden := goldenDir(t)
	sharded := open(t, filepath.Join(golden, "tiny", "variants", "sharded"))
	single := open(t, filepath.Join(golden, "tiny"))
	if !slices.Equal(sharded.Names(), single.Names()) {
		t.Fatal("the names differ")
	}
	for _, name := range single.Names() {
		a, _ := single.Tensor(name)
		b, _ := sharded.Tensor(name)
		if !slices.Equal(a.Shape, b.Shape) || !bytes.Equal(a.Data, b.Data) {
			t.Errorf("tensor %s differs", name)
		}
	}
	// The order in which transformers filled them: the model's, here read off the index.
	var order []Tensor
	limit := 0 // the bytes of the fullest shard: transformers' own limit was that or a little more
	for _, file := range sharded.Files() {
		size := 0
		for _, tensor := range all(t, sharded) {
			if sharded.FileOf(tensor.Name) == file {
				order = append(order, tensor)
				size += tensor.ByteLen()
			}
		}
		limit = max(limit, size)
	}
	dir := t.TempDir()
	if err := WriteSharded(dir, order, sharded.Metadata(), int64(limit)); err != nil {
		t.Fatal(err)
	}
	for _, path := range append(sharded.Files(), sharded.Path()) {
		same(t, filepath.Join(dir, filepath.Base(path)), path)
	}
}

func open(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func all(t *testing.T, f *File) (out []Tensor) {
	t.Helper()
	for _, name := range f.Names() {
		tensor, ok := f.Tensor(name)
		if !ok {
			t.Fatalf("tensor %s is listed but not there", name)
		}
		out = append(out, tensor)
	}
	return out
}

func same(t *testing.T, got, want string) {
	t.Helper()
	a, err := os.ReadFile(got)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(want)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Errorf("%s differs from the reference (%d bytes, want %d)", filepath.Base(got), len(a), len(b))
	}
}

// Rounding to half precision gives the bits that PyTorch gives.
func TestGoldenRounding(t *testing.T) {
	golden := goldenDir(t)
	single := open(t, filepath.Join(golden, "tiny"))
	for dir, dtype := range map[string]DType{"bf16": BF16, "f16": F16} {
		rounded := open(t, filepath.Join(golden, "tiny", "variants", dir, SingleName))
		if !slices.Equal(rounded.Names(), single.Names()) {
			t.Fatalf("%s: the names differ", dir)
		}
		for _, tensor := range all(t, single) {
			values, err := tensor.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			mine, err := FromFloat32sAs(dtype, tensor.Name, tensor.Shape, values)
			if err != nil {
				t.Fatal(err)
			}
			if mine, err = mine.Clone(); err != nil {
				t.Fatal(err)
			}
			if want, _ := rounded.Tensor(tensor.Name); want.DType != dtype || !bytes.Equal(mine.Data, want.Data) {
				t.Errorf("%s: tensor %s differs", dir, tensor.Name)
			}
		}
	}
}

// The reference's pre-training model fits itself, its base model and a question-answering
// model, with what transformers would warn about named.
func TestGoldenMatch(t *testing.T) {
	f := open(t, filepath.Join(goldenDir(t), "tiny"))
	var whole, base, qa []Want
	for _, tensor := range all(t, f) {
		w := Want{Name: tensor.Name, Shape: tensor.Shape}
		whole = append(whole, w)
		if rest, ok := strings.CutPrefix(w.Name, "lxmert."); ok {
			base = append(base, Want{Name: rest, Shape: w.Shape})
			qa = append(qa, w)
		} else if strings.HasPrefix(w.Name, "answer_head.") {
			qa = append(qa, w)
		}
	}
	if err := Match(f, whole, LXMERT()).Err(); err != nil {
		t.Error(err)
	}
	for name, want := range map[string][]Want{"base": base, "qa": qa} {
		r := Match(f, want, LXMERT())
		if err := r.Err(AllowUnexpected); err != nil || len(r.Unexpected) != len(whole)-len(want) {
			t.Errorf("%s: %d unexpected, want %d; %v", name, len(r.Unexpected), len(whole)-len(want), err)
		}
	}
	if len(base) == len(whole) || len(qa) == len(base) {
		t.Fatal("the reference has no heads")
	}
}

// TestForget: a forgotten tensor is the same when it is looked at again.
func TestForget(t *testing.T) {
	values := make([]float32, 1<<16)
	for i := range values {
		values[i] = float32(i)
	}
	made, err := FromFloat32s("x", []int{len(values)}, values)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), SingleName)
	if err := Write(path, []Tensor{made}, nil); err != nil {
		t.Fatal(err)
	}
	for _, open := range []func(string) (*File, error){Open, Load} {
		file, err := open(path)
		if err != nil {
			t.Fatal(err)
		}
		tensor, _ := file.Tensor("x")
		tensor.Forget()
		if got, err := tensor.Float32s(); err != nil || !slices.Equal(got, values) {
			t.Errorf("after Forget: %v", err)
		}
		file.Close()
		tensor.Forget() // of a closed file: nothing
	}
	made.Forget() // of no file: nothing
}
