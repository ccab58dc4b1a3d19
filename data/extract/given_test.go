package extract

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"testing"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/vision"
)

// Pictures that the caller has found are looked at in their order; what is wrong with one is its fault.
func TestPick(t *testing.T) {
	dir := tree(t, "a.png", "b.png")
	all := []Given{
		{ID: "z", Path: "memory", Open: func() (io.ReadCloser, int64, error) {
			return io.NopCloser(bytes.NewReader(drawing(1))), int64(len(drawing(1))), nil
		}},
		{ID: "a", Path: filepath.Join(dir, "a.png")},
		{ID: "a", Path: filepath.Join(dir, "b.png")},
		{ID: "x", Path: "nowhere", Err: errors.New("known already")},
		{ID: "\xff", Path: filepath.Join(dir, "b.png")},
		{ID: "y", Path: filepath.Join(dir, "c.png")},
		{ID: "b", Path: filepath.Join(dir, "b.png")},
	}
	to, err := data.WriteStore(filepath.Join(t.TempDir(), "store"), data.StoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	var faults []string
	o := Options{Fault: func(f Fault) error { faults = append(faults, f.ID); return nil }}
	report, err := Run(t.Context(), Pick(slices.Values(all)), vision.Grid{}, to, o)
	if err != nil || report.Added != 3 || !to.Has("z") || !to.Has("a") || !to.Has("b") || !slices.Equal(faults, []string{"a", "x", "\xff", "y"}) {
		t.Errorf("%+v, faults of %q, %v", report, faults, err)
	}
}

// Each gives ids and paths, as Run would see them.
func TestEach(t *testing.T) {
	dir := tree(t, "a.png", "sub/b.png")
	found, err := Find([]string{dir}, FindOptions{Recursive: true, PathIDs: true})
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	var ids, paths []string
	err = found.Each(func(id, path string, err error) bool {
		ids, paths = append(ids, id), append(paths, path)
		return err == nil
	})
	if err != nil || !slices.Equal(ids, []string{"a", "sub/b"}) || paths[1] != filepath.Join(dir, "sub", "b.png") {
		t.Errorf("%q, %q, %v", ids, paths, err)
	}
	for path, want := range map[string][2]string{"x/y.png": {"y", "x/y"}, "/../a.b.jpg": {"a.b", "a.b"}} {
		name, err1 := PictureID(path, false)
		whole, err2 := PictureID(path, true)
		if name != want[0] || whole != want[1] || err1 != nil || err2 != nil {
			t.Errorf("%s: %q, %q", path, name, whole)
		}
	}
	if IsPicture("") || IsPicture(".a.png") || !IsPicture("a.PNG") {
		t.Error("pictures are not told by their names")
	}
}
