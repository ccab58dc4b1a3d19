package vision

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// sample is a small picture with something in it.
func sample() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, 31, 17))
	for i := range 31 * 17 {
		img.SetRGBA(i%31, i/31, color.RGBA{uint8(8 * (i % 31)), uint8(15 * (i / 31)), 128, 255})
	}
	return img
}

func asPNG(t testing.TB, img image.Image) []byte {
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func asJPEG(t testing.TB, img image.Image) []byte {
	var file bytes.Buffer
	if err := jpeg.Encode(&file, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// pngOf claims a size without having the pixels.
func pngOf(width, height uint32) []byte {
	header := append([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)...)
	header = append(header, 8, 2, 0, 0, 0)
	file := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	file = append(file, header...)
	return binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(header))
}

func TestDecode(t *testing.T) {
	want := sample()
	for name, file := range map[string][]byte{"PNG": asPNG(t, want), "JPEG": asJPEG(t, want)} {
		for _, r := range []io.Reader{bytes.NewReader(file), iotest.OneByteReader(bytes.NewReader(file))} {
			img, err := Decode(r)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if img.Bounds() != want.Rect {
				t.Errorf("%s: %v", name, img.Bounds())
			}
			worst := 0
			for y := range 17 {
				for x := range 31 {
					a, b := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA), want.RGBAAt(x, y)
					worst = max(worst, int(max(a.R, b.R)-min(a.R, b.R)), int(max(a.G, b.G)-min(a.G, b.G)))
				}
			}
			if name == "PNG" && worst > 0 || worst > 30 {
				t.Errorf("%s: a colour is off by %d", name, worst)
			}
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	whole := asPNG(t, sample())
	broken := errors.New("the disc broke")
	for _, c := range []struct {
		name string
		file io.Reader
		want string
	}{
		{"empty", strings.NewReader(""), "the file is empty"},
		{"text", strings.NewReader("hello"), `begins with "hello", want a picture: PNG, JPEG, GIF, WebP, BMP or TIFF`},
		{"sound", strings.NewReader("RIFF1234WAVEfmt "), `begins with "RIFF1234WAVE"`},
		{"HEIC", strings.NewReader("\x00\x00\x00\x18ftypheic"), "a HEIC picture, want PNG, JPEG, GIF, WebP, BMP or TIFF: convert"},
		{"AVIF", strings.NewReader("\x00\x00\x00\x18ftypavif"), "an AVIF picture"},
		{"video", strings.NewReader("\x00\x00\x00\x18ftypisom"), "a video"},
		{"JPEG XL", strings.NewReader("\xff\x0a1234"), "a JPEG XL picture"},
		{"JPEG XL in a box", strings.NewReader("\x00\x00\x00\x0cJXL \r\n\x87\n"), "a JPEG XL picture"},
		{"JPEG 2000", strings.NewReader("\x00\x00\x00\x0cjP  \r\n\x87\n"), "a JPEG 2000 picture"},
		{"PDF", strings.NewReader("%PDF-1.7"), "a PDF"},
		{"SVG", strings.NewReader("<svg xmlns="), "an SVG drawing"},
		{"web page", strings.NewReader("<!DOCTYPE html>"), "a web page"},
		{"GIF without a frame", strings.NewReader("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), "the GIF file is damaged or of a rare kind: gif: no frame"},
		{"cut off", bytes.NewReader(whole[:len(whole)-20]), "the PNG file ends too early"},
		{"header only", bytes.NewReader(whole[:10]), "the PNG file ends too early"},
		{"JPEG cut off", bytes.NewReader(asJPEG(t, sample())[:300]), "the JPEG file ends too early"},
		{"checksum", bytes.NewReader(bytes.Replace(whole, []byte("IDAT"), []byte("IDAX"), 1)), "the PNG file is damaged"},
		{"bomb", bytes.NewReader(pngOf(100_000, 100_000)), "100000 × 100000 pixels, want 1 to 64 million"},
		{"widest bomb", bytes.NewReader(pngOf(1<<31-1, 1)), "2147483647 × 1 pixels"},
		{"no end", io.MultiReader(bytes.NewReader(pngOf(8, 8)), &endless{}), "more than 64 MB"},
		{"broken", io.MultiReader(bytes.NewReader(whole[:40]), iotest.ErrReader(broken)), broken.Error()},
		{"broken at once", iotest.ErrReader(broken), broken.Error()},
	} {
		t.Run(c.name, func(t *testing.T) {
			img, err := Decode(c.file)
			if err == nil || img != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
		})
	}
}

// endless is comments without end, as PNG may have them.
type endless struct{ at int }

func (e *endless) Read(p []byte) (int, error) {
	e.at %= len(comment)
	n := copy(p, comment[e.at:])
	e.at += n
	return n, nil
}

var comment = func() []byte {
	text := append([]byte("tEXt"), make([]byte, 1<<20)...)
	chunk := append([]byte{0, 1 << 4, 0, 0}, text...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(text))
}()

func TestDecodeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "picture.png")
	if err := os.WriteFile(path, asPNG(t, sample()), 0o600); err != nil {
		t.Fatal(err)
	}
	if img, err := DecodeFile(path); err != nil || img.Bounds().Dx() != 31 {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(path, []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := DecodeFile(path); err == nil || !strings.Contains(err.Error(), path+": the file begins with") {
		t.Errorf("no picture: %v", err)
	}
	if _, err := DecodeFile(filepath.Dir(path)); err == nil || !strings.Contains(err.Error(), "no plain file") {
		t.Errorf("a directory: %v", err)
	}
	if _, err := DecodeFile(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestFileTypes(t *testing.T) {
	for _, end := range FileTypes() {
		if !strings.HasPrefix(end, ".") || strings.ToLower(end) != end {
			t.Errorf("%q", end)
		}
	}
	for name := range pictures(t) {
		if !slices.Contains(FileTypes(), filepath.Ext(name)) {
			t.Errorf("%s is read, but not among %q", name, FileTypes())
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(asPNG(f, sample()))
	f.Add(asJPEG(f, sample()))
	f.Add(pngOf(3, 1<<30))
	f.Add([]byte("GIF89a"))
	for _, file := range pictures(f) {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		// Pictures of millions of pixels are slow to fuzz, and no different.
		if size, ok := statedSize(file); ok && size.Width > 1<<18/max(size.Height, 1) {
			t.Skip()
		}
		img, err := Decode(bytes.NewReader(file))
		if (img == nil) == (err == nil) {
			t.Fatalf("%v, %v", img, err)
		}
		if err != nil {
			if strings.Contains(err.Error(), "its decoder stopped") {
				t.Log(err) // not ours
			}
			return
		}
		switch img.(type) {
		case *image.Gray, *image.NRGBA:
		default:
			t.Errorf("a %T", img)
		}
		regions, err := Grid{}.Extract(t.Context(), img)
		if err != nil {
			t.Fatal(err)
		}
		if err := regions.Check(Grid{}.FeatureWidth(), 4); err != nil {
			t.Error(err)
		}
	})
}

// statedSize is what a file's header says.
func statedSize(file []byte) (size Size, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	f := formatOf(file[:min(len(file), startBytes)])
	if f == nil {
		return Size{}, false
	}
	size, err := f.size(file)
	return size, err == nil
}
