package frcnn

import (
	"math"

	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

// features are a picture's, [height, width, channels].
type features struct {
	values                  []float32
	height, width, channels int
}

// A cell range is a box in places of the features, ends included, before it is cut at their edges: two boxes with the same have the same features.
type cellRange struct{ x1, y1, x2, y2 int32 }

// cellsOf are the places of a box, in pixels of the resized picture: rounded, halves away from zero.
func cellsOf(box []float32) cellRange {
	at := func(v float32) int32 { return int32(math.Round(float64(v * (1.0 / stride)))) }
	return cellRange{at(box[0]), at(box[1]), at(box[2]), at(box[3])}
}

// A pooler is torchvision's RoIPool: it divides a box into resolution × resolution bins and takes the largest value of each. Bins overlap, and those
// without a place are 0.
type pooler struct {
	set        *kernel.Set
	resolution int
	rows       []float32 // of one row of bins: the largest value of each column
}

// pool fills dst, [resolution, resolution, channels].
func (p *pooler) pool(dst []float32, f *features, box cellRange) {
	n, c := p.resolution, f.channels
	if need := f.width * c; cap(p.rows) < need {
		p.rows = make([]float32, need)
	}
	left, _ := bin(0, n, box.x1, box.x2, f.width)
	_, right := bin(n-1, n, box.x1, box.x2, f.width) // by rounding it may be one place beyond the box
	for y := range n {
		out := dst[y*n*c:][:n*c]
		top, bottom := bin(y, n, box.y1, box.y2, f.height)
		if top >= bottom || left >= right {
			clear(out)
			continue
		}
		// The columns that bins of this row share are reduced once.
		rows := f.values[(top*f.width+left)*c:][:(right-left)*c]
		for row := top + 1; row < bottom; row++ {
			below := f.values[(row*f.width+left)*c:][:(right-left)*c]
			p.set.Larger(p.rows[:len(rows)], rows, below)
			rows = p.rows[:len(rows)]
		}
		for x := range n {
			to := out[x*c:][:c]
			from, end := bin(x, n, box.x1, box.x2, f.width)
			if from >= end {
				clear(to)
				continue
			}
			copy(to, rows[(from-left)*c:][:c])
			for column := from + 1; column < end; column++ {
				p.set.Larger(to, to, rows[(column-left)*c:][:c])
			}
		}
	}
}

// bin is the range of places, cut at the edge, of the i-th of n bins between first and last.
func bin(i, n int, first, last int32, size int) (from, end int) {
	length := float32(max(last-first+1, 1))
	step := length / float32(n)
	from = int(math.Floor(float64(float32(float32(i)*step)))) + int(first)
	end = int(math.Ceil(float64(float32(float32(i+1)*step)))) + int(first)
	return min(max(from, 0), size), min(max(end, 0), size)
}
