package vision

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"strings"

	"github.com/go-lxmert/lxmert/internal/plainfile"
)

// What Decode takes at most. A picture of so many pixels needs up to 1 GB while it is decoded.
const (
	MaxFileBytes = 64 << 20
	MaxPixels    = 64 << 20
)

// formats are those that can be read.
var formats = []struct {
	name, magic string
	config      func(io.Reader) (image.Config, error)
	decode      func(io.Reader) (image.Image, error)
}{
	{"PNG", "\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode},
	{"JPEG", "\xff\xd8", jpeg.DecodeConfig, jpeg.Decode},
}

// Decode reads a picture, PNG or JPEG. Its size is known, and refused if it is beyond [MaxPixels], before memory is taken for it; no more than
// [MaxFileBytes] are read. The picture is as it is stored: what EXIF says of its orientation is not heeded.
func Decode(r io.Reader) (image.Image, error) {
	limited := &io.LimitedReader{R: r, N: MaxFileBytes + 1}
	img, err := decode(limited)
	if limited.N <= 0 {
		return nil, fmt.Errorf("the file has more than %d MB, the most that is read", MaxFileBytes>>20)
	}
	return img, err
}

func decode(r io.Reader) (image.Image, error) {
	start := make([]byte, 12)
	n, err := io.ReadFull(r, start)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	start = start[:n]
	r = io.MultiReader(bytes.NewReader(start), r)
	for _, f := range formats {
		if !bytes.HasPrefix(start, []byte(f.magic)) {
			continue
		}
		var header bytes.Buffer // what the size was read from is read again
		config, err := f.config(io.TeeReader(r, &header))
		if err != nil {
			return nil, damaged(f.name, err)
		}
		if config.Width < 1 || config.Height < 1 || config.Width > MaxPixels/config.Height {
			return nil, fmt.Errorf("the picture has %d × %d pixels, want 1 to %d million", config.Width, config.Height, MaxPixels>>20)
		}
		img, err := f.decode(io.MultiReader(&header, r))
		if err != nil {
			return nil, damaged(f.name, err)
		}
		return img, nil
	}
	return nil, unknown(start)
}

// damaged explains what a decoder found.
func damaged(format string, err error) error {
	// Package png says it in words only.
	if errors.Is(err, io.EOF) || strings.HasSuffix(err.Error(), io.ErrUnexpectedEOF.Error()) {
		return fmt.Errorf("the %s file ends too early: %w", format, io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("the %s file is damaged or of a rare kind: %w", format, err)
}

// unknown says what a file is instead of PNG or JPEG, as far as its first bytes tell.
func unknown(start []byte) error {
	if len(start) == 0 {
		return errors.New("the file is empty, want a PNG or JPEG picture")
	}
	for _, other := range []struct {
		at    int
		magic string
		name  string
	}{
		{0, "GIF8", "a GIF"}, {8, "WEBP", "a WebP picture"}, {0, "BM", "a BMP picture"}, {0, "II*\x00", "a TIFF picture"}, {0, "MM\x00*", "a TIFF picture"},
		{4, "ftyphei", "a HEIC picture"}, {4, "ftypmif1", "a HEIC picture"}, {4, "ftypavif", "an AVIF picture"}, {0, "%PDF", "a PDF"}, {0, "<svg", "an SVG drawing"},
	} {
		if len(start) >= other.at && bytes.HasPrefix(start[other.at:], []byte(other.magic)) {
			return fmt.Errorf("the file is %s, want PNG or JPEG: convert it first", other.name)
		}
	}
	return fmt.Errorf("the file begins with %q, want a PNG or JPEG picture", start)
}

// DecodeFile reads a picture from a plain file, as [Decode] does. Errors name the file.
func DecodeFile(path string) (image.Image, error) {
	file, err := plainfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	img, err := Decode(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return img, nil
}
