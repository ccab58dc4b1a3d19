package vision

import (
	"errors"
	"fmt"
	"math"
)

// Tolerance is how far a box may lie outside of 0..1, or a confidence: what dividing
// pixels and storing in half precision costs, and less than a pixel of most pictures.
const Tolerance = 1e-4

// MaxRegions is how many regions of one picture are let in. LXMERT's detector keeps 36, others up to
// 100; memory grows with the square.
const MaxRegions = 1024

// Check says whether a model that wants features of that width and places of that many
// numbers (visual_feat_dim and visual_pos_dim of its config) can look at the regions.
// The error has a line for each kind of fault, with the first region that has it, what
// was found, what was expected and what to do.
//
// Boxes are checked only if posWidth is 4: otherwise what the numbers mean is between
// the detector and the model, and they need only be finite.
func (r Regions) Check(featureWidth, posWidth int) error {
	c := checker{}
	n := r.shape(&c, featureWidth, posWidth)
	finite(&c, "feature", r.Features, r.FeatureWidth)
	if posWidth == 4 && r.posWidth() == 4 {
		r.checkBoxes(&c)
	} else {
		finite(&c, "box", r.Boxes, r.posWidth())
	}
	checkLabels(&c, "object", r.Objects, n)
	checkLabels(&c, "attribute", r.Attributes, n)
	if s := r.Size; s.Width < 0 || s.Height < 0 || (s.Width == 0) != (s.Height == 0) {
		c.whole("the picture's size is %d × %d pixels, want both above 0, or both 0 if it is unknown", s.Width, s.Height)
	}
	return c.err()
}

// shape checks that the slices are as long as they say, and returns the number of regions.
func (r Regions) shape(c *checker, featureWidth, posWidth int) int {
	n := r.Len()
	if r.FeatureWidth != featureWidth {
		c.whole("features are %d numbers wide, want %d: take the detector that the model was trained with", r.FeatureWidth, featureWidth)
	}
	if r.FeatureWidth > 0 && len(r.Features)%r.FeatureWidth != 0 {
		c.whole("%d numbers in features, want a multiple of their width, %d", len(r.Features), r.FeatureWidth)
	}
	if n > MaxRegions {
		c.whole("%d regions, want at most %d: the model's work grows with the square; keep the most confident ones", n, MaxRegions)
	}
	if n == 0 {
		c.whole("no regions, want at least one: a picture without objects still has a region that covers it")
	}
	if r.posWidth() != posWidth {
		c.whole("places are %d numbers wide, want %d, the model's visual_pos_dim", r.posWidth(), posWidth)
	}
	if pos := r.posWidth(); pos > 0 && (len(r.Boxes)%pos != 0 || len(r.Boxes)/pos != n) {
		c.whole("%d numbers in boxes, want %d × %d for the %d regions that have features", len(r.Boxes), n, pos, n)
	}
	return n
}

// finite checks that no number is NaN or infinite.
func finite(c *checker, what string, values []float32, width int) {
	for i, v := range values {
		if !isFinite(v) {
			region, column := i, 0
			if width > 0 {
				region, column = i/width, i%width
			}
			c.region("finite "+what, "%s of region %d has %v at position %d, want a finite number: the detector or a conversion went wrong", what, region, v, column)
		}
	}
}

func isFinite(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }

// pixels is the coordinate from which on a box is thought to be in pixels: a careless
// detector may go a little beyond the picture, but not over twice its size.
const pixels = 2

func (r Regions) checkBoxes(c *checker) {
	for i := range len(r.Boxes) / 4 {
		b := r.Box(i)
		x1, y1, x2, y2 := b[0], b[1], b[2], b[3]
		switch {
		case !isFinite(x1) || !isFinite(y1) || !isFinite(x2) || !isFinite(y2):
			c.region("finite box", "box of region %d is %v, want finite numbers: the detector or a conversion went wrong", i, b)
		case max(x1, y1, x2, y2) > pixels:
			c.region("pixels", "box of region %d is %v, which is in pixels, want 0..1 of the picture: divide by its width and height (NormalizeBoxes)", i, b)
		case min(x1, y1, x2, y2) < -Tolerance || max(x1, y1, x2, y2) > 1+Tolerance:
			c.region("outside", "box of region %d is %v, which leaves the picture, want 0..1: cut it at the picture's edge", i, b)
		case x1 > x2 || y1 > y2:
			c.region("corners", "box of region %d is %v, want x1 < x2 and y1 < y2: the corners are swapped, or the last two numbers are a width and a height", i, b)
		case x1 == x2 || y1 == y2:
			c.region("empty", "box of region %d is %v, which is empty: leave out padding and what lies outside of the picture", i, b)
		}
	}
}

func checkLabels(c *checker, what string, labels []Label, n int) {
	if len(labels) != 0 && len(labels) != n {
		c.whole("%d %s labels, want none or one for each of the %d regions", len(labels), what, n)
	}
	for i, l := range labels {
		if l.ID < 0 {
			c.region(what+" id", "%s label of region %d is %d, want a line of the vocabulary, counted from 0", what, i, l.ID)
		}
		if !(l.Confidence >= -Tolerance && l.Confidence <= 1+Tolerance) { // so that NaN fails
			c.region(what+" confidence", "%s label of region %d has confidence %v, want 0..1", what, i, l.Confidence)
		}
	}
}

// A checker gathers faults: each kind once, with the first region that has it.
type checker struct {
	faults []fault
	kinds  map[string]int // index in faults
}

type fault struct {
	text   string
	others int // regions, or numbers, with the same fault
}

// whole notes a fault of the whole.
func (c *checker) whole(format string, args ...any) {
	c.faults = append(c.faults, fault{text: fmt.Sprintf(format, args...)})
}

// region notes a fault of one region.
func (c *checker) region(kind, format string, args ...any) {
	if i, ok := c.kinds[kind]; ok {
		c.faults[i].others++
		return
	}
	if c.kinds == nil {
		c.kinds = map[string]int{}
	}
	c.kinds[kind] = len(c.faults)
	c.whole(format, args...)
}

func (c *checker) err() error {
	var errs []error
	for _, f := range c.faults {
		if f.others > 0 {
			f.text += fmt.Sprintf(" (and %d more like it)", f.others)
		}
		errs = append(errs, errors.New(f.text))
	}
	return errors.Join(errs...)
}
