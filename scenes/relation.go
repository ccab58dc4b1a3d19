package scenes

import "math"

// A relation is where one thing is, seen from another.
type relation int

const (
	leftOf relation = iota
	rightOf
	above
	below
	relations
)

// String is the relation between two nouns.
func (r relation) String() string {
	return [...]string{"to the left of", "to the right of", "above", "below"}[r]
}

// clearly is how far apart centres must be, in parts of the picture, for anybody to say which is further to the left, or higher.
const clearly = 0.05

// An opinion is whether something is true, where that can be too close to tell.
type opinion int

const (
	no opinion = iota
	unclear
	yes
)

// holds says whether a is so related to b.
func (r relation) holds(a, b Object) opinion {
	ax, ay := a.Center()
	bx, by := b.Center()
	d := [...]float64{bx - ax, ax - bx, by - ay, ay - by}[r]
	switch {
	case d >= clearly:
		return yes
	case d <= -clearly:
		return no
	}
	return unclear
}

// A place is a ninth of the picture.
type place int

// String is the place as an answer.
func (p place) String() string {
	return [...]string{"top left", "top", "top right", "left", "middle", "right", "bottom left", "bottom", "bottom right"}[p]
}

const places = 9

// boundary is how far from a boundary between two places the centre of a thing must be, in parts of the picture, to be in one of them.
const boundary = 0.03

// placeOf is where a thing is, by its centre; false if that is too close to a boundary to tell.
func placeOf(o Object) (place, bool) {
	x, y := o.Center()
	for _, v := range [...]float64{x, y} {
		if math.Abs(v-1./3) < boundary || math.Abs(v-2./3) < boundary {
			return 0, false
		}
	}
	return place(min(int(y*3), 2)*3 + min(int(x*3), 2)), true
}
