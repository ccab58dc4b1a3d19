// Package annotate draws regions on pictures: boxes, each with a plate that says what it is taken for.
package annotate

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"image/color"
	"math"

	"github.com/go-lxmert/lxmert/internal/typeface"
	"github.com/go-lxmert/lxmert/vision"
)

// DefaultLongest is to how many pixels the longer side of a larger picture is shrunk.
const DefaultLongest = 2048

// Options say what is drawn. The zero Options draw all regions, with the numbers of their labels in place of names.
type Options struct {
	Vocabulary vision.Vocabulary

	// Top is how many regions are drawn at most, the surest ones; 0 means all. Confidence is how sure an object must be; see [vision.Regions.Ranked].
	Top        int
	Confidence float32

	Longest int // pixels that the drawing's longer side has at most; 0 means DefaultLongest
}

// A Drawing is a picture with regions drawn on it.
type Drawing struct {
	Picture *image.RGBA

	// Regions are the numbers of those that were drawn, the surest first.
	Regions []int

	// Numbered is how many of them have labels, but found room for their number only; Bare how many not even for that.
	Numbered, Bare int
}

// Draw draws regions on a copy of a picture: boxes in colours that the colour-blind can tell apart, between dark lines, so that they are seen
// on any ground; and a plate for each that says attribute, object and confidence, the surest region's on top. Plates lie at their boxes, never
// across the picture's edge, and as long as there is room not on each other: where there is none for a label, there is for the region's
// number, counted from 0. Regions without labels have their numbers.
//
// A picture larger than o.Longest is shrunk; one that the plates would hide is enlarged by a whole number, as far as o.Longest allows. Boxes that leave the
// picture are cut at its edge. The same input gives the same pixels.
//
// The error is ctx's, or says that img has no pixels or too many ([vision.MaxPixels]), or which box is none.
func Draw(ctx context.Context, img image.Image, r vision.Regions, o Options) (*Drawing, error) {
	if err := checkBoxes(r); err != nil {
		return nil, err
	}
	ranked := r.Ranked(o.Top, o.Confidence)
	marks := make([]Mark, len(ranked))
	for i, region := range ranked {
		marks[i] = Mark{Region: region, Text: o.Vocabulary.Describe(r, region)}
	}
	return drawMarks(ctx, img, r, marks, o.Longest, nil)
}

// A Mark is a region to be drawn, and what its plate says.
type Mark struct {
	Region int
	Text   string     // "": the region's number
	Color  color.RGBA // of box and plate; the zero Color is one that differs from the neighbours'
}

// DrawMarks is [Draw] for regions that are chosen, and say what the caller will: the first is on top. Under, if it is not nil, paints the
// picture, in the size in which it is drawn, before there are marks on it. Pixels are where [Pixels] says. It is an error too if there is no such region.
func DrawMarks(ctx context.Context, img image.Image, r vision.Regions, marks []Mark, longest int, under func(*image.RGBA)) (*Drawing, error) {
	if err := checkBoxes(r); err != nil {
		return nil, err
	}
	for _, m := range marks {
		if m.Region < 0 || m.Region >= len(r.Boxes)/4 {
			return nil, fmt.Errorf("region %d is to be drawn, but there are %d", m.Region, len(r.Boxes)/4)
		}
	}
	return drawMarks(ctx, img, r, marks, longest, under)
}

// Pixels is where region i is on a drawing of that size.
func Pixels(r vision.Regions, i int, size image.Point) image.Rectangle {
	return pixels(r.Box(i), size, 0)
}

func drawMarks(ctx context.Context, img image.Image, r vision.Regions, marks []Mark, longest int, under func(*image.RGBA)) (*Drawing, error) {
	faces, err := typeface.New()
	if err != nil {
		return nil, err
	}
	d := &Drawing{Regions: make([]int, len(marks))}
	texts := make([]string, len(marks))
	for i, mark := range marks {
		d.Regions[i], texts[i] = mark.Region, mark.Text
	}
	d.Picture, err = fit(ctx, img, cmp.Or(max(longest, 0), DefaultLongest), func(size image.Point) bool {
		return roomy(size, faces, d.Regions, texts)
	})
	if err != nil {
		return nil, err
	}
	if under != nil {
		under(d.Picture)
	}
	m := measuresFor(d.Picture.Rect.Size(), faces, d.Regions, texts)
	boxes := make([]image.Rectangle, len(d.Regions))
	for i, region := range d.Regions {
		boxes[i] = pixels(r.Box(region), d.Picture.Rect.Size(), m.line)
	}
	colors := choose(boxes)
	for i, mark := range marks {
		if mark.Color != (color.RGBA{}) {
			colors[i] = mark.Color
		}
	}
	plates := m.layOut(d.Picture.Rect, boxes, d.Regions, texts)
	for i := len(boxes) - 1; i >= 0; i-- {
		m.frame(d.Picture, boxes[i], colors[i])
	}
	for i := len(plates) - 1; i >= 0; i-- {
		switch p := plates[i]; {
		case p.at.Empty():
			d.Bare++
			continue
		case p.number && texts[i] != "":
			d.Numbered++
		}
		m.plate(d.Picture, plates[i], colors[i])
	}
	return d, ctx.Err()
}

// checkBoxes checks only what drawing needs: what is drawn may be regions in which something is wrong.
func checkBoxes(r vision.Regions) error {
	if r.PosWidth != 0 && r.PosWidth != 4 {
		return fmt.Errorf("places are %d numbers wide, want 4 (x1, y1, x2, y2) to be drawn", r.PosWidth)
	}
	if n := len(r.Boxes) / 4; n > vision.MaxRegions || len(r.Boxes)%4 != 0 {
		return fmt.Errorf("%d numbers in boxes, want 4 for each of at most %d regions", len(r.Boxes), vision.MaxRegions)
	}
	for i, v := range r.Boxes {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("box of region %d is %v, want finite numbers", i/4, r.Box(i/4))
		}
	}
	return nil
}
