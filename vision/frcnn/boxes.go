package frcnn

import (
	"math"

	"github.com/go-lxmert/lxmert/internal/descending"
)

// Boxes are x1, y1, x2, y2 in pixels, four values after one another. Arithmetic is in float32 and in the order of torchvision and Detectron2: outcomes that hang
// on the last bit come out the same. Conversions stand where a compiler could fuse a product with a sum, which rounds once less.

// scaleClamp bounds what a delta may do to a width or height: no more than makes 1000 pixels of 16.
var scaleClamp = float32(math.Log(1000.0 / 16))

// moved is a box with deltas dx, dy, dw, dh applied: the centre moves by dx widths, the width grows e^dw times (apply_deltas of Box2BoxTransform).
func moved(box, delta []float32, weights *[4]float32) [4]float32 {
	width, height := box[2]-box[0], box[3]-box[1]
	x, y := box[0]+float32(0.5*width), box[1]+float32(0.5*height)
	dw, dh := min(delta[2]/weights[2], scaleClamp), min(delta[3]/weights[3], scaleClamp)
	x += float32(delta[0] / weights[0] * width)
	y += float32(delta[1] / weights[1] * height)
	w, h := float32(exp(dw)*width), float32(exp(dh)*height)
	return [4]float32{x - float32(0.5*w), y - float32(0.5*h), x + float32(0.5*w), y + float32(0.5*h)}
}

func exp(x float32) float32 { return float32(math.Exp(float64(x))) }

// clip cuts a box at the edges of a picture.
func clip(box *[4]float32, width, height int) {
	for i, most := range [4]float32{float32(width), float32(height), float32(width), float32(height)} {
		box[i] = min(max(box[i], 0), most)
	}
}

// A suppressor is non-maximum suppression as torchvision does it: it keeps, of boxes that come in order, those that overlap none kept before by more than a
// threshold. Overlap is the intersection over the union, in float32, compared in float64.
type suppressor struct {
	threshold             float64
	x1, y1, x2, y2, areas []float32 // of those kept
}

func newSuppressor(threshold float64, most int) *suppressor {
	all := make([]float32, 5*most)
	part := func(i int) []float32 { return all[i*most : i*most : (i+1)*most] }
	return &suppressor{threshold, part(0), part(1), part(2), part(3), part(4)}
}

// reset forgets what was kept.
func (s *suppressor) reset(threshold float64) {
	s.threshold = threshold
	s.x1, s.y1, s.x2, s.y2, s.areas = s.x1[:0], s.y1[:0], s.x2[:0], s.y2[:0], s.areas[:0]
}

// keep says whether a box stays. There must be room for it.
func (s *suppressor) keep(box *[4]float32) bool {
	x1, y1, x2, y2 := box[0], box[1], box[2], box[3]
	area := float32((x2 - x1) * (y2 - y1))
	n := len(s.areas)
	for i, others := 0, s.areas; i < n; i++ {
		w, h := min(x2, s.x2[i])-max(x1, s.x1[i]), min(y2, s.y2[i])-max(y1, s.y1[i])
		if w <= 0 || h <= 0 { // as most are; where a side is 0, 0/0 suppresses nothing
			continue
		}
		inter := float32(w * h)
		if float64(inter/(others[i]+area-inter)) > s.threshold {
			return false
		}
	}
	s.x1, s.y1, s.x2, s.y2, s.areas = append(s.x1, x1), append(s.y1, y1), append(s.x2, x2), append(s.y2, y2), append(s.areas, area)
	return true
}

// order are keys that, sorted, go from the largest value down, and by index where values are equal (package descending).
func order(keys []uint64, values []float32) []uint64 {
	keys = keys[:0]
	for i, v := range values {
		keys = append(keys, descending.Key(v, i))
	}
	return keys
}
