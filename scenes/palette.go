package scenes

import (
	"image/color"
	"math/rand/v2"
)

// palette is what each colour looks like, give or take a shade. The colours stand as far apart as eight can, and none is light: what is light is ground.
var palette = [colors]color.RGBA{
	Red:    {218, 38, 44, 255},
	Orange: {248, 136, 24, 255},
	Yellow: {250, 216, 40, 255},
	Green:  {62, 168, 72, 255},
	Blue:   {44, 112, 214, 255},
	Purple: {128, 62, 176, 255},
	Pink:   {250, 122, 184, 255},
	Brown:  {136, 86, 46, 255},
}

var (
	ink   = color.RGBA{44, 36, 52, 255} // outlines
	white = color.RGBA{255, 255, 255, 255}
	cream = color.RGBA{255, 242, 214, 255}
	glass = color.RGBA{226, 242, 252, 255}
	wood  = color.RGBA{158, 108, 66, 255}
	leaf  = color.RGBA{92, 178, 84, 255}
	steel = color.RGBA{92, 88, 104, 255} // tyres
)

// vary is c a little lighter or darker.
func vary(r *rand.Rand, c color.RGBA) color.RGBA {
	by := r.IntN(15) - 7
	shift := func(v uint8) uint8 { return uint8(min(max(int(v)+by+r.IntN(7)-3, 0), 255)) }
	return color.RGBA{shift(c.R), shift(c.G), shift(c.B), 255}
}

// mix is c with parts of 256 of d in it.
func mix(c, d color.RGBA, parts int) color.RGBA {
	blend := func(v, w uint8) uint8 { return uint8((int(v)*(256-parts) + int(w)*parts) >> 8) }
	return color.RGBA{blend(c.R, d.R), blend(c.G, d.G), blend(c.B, d.B), 255}
}
