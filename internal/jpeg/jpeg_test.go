package jpeg

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func names(t testing.TB) (all []string) {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.jpg")
	if err != nil || len(paths) < 13 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, path := range paths {
		all = append(all, filepath.Base(path))
	}
	return all
}

// TestPixels: every bit is PIL's, which has libjpeg-turbo 2.1.5. The files are PIL's, cjpeg's and ImageMagick's.
func TestPixels(t *testing.T) {
	for _, name := range names(t) {
		file := read(t, name)
		img, err := Decode(file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want, err := png.Decode(bytes.NewReader(read(t, "pixels/"+name+".png")))
		if err != nil {
			t.Fatal(err)
		}
		width, height, err := Size(file)
		if err != nil || img.Bounds() != want.Bounds() || image.Rect(0, 0, width, height) != want.Bounds() {
			t.Errorf("%s: %v, and %d × %d in the header (%v), want %v", name, img.Bounds(), width, height, err, want.Bounds())
			continue
		}
		if _, grey := img.(*image.Gray); grey != (name == "grey.jpg") {
			t.Errorf("%s: a %T", name, img)
		}
		wrong := 0
		for y := range height {
			for x := range width {
				if color.NRGBAModel.Convert(img.At(x, y)) != color.NRGBAModel.Convert(want.At(x, y)) {
					wrong++
				}
			}
		}
		if wrong > 0 {
			t.Errorf("%s: %d pixels of %d are wrong", name, wrong, width*height)
		}
	}
}

// TestTruncated: a file that lacks more than its end marker is refused, wherever it is cut.
func TestTruncated(t *testing.T) {
	for _, name := range names(t) {
		whole := read(t, name)
		for n := range len(whole) - 2 {
			if _, err := Decode(whole[:n]); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s, %d bytes of %d: %v", name, n, len(whole), err)
				break
			}
		}
	}
	whole := read(t, "420.jpg")
	if _, err := Decode(whole[:len(whole)-2]); err != nil {
		t.Errorf("without the end marker: %v", err)
	}
	if _, err := Decode(append(whole, "what cameras append"...)); err != nil {
		t.Errorf("with more after the end: %v", err)
	}
}

// segmentOf is a marker with what belongs to it.
func segmentOf(marker uint8, body ...uint8) string {
	n := len(body) + 2
	return string([]byte{0xff, marker, uint8(n >> 8), uint8(n)}) + string(body)
}

func TestRefuses(t *testing.T) {
	start := "\xff\xd8"
	frame := segmentOf(sof0, 8, 0, 8, 0, 8, 1, 1, 0x11, 0)
	tables := segmentOf(dqt, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...) +
		segmentOf(dht, append([]byte{0x00, 1}, make([]byte, 16)...)...) + segmentOf(dht, append([]byte{0x10, 1}, make([]byte, 16)...)...)
	begin := segmentOf(sos, 1, 1, 0, 0, 63, 0)
	for _, c := range []struct{ name, file, want string }{
		{"12 bits", start + segmentOf(sof0, 12, 0, 8, 0, 8, 1, 1, 0x11, 0), "12 bits for a sample, want 8"},
		{"arithmetic", start + segmentOf(0xc9, 8, 0, 8, 0, 8, 1, 1, 0x11, 0), "arithmetic coding"},
		{"two components", start + segmentOf(sof0, 8, 0, 8, 0, 8, 2, 1, 0x11, 0, 2, 0x11, 0), "2 components, want 1, 3 or 4"},
		{"no height", start + segmentOf(sof0, 8, 0, 0, 0, 8, 1, 1, 0x11, 0), "8 × 0 pixels"},
		{"fraction", start + segmentOf(sof0, 8, 0, 8, 0, 8, 3, 1, 0x31, 0, 2, 0x21, 0, 3, 0x11, 0), "do not divide"},
		{"factor", start + segmentOf(sof0, 8, 0, 8, 0, 8, 1, 1, 0x51, 0), "sampling factors 5 × 1"},
		{"same id", start + segmentOf(sof0, 8, 0, 8, 0, 8, 3, 1, 0x11, 0, 1, 0x11, 0, 3, 0x11, 0), "two components 1"},
		{"two frames", start + frame + frame, "two frame headers"},
		{"scan first", start + begin, "a scan before the frame header"},
		{"no tables", start + frame + begin, "no Huffman table"},
		{"no such component", start + frame + tables + segmentOf(sos, 1, 7, 0, 0, 63, 0), "component 7, which is not"},
		{"two scans", start + frame + tables + begin + "\x00" + begin + "\x00", "two scans of component 1"},
		{"codes", start + segmentOf(dht, append([]byte{0, 3}, make([]byte, 18)...)...), "more codes of 1 bits than there are"},
		{"short segment", start + "\xff\xe0\x00\x01", "a segment of 1 bytes"},
		{"no pixels", start + frame + "\xff\xd9", "the end comes before the pixels"},
		{"no code", start + frame + tables + begin + "\xff\x00\xff\x00\xff\x00", "not in the table"},
		{"early marker", start + frame + tables + begin + "\xff\xd9", "ends too early, at marker 0xd9"},
		{"restart", start + frame + tables + segmentOf(dri, 0, 1, 2), "restart interval of 3 bytes"},
	} {
		if _, err := Decode([]byte(c.file)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want it to say %q", c.name, err, c.want)
		}
	}
}

