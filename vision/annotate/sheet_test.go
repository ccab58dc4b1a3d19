package annotate

import (
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/vision"
)

// TestSheet: pictures of different sizes keep their pixels, and captions stay within the sheet.
func TestSheet(t *testing.T) {
	var pictures []Captioned
	for i := range 5 {
		pictures = append(pictures, Captioned{plain(100+i, 50+10*i, palette[i]), strings.Repeat("long name ", 10)})
	}
	sheet, err := Sheet(pictures)
	if err != nil {
		t.Fatal(err)
	}
	if want := image.Pt(4*sheetGap+3*104, 3*sheetGap+2*2*captionEm+70+90); sheet.Rect.Max != want {
		t.Errorf("the sheet has %v, want %v", sheet.Rect.Max, want)
	}
	for i := range pictures {
		n := 0
		for p := 0; p < len(sheet.Pix); p += 4 {
			if c := palette[i]; sheet.Pix[p] == c.R && sheet.Pix[p+1] == c.G && sheet.Pix[p+2] == c.B {
				n++
			}
		}
		if want := (100 + i) * (50 + 10*i); n != want {
			t.Errorf("picture %d has %d pixels, want %d", i, n, want)
		}
	}
	if _, err := Sheet(nil); err == nil {
		t.Error("a sheet of nothing")
	}
	if _, err := Sheet([]Captioned{{image.NewUniform(color.White), ""}}); err == nil || !strings.Contains(err.Error(), "take fewer") {
		t.Errorf("too large: %v", err)
	}
}

func TestGround(t *testing.T) {
	for size, want := range map[vision.Size]image.Point{
		{}:                             image.Pt(640, 480),
		{Width: 30, Height: 20}:        image.Pt(30, 20),
		{Width: 1 << 40, Height: 3}:    image.Pt(2048, 1),
		{Width: 4096, Height: 8192}:    image.Pt(1024, 2048),
		{Width: -1, Height: 8192}:      image.Pt(640, 480),
		{Width: 1, Height: 1<<63 - 1}:  image.Pt(1, 2048),
		{Width: 1000, Height: 1 << 11}: image.Pt(1000, 2048),
	} {
		if got := Ground(size).Bounds().Max; got != want {
			t.Errorf("%v: got %v, want %v", size, got, want)
		}
	}
}

// TestSave: what is saved is read again, and nothing is written under another name.
func TestSave(t *testing.T) {
	img := plain(20, 10, color.White)
	for _, name := range []string{"a.png", "b.jpg", "c.JPEG"} {
		path := filepath.Join(t.TempDir(), name)
		if err := Save(path, img); err != nil {
			t.Fatal(err)
		}
		if got, err := vision.DecodeFile(path); err != nil || got.Bounds() != img.Rect {
			t.Errorf("%s: %v", name, err)
		}
		start, err := os.ReadFile(path)
		if err != nil || strings.HasPrefix(string(start), "\x89PNG") != (name == "a.png") {
			t.Errorf("%s begins with %q, %v", name, start[:4], err)
		}
	}
	path := filepath.Join(t.TempDir(), "a.gif")
	if err := Save(path, img); err == nil || !strings.Contains(err.Error(), "ends in .png, .jpg, .jpeg") {
		t.Errorf("a GIF: %v", err)
	}
}
