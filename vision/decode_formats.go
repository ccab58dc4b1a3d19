package vision

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"

	"golang.org/x/image/bmp"

	"github.com/go-lxmert/lxmert/internal/jpeg"
)

// A format is one that can be read.
type format struct {
	name        string
	is          func(start []byte) bool
	size        func(file []byte) (Size, error) // in pixels, from the header: of all that decode takes memory for
	decode      func(file []byte) (image.Image, error)
	orientation func(file []byte) orientation
}

// startBytes are enough to know a format.
const startBytes = 32

var formats = []format{
	{"PNG", begins("\x89PNG\r\n\x1a\n"), configured(png.DecodeConfig), from(png.Decode), pngOrientation},
	{"JPEG", begins("\xff\xd8"), jpegSize, jpeg.Decode, func(file []byte) orientation { return exifOrientation(jpeg.EXIF(file)) }},
	{"GIF", begins("GIF8"), gifSize, decodeGIF, noOrientation},
	{"WebP", func(start []byte) bool { return has(start, 0, "RIFF") && has(start, 8, "WEBP") }, webpSize, decodeWebP, webpOrientation},
	{"BMP", func(start []byte) bool { return has(start, 0, "BM") && has(start, 6, "\x00\x00\x00\x00") },
		configured(bmp.DecodeConfig), from(bmp.Decode), noOrientation},
	{"TIFF", func(start []byte) bool { return has(start, 0, "II*\x00") || has(start, 0, "MM\x00*") }, tiffSize, decodeTIFF, exifOrientation},
}

const wanted = "PNG, JPEG, GIF, WebP, BMP or TIFF"

func formatOf(start []byte) *format {
	for i := range formats {
		if formats[i].is(start) {
			return &formats[i]
		}
	}
	return nil
}

func has(start []byte, at int, magic string) bool {
	return len(start) >= at && bytes.HasPrefix(start[at:], []byte(magic))
}

func begins(magic string) func([]byte) bool {
	return func(start []byte) bool { return has(start, 0, magic) }
}

func configured(config func(io.Reader) (image.Config, error)) func([]byte) (Size, error) {
	return func(file []byte) (Size, error) {
		c, err := config(bytes.NewReader(file))
		return Size{c.Width, c.Height}, err
	}
}

func from(decode func(io.Reader) (image.Image, error)) func([]byte) (image.Image, error) {
	return func(file []byte) (image.Image, error) { return decode(bytes.NewReader(file)) }
}

func jpegSize(file []byte) (Size, error) {
	width, height, err := jpeg.Size(file)
	return Size{width, height}, err
}

// unknown says what a file is instead, as far as its first bytes tell.
func unknown(start []byte) error {
	if len(start) == 0 {
		return errors.New("the file is empty, want a picture: " + wanted)
	}
	for _, other := range []struct {
		at    int
		magic string
		name  string
	}{
		{4, "ftypavi", "an AVIF picture"}, {4, "ftyphe", "a HEIC picture"}, {4, "ftypmi", "a HEIC or AVIF picture"}, {4, "ftypmsf1", "a HEIC picture"},
		{4, "ftyp", "a video"}, {0, "\xff\x0a", "a JPEG XL picture"}, {4, "JXL \r\n", "a JPEG XL picture"},
		{4, "jP  \r\n", "a JPEG 2000 picture"}, {0, "\xff\x4f\xff\x51", "a JPEG 2000 picture"},
		{0, "II+\x00", "a BigTIFF picture"}, {0, "MM\x00+", "a BigTIFF picture"},
		{0, "II\xbc\x01", "a JPEG XR picture"}, {0, "8BPS", "a Photoshop document"}, {0, "\x00\x00\x01\x00", "an icon"},
		{0, "%PDF", "a PDF"}, {0, "%!PS", "PostScript"},
		{0, "<svg", "an SVG drawing"}, {0, "<?xml", "XML, perhaps an SVG drawing"}, {0, "<!DOCTYPE", "a web page"},
		{0, "<!doctype", "a web page"}, {0, "<html", "a web page"},
		{0, "PK\x03\x04", "a zip archive"}, {0, "\x1f\x8b", "compressed by gzip"}, {0, "\x1aE\xdf\xa3", "a video"},
	} {
		if has(start, other.at, other.magic) {
			return fmt.Errorf("the file is %s, want %s: convert it first", other.name, wanted)
		}
	}
	return fmt.Errorf("the file begins with %q, want a picture: %s", start[:min(len(start), 12)], wanted)
}
