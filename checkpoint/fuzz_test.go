package checkpoint

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// No bytes make the reader panic, and what it accepts it can write: the header it writes
// reads as the same.
func FuzzFile(f *testing.F) {
	for _, c := range refused {
		if len(c.content) < 10_000 {
			f.Add(c.content)
		}
	}
	f.Add(content(tensors(`"__metadata__":{"format":"pt"}`, f32("a", "2,3", 0, 24), f32("b", "", 24, 28)), 28))
	f.Add(content(tensors(`"a":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]}`, `"b":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[3,6]}`), 6))
	f.Fuzz(func(t *testing.T, content []byte) {
		head, data, err := splitHeader(content)
		if err != nil {
			return
		}
		h, err := parseHeader(head, len(data))
		if err != nil {
			return
		}
		for _, e := range h.tensors {
			tensor := Tensor{Name: e.name, DType: e.dtype, Shape: e.shape, Data: data[e.begin:e.end]}
			if floats, err := tensor.Float32s(); err == nil && len(floats) != tensor.Len() {
				t.Errorf("tensor %q: %d elements, want %d", e.name, len(floats), tensor.Len())
			}
			if ints, err := tensor.Int64s(); err == nil && len(ints) != tensor.Len() {
				t.Errorf("tensor %q: %d elements, want %d", e.name, len(ints), tensor.Len())
			}
		}
		written, err := h.encode()
		if err != nil {
			t.Fatal(err)
		}
		head, _, err = splitHeader(written)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseHeader(head, len(data))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(h, again) {
			t.Errorf("read %+v, wrote and read %+v", h, again)
		}
	})
}

// A file on the disk: whatever is in it, Open and Load agree about it, and what they
// accept can be written and read.
func FuzzOpen(f *testing.F) {
	f.Add(content(tensors(f32("a", "2,3", 0, 24), f32("b", "", 24, 28)), 28))
	f.Add(content("{}", 0))
	f.Add([]byte{})
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(dir, "in.safetensors")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		loaded, loadErr := Load(path)
		opened, err := Open(path)
		if (err == nil) != (loadErr == nil) {
			t.Fatalf("Open says %v, Load says %v", err, loadErr)
		}
		if err != nil {
			return
		}
		defer opened.Close()
		defer loaded.Close()
		out := filepath.Join(dir, "out.safetensors")
		if err := Write(out, all(t, opened), opened.Metadata()); err != nil {
			t.Fatal(err)
		}
		again := open(t, out)
		for _, tensor := range all(t, loaded) {
			if got, ok := again.Tensor(tensor.Name); !ok || !bytes.Equal(got.Data, tensor.Data) {
				t.Errorf("tensor %q came back otherwise", tensor.Name)
			}
		}
	})
}

// No index makes the parser panic, and every name it lets through stays in its directory.
func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"metadata":{"total_size":8},"weight_map":{"a":"model-00001-of-00002.safetensors"}}`))
	f.Add([]byte(`{"weight_map":{"a":"../../etc/passwd"}}`))
	f.Add([]byte(`{"weight_map":{"a":"sub/x.safetensors","a":"y.safetensors"},"x":[{"y":[]}]}`))
	f.Add([]byte(`{"weight_map":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		weightMap, err := parseIndex(text)
		if err != nil {
			return
		}
		for name, file := range weightMap {
			if !filepath.IsLocal(filepath.FromSlash(file)) {
				t.Errorf("tensor %q: %q leads out of the directory", name, file)
			}
		}
		var tensors []Tensor
		for name := range weightMap {
			tensors = append(tensors, Tensor{Name: name, DType: F32})
		}
		again, err := parseIndex(encodeIndex(tensors, weightMap))
		if err != nil || !reflect.DeepEqual(again, weightMap) {
			t.Errorf("read %v, wrote and read %v, %v", weightMap, again, err)
		}
	})
}
