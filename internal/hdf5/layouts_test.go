package hdf5

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every index of chunks, every filter, chunks that cut rows: in any range of rows the numbers are right.
func TestLayouts(t *testing.T) {
	for name, paths := range map[string]string{
		"cut_0": "cut_plain cut_gzip", "cut_0_latest": "cut_plain cut_gzip",
		"cut_1": "cut_all", "cut_1_latest": "cut_all",
		"cut_2": "cut_lzf cut_sum", "cut_2_latest": "cut_lzf cut_sum",
		"open": "open open_gzip open_middle", "open_latest": "open open_gzip open_middle",
		"both": "open_both open_both_gzip", "both_latest": "open_both open_both_gzip",
		"chunks": "big one one_gzip", "chunks_latest": "big one one_gzip",
		"many_latest": "fixed", "endless_latest": "open", "tree_latest": "both", "tree": "both",
		"implicit_latest": "implicit compact", "edges_latest": "edges", "repacked": "x", "repacked_latest": "x", "user": "x",
	} {
		t.Run(name, func(t *testing.T) {
			root := parse(t, name+".h5")
			for path := range strings.FieldsSeq(paths) {
				counts(t, dataset(t, root, path))
			}
		})
	}
}

// A single element that was written far out in an array of pages.
func TestPages(t *testing.T) {
	d := dataset(t, parse(t, "pages_latest.h5"), "far")
	for i, v := range floats(t, d, 0, d.Rows()) {
		if want := map[bool]float32{true: 5}[i == 77777]; v != want {
			t.Fatalf("number %d is %v, want %v", i, v, want)
		}
	}
}

// Chunks that stick out of the shape may be stored as they are.
func TestWholeEdges(t *testing.T) {
	d := dataset(t, parse(t, "edges_latest.h5"), "edges")
	chunks, err := d.chunks()
	if err != nil || !d.layout.wholeEdges || len(d.filters) != 1 || len(chunks) != 16 {
		t.Fatal(d.layout, len(chunks), err)
	}
}

// What was never written is the fill value.
func TestFill(t *testing.T) {
	for _, name := range []string{"chunks.h5", "chunks_latest.h5"} {
		root := parse(t, name)
		holes := floats(t, dataset(t, root, "holes"), 0, 16)
		for i, v := range holes {
			want := float32(-1.5) // a chunk is two rows: the row beside one that was written is there too
			if row := i / 9; row == 3 || row == 4 {
				want = float32(i) / 4
			}
			if v != want {
				t.Fatalf("%s: number %d is %v, want %v", name, i, v, want)
			}
		}
		for path, want := range map[string]float32{"never": 7, "never_chunked": 0} {
			if got := floats(t, dataset(t, root, path), 2, 4); !slices.Equal(got, slices.Repeat([]float32{want}, 18)) {
				t.Errorf("%s: %s: %v", name, path, got)
			}
		}
	}
}

// Every width of numbers in both byte orders; texts, truth values, shapes without elements and without dimensions.
func TestTypes(t *testing.T) {
	for _, name := range []string{"types.h5", "types_latest.h5"} {
		root := parse(t, name)
		numbers, err := root.Group("n")
		if err != nil || len(numbers.Links()) != 17 {
			t.Fatal(len(numbers.Links()), err)
		}
		for _, link := range numbers.Links() {
			d := dataset(t, numbers, link.Name)
			counts(t, d)
			kind := map[byte]Kind{'f': Float, 'i': Int, 'u': Uint}[link.Name[1]]
			if d.DType.Kind != kind || fmt.Sprint(d.DType.Size) != link.Name[2:] || d.DType.BigEndian != (link.Name[0] == 'b') {
				t.Errorf("%s is %v", link.Name, d.DType)
			}
			if want := (DType{Kind: kind, Size: d.DType.Size, BigEndian: d.DType.BigEndian}); d.DType != want {
				t.Errorf("%s is %#v, want %#v", link.Name, d.DType, want)
			}
			if view, ok := d.View(); ok == d.DType.BigEndian || ok && len(view) != 6*d.DType.Size {
				t.Errorf("%s: a view %t of %d bytes", link.Name, ok, len(view))
			}
			a, _ := d.All()
			whole, err := a.Int64s()
			if kind == Float && (err == nil || !strings.Contains(err.Error(), "element 1 is 0.25")) || kind != Float && !slices.Equal(whole, []int64{0, 1, 2, 3, 4, 5}) {
				t.Errorf("%s: %v, %v", link.Name, whole, err)
			}
			if little := a.LittleEndian(); len(little) != 6*d.DType.Size || kind != Float && (little[d.DType.Size] != 1 || little[2*d.DType.Size-1] != 0 && d.DType.Size > 1) {
				t.Errorf("%s: %v", link.Name, little)
			}
		}
		if got := floats(t, dataset(t, root, "bool"), 0, 3); !slices.Equal(got, []float32{1, 0, 1}) {
			t.Errorf("truth: %v", got)
		}
		if d := dataset(t, root, "scalar"); len(d.Shape) != 0 || d.Rows() != 1 || floats(t, d, 0, 1)[0] != 2.5 {
			t.Errorf("scalar: %v", d.Shape)
		}
		for path, shape := range map[string][]int{"nothing": {0}, "none": {0, 4}} {
			if d := dataset(t, root, path); !slices.Equal(d.Shape, shape) || len(floats(t, d, 0, 0)) != 0 {
				t.Errorf("%s: %v", path, d.Shape)
			}
		}
		for path, want := range map[string][]string{"fixed": {"one", "three"}, "texts": {"eins", "", "drei é"}} {
			a, err := dataset(t, root, path).All()
			if err != nil {
				t.Fatal(err)
			}
			if got, err := a.Strings(); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %q, %v", path, got, err)
			}
		}
	}
}

