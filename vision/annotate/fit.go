package annotate

import (
	"context"
	"image"
	"math"

	"golang.org/x/image/draw"

	"github.com/go-lxmert/lxmert/vision"
)

// fit copies a picture, shrunk until no side is longer than longest, or enlarged by whole numbers until it is roomy. What is transparent shows white.
func fit(ctx context.Context, img image.Image, longest int, roomy func(size image.Point) bool) (*image.RGBA, error) {
	// Means of whole squares first, for what follows looks at four pixels only.
	picture, err := vision.Shrink(ctx, img, 2*longest)
	if err != nil {
		return nil, err
	}
	size := picture.Rect.Size()
	long := max(size.X, size.Y)
	if long > longest {
		scale := float64(longest) / float64(long)
		side := func(n int) int { return max(1, int(math.Round(float64(n)*scale))) }
		return scaled(draw.ApproxBiLinear, picture, image.Pt(side(size.X), side(size.Y))), nil
	}
	factor := 1
	for long*(factor+1) <= longest && !roomy(size.Mul(factor)) {
		factor++
	}
	if factor == 1 {
		return picture, nil
	}
	return scaled(draw.CatmullRom, picture, size.Mul(factor)), nil
}

func scaled(by draw.Interpolator, picture *image.RGBA, size image.Point) *image.RGBA {
	out := image.NewRGBA(image.Rectangle{Max: size})
	by.Scale(out, out.Rect, picture, picture.Rect, draw.Src, nil)
	return out
}

// pixels are a box in a picture of that size: within it, and large enough to be seen with lines of that width.
func pixels(box []float32, size image.Point, line int) image.Rectangle {
	x1, x2 := span(box[0], box[2], size.X, 3*line)
	y1, y2 := span(box[1], box[3], size.Y, 3*line)
	return image.Rect(x1, y1, x2, y2)
}

// span is what a box takes of a side of n pixels.
func span(from, to float32, n, least int) (int, int) {
	at := func(v float32) int { return int(math.Round(min(max(float64(v), 0), 1) * float64(n))) }
	a, b := at(min(from, to)), at(max(from, to))
	least = min(least, n)
	if b-a >= least {
		return a, b
	}
	a = min(max((a+b-least)/2, 0), n-least)
	return a, a + least
}
