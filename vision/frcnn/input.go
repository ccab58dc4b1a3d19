package frcnn

import (
	"errors"
	"image"

	"github.com/go-lxmert/lxmert/vision"
)

// An input is a resized picture without its mean, [height, width, 3], which may be padded at the right and at the bottom.
type input struct {
	values                      []float32
	height, width               int // of values
	pictureHeight, pictureWidth int // of the picture in it
}

// least is the shortest side that the backbone can look at.
const least = 3

// prepare resizes a picture and subtracts the mean.
func (d *Detector) prepare(img image.Image) (*input, vision.Size, error) {
	if img == nil || img.Bounds().Empty() {
		return nil, vision.Size{}, errors.New("the picture has no pixels")
	}
	size := vision.Size{Width: img.Bounds().Dx(), Height: img.Bounds().Dy()}
	in := &input{}
	in.pictureHeight, in.pictureWidth = shortestEdge(size.Height, size.Width, d.config.MinSize, d.config.MaxSize)
	in.height, in.width = roundUp(max(in.pictureHeight, least), d.options.Pad), roundUp(max(in.pictureWidth, least), d.options.Pad)
	in.values = make([]float32, in.height*in.width*3)
	if d.config.PadValue != 0 {
		for i := range in.values {
			in.values[i] = d.config.PadValue
		}
	}
	bilinear(in, img, d.config, d.options.RGB)
	return in, size, nil
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// inPicture scales a box to pixels of the picture.
func (in *input) inPicture(box []float32, size vision.Size) [4]float32 {
	x, y := float32(size.Width)/float32(in.pictureWidth), float32(size.Height)/float32(in.pictureHeight)
	return [4]float32{box[0] * x, box[1] * y, box[2] * x, box[3] * y}
}

// fromPicture scales boxes from pixels of the picture.
func (in *input) fromPicture(boxes []float32, size vision.Size) []float32 {
	x, y := float32(in.pictureWidth)/float32(size.Width), float32(in.pictureHeight)/float32(size.Height)
	out := make([]float32, len(boxes))
	for i, v := range boxes {
		out[i] = v * [2]float32{x, y}[i%2]
	}
	return out
}

// ---- to be replaced by package resize

func shortestEdge(h, w, minSize, maxSize int) (int, int) {
	scale := float64(minSize) / float64(min(h, w))
	nh, nw := float64(minSize), scale*float64(w)
	if h >= w {
		nh, nw = scale*float64(h), float64(minSize)
	}
	if m := max(nh, nw); m > float64(maxSize) {
		scale := float64(maxSize) / m
		nh, nw = nh*scale, nw*scale
	}
	return int(nh + 0.5), int(nw + 0.5)
}

func bilinear(in *input, img image.Image, c *Config, rgb bool) {
	b := img.Bounds()
	h, w := b.Dy(), b.Dx()
	pix := make([]float32, h*w*3)
	for y := range h {
		for x := range w {
			r, g, bl, _ := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
			p := pix[(y*w+x)*3:]
			p[0], p[1], p[2] = float32(bl>>8), float32(g>>8), float32(r>>8)
			if rgb {
				p[0], p[2] = p[2], p[0]
			}
		}
	}
	sy, sx := float32(h)/float32(in.pictureHeight), float32(w)/float32(in.pictureWidth)
	at := func(s float32, i, n int) (a, b int, l float32) {
		v := max(float32(s*(float32(i)+0.5))-0.5, 0)
		a = int(v)
		b = min(a+1, n-1)
		return a, b, v - float32(a)
	}
	for y := range in.pictureHeight {
		y0, y1, ly := at(sy, y, h)
		for x := range in.pictureWidth {
			x0, x1, lx := at(sx, x, w)
			for k := range 3 {
				p := func(y, x int) float32 { return pix[(y*w+x)*3+k] }
				top := float32((1-lx)*p(y0, x0)) + float32(lx*p(y0, x1))
				bottom := float32((1-lx)*p(y1, x0)) + float32(lx*p(y1, x1))
				v := float32((1-ly)*top) + float32(ly*bottom)
				in.values[(y*in.width+x)*3+k] = (v - c.PixelMean[k]) / c.PixelStd[k]
			}
		}
	}
}
