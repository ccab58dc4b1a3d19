package resize

import (
	"fmt"

	"github.com/go-lxmert/lxmert/vision"
)

// An Output says where and how [Bilinear] writes its pixels. Channel c of the pixel in row y and column x goes to Pixels[y*Row+x*Column+c*Channel], as
// (value - Mean[c]) / Std[c]. What is between them, such as padding, is not touched.
type Output struct {
	Pixels               []float32
	Row, Column, Channel int

	// BGR has the channels as blue, green, red instead of red, green, blue. The published weights want it so, as they come from Caffe; Hugging Face's
	// demo feeds local files the other way, which halves their accuracy.
	BGR bool

	Mean [3]float32 // of the channels in the order in which they are written, in 0..255
	Std  [3]float32 // 0 is taken for 1
}

// Interleaved are the strides of [height, width, 3], in rows of so many pixels: the resized picture's width, or more.
func (o Output) Interleaved(width int) Output {
	o.Row, o.Column, o.Channel = 3*width, 3, 1
	return o
}

// Planes are the strides of [3, height, width], in planes of that size: the resized picture's, or more.
func (o Output) Planes(size vision.Size) Output {
	o.Row, o.Column, o.Channel = size.Width, 1, size.Width*size.Height
	return o
}

// check says whether all pixels of that size have a place.
func (o *Output) check(to vision.Size) error {
	last := o.Row*(to.Height-1) + o.Column*(to.Width-1) + 2*o.Channel
	if min(o.Row, o.Column, o.Channel) < 0 || max(o.Row, o.Column, o.Channel) > 3*MaxPixels || last >= len(o.Pixels) {
		return fmt.Errorf("room for %d numbers with strides %d, %d and %d, want it for %d × %d pixels of 3 channels",
			len(o.Pixels), o.Row, o.Column, o.Channel, to.Height, to.Width)
	}
	return nil
}

// Bilinear resizes as PyTorch's interpolate(mode="bilinear", align_corners=False) does on float32, and Hugging Face's detector with it: each pixel is
// between four of the picture, also where that is larger by far (no antialiasing), and is not rounded. It differs from PyTorch by rounding in float32
// only.
//
// The error says which size is impossible, or that there is not room enough.
func Bilinear(rgb []uint8, from, to vision.Size, out Output) error {
	if err := check(rgb, from, to); err != nil {
		return err
	}
	if err := out.check(to); err != nil {
		return err
	}
	columns := taps(from.Width, to.Width)
	for i := range columns {
		columns[i].first, columns[i].second = 3*columns[i].first, 3*columns[i].second
	}
	wide := func(row []float32, y int) { resizeRow(row, rgb[3*from.Width*y:][:3*from.Width], columns, out.BGR) }
	upper, lower := make([]float32, 3*to.Width), make([]float32, 3*to.Width)
	upperY, lowerY := -1, -1 // the rows of the picture that they hold
	buffer := make([]float32, 3*to.Width)
	for y, t := range taps(from.Height, to.Height) {
		if upperY != t.first && lowerY == t.first {
			upper, lower, upperY, lowerY = lower, upper, lowerY, upperY
		}
		if upperY != t.first {
			wide(upper, t.first)
			upperY = t.first
		}
		if lowerY != t.second {
			wide(lower, t.second)
			lowerY = t.second
		}
		row := buffer
		inPlace := out.Column == 3 && out.Channel == 1
		if inPlace {
			row = out.Pixels[y*out.Row:][:3*to.Width]
		}
		blend(row, upper, lower, t.weight)
		out.normalize(row)
		if !inPlace {
			out.scatter(row, y*out.Row)
		}
	}
	return nil
}

// A tap is the two pixels, along one axis, that a resized one lies between; weight is the second's.
type tap struct {
	first, second int
	weight        float32
}

// taps are those of each resized pixel. PyTorch's scale is a float32, and what it makes of it is as if places were not rounded before the weights are: with
// places in float32 the reference's numbers are missed by four times as much.
func taps(from, to int) []tap {
	scale := float64(float32(from) / float32(to))
	all := make([]tap, to)
	for i := range all {
		at := max(float64(scale*(float64(i)+0.5))-0.5, 0)
		first := min(int(at), from-1)
		all[i] = tap{first, min(first+1, from-1), min(float32(at-float64(first)), 1)}
	}
	return all
}

// resizeRow interpolates along a row. The taps' pixels are places of bytes.
func resizeRow(row []float32, rgb []uint8, columns []tap, bgr bool) {
	for _, t := range columns {
		a, b := rgb[t.first:t.first+3:t.first+3], rgb[t.second:t.second+3:t.second+3]
		w, v := t.weight, 1-t.weight
		x := float32(v*float32(a[0])) + float32(w*float32(b[0]))
		y := float32(v*float32(a[1])) + float32(w*float32(b[1]))
		z := float32(v*float32(a[2])) + float32(w*float32(b[2]))
		if bgr {
			x, z = z, x
		}
		p := row[:3:3]
		p[0], p[1], p[2] = x, y, z
		row = row[3:]
	}
}

// blend interpolates between two rows.
func blend(row, upper, lower []float32, weight float32) {
	upper, lower = upper[:len(row)], lower[:len(row)]
	other := 1 - weight
	for i := range row {
		row[i] = float32(other*upper[i]) + float32(weight*lower[i])
	}
}

// normalize subtracts the means and divides by the standard deviations.
func (o *Output) normalize(row []float32) {
	m0, m1, m2 := o.Mean[0], o.Mean[1], o.Mean[2]
	s := o.Std
	plain := true
	for c, v := range s {
		if v == 0 {
			s[c] = 1
		}
		plain = plain && s[c] == 1
	}
	if plain {
		for ; len(row) >= 3; row = row[3:] {
			row[0], row[1], row[2] = row[0]-m0, row[1]-m1, row[2]-m2
		}
		return
	}
	for ; len(row) >= 3; row = row[3:] {
		row[0], row[1], row[2] = (row[0]-m0)/s[0], (row[1]-m1)/s[1], (row[2]-m2)/s[2]
	}
}

// scatter writes a row to its places.
func (o *Output) scatter(row []float32, at int) {
	for c := range 3 {
		to := o.Pixels[at+c*o.Channel:]
		for x := range len(row) / 3 {
			to[x*o.Column] = row[3*x+c]
		}
	}
}
