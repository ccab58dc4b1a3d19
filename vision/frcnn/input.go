package frcnn

import (
	"errors"
	"image"

	"github.com/go-lxmert/lxmert/vision"
	"github.com/go-lxmert/lxmert/vision/resize"
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
	to := resize.ShortestEdge(size, d.config.MinSize, d.config.MaxSize)
	in.pictureHeight, in.pictureWidth = max(to.Height, 1), max(to.Width, 1)
	in.height, in.width = roundUp(max(in.pictureHeight, least), d.options.Pad), roundUp(max(in.pictureWidth, least), d.options.Pad)
	in.values = make([]float32, in.height*in.width*3)
	if d.config.PadValue != 0 {
		for i := range in.values {
			in.values[i] = d.config.PadValue
		}
	}
	return in, size, d.fill(in, img, size)
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

// fill writes a picture into an input, without its mean.
func (d *Detector) fill(in *input, img image.Image, size vision.Size) error {
	rgb, err := vision.RGB(img)
	if err != nil {
		return err
	}
	to := vision.Size{Width: in.pictureWidth, Height: in.pictureHeight}
	if d.recipe.uint8 {
		if rgb, err = resize.Antialiased(rgb, size, to); err != nil {
			return err
		}
		size = to // what is of the right size is only converted
	}
	out := resize.Output{Pixels: in.values, BGR: !d.options.RGB, Mean: d.config.PixelMean, Std: d.config.PixelStd}
	return resize.Bilinear(rgb, size, to, out.Interleaved(in.width))
}
