package kernel

import (
	"math"
	"unsafe"
)

// Convolve is the convolution of pictures x, of [batch, height, width, channels], with weights packed as a right side of
// [rows · columns · channels, outputs]: dst = epilogue(conv(x, weights)), of [pixels, outputs] with rows ldc apart. It computes tiles
// from ≤ i < to of [Set.LeftTiles] of [Window.Pixels], so that callers can split the work. scratch has [Set.ConvolveScratch]
// values, of this goroutine alone. Cells beside the pictures are zeros. The epilogue's residual is of [pixels, outputs] too.
//
// Weights of [rows, columns, channels, outputs] are packed by [Packed.Pack] as [InputsOutputs], weights of [outputs, channels, rows,
// columns], as PyTorch stores them, as [OutputsInputsOver] the window's cells.
//
// It is an implicit matrix product: the left side, a row of window for each pixel, exists a few tiles at a time, woven from the
// pictures into the form that tiles read. No pixel's result depends on the others; each sum is one chain of multiply-adds for
// each 768 steps of rows · columns · channels, and those are added in order.
func (s *Set) Convolve(dst []float32, ldc int, x []float32, w Window, weights *Packed, from, to int, e Epilogue, scratch []float32) {
	w = w.check("Convolve", x)
	pixels := w.Pixels()
	need("Convolve", "dst", dst, pixels, weights.n, ldc)
	span("Convolve", from, to, s.LeftTiles(pixels))
	e.check(pixels, weights.n)
	if weights.set != s || weights.k != w.KernelY*w.KernelX*w.Channels {
		panic("kernel.Convolve: weights of another set or window")
	}
	if len(scratch) < s.ConvolveScratch(&w) {
		panic("kernel.Convolve: scratch is too short")
	}
	if from == to || weights.n == 0 {
		return
	}
	if weights.k == 0 {
		first, last := s.leftTile(pixels, from), s.leftTile(pixels, to)
		e.Residual = rowsFrom(e.Residual, first, e.LDResidual)
		weights.mulNothing(dst[first*ldc:], ldc, last-first, 0, weights.Panels(), &e)
		return
	}
	c := s.newConvolution(dst, ldc, x, w, weights, e, scratch)
	group := s.partTiles(weights.k)
	if c.tileByTile {
		group = 1
	}
	for groups := (to - from + group - 1) / group; groups > 0; groups-- {
		end := from + (to-from)/groups
		c.group(from, end)
		from = end
	}
	if c.stream {
		s.fence()
	}
}

// rowsFrom are the rows of a matrix from one on; of no matrix, none.
func rowsFrom(x []float32, row, ld int) []float32 {
	if x == nil {
		return nil
	}
	return x[row*ld:]
}

// How a convolution is cut, in values.
const (
	weightsAtOnce = 64 << 10 // of panels that one tile after another goes over: a quarter of the second cache

	// Bytes of a result from which on it goes past the caches: it would not be there any more when it is read, and a cache must read
	// what it is to hold before it is written over.
	streamFrom = 12 << 20
)

// ConvolveScratch is how many values [Set.Convolve] needs for itself.
func (s *Set) ConvolveScratch(w *Window) int {
	k := w.KernelY * w.KernelX * w.Channels
	return len(Scratch{}) + w.Channels + s.partTiles(k)*s.rows*min(k, blockK) + weaveRows
}

// convolution is the work of one goroutine.
type convolution struct {
	s      *Set
	p      *Packed
	c      []float32
	ldc    int
	pixels int
	e      Epilogue
	fused  bool      // the tile's kernel knows the epilogue
	left   []float32 // a block of k of the tiles of a group
	edge   []float32 // a tile of the last panel
	weaver weaver

	tileByTile bool      // all weights stay in the second cache, and each tile meets them while it is in the first
	stream     bool      // results go past the caches
	ahead      []float32 // the pictures, if tiles read them one after another: to be fetched while tiles compute
}

// newConvolution decides how a convolution is computed.
func (s *Set) newConvolution(dst []float32, ldc int, x []float32, w Window, weights *Packed, e Epilogue, scratch []float32) convolution {
	c := convolution{s: s, p: weights, c: dst, ldc: ldc, pixels: w.Pixels(), e: e}
	c.edge, scratch = scratch[:len(Scratch{})], scratch[len(Scratch{}):]
	zeros, left := scratch[:w.Channels], scratch[w.Channels:]
	clear(zeros)
	c.left = left
	oneBlock := weights.k <= blockK
	c.tileByTile = oneBlock && weights.Panels() <= s.panelsAtOnce(weights.k)
	c.fused = (e.Scale == 0 || e.Scale == 1) && e.Activation <= ReLU
	whole := weights.n%s.width == 0 && ldc%16 == 0 && uintptr(unsafe.Pointer(&dst[0]))%64 == 0 // vectors, and cache lines
	c.stream = oneBlock && c.fused && whole && 4*c.pixels*weights.n >= streamFrom
	if w.KernelY*w.KernelX*w.StrideY*w.StrideX == 1 && w.Top+w.Left+w.Bottom+w.Right == 0 {
		w.Batch, w.Height, w.Width = 1, 1, c.pixels // tiles take pixels as they lie
		if c.tileByTile {
			c.ahead = x
		}
	}
	c.weaver = s.newWeaver(w, x, zeros)
	return c
}