func TestAttributes(t *testing.T) {
	for _, name := range []string{"types.h5", "types_latest.h5"} {
		g, err := parse(t, name).Group("n")
		if err != nil {
			t.Fatal(err)
		}
		for attribute, want := range map[string]string{"names": "[a bcd] [2]", "texts": "[x yz] [2]", "text": "[hello] []", "bytes": "[abc] []",
			"numbers": "[0 1 2 3 4 5] [2 3]", "none": "[] [0]", "half": "[0.5] []"} {
			a, ok, err := g.Attribute(attribute)
			if err != nil || !ok {
				t.Fatal(attribute, ok, err)
			}
			var values any
			if a.DType.IsNumber() {
				values, err = a.Float32s()
			} else {
				values, err = a.Strings()
			}
			if got := fmt.Sprint(values, " ", a.Dims); err != nil || got != want {
				t.Errorf("%s: %s: got %s, want %s, %v", name, attribute, got, want, err)
			}
		}
	}
	all, err := parse(t, "attributes_latest.h5").Attributes()
	if err != nil || len(all) != 20 {
		t.Fatal(len(all), err)
	}
	for i, a := range all {
		if values, err := a.Int64s(); a.Name != fmt.Sprintf("attribute_%02d", i) || len(values) != i || i > 0 && values[i-1] != int64(i-1) {
			t.Errorf("%s: %v, %v", a.Name, values, err)
		}
	}
}

// Groups of many names, in trees and heaps of several blocks.
func TestGroups(t *testing.T) {
	for name, n := range map[string]int{"groups.h5": 130, "groups_latest.h5": 320} {
		root := parse(t, name)
		links := root.Links()
		if len(links) != n+1 {
			t.Fatalf("%s: %d names, want %d", name, len(links), n+1)
		}
		for i, link := range links[:n] {
			if want := fmt.Sprintf("a_name_%03d", i); link.Name != want {
				t.Fatalf("%s: found %s, want %s", name, link.Name, want)
			}
			if got := floats(t, dataset(t, root, link.Name), 0, 1); got[0] != 7 {
				t.Fatalf("%s: %s is %v", name, link.Name, got)
			}
		}
	}
}

// What is not read is refused by name, when it is asked for and not before.
func TestRefuses(t *testing.T) {
	for _, name := range []string{"types.h5", "types_latest.h5"} {
		root := parse(t, name)
		_, err := dataset(t, root, "compound").All()
		says(t, err, "compound: found compounds, which are not read")
		_, err = root.Open("soft")
		says(t, err, `soft: found a link to "/scalar", which is not followed`)
		_, err = root.Open("external")
		says(t, err, "external: found a link to another file, which is not followed")
		_, err = root.Open("n/none")
		says(t, err, `n: there is no "none" in it`)
		_, err = root.Open("scalar/x")
		says(t, err, `scalar is a dataset, want a group with "x" in it`)
		_, err = root.Dataset("n")
		says(t, err, "n is a group, want a dataset")
		_, err = root.Group("scalar")
		says(t, err, "scalar is a dataset, want a group")
		_, err = dataset(t, root, "none").Read(0, 1)
		says(t, err, "wanted rows 0 to 1 of 0")
		a, _ := dataset(t, root, "scalar").All()
		_, err = a.Strings()
		says(t, err, "found float32, want texts")
		a, _ = dataset(t, root, "texts").All()
		_, err = a.Float32s()
		says(t, err, "found texts, want numbers")
		_, err = a.Int64s()
		says(t, err, "found texts, want whole numbers")
	}
	_, err := Parse([]byte("no such file"))
	says(t, err, "not an HDF5 file")
}

func says(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Walk comes to everything, in order.
func TestWalk(t *testing.T) {
	names, err := filepath.Glob(filepath.Join("testdata", "*.h5"))
	if err != nil || len(names) < 20 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		if err := parse(t, filepath.Base(name)).Walk(func(any) error { return nil }); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var paths []string
	parse(t, "chunks.h5").Walk(func(object any) error {
		switch object := object.(type) {
		case *Group:
			paths = append(paths, object.Path()+"/")
		case *Dataset:
			paths = append(paths, object.Path())
		}
		return nil
	})
	if want := []string{"/", "big", "holes", "never", "never_chunked", "one", "one_gzip"}; !slices.Equal(paths, want) {
		t.Errorf("came to %q, want %q", paths, want)
	}
}
