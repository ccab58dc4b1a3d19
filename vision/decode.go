package vision

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"strings"

	"github.com/go-lxmert/lxmert/internal/plainfile"
)

// What Decode takes at most. A picture of so many pixels needs up to 1 GB while it is decoded.
const (
	MaxFileBytes = 64 << 20
	MaxPixels    = 64 << 20
)

// DecodeOptions are what [DecodeWith] may be told. The zero value is what [Decode] does.
type DecodeOptions struct {
	// KeepOrientation leaves the picture as it is stored. Otherwise it is turned and mirrored as its EXIF or TIFF orientation (tag 0x0112) says, which
	// is what OpenCV's imread does and PIL's open does not. Boxes that go with a picture are of one of the two: ask whoever made them.
	KeepOrientation bool
}

// Decode reads a picture: PNG, JPEG, GIF, WebP, BMP or TIFF, by its content and not by its name. It returns an *image.Gray for grey files without
// transparency, and an *image.NRGBA for all others, at (0, 0): 8 bits, the colours as stored (not multiplied by alpha), 16 bits cut to the upper 8. Of
// animations it is the first frame on its canvas. It stands upright: see [DecodeOptions].
//
// Pixels of JPEG files are those of libjpeg-turbo and of lossy WebP files those of libwebp, bit by bit, which is what PIL and OpenCV give;
// docs/pictures.md says what of each format is read.
//
// The size is known, and refused if it is beyond [MaxPixels], before memory is taken for it; no more than [MaxFileBytes] are read. A file that is
// damaged or that ends too early is an error, which names the format.
func Decode(r io.Reader) (image.Image, error) { return DecodeWith(r, DecodeOptions{}) }

// DecodeWith is [Decode] with options.
func DecodeWith(r io.Reader, options DecodeOptions) (image.Image, error) {
	start := make([]byte, startBytes)
	n, err := io.ReadFull(r, start)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	start = start[:n]
	f := formatOf(start)
	if f == nil {
		return nil, unknown(start)
	}
	file := bytes.NewBuffer(start)
	if _, err := file.ReadFrom(io.LimitReader(r, MaxFileBytes+1-startBytes)); err != nil {
		return nil, err
	}
	if file.Len() > MaxFileBytes {
		return nil, fmt.Errorf("the file has more than %d MB, the most that is read", MaxFileBytes>>20)
	}
	return f.read(file.Bytes(), options)
}

// DecodeFile reads a picture from a plain file, as [Decode] does. Errors name the file.
func DecodeFile(path string) (image.Image, error) { return DecodeFileWith(path, DecodeOptions{}) }

// DecodeFileWith is [DecodeFile] with options.
func DecodeFileWith(path string, options DecodeOptions) (image.Image, error) {
	file, err := plainfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	img, err := DecodeWith(file, options)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return img, nil
}

// FileTypes are the ends of picture files' names, in lower case: ".png", ".jpg" and so on.
func FileTypes() []string {
	return []string{".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff"}
}

// read decodes a whole file, which it may alter.
func (f *format) read(file []byte, options DecodeOptions) (img image.Image, err error) {
	defer func() {
		if fault := recover(); fault != nil { // decoders meet files that their authors did not think of
			img, err = nil, damaged(f.name, fmt.Errorf("its decoder stopped: %v", fault))
		}
	}()
	if _, err := f.checkedSize(file); err != nil {
		return nil, err
	}
	o := upright
	if !options.KeepOrientation {
		o = f.orientation(file)
	}
	if img, err = f.decode(file); err != nil {
		return nil, damaged(f.name, err)
	}
	return o.apply(straight(img)), nil
}

// checkedSize is a picture's size by its header, if so many pixels are taken.
func (f *format) checkedSize(file []byte) (Size, error) {
	size, err := f.size(file)
	if err != nil {
		return Size{}, damaged(f.name, err)
	}
	return size, size.check()
}

// StoredSize is the size of a picture as it is stored, by the header of the whole file: what [Decode] takes memory for, 4 bytes a pixel in the end. It is
// turned upright later. The error is Decode's, as far as the header tells.
func StoredSize(file []byte) (size Size, err error) {
	f := formatOf(file[:min(len(file), startBytes)])
	if f == nil {
		return Size{}, unknown(file[:min(len(file), startBytes)])
	}
	defer func() {
		if fault := recover(); fault != nil {
			size, err = Size{}, damaged(f.name, fmt.Errorf("its decoder stopped: %v", fault))
		}
	}()
	return f.checkedSize(file)
}

// check says whether so many pixels are taken.
func (s Size) check() error {
	if s.Width < 1 || s.Height < 1 || s.Width > MaxPixels/s.Height {
		return fmt.Errorf("the picture has %d × %d pixels, want 1 to %d million", s.Width, s.Height, MaxPixels>>20)
	}
	return nil
}

// damaged explains what a decoder found.
func damaged(format string, err error) error {
	short := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	// Packages png, gif and tiff say it in words only.
	for _, words := range []string{io.ErrUnexpectedEOF.Error(), "not enough image data", "not enough pixel data"} {
		short = short || strings.HasSuffix(err.Error(), words)
	}
	if short {
		return fmt.Errorf("the %s file ends too early: %w", format, io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("the %s file is damaged or of a rare kind: %w", format, err)
}
