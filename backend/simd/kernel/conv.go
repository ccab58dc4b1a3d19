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
// each 768 steps of rows · columns · channels, as [Packed.Mul] counts them, and those are added in order.
//
// A set of narrow numbers convolves if [Set.Convolves] says so. Where [Set.PicturesLen] is not 0, x is what [Set.PackPictures] made of the
// pictures. With int8, each picture then has one step; where it is 0, each pixel of the result has its own.
func (s *Set) Convolve(dst []float32, ldc int, x []float32, w Window, weights *Packed, from, to int, e Epilogue, scratch []float32) {
	if n := s.PicturesLen(&w); n > 0 {
		w = w.filled("Convolve")
		need("Convolve", "x", x, 1, n, n)
	} else {
		w = w.check("Convolve", x)
	}
	if !s.Convolves(&w) {
		panic("kernel.Convolve: channels that do not fill words of " + s.number.String())
	}
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
	group := s.partTiles(s.leftWords(weights.k))
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
	words := s.leftWords(k)
	rows := s.partTiles(words) * s.rows
	return len(Scratch{}) + w.Channels + rows*(2+min(words, blockK*s.wide)) + weaveRows + weaveRows*w.Channels
}

// convolution is the work of one goroutine.
type convolution struct {
	s   *Set
	p   *Packed
	c   []float32
	ldc int
	e   Epilogue

	pixelCount int
	fused      bool      // the tile's kernel knows the epilogue
	left       []float32 // a block of k of the tiles of a group
	scales     []float32 // of int8: the step of each row of the group
	starts     []int32   // what a block's sums start with
	edge       []float32 // a tile of the last panel
	weaver     weaver
	pixels     pixelRows // packs left sides instead, if there are pixels
	images     pictures  // of int8, if there are pictures

	tileByTile bool      // all weights stay in the second cache, and each tile meets them while it is in the first
	stream     bool      // results go past the caches
	ahead      []float32 // the pictures, if tiles read them one after another: to be fetched while tiles compute
}

// newConvolution decides how a convolution is computed.
func (s *Set) newConvolution(dst []float32, ldc int, x []float32, w Window, weights *Packed, e Epilogue, scratch []float32) convolution {
	c := convolution{s: s, p: weights, c: dst, ldc: ldc, pixelCount: w.Pixels(), e: e}
	take := func(n int) []float32 {
		taken := scratch[:n]
		scratch = scratch[n:]
		return taken
	}
	c.edge = take(len(Scratch{}))
	zeros := take(w.Channels)
	clear(zeros)
	rows := s.partTiles(s.leftWords(weights.k)) * s.rows
	c.scales, c.starts = take(rows), intsOf(take(rows))
	oneBlock := weights.steps <= blockK
	c.tileByTile = oneBlock && weights.Panels() <= s.panelsAtOnce(weights.steps)
	c.fused = (e.Scale == 0 || e.Scale == 1) && e.Activation <= ReLU
	whole := weights.n%s.width == 0 && ldc%16 == 0 && uintptr(unsafe.Pointer(&dst[0]))%64 == 0 // vectors, and cache lines
	c.stream = oneBlock && c.fused && whole && 4*c.pixelCount*weights.n >= streamFrom
	if w.single() && w.StrideY*w.StrideX == 1 {
		w.Batch, w.Height, w.Width = 1, 1, c.pixelCount // tiles take pixels as they lie
		if c.tileByTile {
			c.ahead = x
		}
	}
	switch {
	case s.number == Float32:
		c.weaver = s.newWeaver(w, x, zeros)
	case w.single():
		height, width := w.Out()
		c.pixels = pixelRows{s, w, x, take(weaveRows * w.Channels), height, width}
	default:
		c.images = s.pictures(x, &w)
		w.Channels = s.leftWords(w.Channels)
		c.weaver = s.newWeaver(w, c.images.words, zeros)
	}
	c.left = scratch
	return c
}

// An ending is what happens to sums when their block of k is done: more says that c is added to, then come
// bias and residual, which may be nil, and nothing stays below floor.
type ending struct {
	bias, residual []float32
	ldr            int
	floor          float32
	more           bool

	d dequantising // of int8

	stream bool     // c goes past the caches
	ahead  *float32 // what to fetch meanwhile
	pace   int      // bytes of it in four steps of k
}

// panelsAtOnce is how many panels of so many steps a tile goes over before the next tile comes.
func (s *Set) panelsAtOnce(steps int) int { return max(1, weightsAtOnce/(steps*s.width)) }

