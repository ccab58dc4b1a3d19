package scenes

import (
	"context"
	"image"
	"image/color"
	"sync"

	"github.com/go-lxmert/lxmert/vision"
)

// FamiliarEnough is from which [Familiar] on a picture may be taken for a drawn scene.
const FamiliarEnough = 0.75

// Trust is by what a model's probabilities about a picture that is so familiar are multiplied to be confidences, 0..1.
func Trust(familiar float64) float64 { return min(familiar/FamiliarEnough, 1) }

// Familiar is how much a picture looks like a drawn scene, by its colours alone: the share of its pixels whose colour is drawn here. Scenes have over 0.9, or 0.8
// after JPEG at quality 75; photographs mostly below 0.2. A blank page has 1, so see whether there are objects, too. It is 0 for a picture without pixels.
func Familiar(img image.Image) float64 {
	picture, err := vision.Shrink(context.Background(), img, longest)
	if err != nil {
		return 0
	}
	known := familiar()
	n, all := 0, len(picture.Pix)/4
	for i := range all {
		if p := picture.Pix[4*i:][:3]; known[fiveBits(p[0], p[1], p[2])] {
			n++
		}
	}
	return float64(n) / float64(all)
}

func fiveBits(r, g, b uint8) int { return int(r)>>3<<10 | int(g)>>3<<5 | int(b)>>3 }

// familiar are the colours that are drawn here, give or take what JPEG does to them.
var familiar = sync.OnceValue(func() *[1 << 15]bool {
	var known [1 << 15]bool
	mark := func(c color.RGBA) {
		const give = 10
		bound := func(v uint8) (int, int) { return max(int(v)-give, 0) >> 3, min(int(v)+give, 255) >> 3 }
		r1, r2 := bound(c.R)
		g1, g2 := bound(c.G)
		b1, b2 := bound(c.B)
		for r := r1; r <= r2; r++ {
			for g := g1; g <= g2; g++ {
				for b := b1; b <= b2; b++ {
					known[r<<10|g<<5|b] = true
				}
			}
		}
	}
	for _, c := range []color.RGBA{ink, white, cream, glass, wood, leaf, steel, far, near} {
		mark(c)
	}
	for _, c := range palette {
		mark(c)
		mark(mix(c, ink, shadeParts))
		mark(mix(c, white, tintParts))
	}
	for _, a := range pastels {
		for _, b := range append([]color.RGBA{mix(a, white, halfWhite)}, pastels[:]...) {
			for parts := 0; parts <= 256; parts += 32 {
				mark(mix(a, b, parts))
			}
		}
	}
	return &known
})
