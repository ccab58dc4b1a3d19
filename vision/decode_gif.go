package vision

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"io"
)

// A gifFrame is where the first frame of a GIF file lies on its canvas.
type gifFrame struct {
	canvas      Size // large enough for the frame, as PIL has it
	at          image.Rectangle
	transparent int // a palette's index, or -1
	flag        int // where the file says that there is one
}

// firstFrame goes through a GIF file to its first frame.
func firstFrame(file []byte) (gifFrame, error) {
	const header, screen, tableFlag = 6, 7, 0x80
	f := gifFrame{transparent: -1}
	if len(file) < header+screen {
		return f, io.ErrUnexpectedEOF
	}
	rest := file[header+screen:]
	if flags := file[10]; flags&tableFlag != 0 {
		rest = rest[min(len(rest), 3<<(flags&7+1)):]
	}
	for len(rest) > 0 {
		switch kind := rest[0]; kind {
		case 0x21: // an extension
			if len(rest) < 8 {
				return f, io.ErrUnexpectedEOF
			}
			if rest[1] == 0xf9 && rest[2] == 4 { // graphic control
				f.transparent = -1
				if f.flag = len(file) - len(rest) + 3; rest[3]&1 != 0 {
					f.transparent = int(rest[6])
				}
			}
			rest = rest[2:]
			for len(rest) > 0 && rest[0] != 0 {
				rest = rest[min(len(rest), 1+int(rest[0])):]
			}
			rest = rest[min(len(rest), 1):]
		case 0x2c: // a frame
			if len(rest) < 10 {
				return f, io.ErrUnexpectedEOF
			}
			number := func(b []byte) int { return int(binary.LittleEndian.Uint16(b)) }
			x, y := number(rest[1:]), number(rest[3:])
			f.at = image.Rect(x, y, x+number(rest[5:]), y+number(rest[7:]))
			f.canvas = Size{max(number(file[6:]), f.at.Max.X), max(number(file[8:]), f.at.Max.Y)}
			return f, nil
		case 0x3b:
			return f, errors.New("gif: no frame")
		default:
			return f, fmt.Errorf("gif: found %#x, want an extension or a frame", kind)
		}
	}
	return f, io.ErrUnexpectedEOF
}

func gifSize(file []byte) (Size, error) {
	f, err := firstFrame(file)
	return f.canvas, err
}

// decodeGIF puts the first frame on its canvas, which is transparent elsewhere. Package gif forgets the colour of what is transparent, so it is not told
// of it.
func decodeGIF(file []byte) (image.Image, error) {
	f, err := firstFrame(file)
	if err != nil {
		return nil, err
	}
	if f.at.Dx() > 1<<16-1 || f.canvas.Width > 1<<16-1 || f.canvas.Height > 1<<16-1 {
		return nil, fmt.Errorf("gif: the frame %v leaves the largest canvas", f.at)
	}
	binary.LittleEndian.PutUint16(file[6:], uint16(f.canvas.Width))
	binary.LittleEndian.PutUint16(file[8:], uint16(f.canvas.Height))
	if f.transparent >= 0 {
		file[f.flag] &^= 1
	}
	decoded, err := gif.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	frame, ok := decoded.(*image.Paletted)
	if !ok || frame.Rect != f.at {
		return nil, fmt.Errorf("gif: the first frame is %v, want %v", decoded.Bounds(), f.at)
	}
	colors := lookUp(frame, image.Rectangle{Max: f.at.Size()})
	if f.transparent >= 0 {
		for i, v := range frame.Pix {
			if int(v) == f.transparent {
				colors.Pix[4*i+3] = 0
			}
		}
	}
	// What shows where transparency is dropped is the transparent colour, or else the palette's first, as in PIL.
	around := image.NewPaletted(image.Rect(0, 0, 1, 1), frame.Palette)
	around.Pix[0] = uint8(max(f.transparent, 0))
	color := [4]uint8(lookUp(around, around.Rect).Pix)
	color[3] = 0
	return onCanvas(colors, f.at.Min, f.canvas, color), nil
}

// onCanvas puts a frame on a canvas of one colour.
func onCanvas(frame *image.NRGBA, at image.Point, canvas Size, around [4]uint8) *image.NRGBA {
	if at == (image.Point{}) && frame.Rect.Dx() == canvas.Width && frame.Rect.Dy() == canvas.Height {
		return frame
	}
	to := image.NewNRGBA(image.Rect(0, 0, canvas.Width, canvas.Height))
	if around != [4]uint8{} {
		for i := range len(to.Pix) / 4 {
			*(*[4]uint8)(to.Pix[4*i:]) = around
		}
	}
	for y := range frame.Rect.Dy() {
		copy(to.Pix[to.PixOffset(at.X, at.Y+y):], frame.Pix[y*frame.Stride:][:4*frame.Rect.Dx()])
	}
	return to
}
