package scenes

import (
	"image"
	"math"
	"math/rand/v2"
	"sync"
)

// A template is how one drawing of a kind looks to the detector.
type template struct {
	kind  Kind
	shape []float32
}

// templateCells is fine enough for a chimney.
const templateCells = 12

// templates are drawn with the program's own brush, once: both sizes of each kind, several of each, in either direction.
var templates = sync.OnceValue(func() []template {
	const several = 6
	var all []template
	for kind := range kinds {
		for i := range several {
			for size := range sides {
				for _, mirror := range []bool{false, true} {
					all = append(all, template{kind, drawing(kind, Size(size), uint64(i), mirror).shape()})
				}
			}
		}
	}
	return all
})

// drawing is the figure of a kind on white.
func drawing(kind Kind, size Size, seed uint64, mirror bool) figure {
	side := (sides[size][0] + sides[size][1]) / 2
	stretch := math.Sqrt(drawn[kind].aspect)
	picture := image.NewRGBA(image.Rect(0, 0, int(side*stretch)+4, int(side/stretch)+4))
	for i := range picture.Pix {
		picture.Pix[i] = 255
	}
	s := newSketch(rand.New(rand.NewPCG(seed, 0)), Red)
	drawn[kind].sketch(s)
	b := brush{picture: picture}
	b.put(s, picture.Rect.Inset(2), mirror)
	return segment(picture)[0]
}

// shape is a figure's silhouette and aspect.
func (f figure) shape() []float32 {
	const weight = 4 // an aspect of 1.2 for 1 counts as much as a handful of cells
	w, h := float64(f.box.Dx()), float64(f.box.Dy())
	return f.silhouette([]float32{float32(weight * math.Log(w/h))}, templateCells)
}

// kind is that of the nearest template, and how sure it is: 1 if it looks just like one, 0.5 if another kind comes as near.
func (f figure) kind() (Kind, float32) {
	shape := f.shape()
	var near [kinds]float64
	for i := range near {
		near[i] = math.Inf(1)
	}
	for _, t := range templates() {
		var sum float64
		for i, v := range t.shape {
			d := float64(v - shape[i])
			sum += float64(d * d)
		}
		near[t.kind] = min(near[t.kind], sum)
	}
	best, second := Kind(0), math.Inf(1)
	for k := Kind(1); k < kinds; k++ {
		if near[k] < near[best] {
			second, best = near[best], k
		} else {
			second = min(second, near[k])
		}
	}
	return best, float32(second / (second + near[best]))
}
