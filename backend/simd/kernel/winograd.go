package kernel

import (
	"math"
	"unsafe"
)

// Winograd is the weights of a 3×3 convolution in the form that needs a quarter of the multiplications (Lavin & Gray 2016,
// arXiv:1509.09308): four by four pixels of the result come from six by six cells of the picture, which are transformed, multiplied
// frequency by frequency (a matrix product over the channels for each of the 36), and transformed back.
//
// The transformations evaluate polynomials at the points 0, ±1/√2, ±√2 and ∞. With them the largest error of 64 to 1024 channels is 1e-6
// to 4e-6 of the largest result, two to seven times that of [Set.Convolve]; with the usual points 0, ±1, ±2, ∞ it is 1.3e-5 of 1024
// channels. The weights take four times the memory that they have otherwise. A NaN or an infinity reaches all sixteen pixels of its
// squares.
type Winograd struct {
	set             *Set
	inputs, outputs int
	data            []float32 // 36 right sides of [inputs, outputs], packed
}

const (
	frequencies = 36
	squareSide  = 4 // of the pixels that one transformation gives
	cellsSide   = 6 // of the cells that it reads
)

// The points are those of the generator.
const (
	pointA = 1 / math.Sqrt2
	pointB = math.Sqrt2
)

// NewWinograd is weights that are yet to be packed.
func (s *Set) NewWinograd(inputs, outputs int) *Winograd {
	s = s.In(Float32)
	return &Winograd{s, inputs, outputs, Aligned(frequencies * s.PackedLen(inputs, outputs))}
}

// Panels is in what parts [Winograd.Pack] may be split.
func (g *Winograd) Panels() int { return (g.outputs + g.set.width - 1) / g.set.width }

// Bytes is the memory that the weights take.
func (g *Winograd) Bytes() int { return 4 * len(g.data) }

// Pack transforms weights of [3, 3, inputs, outputs] if layout is [InputsOutputs], of [outputs, inputs, 3, 3] if it is [OutputsInputsOver]
// nine cells, of [outputs, 3, 3, inputs] if it is [OutputsInputs], into panels from ≤ j < to.
func (g *Winograd) Pack(b []float32, layout Layout, from, to int) {
	need("Winograd.Pack", "b", b, 9, g.inputs*g.outputs, g.inputs*g.outputs)
	span("Winograd.Pack", from, to, g.Panels())
	cell, input, output := g.inputs*g.outputs, g.outputs, 1 // distances in b
	switch layout {
	case OutputsInputs:
		cell, input, output = g.inputs, 1, 9*g.inputs
	case OutputsInputsOver(9):
		cell, input, output = 1, 9, 9*g.inputs
	}
	width := g.set.width
	for o := from * width; o < min(to*width, g.outputs); o++ {
		for i := range g.inputs {
			at := i*input + o*output
			var rows [3][cellsSide]float64
			for y := range rows {
				rows[y] = weightLine(float64(b[at+3*y*cell]), float64(b[at+(3*y+1)*cell]), float64(b[at+(3*y+2)*cell]))
			}
			to := g.data[(o/width*g.inputs+i)*width+o%width:]
			for x := range cellsSide {
				for y, v := range weightLine(rows[0][x], rows[1][x], rows[2][x]) {
					to[(y*cellsSide+x)*len(g.data)/frequencies] = float32(v)
				}
			}
		}
	}
}

// weightLine is the transformation of three weights in a line: their polynomial at each point p, over the product of the distances
// of p from the other points.
func weightLine(w0, w1, w2 float64) [cellsSide]float64 {
	const (
		aa, bb = pointA * pointA, pointB * pointB
		atA    = 1 / (2 * aa * (aa - bb))
		atB    = 1 / (2 * bb * (bb - aa))
	)
	a, b := w0+aa*w2, w0+bb*w2
	return [cellsSide]float64{w0 / (aa * bb), (a + pointA*w1) * atA, (a - pointA*w1) * atA, (b + pointB*w1) * atB, (b - pointB*w1) * atB, w2}
}

// WinogradFits reports whether a window is one that [Winograd.Convolve] can do: 3×3 and not strided. A dilated one is as many plain
// ones, side by side, as cells lie between two that it sees.
func WinogradFits(w *Window) bool {
	return w.KernelY == 3 && w.KernelX == 3 && max(w.StrideY, w.StrideX) <= 1
}

