package kernel

// A weaver packs the left side of a convolution from the pictures, tile by tile, as if there were a matrix with a row for
// each pixel of the result and a column for each cell and channel of the window.
type weaver struct {
	s     *Set
	w     Window
	x     []float32
	zeros []float32 // a row of channels, for cells beside the picture

	height, width int // of the result
	run           int // values of a row of the window that lie one after another
}

// weaveRows is how many rows weaving reads at a time, more than a tile has.
const weaveRows = 16

func (s *Set) newWeaver(w Window, x, zeros []float32) weaver {
	run := w.Channels
	if w.DilationX == 1 {
		run *= w.KernelX
	}
	height, width := w.Out()
	return weaver{s, w, x, zeros, height, width, run}
}

// pack writes columns k0 ≤ p < k1 of some rows of that matrix to dst, one column after another. It may write up to
// weaveRows values beyond the last.
func (v *weaver) pack(dst []float32, pixel, rows, k0, k1 int) {
	w := &v.w
	var row [weaveRows]*float32
	if !v.inside(&row, pixel, rows) {
		v.packCells(dst, &row, pixel, rows, k0, k1)
		return
	}
	repeat(&row, rows)
	perRow := w.KernelX * w.Channels / v.run // runs in a row of the window
	for k0 < k1 {
		run, at := k0/v.run, k0%v.run
		n := min(v.run-at, k1-k0)
		offset := run/perRow*w.DilationY*w.Width*w.Channels + run%perRow*w.DilationX*w.Channels + at
		v.s.weave(dst, rows, row, offset, n)
		dst, k0 = dst[n*rows:], k0+n
	}
}

// inside points at the first cell of each row's window, if all cells of all are in the pictures.
func (v *weaver) inside(row *[weaveRows]*float32, pixel, rows int) bool {
	w := &v.w
	step := w.StrideX * w.Channels
	walk := w.from(pixel, v.height, v.width)
	for done := 0; done < rows; {
		n := min(rows-done, v.width-walk.x) // pixels in a row of the result
		p := walk.place()
		end := p
		end.x += (n - 1) * w.StrideX
		if !w.inside(p) || !w.inside(end) {
			return false
		}
		at := w.at(p)
		for r := range n {
			row[done+r] = &v.x[at+r*step]
		}
		done += n
		walk.skip(n)
	}
	return true
}

// packCells is pack for rows with cells beside the picture: a cell at a time.
func (v *weaver) packCells(dst []float32, row *[weaveRows]*float32, pixel, rows, k0, k1 int) {
	w := &v.w
	var places [weaveRows]place
	walk := w.from(pixel, v.height, v.width)
	for r := range rows {
		places[r] = walk.place()
		walk.next()
	}
	for k0 < k1 {
		cell, at := k0/w.Channels, k0%w.Channels
		n := min(w.Channels-at, k1-k0)
		down, across := cell/w.KernelX*w.DilationY, cell%w.KernelX*w.DilationX
		for r := range rows {
			p := places[r]
			p.y, p.x = p.y+down, p.x+across
			row[r] = &v.zeros[0]
			if p.y >= 0 && p.x >= 0 && p.y < w.Height && p.x < w.Width {
				row[r] = &v.x[w.at(p)]
			}
		}
		repeat(row, rows)
		v.s.weave(dst, rows, *row, at, n)
		dst, k0 = dst[n*rows:], k0+n
	}
}

// repeat lets the rows that a tile lacks be one that it has.
func repeat(row *[weaveRows]*float32, rows int) {
	for r := rows; r < weaveRows; r++ {
		row[r] = row[0]
	}
}