// An ending is what happens to sums when their block of k is done: more says that c is added to, then come
// bias and residual, which may be nil, and nothing stays below floor.
type ending struct {
	bias, residual []float32
	ldr            int
	floor          float32
	more           bool

	stream bool     // c goes past the caches
	ahead  *float32 // what to fetch meanwhile
	pace   int      // bytes of it in four steps of k
}

// panelsAtOnce is how many panels a tile goes over before the next tile comes.
func (s *Set) panelsAtOnce(k int) int { return max(1, weightsAtOnce/(k*s.width)) }

// group computes tiles from ≤ i < to: for each block of k it weaves their left sides and then goes over the panels.
func (c *convolution) group(from, to int) {
	s, p := c.s, c.p
	first := s.leftTile(c.pixels, from)
	for k0 := 0; k0 < p.k; k0 += blockK {
		k := min(blockK, p.k-k0)
		for i := from; i < to; i++ {
			row, end := s.leftTile(c.pixels, i), s.leftTile(c.pixels, i+1)
			c.weaver.pack(c.left[(row-first)*k:], row, end-row, k0, k0+k)
		}
		whole := p.n / s.width // panels that are filled
		for panel := 0; panel < whole; {
			n := min(s.panelsAtOnce(k), whole-panel)
			for i := from; i < to; i++ {
				row, end := s.leftTile(c.pixels, i), s.leftTile(c.pixels, i+1)
				c.tile(row, end-row, panel, n, k0, k, c.left[(row-first)*k:])
			}
			panel += n
		}
		if whole < p.Panels() {
			for i := from; i < to; i++ {
				row, end := s.leftTile(c.pixels, i), s.leftTile(c.pixels, i+1)
				c.last(row, end-row, k0, k, c.left[(row-first)*k:])
			}
		}
	}
}

// tile computes a block of k of one tile with some filled panels.
func (c *convolution) tile(row, rows, panel, panels, k0, k int, a []float32) {
	width := c.s.width
	column := panel * width
	out := c.c[row*c.ldc+column:]
	end := ending{floor: float32(math.Inf(-1)), more: k0 > 0, stream: c.stream, ahead: &a[0]}
	if next := (row + rows) * k; next < len(c.ahead) {
		end.ahead, end.pace = &c.ahead[next], 16*rows/panels
	}
	done := k0+k == c.p.k
	if done && c.fused {
		if c.e.Bias != nil {
			end.bias = c.e.Bias[column:]
		}
		if c.e.Residual != nil {
			end.residual, end.ldr = c.e.Residual[row*c.e.LDResidual+column:], c.e.LDResidual
		}
		if c.e.Activation == ReLU {
			end.floor = 0
		}
	}
	c.s.convTile(rows, out, c.ldc, a, c.p.data[(panel*c.p.k+k0)*width:], k, panels, c.p.k*width, end)
	if done && !c.fused {
		c.e.apply(c.s, out, c.ldc, row, column, rows, panels*width)
	}
}

// last computes a block of k of one tile with the last panel, where c has fewer columns than the panel: beside c.
func (c *convolution) last(row, rows, k0, k int, a []float32) {
	s, p := c.s, c.p
	panel := p.Panels() - 1
	column := panel * s.width
	columns := p.n - column
	out := c.c[row*c.ldc+column:]
	if k0 > 0 {
		for r := range rows {
			copy(c.edge[r*s.width:][:columns], out[r*c.ldc:])
		}
	}
	end := ending{floor: float32(math.Inf(-1)), more: k0 > 0, ahead: &a[0]}
	compute := s.convTile
	if columns <= s.width/2 {
		compute = s.convHalf
	}
	compute(rows, c.edge, s.width, a, p.data[(panel*p.k+k0)*s.width:], k, 1, 0, end)
	for r := range rows {
		copy(out[r*c.ldc:][:columns], c.edge[r*s.width:])
	}
	if k0+k == p.k {
		c.e.apply(s, out, c.ldc, row, column, rows, columns)
	}
}
