package hdf5

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// read is a file of testdata.
func read(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func parse(t testing.TB, name string) *Group {
	t.Helper()
	f, err := Parse(read(t, name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return f.Root()
}

func dataset(t testing.TB, g *Group, path string) *Dataset {
	t.Helper()
	d, err := g.Dataset(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// floats reads rows from to to-1 as numbers.
func floats(t testing.TB, d *Dataset, from, to int) []float32 {
	t.Helper()
	a, err := d.Read(from, to)
	if err != nil {
		t.Fatal(err)
	}
	values, err := a.Float32s()
	if err != nil {
		t.Fatalf("%s: %v", d.Path(), err)
	}
	return values
}

// counts checks that element i, of all, is i/4, or i where the numbers are whole, in every range of rows.
func counts(t *testing.T, d *Dataset) {
	t.Helper()
	n, _ := byteLen(d.Shape, 1)
	want := make([]float32, n)
	for i := range want {
		if want[i] = float32(i); d.DType.Kind == Float {
			want[i] /= 4
		}
	}
	row := n / d.Rows()
	step := max(1, d.Rows()/16)
	for from := 0; from <= d.Rows(); from += step {
		for to := from; to <= d.Rows(); to += step {
			if got := floats(t, d, from, to); !slices.Equal(got, want[from*row:to*row]) {
				t.Fatalf("%s rows %d to %d: got %v, want %v", d.Path(), from, to, got, want[from*row:to*row])
			}
		}
	}
	if got := floats(t, d, 0, d.Rows()); !slices.Equal(got, want) {
		t.Fatalf("%s: got %v, want %v", d.Path(), got, want)
	}
}
