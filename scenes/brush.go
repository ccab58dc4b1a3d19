package scenes

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/vector"
)

// A brush puts sketches into a picture.
type brush struct {
	picture *image.RGBA
	raster  vector.Rasterizer
	loops   []path // what is filled next, in pixels, each clockwise but for holes
}

// outlineWidth is in pixels: twice as large a thing has an outline that is a little wider.
func outlineWidth(box image.Rectangle) float64 {
	return 1.7 + 0.008*float64(min(box.Dx(), box.Dy()))
}

// put draws s so that it fills box to its edges, outline included.
func (b *brush) put(s *sketch, box image.Rectangle, mirror bool) {
	width := outlineWidth(box)
	place := fit(s, box, width, mirror)
	placed := make([]part, len(s.parts))
	for i, p := range s.parts {
		placed[i] = p
		placed[i].path = place(p.path)
		if p.width == 0 && placed[i].path.area() < 0 {
			placed[i].path = placed[i].path.reversed()
		}
		if p.hole != nil {
			placed[i].hole = place(p.hole)
			if placed[i].hole.area() > 0 {
				placed[i].hole = placed[i].hole.reversed()
			}
		}
	}
	for _, p := range placed {
		if p.solid {
			b.shape(p)
			b.line(p.path, 2*width, true)
			if p.hole != nil {
				b.line(p.hole, width, true)
			}
		}
	}
	b.fill(ink)
	for _, p := range placed {
		if p.width > 0 {
			b.line(p.path, p.width*width, false)
			b.fill(p.fill)
			continue
		}
		b.shape(p)
		b.fill(p.fill)
		if p.inked {
			b.line(p.path, 0.7*width, true)
			if p.hole != nil {
				b.line(p.hole, 0.7*width, true)
			}
			b.fill(ink)
		}
	}
}

// fit maps a sketch to pixels: its bodies reach to an outline's width from the box's edges.
func fit(s *sketch, box image.Rectangle, width float64, mirror bool) func(path) path {
	low, high := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, p := range s.parts {
		if p.solid {
			for _, v := range p.path {
				low, high = point{min(low.x, v.x), min(low.y, v.y)}, point{max(high.x, v.x), max(high.y, v.y)}
			}
		}
	}
	scaleX := (float64(box.Dx()) - 2*width) / (high.x - low.x)
	scaleY := (float64(box.Dy()) - 2*width) / (high.y - low.y)
	return func(p path) path {
		q := make(path, len(p))
		for i, v := range p {
			x := v.x - low.x
			if mirror {
				x = high.x - v.x
			}
			q[i] = point{
				grain(float64(box.Min.X) + width + float64(x*scaleX)),
				grain(float64(box.Min.Y) + width + float64((v.y-low.y)*scaleY)),
			}
		}
		return q
	}
}

// grain rounds to 1/64 pixel, so that how a machine rounds its last bits does not show.
func grain(v float64) float64 { return math.Round(v*64) / 64 }

// shape adds a part to what is filled next.
func (b *brush) shape(p part) {
	b.loops = append(b.loops, p.path)
	if p.hole != nil {
		b.loops = append(b.loops, p.hole)
	}
}

// line adds a line of some width: a box for each of its segments, and a disc where they meet at an angle that would show.
func (b *brush) line(p path, width float64, closed bool) {
	half := width / 2
	n := len(p)
	segments := n - 1
	if closed {
		segments = n
	}
	var last point // direction of the segment before
	if closed {
		last = direction(p[n-1], p[0])
	}
	for i := range segments {
		from, to := p[i], p[(i+1)%n]
		d := direction(from, to)
		if d == (point{}) {
			continue
		}
		nx, ny := grain(d.y*half), grain(-d.x*half)
		b.loops = append(b.loops, path{{from.x + nx, from.y + ny}, {to.x + nx, to.y + ny}, {to.x - nx, to.y - ny}, {from.x - nx, from.y - ny}})
		if float64(d.x*last.x)+float64(d.y*last.y) < 0.985 {
			b.disc(from, half)
		}
		last = d
	}
	if !closed {
		b.disc(p[n-1], half)
	}
}

func direction(from, to point) point {
	dx, dy := to.x-from.x, to.y-from.y
	length := math.Hypot(dx, dy)
	if length == 0 {
		return point{}
	}
	return point{dx / length, dy / length}
}

// disc adds a small round one.
func (b *brush) disc(at point, radius float64) {
	p := make(path, len(dozen))
	for i, v := range dozen {
		p[i] = point{at.x + grain(v.x*radius), at.y + grain(v.y*radius)}
	}
	b.loops = append(b.loops, p)
}

var dozen = arc(0, 0, 1, 1, 0, 1, 12)[:12]

// fill paints all that was added, and forgets it.
func (b *brush) fill(c color.RGBA) {
	low, high := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, p := range b.loops {
		for _, v := range p {
			low, high = point{min(low.x, v.x), min(low.y, v.y)}, point{max(high.x, v.x), max(high.y, v.y)}
		}
	}
	area := image.Rect(int(math.Floor(low.x)), int(math.Floor(low.y)), int(math.Ceil(high.x)), int(math.Ceil(high.y)))
	area = area.Intersect(b.picture.Bounds())
	if area.Empty() {
		b.loops = b.loops[:0]
		return
	}
	b.raster.Reset(area.Dx(), area.Dy())
	for _, p := range b.loops {
		x, y := float64(area.Min.X), float64(area.Min.Y)
		b.raster.MoveTo(float32(p[0].x-x), float32(p[0].y-y))
		for _, v := range p[1:] {
			b.raster.LineTo(float32(v.x-x), float32(v.y-y))
		}
		b.raster.ClosePath()
	}
	b.loops = b.loops[:0]
	b.raster.Draw(b.picture, area, image.NewUniform(c), image.Point{})
}