// WinogradSquares is how many squares of four by four pixels cover the results: the unit in which callers split the work.
func WinogradSquares(w *Window) int {
	height, width := w.Out()
	dy, dx := max(1, w.DilationY), max(1, w.DilationX)
	return w.Batch * dy * dx * squares(height, dy) * squares(width, dx)
}

// squares cover some pixels in a line, of which each square takes every one that is step away from the last.
func squares(pixels, step int) int { return ((pixels+step-1)/step + squareSide - 1) / squareSide }

// squaresAtOnce is how many squares a group has: six tiles of 14, whose transformed cells and products lie in the third cache. The
// weights, which may be more than that cache holds, go by once for each group.
const squaresAtOnce = 84

// padded is the outputs with the last panel filled up.
func (g *Winograd) padded() int { return g.Panels() * g.set.width }

// Scratch is how many values [Winograd.Convolve] needs for itself.
func (g *Winograd) Scratch() int {
	const n = squaresAtOnce
	return winogradRoom + cellsSide*cellsSide*g.inputs + squareSide*squareSide*g.padded() +
		frequencies*n*(g.inputs+g.padded()) + n*g.inputs + weaveRows + winogradRoom
}

// winogradRoom is what a transformation puts aside, and a cache line to begin on.
const winogradRoom = (frequencies + 1) * 16

// Convolve is [Set.Convolve] with these weights, for squares from ≤ i < to of [WinogradSquares]. scratch has [Winograd.Scratch]
// values. No square's result depends on the others.
func (g *Winograd) Convolve(dst []float32, ldc int, x []float32, w Window, from, to int, e Epilogue, scratch []float32) {
	s := g.set
	w = w.check("Winograd.Convolve", x)
	pixels := w.Pixels()
	need("Winograd.Convolve", "dst", dst, pixels, g.outputs, ldc)
	span("Winograd.Convolve", from, to, WinogradSquares(&w))
	e.check(pixels, g.outputs)
	if !WinogradFits(&w) || w.Channels != g.inputs || g.inputs == 0 {
		panic("kernel.Winograd.Convolve: weights of another window")
	}
	if len(scratch) < g.Scratch() {
		panic("kernel.Winograd.Convolve: scratch is too short")
	}
	if from == to || g.outputs == 0 {
		return
	}
	const n = squaresAtOnce
	take := func(n int) (part []float32) {
		part, scratch = scratch[:n:n], scratch[n:]
		return part
	}
	take(-int(uintptr(unsafe.Pointer(&scratch[0]))) & 63 / 4) // to a cache line
	r := squaring{g: g, s: s, w: w, x: x, c: dst, ldc: ldc, e: e, fused: (e.Scale == 0 || e.Scale == 1) && e.Activation <= ReLU,
		room: take(winogradRoom), product: take(frequencies * n * g.padded()), cells: take(cellsSide * cellsSide * g.inputs),
		pixels: take(squareSide * squareSide * g.padded()), transformed: take(frequencies * n * g.inputs), left: take(n*g.inputs + weaveRows)}
	r.height, r.width = w.Out()
	r.down, r.across = squares(r.height, w.DilationY), squares(r.width, w.DilationX)
	for groups := (to - from + n - 1) / n; groups > 0; groups-- {
		end := from + (to-from)/groups
		r.group(from, end-from)
		from = end
	}
}

// squaring is the work of one goroutine.
type squaring struct {
	g      *Winograd
	s      *Set
	w      Window
	x, c   []float32
	ldc    int
	e      Epilogue
	fused  bool // the transformation's kernel knows the epilogue
	height int  // of the result
	width  int
	down   int // squares
	across int

	room, cells, pixels        []float32
	transformed, left, product []float32 // [frequencies, squares, inputs], one frequency of it woven, [frequencies, squares, outputs]
}

// group computes count squares.
func (r *squaring) group(first, count int) {
	for i := range count {
		r.transform(i, count, first+i)
	}
	for f := range frequencies {
		r.multiply(f, count)
	}
	for i := range count {
		r.finish(i, count, first+i)
	}
}

// place is where a square's first pixel lies in the result.
func (r *squaring) place(square int) place {
	dy, dx := r.w.DilationY, r.w.DilationX
	column, rest := square%r.across, square/r.across
	row, rest := rest%r.down, rest/r.down
	return place{rest / (dy * dx), rest/dx%dy + row*squareSide*dy, rest%dx + column*squareSide*dx}
}

