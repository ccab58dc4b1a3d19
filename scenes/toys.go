package scenes

import "math"

func (s *sketch) ball() {
	s.body(ellipse(50, 50, 50, 50), s.main)
	turn := s.some(0.05, 0.08)
	curve := func(y float64) path {
		return arc(50, y, 62, 44, 0.45, 0.05, 16).turn(point{50, 50}, turn).within(50, 50, 49)
	}
	upper, lower := curve(8), curve(32)
	s.patch(append(upper, lower.reversed()...), white)
	s.stroke(upper, 0.7, ink)
	s.stroke(lower, 0.7, ink)
	s.patch(ellipse(34, 22, 10, 6).turn(point{34, 22}, -0.1), s.tint)
}

// within pulls what lies outside of a circle to its edge.
func (p path) within(x, y, radius float64) path {
	for i, v := range p {
		if far := math.Hypot(v.x-x, v.y-y); far > radius {
			p[i] = point{x + float64((v.x-x)*radius/far), y + float64((v.y-y)*radius/far)}
		}
	}
	return p
}

// spikes are the corners of a star.
func spikes(n int, outer, inner, first float64) []float64 {
	var xy []float64
	for i := range 2 * n {
		r := outer
		if i%2 == 1 {
			r = inner
		}
		sin, cos := math.Sincos(2 * math.Pi * (float64(i)/float64(2*n) + first))
		xy = append(xy, 50+float64(r*cos), 50+float64(r*sin))
	}
	return xy
}

func (s *sketch) star() {
	first := -0.25 + s.some(0, 0.015)
	inner := s.some(25, 2)
	s.body(round(5, spikes(5, 54, inner, first)...), s.main)
	s.patch(round(4, spikes(5, 42, inner*0.78, first)...), s.tint)
	s.eye(42, 47, 4.4)
	s.eye(58, 47, 4.4)
	s.stroke(arc(50, 53, 7, 7, 0.05, 0.45, 8), 0.9, ink)
}

func (s *sketch) kite() {
	sway := s.some(9, 3)
	tail := wave(50, 92, 50+sway, 110, 50-sway, 130, 50+sway, 150)
	s.body(thick(tail, 1), ink)
	for _, i := range []int{7, 13} {
		at := tail[i]
		s.body(round(1.5, at.x-12, at.y-6, at.x, at.y, at.x-12, at.y+6), s.main)
		s.body(round(1.5, at.x+12, at.y-6, at.x, at.y, at.x+12, at.y+6), s.main)
	}
	s.body(round(2, 50, 0, 88, 38, 50, 96, 12, 38), s.main)
	s.patch(line(50, 38, 50, 3, 86, 38), s.tint)
	s.patch(line(50, 38, 50, 93, 15, 39), s.shade)
	s.patch(line(50, 38, 50, 4, 43, 10, 43, 38), white)
	s.patch(line(50, 38, 50, 92, 57, 82, 57, 38), white)
	s.stroke(line(50, 2, 50, 94), 0.8, ink)
	s.stroke(line(13, 38, 87, 38), 0.8, ink)
}

// thick is the shape of a line of a width.
func thick(p path, half float64) path {
	left, right := make(path, len(p)), make(path, len(p))
	for i, v := range p {
		d := direction(p[max(i-1, 0)], p[min(i+1, len(p)-1)])
		left[i], right[i] = point{v.x - float64(d.y*half), v.y + float64(d.x*half)}, point{v.x + float64(d.y*half), v.y - float64(d.x*half)}
	}
	return append(left, right.reversed()...)
}
