package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestWriteSharded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "dir")
	tensors := []Tensor{floats(t, "a", 4), floats(t, "b", 4), floats(t, "big", 100), floats(t, "c", 1), floats(t, "none", 0)}
	if err := WriteSharded(dir, tensors, map[string]string{"format": "pt"}, 32); err != nil {
		t.Fatal(err)
	}
	want := []string{"model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors", IndexName}
	if got := files(t, dir); !slices.Equal(got, want) {
		t.Fatalf("files %v, want %v", got, want)
	}
	f := open(t, dir)
	for i, names := range []string{"ab", "big", "c"} {
		if names == "big" {
			if got := filepath.Base(f.FileOf("big")); got != want[i] {
				t.Errorf("big is in %s, want %s", got, want[i])
			}
			continue
		}
		for _, name := range strings.Split(names, "") {
			if got := filepath.Base(f.FileOf(name)); got != want[i] {
				t.Errorf("%s is in %s, want %s", name, got, want[i])
			}
		}
	}
	for _, tensor := range tensors {
		got, ok := f.Tensor(tensor.Name)
		if !ok || !slices.Equal(got.Shape, tensor.Shape) || !bytes.Equal(got.Data, tensor.Data) {
			t.Errorf("tensor %s differs", tensor.Name)
		}
	}
	if f.Metadata()["format"] != "pt" {
		t.Errorf("metadata %v", f.Metadata())
	}
	index, err := os.ReadFile(f.Path())
	if err != nil {
		t.Fatal(err)
	}
	if want := `{
  "metadata": {
    "total_size": 436
  },
  "weight_map": {
    "a": "model-00001-of-00003.safetensors",
    "b": "model-00001-of-00003.safetensors",
    "big": "model-00002-of-00003.safetensors",
    "c": "model-00003-of-00003.safetensors",
    "none": "model-00003-of-00003.safetensors"
  }
}
`; string(index) != want {
		t.Errorf("index:\n%s\nwant:\n%s", index, want)
	}
}

// A checkpoint that replaces another leaves nothing of it, whichever way each was cut.
func TestWriteShardedAgain(t *testing.T) {
	dir := t.TempDir()
	touch(t, dir, "config.json")
	for i, limit := range []int64{8, 0, 8, 4, 4, 1 << 20} {
		x := floats(t, fmt.Sprint("x", i), 4)
		if err := WriteSharded(dir, []Tensor{floats(t, "a", 2), x}, nil, limit); err != nil {
			t.Fatal(err)
		}
		f, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := f.Names(), []string{"a", x.Name}; !slices.Equal(got, want) {
			t.Errorf("names %v, want %v", got, want)
		}
		// Two shards and their index or the single file, and what is not ours.
		want := 2
		if limit == 8 || limit == 4 {
			want = 4
		}
		if got := files(t, dir); len(got) != want {
			t.Errorf("limit %d: files %v, want %d", limit, got, want)
		}
		f.Close()
	}
}

// A save that ends early leaves the old checkpoint, whatever of the new one was written.
func TestWriteShardedFails(t *testing.T) {
	dir := t.TempDir()
	old := []Tensor{floats(t, "a", 4), floats(t, "b", 4)}
	if err := WriteSharded(dir, old, nil, 16); err != nil {
		t.Fatal(err)
	}
	before := files(t, dir)
	full := errors.New("no space left on device")
	broken := Tensor{Name: "b", DType: F32, Shape: []int{4}, Fetch: func() ([]byte, error) { return nil, full }}
	for _, limit := range []int64{16, 0} {
		err := WriteSharded(dir, []Tensor{floats(t, "new", 4), broken}, nil, limit)
		if !errors.Is(err, full) {
			t.Fatalf("got %v", err)
		}
		says(t, err, "tensor b", "model")
		if got := files(t, dir); !slices.Equal(got, before) {
			t.Errorf("files %v, want %v", got, before)
		}
		f, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Names(); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("names %v", got)
		}
		f.Close()
	}
	// What a crash leaves: shards of which no index knows. They do no harm and go at the next save.
	write(t, filepath.Join(dir, "model-2-00001-of-00002.safetensors"), floats(t, "new", 4))
	open(t, dir).Close()
	if err := WriteSharded(dir, old, nil, 16); err != nil {
		t.Fatal(err)
	}
	open(t, dir).Close()
	if got := files(t, dir); len(got) != 3 {
		t.Errorf("files %v, want two shards and an index", got)
	}
	err := WriteSharded(dir, []Tensor{floats(t, "a", 4), floats(t, "a", 4)}, nil, 16)
	says(t, err, "tensor a is given twice")
}

