package kernel

import "math"

// MaxPool is the largest of the cells that a window sees in the pictures x, of [batch, height, width, channels], for each channel:
// dst is [pixels, channels], -Inf where it sees none, NaN where one is. It computes pixels from ≤ i < to of [Window.Pixels], so that
// callers can split the work.
func (s *Set) MaxPool(dst, x []float32, w Window, from, to int) {
	s.pool("MaxPool", s.poolMax, float32(math.Inf(-1)), dst, x, w, from, to)
}

// SumPool is [Set.MaxPool] for the sum of the cells: 0 where it sees none.
func (s *Set) SumPool(dst, x []float32, w Window, from, to int) {
	s.pool("SumPool", s.poolSum, 0, dst, x, w, from, to)
}

// MeanPool is [Set.MaxPool] for the mean of the cells. Those beside the pictures count as zeros if padding, else not at all; where
// a window sees none the mean is then 0.
func (s *Set) MeanPool(dst, x []float32, w Window, padding bool, from, to int) {
	s.pool("MeanPool", s.poolSum, 0, dst, x, w, from, to)
	w = w.check("MeanPool", x)
	if from == to {
		return
	}
	height, width := w.Out()
	walk := w.from(from, height, width)
	for i := from; i < to; i++ {
		_, down, across := w.seen(walk.place())
		walk.next()
		if padding {
			down, across = w.KernelY, w.KernelX
		}
		if row := dst[i*w.Channels:][:w.Channels]; len(row) > 0 && down*across > 0 {
			s.scale(row, row, 1/float32(down*across))
		}
	}
}

// pool goes over the places of the window; none is for places where it sees no cell.
func (s *Set) pool(name string, cells pooling, none float32, dst, x []float32, w Window, from, to int) {
	w = w.check(name, x)
	pixels := w.Pixels()
	need(name, "dst", dst, pixels, w.Channels, w.Channels)
	span(name, from, to, pixels)
	if from == to || w.Channels == 0 {
		return
	}
	height, width := w.Out()
	stepDown, stepAcross := w.DilationY*w.Width*w.Channels, w.DilationX*w.Channels
	walk := w.from(from, height, width)
	for i := from; i < to; i++ {
		first, down, across := w.seen(walk.place())
		walk.next()
		row := dst[i*w.Channels:][:w.Channels]
		if down*across == 0 {
			for j := range row {
				row[j] = none
			}
			continue
		}
		cells(row, x[w.at(first):], down, across, stepDown, stepAcross)
	}
}

// seen is the part of the window that is in the picture: its first cell and how many there are, down and across.
func (w *Window) seen(p place) (first place, down, across int) {
	var top, left int
	top, down = visible(p.y, w.KernelY, w.DilationY, w.Height)
	left, across = visible(p.x, w.KernelX, w.DilationX, w.Width)
	return place{p.picture, p.y + top*w.DilationY, p.x + left*w.DilationX}, down, across
}

// visible counts the positions at, at+step, … of n that are in 0 ≤ i < size, after those that come before.
func visible(at, n, step, size int) (before, count int) {
	if at < 0 {
		before = min(n, (step-1-at)/step)
	}
	end := 0 // how many are below size
	if at < size {
		end = min(n, (size-1-at)/step+1)
	}
	return before, max(0, end-before)
}