// group computes tiles from ≤ i < to: for each block of k it weaves their left sides and then goes over the panels.
func (c *convolution) group(from, to int) {
	s, p := c.s, c.p
	first := s.leftTile(c.pixelCount, from)
	for k0 := 0; k0 < p.steps; k0 += blockK {
		k := min(blockK, p.steps-k0)
		for i := from; i < to; i++ {
			row, end := s.leftTile(c.pixelCount, i), s.leftTile(c.pixelCount, i+1)
			c.pack(row-first, row, end-row, k0, k)
		}
		whole := p.n / s.width // panels that are filled
		for panel := 0; panel < whole; {
			n := min(s.panelsAtOnce(k), whole-panel)
			for i := from; i < to; i++ {
				row, end := s.leftTile(c.pixelCount, i), s.leftTile(c.pixelCount, i+1)
				c.tile(row-first, row, end-row, panel, n, k0, k)
			}
			panel += n
		}
		if whole < p.Panels() {
			for i := from; i < to; i++ {
				row, end := s.leftTile(c.pixelCount, i), s.leftTile(c.pixelCount, i+1)
				c.last(row-first, row, end-row, k0, k)
			}
		}
	}
}

// pack makes a block of k of the left side of one tile, which lies at rows of the group.
func (c *convolution) pack(at, row, rows, k0, k int) {
	wide := c.s.wide
	left := c.left[at*k*wide:]
	scales, starts := c.scales[at:][:rows], c.starts[at:][:rows]
	if c.pixels.s != nil {
		c.pixels.pack(left[:rows*k*wide], scales, starts, row, k0, k)
		return
	}
	c.weaver.pack(left, row, rows, k0*wide, (k0+k)*wide)
	switch {
	case c.s.number != Int8:
	case k0 == 0:
		c.images.measure(scales, starts, &c.weaver, row)
	default:
		clear(starts)
	}
}

// dequantising is how a block of a tile of int8 products starts and ends.
func (c *convolution) dequantising(at, rows, panel int, done bool) dequantising {
	if c.s.number != Int8 {
		return dequantising{}
	}
	d := dequantising{starts: c.starts[at:][:rows]}
	if done {
		d.rows, d.columns = c.scales[at:][:rows], c.p.scales[panel*c.s.width:]
	}
	return d
}

// tile computes a block of k of one tile with some filled panels.
func (c *convolution) tile(at, row, rows, panel, panels, k0, k int) {
	a := c.left[at*k*c.s.wide:]
	width := c.s.width
	column := panel * width
	out := c.c[row*c.ldc+column:]
	end := ending{floor: float32(math.Inf(-1)), more: k0 > 0, stream: c.stream, ahead: &a[0]}
	if next := (row + rows) * c.p.k; next < len(c.ahead) {
		end.ahead, end.pace = &c.ahead[next], 16*rows*c.s.per/panels
	}
	done := k0+k == c.p.steps
	end.d = c.dequantising(at, rows, panel, done)
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
	c.s.convTile(rows, out, c.ldc, a, c.p.data[(panel*c.p.steps+k0)*width:], k, panels, c.p.steps*width, end)
	if done && !c.fused {
		c.e.apply(c.s, out, c.ldc, row, column, rows, panels*width)
	}
}

// last computes a block of k of one tile with the last panel, where c has fewer columns than the panel: beside c.
func (c *convolution) last(at, row, rows, k0, k int) {
	s, p := c.s, c.p
	a := c.left[at*k*s.wide:]
	panel := p.Panels() - 1
	column := panel * s.width
	columns := p.n - column
	out := c.c[row*c.ldc+column:]
	if k0 > 0 {
		for r := range rows {
			copy(c.edge[r*s.width:][:columns], out[r*c.ldc:])
		}
	}
	done := k0+k == p.steps
	end := ending{floor: float32(math.Inf(-1)), more: k0 > 0, ahead: &a[0], d: c.dequantising(at, rows, panel, done)}
	compute := s.convTile
	if columns <= s.width/2 {
		compute = s.convHalf
	}
	compute(rows, c.edge, s.width, a, p.data[(panel*p.steps+k0)*s.width:], k, 1, 0, end)
	for r := range rows {
		copy(out[r*c.ldc:][:columns], c.edge[r*s.width:])
	}
	if done {
		c.e.apply(s, out, c.ldc, row, column, rows, columns)
	}
}
