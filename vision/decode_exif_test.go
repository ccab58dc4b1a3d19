package vision

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"slices"
	"strings"
	"testing"
)

// exifOf is a directory with another entry and the orientation, as a TIFF file.
func exifOf(order binary.AppendByteOrder, kind uint16, value uint32) []byte {
	data := []byte("II*\x00")
	if order == binary.BigEndian {
		data = []byte("MM\x00*")
	}
	data = order.AppendUint32(data, 8)
	data = order.AppendUint16(data, 2)
	for _, e := range []struct {
		tag, kind uint16
		value     uint32
	}{{0x010f, 3, 7}, {0x0112, kind, value}} {
		data = order.AppendUint32(order.AppendUint16(order.AppendUint16(data, e.tag), e.kind), 1)
		if e.kind == 3 {
			data = order.AppendUint16(order.AppendUint16(data, uint16(e.value)), 0)
		} else {
			data = order.AppendUint32(data, e.value)
		}
	}
	return order.AppendUint32(data, 0)
}

func TestEXIFOrientation(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for value := range uint32(10) {
			want := orientation(value)
			if value < 1 || value > 8 {
				want = upright
			}
			for _, kind := range []uint16{3, 4} {
				if got := exifOrientation(exifOf(order, kind, value)); got != want {
					t.Errorf("%v, type %d: got %d, want %d", order, kind, got, want)
				}
			}
			if got := exifOrientation(exifOf(order, 2, value)); got != upright {
				t.Errorf("text: %d", got)
			}
		}
		whole := exifOf(order, 3, 6)
		for n := range len(whole) - 4 {
			if got := exifOrientation(whole[:n]); got != upright {
				t.Errorf("%d bytes: %d", n, got)
			}
		}
		order.(binary.ByteOrder).PutUint32(whole[4:], 1<<32-1)
		if got := exifOrientation(whole); got != upright {
			t.Errorf("a directory far away: %d", got)
		}
	}
	if got := exifOrientation([]byte("neither order")); got != upright {
		t.Error(got)
	}
}

// TestOrientations: the numbers' meaning is that of the EXIF standard, where the picture that is meant is
//
//	abc
//	def
func TestOrientations(t *testing.T) {
	stored := map[orientation]string{
		1: "abc def", 2: "cba fed", 3: "fed cba", 4: "def abc",
		5: "ad be cf", 6: "cf be ad", 7: "fc eb da", 8: "da eb fc",
	}
	for o, text := range stored {
		rows := strings.Fields(text)
		gray := image.NewGray(image.Rect(0, 0, len(rows[0]), len(rows)))
		colored := image.NewNRGBA(gray.Rect)
		for y, row := range rows {
			for x, v := range []byte(row) {
				gray.SetGray(x, y, color.Gray{v})
				colored.SetNRGBA(x, y, color.NRGBA{v, 1, 2, 3})
			}
		}
		for _, img := range []image.Image{gray, colored} {
			got := o.apply(img)
			var letters []byte
			for y := range got.Bounds().Dy() {
				for x := range got.Bounds().Dx() {
					r, _, _, _ := color.NRGBAModel.Convert(got.At(x, y)).RGBA()
					if c, ok := got.At(x, y).(color.NRGBA); ok && c != (color.NRGBA{c.R, 1, 2, 3}) || !ok && uint8(r) != got.At(x, y).(color.Gray).Y {
						t.Errorf("orientation %d: %v", o, got.At(x, y))
					}
					switch c := got.At(x, y).(type) {
					case color.NRGBA:
						letters = append(letters, c.R)
					case color.Gray:
						letters = append(letters, c.Y)
					}
				}
			}
			if string(letters) != "abcdef" || got.Bounds() != image.Rect(0, 0, 3, 2) {
				t.Errorf("orientation %d, %T: %s, %v", o, img, letters, got.Bounds())
			}
		}
	}
}

// TestOrientationOfFiles: JPEG, PNG, WebP and TIFF files are turned by default, and left as they are on demand.
func TestOrientationOfFiles(t *testing.T) {
	files := pictures(t)
	jpg := asJPEG(t, sample())
	segment := append([]byte("Exif\x00\x00"), exifOf(binary.BigEndian, 3, 6)...)
	segment = append(binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(segment)+2)), segment...)
	files["orientation.jpg"] = slices.Concat(jpg[:2], segment, jpg[2:])
	for _, name := range []string{"orientation.jpg", "orientation.png", "orientation.webp", "orientation.tiff"} {
		turned, err := Decode(bytes.NewReader(files[name]))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		stored, err := DecodeWith(bytes.NewReader(files[name]), DecodeOptions{KeepOrientation: true})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		size := stored.Bounds().Size()
		if size.X <= size.Y || turned.Bounds().Size() != image.Pt(size.Y, size.X) {
			t.Errorf("%s: stored as %v, turned to %v", name, size, turned.Bounds())
		}
	}
}

func FuzzEXIF(f *testing.F) {
	f.Add(exifOf(binary.LittleEndian, 3, 6))
	f.Add(exifOf(binary.BigEndian, 4, 8))
	f.Fuzz(func(t *testing.T, data []byte) {
		if o := exifOrientation(data); o < 1 || o > 8 {
			t.Error(o)
		}
		webpOrientation(data)
		if len(data) >= 8 {
			pngOrientation(data)
		}
	})
}