func files(t *testing.T, dir string) (out []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// An index that lies is refused, and nothing outside its directory is opened.
func TestIndexRefuses(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "model")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(parent, "outside.safetensors"), floats(t, "a", 1))
	write(t, filepath.Join(dir, "one.safetensors"), floats(t, "a", 1))
	write(t, filepath.Join(dir, "two.safetensors"), floats(t, "b", 1))
	write(t, filepath.Join(dir, "both.safetensors"), floats(t, "a", 1), floats(t, "b", 1))
	if err := os.WriteFile(filepath.Join(dir, "cut.safetensors"), []byte("short"), 0o644); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, IndexName)
	for _, c := range []struct {
		name, index string
		want        []string
	}{
		{"empty", ``, []string{"no JSON"}},
		{"list", `[]`, []string{"found [, want '{'"}},
		{"config", `{"hidden_size": 768}`, []string{"weight_map is missing or empty"}},
		{"no tensors", `{"weight_map":{}}`, []string{"weight_map is missing or empty"}},
		{"map of numbers", `{"weight_map":{"a":1}}`, []string{"weight_map: a: found 1, want a string"}},
		{"map twice", `{"weight_map":{"a":"one.safetensors"},"weight_map":{"a":"two.safetensors"}}`, []string{"weight_map comes twice"}},
		{"tensor twice", `{"weight_map":{"a":"one.safetensors","a":"two.safetensors"}}`, []string{"a is listed twice"}},
		{"rest", `{"weight_map":{"a":"one.safetensors"}} x`, []string{"after the JSON object"}},
		{"parent", `{"weight_map":{"a":"../outside.safetensors"}}`, []string{"tensor a", "../outside.safetensors", "beside the index"}},
		{"passwd", `{"weight_map":{"a":"../../etc/passwd"}}`, []string{"../../etc/passwd"}},
		{"absolute", `{"weight_map":{"a":"/etc/passwd.safetensors"}}`, []string{"/etc/passwd"}},
		{"drive", `{"weight_map":{"a":"C:\\x.safetensors"}}`, []string{`C:\\x.safetensors`}},
		{"winding", `{"weight_map":{"a":"x/../one.safetensors"}}`, []string{"x/../one.safetensors"}},
		{"no name", `{"weight_map":{"a":""}}`, []string{`said to be in ""`}},
		{"itself", `{"weight_map":{"a":"` + IndexName + `"}}`, []string{IndexName, "name of a file of weights"}},
		{"shard missing", `{"weight_map":{"a":"one.safetensors","b":"three.safetensors"}}`, []string{"three.safetensors"}},
		{"shard damaged", `{"weight_map":{"a":"cut.safetensors"}}`, []string{"cut.safetensors", "5 bytes"}},
		{"tensor missing", `{"weight_map":{"a":"one.safetensors","c":"two.safetensors","b":"two.safetensors"}}`, []string{"two.safetensors: tensor c is missing"}},
		{"wrong shard", `{"weight_map":{"a":"two.safetensors","b":"one.safetensors"}}`, []string{"two.safetensors: tensor a is missing, it is in one.safetensors", "one.safetensors: tensor b is missing, it is in two.safetensors"}},
		{"not listed", `{"weight_map":{"a":"both.safetensors"}}`, []string{"both.safetensors: tensor b is not in the index"}},
		{"in two shards", `{"weight_map":{"a":"both.safetensors","b":"two.safetensors"}}`, []string{"two.safetensors: tensor b is in both.safetensors as well"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(c.index), 0o644); err != nil {
				t.Fatal(err)
			}
			f, err := Open(dir)
			if err == nil {
				f.Close()
			}
			says(t, err, append(c.want, path[:len(dir)])...)
		})
	}
	good := `{"metadata":{"total_size":8.0,"deep":[{"a":[]},null]},"weight_map":{"a":"one.safetensors","b":"two.safetensors"}}`
	if err := os.WriteFile(path, []byte(good), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := open(t, path).Names(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("names %v", got)
	}
}
