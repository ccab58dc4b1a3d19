// Package annotate draws regions on pictures: boxes, each with a plate that says what it is taken for.
package annotate

import (
	"cmp"
	"context"
	"fmt"
	"image"
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
	faces, err := typeface.New()
	if err != nil {
		return nil, err
	}
	d := &Drawing{Regions: r.Ranked(o.Top, o.Confidence)}
	texts := make([]string, len(d.Regions))
	for i, region := range d.Regions {
		texts[i] = o.Vocabulary.Describe(r, region)
	}
	d.Picture, err = fit(ctx, img, cmp.Or(max(o.Longest, 0), DefaultLongest), func(size image.Point) bool {
		return roomy(size, faces, d.Regions, texts)
	})
	if err != nil {
		return nil, err
	}
	m := measuresFor(d.Picture.Rect.Size(), faces, d.Regions, texts)
	boxes := make([]image.Rectangle, len(d.Regions))
	for i, region := range d.Regions {
		boxes[i] = pixels(r.Box(region), d.Picture.Rect.Size(), m.line)
	}
	colors := choose(boxes)
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
