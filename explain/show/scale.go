package show

import (
	"image/color"

	"github.com/go-lxmert/lxmert/internal/okabeito"
)

// ember is the scale: from a dark grey to a light yellow, ever lighter, so that it can be read without seeing colours.
var ember = []struct {
	at float64
	c  color.RGBA
}{
	{0, color.RGBA{0x2e, 0x32, 0x3b, 255}},
	{0.3, color.RGBA{0x6f, 0x3c, 0x1e, 255}},
	{0.6, color.RGBA{0xc4, 0x66, 0x0c, 255}},
	{0.8, okabeito.Orange},
	{1, color.RGBA{0xfa, 0xe9, 0x8a, 255}},
}

// shadeColor is the scale's colour for a shade; what is out of 0..1 has that of the end.
func shadeColor(shade float64) color.RGBA {
	for i := 1; i < len(ember); i++ {
		if low, high := ember[i-1], ember[i]; shade < high.at {
			return mix(low.c, high.c, max(0, (shade-low.at)/(high.at-low.at)))
		}
	}
	return ember[len(ember)-1].c
}

// mix is a where t is 0, b where it is 1.
func mix(a, b color.RGBA, t float64) color.RGBA {
	between := func(x, y uint8) uint8 { return uint8(float64(x) + t*(float64(y)-float64(x)) + 0.5) }
	return color.RGBA{between(a.R, b.R), between(a.G, b.G), between(a.B, b.B), 255}
}
