package vision

import (
	"context"
	"errors"
	"image"
	"image/color"
	"image/draw"
)

// Shrink copies a picture so that no side is longer than longest: each of its pixels is the mean of a square of the original's, what does not fill a
// square being cut off at the right and at the bottom. A picture that is small enough keeps its size. What is transparent shows white. The error is ctx's, or says that
// img has no pixels or more than [MaxPixels]. Beside the copy it needs memory for a few rows of img only.
func Shrink(ctx context.Context, img image.Image, longest int) (*image.RGBA, error) {
	if img == nil || img.Bounds().Empty() {
		return nil, errors.New("the picture has no pixels")
	}
	from := img.Bounds()
	if err := (Size{from.Dx(), from.Dy()}).check(); err != nil {
		return nil, err
	}
	if longest < 1 {
		longest = 1
	}
	square := (max(from.Dx(), from.Dy()) + longest - 1) / longest
	across, down := min(square, from.Dx()), min(square, from.Dy()) // one side may be shorter than a square
	size := image.Pt(from.Dx()/across, from.Dy()/down)
	to := image.NewRGBA(image.Rectangle{Max: size})
	band := image.NewRGBA(image.Rect(0, 0, size.X*across, down))
	for y := range size.Y {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		draw.Draw(band, band.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
		draw.Draw(band, band.Rect, img, from.Min.Add(image.Pt(0, y*down)), draw.Over)
		means(to.Pix[y*to.Stride:][:4*size.X], band, across)
	}
	return to, nil
}

// means fills a row with the means of a band's pixels, as many side by side as across.
func means(row []uint8, band *image.RGBA, across int) {
	down := band.Rect.Dy()
	n := across * down
	for x := range len(row) / 4 {
		var r, g, b int
		for j := range down {
			for i := range across {
				p := band.Pix[j*band.Stride+4*(x*across+i):][:3]
				r, g, b = r+int(p[0]), g+int(p[1]), b+int(p[2])
			}
		}
		row[4*x], row[4*x+1], row[4*x+2], row[4*x+3] = uint8((r+n/2)/n), uint8((g+n/2)/n), uint8((b+n/2)/n), 255
	}
}
