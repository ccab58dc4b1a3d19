package vision

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"slices"
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

// TestRGB: of all types of pictures the colours as stored, without transparency, the upper bits.
func TestRGB(t *testing.T) {
	rect := image.Rect(3, 5, 5, 6) // two pixels, away from (0, 0)
	fill := func(img draw.Image, c color.Color) image.Image {
		img.Set(3, 5, c)
		img.Set(4, 5, color.White)
		return img
	}
	palette := image.NewPaletted(rect, color.Palette{color.White, color.NRGBA{10, 20, 30, 0}})
	palette.Pix[0] = 1
	for name, c := range map[string]struct {
		img  image.Image
		want [3]uint8
	}{
		"Gray":        {fill(image.NewGray(rect), color.Gray{7}), [3]uint8{7, 7, 7}},
		"Gray16":      {fill(image.NewGray16(rect), color.Gray16{0x07ff}), [3]uint8{7, 7, 7}},
		"NRGBA":       {fill(image.NewNRGBA(rect), color.NRGBA{1, 2, 3, 9}), [3]uint8{1, 2, 3}},
		"transparent": {fill(image.NewNRGBA(rect), color.NRGBA{1, 2, 3, 0}), [3]uint8{1, 2, 3}},
		"NRGBA64":     {fill(image.NewNRGBA64(rect), color.NRGBA64{0x1ff, 0x2ff, 0x3ff, 0}), [3]uint8{1, 2, 3}},
		"RGBA":        {fill(image.NewRGBA(rect), color.RGBA{10, 20, 30, 51}), [3]uint8{50, 100, 150}},
		"RGBA64":      {fill(image.NewRGBA64(rect), color.RGBA64{0x1ff, 0x2ff, 0x3ff, 0xffff}), [3]uint8{1, 2, 3}},
		"Paletted":    {palette, [3]uint8{10, 20, 30}},
		"CMYK":        {fill(image.NewCMYK(rect), color.CMYK{0, 0, 255, 0}), [3]uint8{255, 255, 0}},
		"part":        {fill(image.NewNRGBA(image.Rect(0, 0, 9, 9)), color.NRGBA{1, 2, 3, 9}).(*image.NRGBA).SubImage(rect), [3]uint8{1, 2, 3}},
	} {
		got, err := RGB(c.img)
		if want := append(c.want[:], 255, 255, 255); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, want)
		}
		if name == "CMYK" {
			continue
		}
		got, err = RGB(straight(c.img))
		if want := append(c.want[:], 255, 255, 255); name != "part" && (err != nil || !slices.Equal(got, want)) {
			t.Errorf("%s made straight: got %v, %v, want %v", name, got, err, want)
		}
	}
	for _, img := range []image.Image{nil, image.NewGray(image.Rectangle{}), image.NewUniform(color.White)} {
		if _, err := RGB(img); err == nil {
			t.Errorf("%T: no error", img)
		}
	}
}
