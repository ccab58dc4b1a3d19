package vision

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// pictures are the files in testdata, by name.
func pictures(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.*")
	if err != nil || len(paths) < 36 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	all := map[string][]byte{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(path)] = data
	}
	return all
}

// pixelsOf are what PIL made of a file, [height, width, 3].
func pixelsOf(t testing.TB, name string) ([]uint8, Size) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "pixels", name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	size := Size{img.Bounds().Dx(), img.Bounds().Dy()}
	var out []uint8
	for y := range size.Height {
		for x := range size.Width {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			out = append(out, c.R, c.G, c.B)
		}
	}
	return out, size
}

// TestPixels: pictures of all formats have PIL's pixels, bit by bit, and its size; orientations are applied.
func TestPixels(t *testing.T) {
	for name, file := range pictures(t) {
		img, err := Decode(bytes.NewReader(file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := RGB(img)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want, size := pixelsOf(t, name)
		if img.Bounds() != image.Rect(0, 0, size.Width, size.Height) {
			t.Errorf("%s: %v, want %v", name, img.Bounds(), size)
			continue
		}
		wrong, worst := 0, 0
		for i, v := range want {
			if d := max(v, got[i]) - min(v, got[i]); d > 0 {
				wrong, worst = wrong+1, max(worst, int(d))
			}
		}
		if wrong > 0 {
			t.Errorf("%s: %d values of %d are wrong, by up to %d", name, wrong, len(want), worst)
		}
	}
}
