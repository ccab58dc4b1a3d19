// Package resize scales pictures as the detectors' recipes have it: Hugging Face's with PyTorch's float32 interpolation, Detectron2's with PIL's
// antialiased one. The two give different pixels, and a detector finds different regions in them, so that none stands in for the other.
//
// Pictures are packed 8-bit pixels, [height, width, 3] in the order red, green, blue, as vision.RGB gives them.
package resize

import (
	"fmt"

	"github.com/go-lxmert/lxmert/vision"
)

// MaxPixels is how many pixels a picture may have, given or resized.
const MaxPixels = vision.MaxPixels

// ShortestEdge is the size of a picture whose shorter side is to be shortest pixels, unless its longer side would have more than longest: then that one
// has longest (Detectron2's ResizeShortestEdge). The other side is rounded to the nearest number, halves upwards; it is at least 1. The recipes' sizes
// are 800 and 1333, or 600 and 1000. What is less than 1 is taken for 1.
func ShortestEdge(from vision.Size, shortest, longest int) vision.Size {
	// In float64 and in this order, as Python does: the result depends on it where a side is close to a half.
	w, h := float64(max(from.Width, 1)), float64(max(from.Height, 1))
	short, long := float64(max(shortest, 1)), float64(max(longest, 1))
	scale := short / min(w, h)
	if h < w {
		h, w = short, float64(scale*w)
	} else {
		h, w = float64(scale*h), short
	}
	if most := max(h, w); most > long {
		scale = long / most
		h, w = float64(h*scale), float64(w*scale)
	}
	return vision.Size{Width: max(int(w+0.5), 1), Height: max(int(h+0.5), 1)}
}

// check says whether a picture of that size may be resized so.
func check(rgb []uint8, from, to vision.Size) error {
	for _, s := range []vision.Size{from, to} {
		if s.Width < 1 || s.Height < 1 || s.Width > MaxPixels/s.Height {
			return fmt.Errorf("resize a picture from %d × %d to %d × %d pixels: want 1 to %d million", from.Width, from.Height, to.Width, to.Height, MaxPixels>>20)
		}
	}
	if want := 3 * from.Width * from.Height; len(rgb) != want {
		return fmt.Errorf("%d bytes of a picture of %d × %d pixels, want %d: three for each pixel", len(rgb), from.Width, from.Height, want)
	}
	return nil
}
