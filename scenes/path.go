package scenes

import "math"

// A point is a place on a sketch: about 0..100, y down.
type point struct{ x, y float64 }

// A path is a line through points; a shape's path returns to its first point.
type path []point

// line is a path through x, y, x, y, ...
func line(xy ...float64) path {
	p := make(path, 0, len(xy)/2)
	for i := 0; i+1 < len(xy); i += 2 {
		p = append(p, point{xy[i], xy[i+1]})
	}
	return p
}

// ellipse is a whole one.
func ellipse(cx, cy, rx, ry float64) path { return arc(cx, cy, rx, ry, 0, 1, 32)[:32] }

// arc is a part of an ellipse, from one angle to another; 0 and 1 are at its right, 0.25 at its bottom.
func arc(cx, cy, rx, ry, from, to float64, steps int) path {
	p := make(path, 0, steps+1)
	for i := range steps + 1 {
		turn := from + float64((to-from)*float64(i))/float64(steps)
		sin, cos := math.Sincos(2 * math.Pi * turn)
		p = append(p, point{cx + float64(rx*cos), cy + float64(ry*sin)})
	}
	return p
}

// rectangle has round corners.
func rectangle(x1, y1, x2, y2, radius float64) path {
	return round(radius, x1, y1, x2, y1, x2, y2, x1, y2)
}

// round is a polygon whose corners are rounded, each from radius before it to radius after it.
func round(radius float64, xy ...float64) path {
	corners := line(xy...)
	n := len(corners)
	var p path
	for i, c := range corners {
		from, to := toward(c, corners[(i+n-1)%n], radius), toward(c, corners[(i+1)%n], radius)
		p = append(p, bend(from, c, to, 5)...)
	}
	return p
}

// toward is the point that lies a distance from c on the way to d, half-way at most.
func toward(c, d point, distance float64) point {
	dx, dy := d.x-c.x, d.y-c.y
	t := min(distance/math.Hypot(dx, dy), 0.5)
	return point{c.x + float64(dx*t), c.y + float64(dy*t)}
}

// bend is the quadratic curve from a to c that b pulls at.
func bend(a, b, c point, steps int) path {
	p := make(path, 0, steps+1)
	for i := range steps + 1 {
		t := float64(i) / float64(steps)
		u := 1 - t
		ka, kb, kc := u*u, 2*u*t, t*t
		p = append(p, point{
			float64(ka*a.x) + float64(kb*b.x) + float64(kc*c.x),
			float64(ka*a.y) + float64(kb*b.y) + float64(kc*c.y),
		})
	}
	return p
}

// smooth is a closed curve through points (Catmull and Rom's).
func smooth(xy ...float64) path {
	corners := line(xy...)
	n := len(corners)
	var p path
	for i := range corners {
		p = append(p, through(corners[(i+n-1)%n], corners[i], corners[(i+1)%n], corners[(i+2)%n])...)
	}
	return p
}

// wave is an open curve through points.
func wave(xy ...float64) path {
	corners := line(xy...)
	n := len(corners)
	var p path
	for i := range n - 1 {
		p = append(p, through(corners[max(i-1, 0)], corners[i], corners[i+1], corners[min(i+2, n-1)])...)
	}
	return append(p, corners[n-1])
}

// through goes from b almost to c; a and d say in which direction.
func through(a, b, c, d point) path {
	const steps = 6
	p := make(path, steps)
	cubic := func(a, b, c, d, t float64) float64 {
		return b + float64(t/2*(c-a+float64(t*(2*a-5*b+4*c-d+float64(t*(3*(b-c)+d-a))))))
	}
	for i := range p {
		t := float64(i) / steps
		p[i] = point{cubic(a.x, b.x, c.x, d.x, t), cubic(a.y, b.y, c.y, d.y, t)}
	}
	return p
}

// turn rotates p about a point, by a part of a whole turn.
func (p path) turn(about point, by float64) path {
	sin, cos := math.Sincos(2 * math.Pi * by)
	q := make(path, len(p))
	for i, v := range p {
		dx, dy := v.x-about.x, v.y-about.y
		q[i] = point{about.x + float64(dx*cos) - float64(dy*sin), about.y + float64(dx*sin) + float64(dy*cos)}
	}
	return q
}

// reversed goes the other way round.
func (p path) reversed() path {
	q := make(path, len(p))
	for i, v := range p {
		q[len(p)-1-i] = v
	}
	return q
}

// area is positive if p goes round clockwise as one sees it.
func (p path) area() float64 {
	var sum float64
	for i, v := range p {
		w := p[(i+1)%len(p)]
		sum += float64(v.x*w.y) - float64(w.x*v.y)
	}
	return sum / 2
}
