package vision

import (
	"errors"
	"image"
	"image/color"
)

// RGB are a picture's pixels, [height, width, 3] in the order red, green, blue, 8 bits each: what detectors take. Transparency is dropped, and what is
// transparent shows the colour that is stored for it, as OpenCV's imread has it (pixels stored multiplied by alpha are divided first); grey is repeated;
// 16 bits are cut to the upper 8. The error says that img has no pixels or more than [MaxPixels].
func RGB(img image.Image) ([]uint8, error) {
	if img == nil || img.Bounds().Empty() {
		return nil, errors.New("the picture has no pixels")
	}
	bounds := img.Bounds()
	size := Size{bounds.Dx(), bounds.Dy()}
	if err := size.check(); err != nil {
		return nil, err
	}
	out := make([]uint8, 3*size.Width*size.Height)
	row := out
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		switch img := img.(type) {
		case *image.Gray:
			for x, v := range img.Pix[img.PixOffset(bounds.Min.X, y):][:size.Width] {
				p := row[3*x : 3*x+3 : 3*x+3]
				p[0], p[1], p[2] = v, v, v
			}
		case *image.NRGBA:
			from := img.Pix[img.PixOffset(bounds.Min.X, y):][:4*size.Width]
			for x := range size.Width {
				p, q := row[3*x:3*x+3:3*x+3], from[4*x:4*x+3:4*x+3]
				p[0], p[1], p[2] = q[0], q[1], q[2]
			}
		default:
			for x := range size.Width {
				c := straightColor(img.At(bounds.Min.X+x, y))
				row[3*x], row[3*x+1], row[3*x+2] = c.R, c.G, c.B
			}
		}
		row = row[3*size.Width:]
	}
	return out, nil
}

// straightColor is a colour in 8 bits, not multiplied by alpha, the lower bits cut off.
func straightColor(c color.Color) color.NRGBA {
	switch c := c.(type) {
	case color.NRGBA:
		return c
	case color.NRGBA64:
		return color.NRGBA{uint8(c.R >> 8), uint8(c.G >> 8), uint8(c.B >> 8), uint8(c.A >> 8)}
	case color.YCbCr:
		r, g, b := color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
		return color.NRGBA{r, g, b, 255}
	}
	r, g, b, a := c.RGBA()
	if a == 0 {
		return color.NRGBA{}
	}
	part := func(v uint32) uint8 { return uint8(min(v*0xffff/a, 0xffff) >> 8) }
	return color.NRGBA{part(r), part(g), part(b), uint8(a >> 8)}
}

// straight makes what a decoder returned an *image.Gray or an *image.NRGBA at (0, 0), in the memory that it has where that is possible.
func straight(img image.Image) image.Image {
	rect := image.Rectangle{Max: img.Bounds().Size()}
	switch img := img.(type) {
	case *image.Gray:
		return &image.Gray{Pix: img.Pix, Stride: img.Stride, Rect: rect}
	case *image.NRGBA:
		return &image.NRGBA{Pix: img.Pix, Stride: img.Stride, Rect: rect}
	case *image.Gray16:
		return &image.Gray{Pix: upperBytes(img.Pix), Stride: img.Stride / 2, Rect: rect}
	case *image.NRGBA64:
		return &image.NRGBA{Pix: upperBytes(img.Pix), Stride: img.Stride / 2, Rect: rect}
	case *image.RGBA64:
		if img.Opaque() {
			return &image.NRGBA{Pix: upperBytes(img.Pix), Stride: img.Stride / 2, Rect: rect}
		}
	case *image.RGBA:
		divide(img.Pix)
		return &image.NRGBA{Pix: img.Pix, Stride: img.Stride, Rect: rect}
	case *image.Paletted:
		return lookUp(img, rect)
	}
	to := image.NewNRGBA(rect)
	from := img.Bounds().Min
	for y := range rect.Max.Y {
		for x := range rect.Max.X {
			to.SetNRGBA(x, y, straightColor(img.At(from.X+x, from.Y+y)))
		}
	}
	return to
}

// upperBytes keeps the first byte of each two.
func upperBytes(pix []uint8) []uint8 {
	half := pix[:len(pix)/2]
	for i := range half {
		half[i] = pix[2*i]
	}
	return half
}

// divide takes alpha out of the colours.
func divide(pix []uint8) {
	for ; len(pix) >= 4; pix = pix[4:] {
		if a := uint32(pix[3]); a != 0 && a != 255 {
			for c := range 3 {
				pix[c] = uint8(min((uint32(pix[c])*255+a/2)/a, 255))
			}
		}
	}
}

// lookUp gives the pixels their colours. What a palette does not have is black.
func lookUp(img *image.Paletted, rect image.Rectangle) *image.NRGBA {
	var colors [256][4]uint8
	for i := range colors {
		c := color.NRGBA{A: 255}
		if i < len(img.Palette) {
			c = straightColor(img.Palette[i])
		}
		colors[i] = [4]uint8{c.R, c.G, c.B, c.A}
	}
	to := image.NewNRGBA(rect)
	for y := range rect.Max.Y {
		row := to.Pix[y*to.Stride:]
		for x, v := range img.Pix[y*img.Stride:][:rect.Max.X] {
			*(*[4]uint8)(row[4*x:]) = colors[v]
		}
	}
	return to
}
