package curves

import (
	"image/color"
	"math"
	"slices"
)

// A panel is one plot.
type panel struct {
	title, by string // what is drawn, by what
	outer     rect   // with title and numbers
	x, y      axis
	curves    []curve
	bad       []point // what is not finite
	runs      int
}

// A curve is drawn as a line, perhaps with rings.
type curve struct {
	points []point
	pen    pen
	shape  shape
	thin   func([]point, func(float64) int) []point
}

// A shape is how a curve's points are shown.
type shape int

const (
	lines shape = iota
	rings
	ringedLines
)

// The strokes of the picture.
func strong(c color.RGBA) pen  { return pen{"", c, 2.2, 1} }
func thinPen(c color.RGBA) pen { return pen{"", c, 1.2, 0.7} }

const ringRadius = 3.2

func (p pen) named(name string) pen {
	p.name = name
	return p
}

// steps adds a curve by step, the faint one of all and the strong one of the means; of each no more points than can matter, for a log
// may have millions.
func (p *panel) steps(name string, points []point, c color.RGBA, smooth float64) {
	good, bad := split(points)
	p.bad = append(p.bad, bad...)
	all := extremes(good, p.fine(1))
	if smooth > 1 {
		p.curves = append(p.curves, curve{all, p.faint(c).named(name), lines, extremes},
			curve{means(smoothed(good, smooth), p.fine(4)), strong(c).named(name), lines, means})
		return
	}
	stroke := strong(c).named(name)
	if len(all) > width/4 {
		stroke.width = 1.2 // or noise would look like a wall
	}
	p.curves = append(p.curves, curve{all, stroke, lines, extremes})
}

// fine divides the axis into so many columns for each pixel of the picture.
func (p *panel) fine(each float64) func(x float64) int {
	return func(x float64) int { return int(p.x.share(x) * each * width) }
}

// faint is the stroke of each step: the more runs lie upon each other, the fainter.
func (p *panel) faint(c color.RGBA) pen {
	return pen{"", c, 1, math.Round(30/math.Sqrt(float64(p.runs))) / 100}
}

// smooth adds a curve by step without noise.
func (p *panel) smooth(name string, points []point, c color.RGBA, width float64) {
	good, bad := split(points)
	p.bad = append(p.bad, bad...)
	p.curves = append(p.curves, curve{means(good, p.fine(1)), pen{name, c, width, 1}, lines, means})
}

// measured adds a curve of few points, each of which is shown.
func (p *panel) measured(name string, points []point, c color.RGBA, as shape) {
	good, bad := split(points)
	p.bad = append(p.bad, bad...)
	p.curves = append(p.curves, curve{good, strong(c).named(name), as, nil})
}

// thin adds a curve that stays in the background.
func (p *panel) thin(name string, points []point, c color.RGBA) {
	good, bad := split(points)
	p.bad = append(p.bad, bad...)
	p.curves = append(p.curves, curve{good, thinPen(c).named(name), lines, nil})
}

// finish chooses the vertical axis; nil if there is nothing to see.
func (p *panel) finish(mayBeLogarithmic bool) *panel {
	var values []float64
	low, high := math.Inf(1), math.Inf(-1)
	for _, c := range p.curves {
		var own []float64
		for _, at := range c.points {
			own = append(own, at.y)
		}
		values = append(values, own...)
		if len(own) > 0 && c.pen.opacity == 1 { // a strong curve is to be seen whole, but for its own spikes
			slices.Sort(own)
			low, high = min(low, quantile(own, 0.003)), max(high, quantile(own, 0.997))
		}
	}
	if len(values) == 0 {
		if len(p.bad) == 0 {
			return nil
		}
		values = []float64{0, 1} // all are bad, and shall be seen
	}
	slices.Sort(values)
	low, high = min(low, quantile(values, 0.02)), max(high, quantile(values, 0.98))
	p.y = vertical(low, high, mayBeLogarithmic, 5)
	return p
}

func (p *panel) draw(c canvas) {
	inner := rect{p.outer.left + 44, p.outer.top + 30, p.outer.right, p.outer.bottom - 22}
	at := func(v point) point {
		return point{inner.left + p.x.share(v.x)*(inner.right-inner.left), inner.bottom - p.y.share(v.y)*(inner.bottom-inner.top)}
	}
	c.text(point{p.outer.left, p.outer.top + 13}, 0, font{15, true, ink}, p.title)
	c.text(point{p.outer.right, p.outer.top + 13}, 1, font{12, false, soft}, p.by)
	around := rect{p.outer.left, p.outer.top, p.outer.right, p.outer.bottom}
	for _, tick := range p.y.ticks {
		y := at(point{p.x.low, tick}).y
		c.line([]point{{inner.left, y}, {inner.right, y}}, pen{color: faint, width: 1, opacity: 1}, around)
		c.text(point{inner.left - 8, y + 4}, 1, font{12, false, soft}, p.y.label(tick))
	}
	c.line([]point{{inner.left, inner.bottom}, {inner.right, inner.bottom}}, pen{color: ground, width: 1, opacity: 1}, around)
	for _, tick := range p.x.ticks {
		x := at(point{tick, p.y.low}).x
		c.line([]point{{x, inner.bottom}, {x, inner.bottom + 5}}, pen{color: ground, width: 1, opacity: 1}, around)
		label, anchor := p.x.label(tick), 0.5
		if x+3.6*float64(len(label)) > width { // half of its width would not fit
			x, anchor = width-2, 1
		}
		c.text(point{x, inner.bottom + 19}, anchor, font{12, false, soft}, label)
	}
	column := func(x float64) int { return int(math.Floor(at(point{x, 0}).x)) }
	for _, faintOnes := range []bool{true, false} { // so that no run's noise hides another's mean
		for _, curve := range p.curves {
			if (curve.pen.opacity < 1) == faintOnes {
				curve.draw(c, inner, at, column)
			}
		}
	}
	last := math.MinInt
	for _, b := range p.bad {
		if now := column(b.x); now >= last+8 {
			cross(c, point{at(b).x, inner.top + 5}, rect{inner.left - 6, inner.top, inner.right + 6, inner.bottom})
			last = now
		}
	}
}

func (v curve) draw(c canvas, within rect, at func(point) point, column func(float64) int) {
	points := v.points
	if v.thin != nil {
		points = v.thin(points, column)
	}
	placed := make([]point, len(points))
	for i, p := range points {
		placed[i] = at(p)
		if v.pen.opacity < 1 && v.thin != nil { // strokes of noise at even distances make an even tone
			placed[i].x = math.Floor(placed[i].x) + 0.5
		}
	}
	if len(placed) > 1 && v.shape != rings {
		c.line(placed, v.pen, within)
	}
	if v.shape != lines || len(placed) == 1 {
		for _, p := range placed {
			if p.y >= within.top && p.y <= within.bottom {
				c.ring(p, ringRadius, v.pen)
			}
		}
	}
}

// cross marks what has no place.
func cross(c canvas, at point, within rect) {
	for _, slope := range []float64{-1, 1} {
		c.line([]point{{at.x - 3.5, at.y - 3.5*slope}, {at.x + 3.5, at.y + 3.5*slope}}, pen{"not a finite number", alarm, 1.6, 1}, within)
	}
}
