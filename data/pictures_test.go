package data

import (
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/vision"
)

// drawn writes gray pictures of those names into a directory.
func drawn(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		file, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(png.Encode(file, image.NewGray(image.Rect(0, 0, 40, 30))), file.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPictures: ids are names without types; a directory has its pictures by name, and errors name files.
func TestPictures(t *testing.T) {
	dir, single := t.TempDir(), t.TempDir()
	drawn(t, dir, "b.png", "a.x.PNG", "c.jpeg", "d.txt")
	drawn(t, single, "z.dat")
	p, err := FindPictures(vision.Grid{}, filepath.Join(single, "z.dat"), dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.IDs(); !slices.Equal(got, []string{"z", "a.x", "b", "c"}) || p.Len() != 4 {
		t.Errorf("ids %q", got)
	}
	n := 0
	for r, err := range p.All() {
		if err != nil || r.Regions.Len() != 36 || r.Regions.Size != (vision.Size{Width: 40, Height: 30}) {
			t.Errorf("%s: %d regions, %v", r.ID, r.Regions.Len(), err)
		}
		n++
	}
	if n != 4 {
		t.Errorf("%d pictures, want 4", n)
	}
	if _, err := p.Get("bb"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown id: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "b.png")); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Get("b"); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "b.png") {
		t.Errorf("a file that has gone: %v", err)
	}
	drawn(t, single, "c.png")
	if _, err := FindPictures(vision.Grid{}, dir, single); err == nil || !strings.Contains(err.Error(), "c.png: its id would be c, as that of") {
		t.Errorf("an id twice: %v", err)
	}
	if _, err := FindPictures(vision.Grid{}); err == nil {
		t.Error("no paths were taken")
	}
}
