// Package vision holds what LXMERT sees of a picture: regions, each with a feature vector
// and a place.
package vision

// Regions are what a detector saw in one picture.
type Regions struct {
	Features     []float32 // [regions, FeatureWidth], row-major
	FeatureWidth int       // numbers that describe one region, 2048 for the published models

	// Boxes are [regions, PosWidth], row-major: x1, y1, x2, y2 in 0..1 of the picture, from
	// its upper left corner, x1 < x2 and y1 < y2. A model with another visual_pos_dim may
	// want another encoding of a place; nothing is assumed about that one.
	Boxes    []float32
	PosWidth int // numbers that place one region, 4 for boxes; 0 means 4

	Size Size // of the original picture; zero if unknown

	// What the detector takes each region for; nil, or one per region.
	Objects, Attributes []Label

	Preset string // how the regions were chosen: a name such as ButdCaffe, "" if unknown
}

// A Size is a picture's width and height in pixels.
type Size struct{ Width, Height int }

// A Label is an entry of a detector's vocabulary, and how sure it is, in 0..1.
type Label struct {
	ID         int // line of the vocabulary, from 0, background not counted
	Confidence float32
}

// Len is the number of regions.
func (r Regions) Len() int {
	if r.FeatureWidth <= 0 {
		return 0
	}
	return len(r.Features) / r.FeatureWidth
}

// Feature is the feature vector of region i, a view of Features; nil if there is no
// region i.
func (r Regions) Feature(i int) []float32 { return row(r.Features, i, r.FeatureWidth) }

// Box is the place of region i, a view of Boxes; nil if there is no region i.
func (r Regions) Box(i int) []float32 { return row(r.Boxes, i, r.posWidth()) }

func (r Regions) posWidth() int {
	if r.PosWidth == 0 {
		return 4
	}
	return r.PosWidth
}

func row(values []float32, i, width int) []float32 {
	if width <= 0 || i < 0 || i >= len(values)/width {
		return nil
	}
	return values[i*width : (i+1)*width : (i+1)*width]
}
