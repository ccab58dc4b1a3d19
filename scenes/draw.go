package scenes

import (
	"fmt"
	"image"
	"math/rand/v2"
)

// drawn is how a kind is drawn, facing right, and its width for a height of one.
var drawn = [kinds]struct {
	sketch func(*sketch)
	aspect float64
}{
	Car:      {(*sketch).car, 1.7},
	House:    {(*sketch).house, 0.95},
	Tree:     {(*sketch).tree, 0.82},
	Ball:     {(*sketch).ball, 1},
	Boat:     {(*sketch).boat, 1.05},
	Fish:     {(*sketch).fish, 1.6},
	Star:     {(*sketch).star, 1.05},
	Flower:   {(*sketch).flower, 0.72},
	Cup:      {(*sketch).cup, 1.2},
	Hat:      {(*sketch).hat, 1.5},
	Kite:     {(*sketch).kite, 0.6},
	Mushroom: {(*sketch).mushroom, 1},
}

// Draw is the picture, a function of the scene alone. Objects that [Scene.Check] refuses are left out.
func (s *Scene) Draw() *image.RGBA {
	picture := image.NewRGBA(image.Rect(0, 0, Width, Height))
	s.Ground.draw(picture, s.Seed)
	b := brush{picture: picture}
	for i, o := range s.Objects {
		if o.check() == nil {
			r := rand.New(rand.NewPCG(s.Seed, uint64(i)+1))
			sketch := newSketch(r, o.Color)
			mirror := r.IntN(2) == 1
			drawn[o.Kind].sketch(sketch)
			b.put(sketch, o.Box, mirror)
		}
	}
	return picture
}

// Check finds what cannot be drawn in a scene that was not made by [New].
func (s *Scene) Check() error {
	if s.Ground < 0 || s.Ground >= grounds {
		return fmt.Errorf("ground %d, want 0 to %d", s.Ground, grounds-1)
	}
	for i, o := range s.Objects {
		if err := o.check(); err != nil {
			return fmt.Errorf("object %d: %w", i, err)
		}
	}
	return nil
}

// least is how wide and high an object must be for its outline not to fill it.
const least = 8

func (o Object) check() error {
	switch {
	case o.Kind < 0 || o.Kind >= kinds:
		return fmt.Errorf("kind %d, want 0 to %d", o.Kind, kinds-1)
	case o.Color < 0 || o.Color >= colors:
		return fmt.Errorf("colour %d, want 0 to %d", o.Color, colors-1)
	case !o.Box.In(image.Rect(0, 0, Width, Height)):
		return fmt.Errorf("box %v, want it within %d × %d", o.Box, Width, Height)
	case o.Box.Dx() < least || o.Box.Dy() < least:
		return fmt.Errorf("box %v, want at least %d × %[2]d pixels", o.Box, least)
	}
	return nil
}
