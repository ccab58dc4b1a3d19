package curves

import (
	"image/color"

	"github.com/go-lxmert/lxmert/internal/okabeito"
)

// A canvas is what is drawn on. Lengths are in pixels of a picture [width] wide, from its upper left corner.
type canvas interface {
	// line joins points; what lies outside of within is not drawn.
	line(points []point, p pen, within rect)
	// ring is a small circle, white within.
	ring(at point, radius float64, p pen)
	// text stands on at, which is its left end, its middle (0.5) or its right end (1).
	text(at point, anchor float64, f font, text string)
}

type pen struct {
	name           string // of what is drawn, shown under the mouse
	color          color.RGBA
	width, opacity float64
}

type font struct {
	size  float64
	bold  bool
	color color.RGBA
}

type rect struct{ left, top, right, bottom float64 }

func rgb(v uint32) color.RGBA { return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255} }

// palette is Okabe and Ito's, less its yellow, which is too faint on white; then grey.
var palette = []color.RGBA{okabeito.Blue, okabeito.Vermillion, okabeito.Green, okabeito.Purple, okabeito.Orange, okabeito.Sky, okabeito.Black, rgb(0x888888)}

// MaxRuns is how many runs a picture has colours for.
var MaxRuns = len(palette)

var (
	ink    = rgb(0x1f2328) // titles
	soft   = rgb(0x59636e) // numbers and notes
	faint  = rgb(0xe4e7eb) // grid
	ground = rgb(0xaab1b9) // the horizontal axis
	alarm  = rgb(0xcf222e) // what is not finite
)
