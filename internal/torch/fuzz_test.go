package torch

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// FuzzParse: no file makes the reader panic, and what it reads has as many bytes as its shapes say.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"*.pt", "*.pkl"} {
		paths, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil || len(paths) == 0 {
			f.Fatalf("no seeds: %v", err)
		}
		for _, path := range paths {
			content, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(content)
		}
	}
	data := string(le(arange(4)))
	x := text2("x") + tensor2(storage2("FloatStorage", "7", 4, "N"), 1, []int{1, 3}, []int{9, 1})
	y := text2("y") + tensor2(storage2("FloatStorage", "7", 4, tuple2(text2("8"), number2(1), number2(2))), 0, []int{3, 2}, []int{0, 1})
	f.Add(legacyFile(pickle2(dict2(x, y)), "7", 4, data))
	f.Add(zippedAs(f, 8, "data.pkl", pickle2(dict2(x)), "data/7", data))
	f.Add([]byte(pickle2(dict2(text2("a"), array2("f8", ">", []int{2, 1}, "\x88", bytes2(data)), text2("b"), array2("c8", "<", nil, "\x89", bytes2("12345678"))))))
	f.Fuzz(func(t *testing.T, content []byte) {
		before := bytes.Clone(content)
		file, err := Parse(content)
		if err != nil {
			return
		}
		total := 0
		for _, x := range file.Tensors() {
			size, ok := product(x.Shape, x.array.dtype.width)
			all := x.Bytes()
			if !ok || len(all) != size {
				t.Errorf("tensor %s has %d bytes, want %d", x.Name, len(all), size)
			}
			if view, ok := x.View(); ok && !bytes.Equal(view, all) {
				t.Errorf("tensor %s has two contents", x.Name)
			}
			total += size
		}
		if total > maxShare*(len(content)*(1+growth)+extraBytes)+shareBytes {
			t.Errorf("%d bytes of tensors out of %d", total, len(content))
		}
		if !bytes.Equal(before, content) {
			t.Error("the file was written to")
		}
	})
}
