package data

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/vision"
)

func hdf5File(name string) string { return filepath.Join("testdata", "hdf5", name) }

var hdf5Rows = HDF5Options{IDs: hdf5File("imgid2idx.pkl"), Prefix: "COCO_train2014_"}

func openHDF5(t *testing.T, name string, options HDF5Options) *HDF5 {
	t.Helper()
	h, err := OpenHDF5(hdf5File(name), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// Rows of features, in one piece or in chunks that cut images and regions, as float32 and float16, with ids from a pickle.
func TestHDF5Rows(t *testing.T) {
	for _, name := range []string{"rows.h5", "gzip.h5", "cut.h5", "half.h5"} {
		t.Run(name, func(t *testing.T) {
			h := openHDF5(t, name, hdf5Rows)
			if want := []string{"COCO_train2014_000000000009", "COCO_train2014_000000391895", "COCO_train2014_000000000100", "COCO_train2014_000000000101"}; !slices.Equal(h.IDs(), want) || h.Len() != 4 {
				t.Errorf("ids %v, want %v", h.IDs(), want)
			}
			i := 0
			for record, err := range h.All() {
				r := record.Regions
				if err != nil || r.Len() != 3 || r.FeatureWidth != 8 || !slices.Equal(r.Box(2), []float32{0.25, 0.25, 0.75, 0.75}) {
					t.Errorf("%s: %+v, %v", record.ID, r, err)
				}
				for k, v := range r.Features {
					if want := float32(24*i+k) / 4; v != want {
						t.Fatalf("%s: number %d is %v, want %v", record.ID, k, v, want)
					}
				}
				i++
			}
		})
	}
}

func TestHDF5Adaptive(t *testing.T) {
	h := openHDF5(t, "adaptive.h5", hdf5Rows)
	at := 0
	for i, want := range []int{2, 1, 5, 4} {
		r, err := h.Get(h.IDs()[i])
		if err != nil || r.Len() != want || r.Features[0] != float32(8*at)/4 {
			t.Errorf("%d: %+v, %v", i, r, err)
		}
		at += want
	}
}

// A group for each image, with boxes in pixels, size and labels, in the oldest and in the latest format.
func TestHDF5Groups(t *testing.T) {
	for name, images := range map[string]int{"groups.h5": 4, "latest.h5": 12} {
		t.Run(name, func(t *testing.T) { testHDF5Groups(t, name, images) })
	}
}

func testHDF5Groups(t *testing.T, name string, images int) {
	h := openHDF5(t, name, HDF5Options{})
	r, err := h.Get("COCO_train2014_000000000002")
	if err != nil || h.Len() != images {
		t.Fatal(h.Len(), err)
	}
	if r.Size != (vision.Size{Width: 64, Height: 48}) || !slices.Equal(r.Box(1), []float32{0.25, 0.25, 1, 1}) || r.Features[0] != 12 ||
		!slices.Equal(r.Objects, []vision.Label{{ID: 2, Confidence: 0.5}, {ID: 3, Confidence: 0.5}, {ID: 4, Confidence: 0.5}}) || r.Attributes[2] != (vision.Label{ID: 2, Confidence: 0.25}) {
		t.Errorf("%+v", r)
	}
	_, err = h.Get("COCO_train2014_000000000019")
	says(t, err, fmt.Sprintf("not found among %d", images))
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Get("COCO_train2014_000000000002"); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// What is not there, or not read, is said.
func TestHDF5Refuses(t *testing.T) {
	for _, c := range []struct {
		name string
		HDF5Options
		want string
	}{
		{"rows.h5", HDF5Options{}, "want the file of {id: row}"},
		{"rows.h5", HDF5Options{IDs: "none.pkl"}, "none.pkl"},
		{"rows.h5", HDF5Options{IDs: hdf5File("rows.h5")}, "want a pickle of {id: row}"},
		{"rows.h5", HDF5Options{IDs: jsonFile(t, `{"1": 0, "2": 1, "3": 2}`)}, "found 3 ids, want 4"},
		{"rows.h5", HDF5Options{IDs: jsonFile(t, `{"1": 0, "2": 1, "3": 4}`)}, "id 3 has row 4, want 0 to 3"},
		{"rows.h5", HDF5Options{IDs: jsonFile(t, `{"1": 0, "2": 0}`)}, "ids 1 and 2 both have row 0"},
		{"rows.h5", HDF5Options{IDs: jsonFile(t, `5`)}, "want an object of {id: row}, or a list"},
		{"make.py", HDF5Options{}, "not an HDF5 file"},
	} {
		_, err := OpenHDF5(hdf5File(c.name), c.HDF5Options)
		says(t, err, c.want)
	}
	h := openHDF5(t, "rows.h5", HDF5Options{IDs: jsonFile(t, `["a", 2, "c", "d"]`)})
	if !slices.Equal(h.IDs(), []string{"a", "2", "c", "d"}) {
		t.Errorf("ids %v", h.IDs())
	}
}

func jsonFile(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ids.json")
	write(t, path, []byte(content))
	return path
}

// A damaged file is an error, not a crash; features that are read have passed all checks.
func FuzzHDF5(f *testing.F) {
	for _, name := range []string{"rows.h5", "gzip.h5", "cut.h5", "half.h5", "groups.h5", "latest.h5", "adaptive.h5"} {
		content, err := os.ReadFile(hdf5File(name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	path := filepath.Join(f.TempDir(), "x.h5")
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) > 1<<16 {
			return
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		h, err := OpenHDF5(path, hdf5Rows)
		if err != nil {
			return
		}
		defer h.Close()
		for record, err := range h.All() {
			if err == nil && record.Regions.Len() == 0 {
				t.Errorf("%s has no regions", strings.ToValidUTF8(record.ID, "?"))
			}
		}
	})
}