// transform makes row i of every frequency of a square's cells.
func (r *squaring) transform(i, count, square int) {
	w, c := &r.w, r.w.Channels
	p := r.place(square)
	p.y, p.x = p.y-w.Top, p.x-w.Left
	x, row, column := r.cells, cellsSide*c, c
	if p.y >= 0 && p.x >= 0 && p.y+(cellsSide-1)*w.DilationY < w.Height && p.x+(cellsSide-1)*w.DilationX < w.Width {
		x, row, column = r.x[w.at(p):], w.DilationY*w.Width*c, w.DilationX*c
	} else {
		r.copyCells(p)
	}
	r.s.winogradInput(r.transformed[i*c:], count*c, x, row, column, c, r.room)
}

// copyCells copies a square's cells, those beside the picture as zeros.
func (r *squaring) copyCells(p place) {
	w, c := &r.w, r.w.Channels
	for i := range cellsSide {
		for j := range cellsSide {
			from := place{p.picture, p.y + i*w.DilationY, p.x + j*w.DilationX}
			to := r.cells[(i*cellsSide+j)*c:][:c]
			if from.y >= 0 && from.x >= 0 && from.y < w.Height && from.x < w.Width {
				copy(to, r.x[w.at(from):])
			} else {
				clear(to)
			}
		}
	}
}

// multiply makes the products of one frequency. While it computes with some panels of weights it fetches the next.
func (r *squaring) multiply(f, count int) {
	s, g := r.s, r.g
	k, padded := g.inputs, g.padded()
	x, m := r.transformed[f*count*k:], r.product[f*count*padded:]
	tiles := s.LeftTiles(count)
	for i := range tiles {
		first, end := s.leftTileOf(count, tiles, i)
		var row [weaveRows]*float32
		for j := first; j < end; j++ {
			row[j-first] = &x[j*k]
		}
		repeat(&row, end-first)
		s.weave(r.left[first*k:], end-first, row, 0, k)
	}
	for panel := 0; panel < g.Panels(); {
		n := min(s.panelsAtOnce(k), g.Panels()-panel)
		at := (f*g.Panels() + panel) * k * s.width
		size := n * k * s.width
		for i := range tiles {
			first, end := s.leftTileOf(count, tiles, i)
			e := ending{floor: float32(math.Inf(-1)), ahead: &r.left[0]}
			if next := at + size + size*i/tiles; next < len(g.data) {
				e.ahead, e.pace = &g.data[next], 16*s.width/tiles
			}
			s.convTile(end-first, m[first*padded+panel*s.width:], padded, r.left[first*k:], g.data[at:], k, n, k*s.width, e)
		}
		panel += n
	}
}

// leftTileOf is leftTile and its end.
func (s *Set) leftTileOf(m, tiles, i int) (row, end int) {
	begin := func(i int) int { return i*(m/tiles) + min(i, m%tiles) }
	return begin(i), begin(i + 1)
}

// finish transforms the products of a square back.
func (r *squaring) finish(i, count, square int) {
	p, dy, dx := r.place(square), r.w.DilationY, r.w.DilationX
	pixel := (p.picture*r.height+p.y)*r.width + p.x
	padded := r.g.padded()
	m, stride := r.product[i*padded:], count*padded
	end := ending{floor: float32(math.Inf(-1))}
	if r.fused && p.y+(squareSide-1)*dy < r.height && p.x+(squareSide-1)*dx < r.width {
		end.bias = r.e.Bias
		if r.e.Residual != nil {
			end.residual, end.ldr = r.e.Residual[pixel*r.e.LDResidual:], dx*r.e.LDResidual
		}
		if r.e.Activation == ReLU {
			end.floor = 0
		}
		r.s.winogradOutput(r.c[pixel*r.ldc:], dy*r.width*r.ldc, dx*r.ldc, m, stride, r.g.outputs, end, dy*r.width*r.e.LDResidual, r.room)
		return
	}
	r.s.winogradOutput(r.pixels, squareSide*padded, padded, m, stride, r.g.outputs, end, 0, r.room)
	for y := 0; y < squareSide && p.y+y*dy < r.height; y++ {
		for x := 0; x < squareSide && p.x+x*dx < r.width; x++ {
			at := pixel + y*dy*r.width + x*dx
			copy(r.c[at*r.ldc:][:r.g.outputs], r.pixels[(y*squareSide+x)*padded:])
			r.e.apply(r.s, r.c[at*r.ldc:], r.ldc, at, 0, 1, r.g.outputs)
		}
	}
}
