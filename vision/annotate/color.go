package annotate

import (
	"image"
	"image/color"
	"math"

	"github.com/go-lxmert/lxmert/internal/okabeito"
)

// palette is Okabe and Ito's, without its black, which is the lines' edge.
var palette = []color.RGBA{okabeito.Orange, okabeito.Sky, okabeito.Green, okabeito.Yellow, okabeito.Vermillion, okabeito.Purple, okabeito.Blue}

// choose gives each box a colour, the first first: the one that differs from those of the boxes that it could be mistaken for. Boxes on each
// other count, the more the less one can tell their edges apart; then how often a colour is there already.
func choose(boxes []image.Rectangle) []color.RGBA {
	chosen := make([]int, len(boxes))
	for i, box := range boxes {
		cost := make([]float64, len(palette))
		for j, other := range boxes[:i] {
			cost[chosen[j]] += confusable(box, other) + 0.01
		}
		for c := range cost {
			if cost[c] < cost[chosen[i]] {
				chosen[i] = c
			}
		}
	}
	colors := make([]color.RGBA, len(boxes))
	for i, c := range chosen {
		colors[i] = palette[c]
	}
	return colors
}

// confusable is 0 for boxes that do not meet, 1 for two that are the same: what they share, as a part of what both cover (intersection over union).
func confusable(a, b image.Rectangle) float64 {
	shared := area(a.Intersect(b))
	return float64(shared) / float64(max(area(a)+area(b)-shared, 1))
}

func area(r image.Rectangle) int { return r.Dx() * r.Dy() }

// Ink is black or white, whichever is seen better on a ground (the contrast of WCAG 2): it is 4.5 or more on any.
func Ink(ground color.RGBA) color.RGBA {
	if contrast(ground, okabeito.Black) >= contrast(ground, white) {
		return okabeito.Black
	}
	return white
}

var white = color.RGBA{255, 255, 255, 255}

// contrast is WCAG 2's ratio: 1 for the same, 21 for black and white, 4.5 or more for text that people can read.
func contrast(a, b color.RGBA) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(c color.RGBA) float64 {
	linear := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}
