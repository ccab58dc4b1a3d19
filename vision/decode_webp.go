package vision

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"iter"

	"golang.org/x/image/vp8"
	"golang.org/x/image/vp8l"
	"golang.org/x/image/webp"
)

// riffChunks are the chunks of a RIFF file after its header, by name. A chunk that is cut off has what there is of it.
func riffChunks(rest []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for len(rest) >= 8 {
			n := int64(binary.LittleEndian.Uint32(rest[4:]))
			name, data := string(rest[:4]), rest[8:]
			rest = data[min(n+n&1, int64(len(data))):]
			if !yield(name, data[:min(n, int64(len(data)))]) {
				return
			}
		}
	}
}

// A webpFrame is the picture of a WebP file, or the first one of an animation (RFC 9649).
type webpFrame struct {
	canvas Size
	at     image.Point
	size   Size   // that the container gives the frame, zero if it gives none
	alpha  []byte // ALPH, or nil
	lossy  []byte // VP8
	exact  []byte // VP8L
}

func firstWebP(file []byte) (webpFrame, error) {
	var f webpFrame
	if len(file) < 12 || int64(binary.LittleEndian.Uint32(file[4:]))+8 > int64(len(file)) {
		return f, io.ErrUnexpectedEOF
	}
	for name, data := range riffChunks(file[12:]) {
		switch name {
		case "VP8X":
			if len(data) < 10 {
				return f, errors.New("webp: bad VP8X chunk")
			}
			f.canvas = Size{1 + uint24(data[4:]), 1 + uint24(data[7:])}
			f.size = f.canvas
		case "ANMF":
			const header = 16
			if len(data) < header {
				return f, errors.New("webp: bad ANMF chunk")
			}
			f.at = image.Pt(2*uint24(data), 2*uint24(data[3:]))
			f.size = Size{1 + uint24(data[6:]), 1 + uint24(data[9:])}
			for name, data := range riffChunks(data[header:]) {
				f.add(name, data)
			}
			return f, f.check()
		default:
			f.add(name, data)
		}
		if f.lossy != nil || f.exact != nil {
			return f, f.check()
		}
	}
	return f, errors.New("webp: no picture in it")
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

func (f *webpFrame) add(name string, data []byte) {
	switch name {
	case "ALPH":
		f.alpha = data
	case "VP8 ":
		f.lossy = data
	case "VP8L":
		f.exact = data
	}
}

// check compares the sizes that the file states; they bound the memory.
func (f *webpFrame) check() error {
	var coded Size
	switch b := f.lossy; {
	case len(b) >= 10:
		const start = "\x9d\x01\x2a"
		if b[0]&1 != 0 || string(b[3:6]) != start {
			return errors.New("webp: its VP8 data do not begin with a key frame")
		}
		coded = Size{int(binary.LittleEndian.Uint16(b[6:]) & 0x3fff), int(binary.LittleEndian.Uint16(b[8:]) & 0x3fff)}
	case len(f.exact) >= 5:
		v := binary.LittleEndian.Uint32(f.exact[1:])
		coded = Size{int(v&0x3fff) + 1, int(v>>14&0x3fff) + 1}
	case f.lossy == nil && f.exact == nil:
		return errors.New("webp: a frame without a picture")
	default:
		return io.ErrUnexpectedEOF
	}
	if f.size == (Size{}) {
		f.canvas, f.size = coded, coded
	}
	if f.size != coded || f.at.X+coded.Width > f.canvas.Width || f.at.Y+coded.Height > f.canvas.Height {
		return fmt.Errorf("webp: a picture of %d × %d pixels at %v, want %d × %d on a canvas of %d × %d",
			coded.Width, coded.Height, f.at, f.size.Width, f.size.Height, f.canvas.Width, f.canvas.Height)
	}
	return nil
}

func webpSize(file []byte) (Size, error) {
	f, err := firstWebP(file)
	return f.canvas, err
}

// decodeWebP returns an *image.NRGBA.
func decodeWebP(file []byte) (image.Image, error) {
	f, err := firstWebP(file)
	if err != nil {
		return nil, err
	}
	frame, err := f.decode()
	if err != nil {
		return nil, err
	}
	if frame.Rect.Dx() != f.size.Width || frame.Rect.Dy() != f.size.Height {
		return nil, fmt.Errorf("webp: decoded %v, want %d × %d", frame.Rect, f.size.Width, f.size.Height)
	}
	return onCanvas(frame, f.at, f.canvas, [4]uint8{}), nil
}

func (f *webpFrame) decode() (*image.NRGBA, error) {
	if f.lossy == nil {
		img, err := vp8l.Decode(bytes.NewReader(f.exact))
		if err != nil {
			return nil, err
		}
		return img.(*image.NRGBA), nil
	}
	if f.alpha == nil {
		d := vp8.NewDecoder()
		d.Init(bytes.NewReader(f.lossy), len(f.lossy))
		if _, err := d.DecodeFrameHeader(); err != nil {
			return nil, err
		}
		planes, err := d.DecodeFrame()
		if err != nil {
			return nil, err
		}
		return fromVP8(planes), nil
	}
	// Package webp decodes transparency in whole files only.
	img, err := webp.Decode(bytes.NewReader(f.still()))
	if err != nil {
		return nil, err
	}
	planes, ok := img.(*image.NYCbCrA)
	if !ok {
		return nil, fmt.Errorf("webp: decoded a %T with transparency", img)
	}
	to := fromVP8(&planes.YCbCr)
	for y := range f.size.Height {
		for x, a := range planes.A[y*planes.AStride:][:f.size.Width] {
			to.Pix[y*to.Stride+4*x+3] = a
		}
	}
	return to, nil
}

// still is a WebP file of the frame alone.
func (f *webpFrame) still() []byte {
	const hasAlpha = 1 << 4
	header := []byte{hasAlpha, 0, 0, 0}
	for _, n := range []int{f.size.Width - 1, f.size.Height - 1} {
		header = append(header, byte(n), byte(n>>8), byte(n>>16))
	}
	body := []byte("WEBP")
	for _, chunk := range []struct {
		name string
		data []byte
	}{{"VP8X", header}, {"ALPH", f.alpha}, {"VP8 ", f.lossy}} {
		body = binary.LittleEndian.AppendUint32(append(body, chunk.name...), uint32(len(chunk.data)))
		body = append(append(body, chunk.data...), make([]byte, len(chunk.data)&1)...)
	}
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}
