package scenes

import (
	"image/color"
	"math/rand/v2"
)

// A sketch is a thing before it has a place and a size: what it is made of, from back to front.
type sketch struct {
	r                 *rand.Rand
	main, shade, tint color.RGBA // its colour; darker; lighter
	parts             []part
}

// A part of a sketch is a filled shape, or a line.
type part struct {
	path  path
	hole  path // cut out of it; nil: none
	fill  color.RGBA
	solid bool    // the thing's outline goes round it
	inked bool    // it has a thin outline of its own
	width float64 // of a line, in shares of the outline's; 0: a shape
}

// How much darker and lighter a sketch's other shades are, in parts of 256; more, and dark orange would be brown, light red pink.
const shadeParts, tintParts = 38, 42

func newSketch(r *rand.Rand, c Color) *sketch {
	main := vary(r, palette[c])
	return &sketch{r: r, main: main, shade: mix(main, ink, shadeParts), tint: mix(main, white, tintParts)}
}

// body adds a shape that the outline goes round. All that is drawn must lie within bodies.
func (s *sketch) body(p path, fill color.RGBA) {
	s.parts = append(s.parts, part{path: p, fill: fill, solid: true, inked: true})
}

// ring is a body with a hole.
func (s *sketch) ring(p, hole path, fill color.RGBA) {
	s.parts = append(s.parts, part{path: p, hole: hole, fill: fill, solid: true, inked: true})
}

// patch adds a shape within bodies.
func (s *sketch) patch(p path, fill color.RGBA) {
	s.parts = append(s.parts, part{path: p, fill: fill})
}

// pane is a patch with a thin outline.
func (s *sketch) pane(p path, fill color.RGBA) {
	s.parts = append(s.parts, part{path: p, fill: fill, inked: true})
}

// stroke adds a line, as wide as a share of the outline.
func (s *sketch) stroke(p path, width float64, c color.RGBA) {
	s.parts = append(s.parts, part{path: p, fill: c, width: width})
}

// some is a number around the middle of what it may be: mean, give or take.
func (s *sketch) some(mean, give float64) float64 {
	return mean + float64(give*(2*s.r.Float64()-1))
}

// eye looks at you.
func (s *sketch) eye(x, y, radius float64) {
	s.patch(ellipse(x, y, radius, radius), ink)
	s.patch(ellipse(x-radius*0.3, y-radius*0.35, radius*0.38, radius*0.38), white)
}