// TestScans: a progressive file of scans without end takes no longer than its first ones.
func TestScans(t *testing.T) {
	var file bytes.Buffer
	file.WriteString("\xff\xd8" + segmentOf(sof2, 8, 0, 8, 0, 8, 1, 1, 0x11, 0))
	file.WriteString(segmentOf(dqt, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...))
	file.WriteString(segmentOf(dht, append([]byte{0x00, 1}, make([]byte, 16)...)...))
	for range maxScans {
		file.WriteString(segmentOf(sos, 1, 1, 0, 0, 0, 0) + "\x00")
	}
	if _, err := Decode(append(bytes.Clone(file.Bytes()), 0xff, eoi)); err != nil {
		t.Error(err)
	}
	file.WriteString(segmentOf(sos, 1, 1, 0, 0, 0, 0) + "\x00")
	if _, err := Decode(file.Bytes()); err == nil || !strings.Contains(err.Error(), "more than 100 scans") {
		t.Error(err)
	}
}

func TestEXIF(t *testing.T) {
	whole := string(read(t, "420.jpg"))
	with := whole[:2] + segmentOf(app0+1, []byte("http://ns.adobe.com/xap/1.0/\x00")...) + segmentOf(app0+1, []byte("Exif\x00\x00II*\x00")...) + whole[2:]
	if got := EXIF([]byte(with)); string(got) != "II*\x00" {
		t.Errorf("%q", got)
	}
	for _, file := range []string{"", "\xff", whole, whole[:20], "\xff\xd8\xff\xe1\x00\x08Exif\x00\x00", "\xff\xd8\xff\xe1\x01\x00Exif\x00\x00"} {
		if got := EXIF([]byte(file)); got != nil {
			t.Errorf("%q: %q", file, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, name := range names(f) {
		f.Add(read(f, name))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		EXIF(file)
		width, height, err := Size(file)
		if err == nil && width > 1<<18/height {
			t.Skip("large pictures are slow to fuzz, and no different")
		}
		img, err := Decode(file)
		if (img == nil) != (err != nil) {
			t.Fatalf("%v, %v", img, err)
		}
		if err == nil && img.Bounds() != image.Rect(0, 0, width, height) {
			t.Errorf("%v, want %d × %d", img.Bounds(), width, height)
		}
	})
}

// BenchmarkDecode decodes a small photograph with chroma at half the resolution.
func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"420.jpg", "420-progressive.jpg"} {
		file := read(b, name)
		b.Run(name, func(b *testing.B) {
			width, height, _ := Size(file)
			b.SetBytes(int64(3 * width * height))
			for b.Loop() {
				if _, err := Decode(file); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
