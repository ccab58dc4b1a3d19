package show

import (
	"cmp"
	"image"
	"image/color"
	"math"
	"slices"

	"github.com/go-lxmert/lxmert/vision"
	"github.com/go-lxmert/lxmert/vision/annotate"
)

// light darkens a picture where nothing has counted, and lets it shine where something has. A smaller region lies on a larger one: where they overlap, its
// shade holds.
func light(picture *image.RGBA, r vision.Regions, shades []float32) {
	size := picture.Rect.Size()
	of := make([]float32, size.X*size.Y)
	for _, region := range bySize(r) {
		box := annotate.Pixels(r, region, size)
		for y := box.Min.Y; y < box.Max.Y; y++ {
			row := of[y*size.X:][box.Min.X:box.Max.X]
			for x := range row {
				row[x] = shades[region]
			}
		}
	}
	lamps := [256]lamp{}
	for i := range lamps {
		lamps[i] = newLamp(float64(i) / 255)
	}
	for y := range size.Y {
		for x := range size.X {
			p := picture.Pix[picture.PixOffset(x, y):][:3:3]
			shade := min(max(of[y*size.X+x], 0), 1)
			lamps[int(shade*255+0.5)].shine(p)
		}
	}
}

// bySize are the regions, the largest first.
func bySize(r vision.Regions) []int {
	order := make([]int, r.Len())
	for i := range order {
		order[i] = i
	}
	area := func(i int) float64 {
		b := r.Box(i)
		return math.Abs(float64(b[2]-b[0]) * float64(b[3]-b[1]))
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(area(b), area(a)) })
	return order
}

// A lamp is what a shade does to a pixel.
type lamp struct {
	grey, bright, tint float64 // shares of grey, of brightness, and of the scale's colour
	color              color.RGBA
}

func newLamp(shade float64) lamp {
	return lamp{grey: 0.75 * (1 - shade), bright: 0.3 + 0.7*math.Pow(shade, 0.8), tint: 0.12 * shade, color: okabe}
}

// okabe is the warm light.
var okabe = ember[3].c

func (l lamp) shine(p []uint8) {
	luma := 0.299*float64(p[0]) + 0.587*float64(p[1]) + 0.114*float64(p[2])
	warm := [3]uint8{l.color.R, l.color.G, l.color.B}
	for i := range p {
		v := float64(p[i])
		v += l.grey * (luma - v)
		v *= l.bright
		v += l.tint * (float64(warm[i]) - v)
		p[i] = uint8(min(v+0.5, 255))
	}
}
