package scenes

import (
	"image"
	"math"
	"math/rand/v2"
)

// How many objects a scene has, and how they lie.
const (
	fewest, most = 2, 7
	apart        = 6 // pixels between boxes, at least
	margin       = 3 // pixels to the picture's edge, at least
)

// sides are the sides of a square as large as an object's box, in pixels, from and to: a big one has at least twice the area of a small one, whatever
// the two are.
var sides = [...][2]float64{Small: {33, 41}, Big: {64, 78}}

// New is a scene left to chance, a function of the seed alone: 2 to 7 objects, as often each number. Kinds and colours come in groups often enough to
// be counted.
func New(seed uint64) *Scene {
	r := rand.New(rand.NewPCG(seed, 0))
	s := &Scene{Ground: Ground(r.IntN(int(grounds))), Seed: seed}
	s.Objects = make([]Object, fewest+r.IntN(most-fewest+1))
	for i := range s.Objects {
		s.Objects[i] = Object{Kind: Kind(r.IntN(int(kinds))), Color: Color(r.IntN(int(colors))), Size: Size(r.IntN(2))}
	}
	if r.IntN(5) < 2 {
		kind := Kind(r.IntN(int(kinds)))
		for _, i := range group(r, len(s.Objects)) {
			s.Objects[i].Kind = kind
		}
	}
	if r.IntN(5) < 2 {
		c := Color(r.IntN(int(colors)))
		for _, i := range group(r, len(s.Objects)) {
			s.Objects[i].Color = c
		}
	}
	for !s.place(r) { // too many big ones: one less
		for _, i := range r.Perm(len(s.Objects)) {
			if s.Objects[i].Size == Big {
				s.Objects[i].Size = Small
				break
			}
		}
	}
	return s
}

// group chooses two to four of n.
func group(r *rand.Rand, n int) []int { return r.Perm(n)[:min(n, 2+r.IntN(3))] }

// place gives every object a box, and reports whether there is room.
func (s *Scene) place(r *rand.Rand) bool {
	const attempts, tries = 4, 60
	for range attempts {
		placed := 0
		for _, size := range []Size{Big, Small} { // the big ones first, while there is room
			for i := range s.Objects {
				if s.Objects[i].Size == size && s.find(r, i, tries) {
					placed++
				}
			}
		}
		if placed == len(s.Objects) {
			return true
		}
		for i := range s.Objects {
			s.Objects[i].Box = image.Rectangle{}
		}
	}
	return false
}

// find looks for room for object i, and gives it its box there.
func (s *Scene) find(r *rand.Rand, i, tries int) bool {
	o := &s.Objects[i]
	between := func(low, high float64) float64 { return low + float64((high-low)*r.Float64()) }
	side := between(sides[o.Size][0], sides[o.Size][1])
	stretch := math.Sqrt(drawn[o.Kind].aspect * between(0.95, 1.05))
	width, height := int(math.Round(side*stretch)), int(math.Round(side/stretch))
	for range tries {
		x, y := margin+r.IntN(Width-2*margin-width+1), margin+r.IntN(Height-2*margin-height+1)
		box := image.Rect(x, y, x+width, y+height)
		if !s.near(box) {
			o.Box = box
			return true
		}
	}
	return false
}

// near reports whether a box would come too close to one that is there.
func (s *Scene) near(box image.Rectangle) bool {
	for _, o := range s.Objects {
		if !o.Box.Empty() && box.Inset(-apart).Overlaps(o.Box) {
			return true
		}
	}
	return false
}
