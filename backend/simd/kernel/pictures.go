package kernel

// Convolves reports whether this set convolves such pictures: with narrow numbers, channels must fill words, a multiple of 2 of bfloat16 and 4
// of int8, unless the window has one cell and the pictures no padding. The float32 set convolves all.
func (s *Set) Convolves(w *Window) bool { return w.Channels%s.per == 0 || w.single() }

// PicturesLen is how many values of 32 bits [Set.PackPictures] makes of pictures. It is 0 where [Set.Convolve] reads them as they are: with float32,
// and for windows of one cell.
func (s *Set) PicturesLen(w *Window) int {
	if s.number == Float32 || w.single() {
		return 0
	}
	pixels := w.Batch * w.Height * w.Width
	if s.number == Int8 {
		return w.Batch*w.Height + pixels + pixels*s.leftWords(w.Channels)
	}
	return pixels * s.leftWords(w.Channels)
}

// PictureRows is how many rows all pictures have: the unit in which callers split their packing.
func (w *Window) PictureRows() int { return w.Batch * w.Height }

// pictures are packed pictures.
type pictures struct {
	words []float32 // pixel after pixel

	// Of int8:
	magnitudes []uint32 // of each row of a picture
	sums       []int32  // of each pixel's integers
}

func (s *Set) pictures(packed []float32, w *Window) pictures {
	if s.number != Int8 {
		return pictures{words: packed}
	}
	rows, pixels := w.Batch*w.Height, w.Batch*w.Height*w.Width
	return pictures{packed[rows+pixels:], wordsOf(packed[:rows]), intsOf(packed[rows : rows+pixels])}
}

// step is the step of a picture, whose rows must have been measured.
func (p *pictures) step(picture, height int) float32 {
	var largest uint32
	for _, v := range p.magnitudes[picture*height:][:height] {
		largest = max(largest, v)
	}
	return stepOf(largest)
}

// MeasurePictures finds the largest magnitudes of rows from ≤ i < to of [Window.PictureRows]. int8 wants all of them before [Set.PackPictures]; with
// bfloat16 there is nothing to do.
func (s *Set) MeasurePictures(dst, x []float32, w Window, from, to int) {
	w = s.checkPictures("MeasurePictures", dst, x, w, from, to)
	if s.number != Int8 {
		return
	}
	p := s.pictures(dst, &w)
	row := w.Width * w.Channels
	for i := from; i < to; i++ {
		p.magnitudes[i] = 0
		if row > 0 {
			p.magnitudes[i] = s.int8.magnitude(x[i*row:][:row])
		}
	}
}

// PackPictures makes what [Set.Convolve] reads of rows from ≤ i < to of the pictures x, into dst, of [Set.PicturesLen] values. Callers can split the work.
func (s *Set) PackPictures(dst, x []float32, w Window, from, to int) {
	w = s.checkPictures("PackPictures", dst, x, w, from, to)
	p := s.pictures(dst, &w)
	values := w.Width * w.Channels
	if values == 0 {
		return
	}
	words := w.Width * s.leftWords(w.Channels)
	picture, inverse := -1, float32(0)
	for i := from; i < to; i++ {
		dst, row := p.words[i*words:][:words], x[i*values:][:values]
		if s.number == BFloat16 {
			s.bf16.row(dst, row)
			continue
		}
		if i/w.Height != picture {
			picture = i / w.Height
			inverse = inverseOf(p.step(picture, w.Height))
		}
		per := words / w.Width
		for j := range w.Width {
			p.sums[i*w.Width+j] = s.int8.row(dst[j*per:][:per], row[j*w.Channels:][:w.Channels], inverse)
		}
	}
}

func (s *Set) checkPictures(function string, dst, x []float32, w Window, from, to int) Window {
	w = w.check(function, x)
	need(function, "dst", dst, 1, s.PicturesLen(&w), len(dst))
	span(function, from, to, w.PictureRows())
	if !s.Convolves(&w) || s.PicturesLen(&w) == 0 && len(x) > 0 {
		panic("kernel." + function + ": pictures that " + s.number.String() + " reads as they are, or not at all")
	}
	return w
}

// measure finds the steps of a tile's rows and what their sums start with, from pixel on.
func (p *pictures) measure(scales []float32, starts []int32, v *weaver, pixel int) {
	w := &v.w
	walk := w.from(pixel, v.height, v.width)
	picture, step := -1, float32(0)
	for r := range scales {
		at := walk.place()
		walk.next()
		if at.picture != picture {
			picture = at.picture
			step = p.step(picture, w.Height)
		}
		var sum int32
		for i := range w.KernelY {
			y := at.y + i*w.DilationY
			if y < 0 || y >= w.Height {
				continue
			}
			row := p.sums[(at.picture*w.Height+y)*w.Width:][:w.Width]
			for j := range w.KernelX {
				if x := at.x + j*w.DilationX; x >= 0 && x < w.Width {
					sum += row[x]
				}
			}
		}
		scales[r], starts[r] = step, -128*sum
	}
}

// pixelRows packs the left side of a convolution with a window of one cell: as a product's, of some pixels.
type pixelRows struct {
	s             *Set
	w             Window
	x             []float32
	beside        []float32 // pixels that do not lie one after another
	height, width int       // of the result
}

// pack makes steps k0 ≤ p < k0 + k of a tile of as many pixels as scales, from pixel on. starts are those of this block.
func (v *pixelRows) pack(dst, scales []float32, starts []int32, pixel, k0, k int) {
	s, channels := v.s, v.w.Channels
	rows := len(scales)
	x := v.x[min(pixel*channels, len(v.x)):]
	if v.w.StrideY*v.w.StrideX > 1 {
		x = v.beside
		walk := v.w.from(pixel, v.height, v.width)
		for r := range rows {
			copy(x[r*channels:][:channels], v.x[v.w.at(walk.place()):])
			walk.next()
		}
	}
	from := k0 * s.per
	n := min(k*s.per, channels-from)
	if s.number == BFloat16 {
		s.packRowsBF16(dst, x[from:], channels, rows, n)
		return
	}
	if k0 == 0 {
		for r := range rows {
			scales[r] = stepOf(s.int8.magnitude(x[r*channels:][:channels]))
		}
	}
	s.quantiseBy(dst, scales, starts, x[from:], channels, n)
}

// rowBF16Generic rounds a row of pixels to pairs.
func rowBF16Generic(dst, x []float32) {
	words := wordsOf(dst)
	for i := range words {
		words[i] = bf16Pair(x[2*i], x[2*i+1])
	}
}

// rowBF16In makes pairs of as many numbers at a time as f wants, and of the rest.
func rowBF16In(step int, f func(dst, x []float32)) func(dst, x []float32) {
	return func(dst, x []float32) {
		n := len(x) / step * step
		if n > 0 {
			f(dst, x[:n])
		}
		rowBF16Generic(dst[n/2:len(x)/2], x[n:])
	}
}

// rowInt8In makes words of as many numbers at a time as f wants, and of the rest.
func rowInt8In(step, wide int, f func(dst, x []float32, inverse float32) int32) func(dst, x []float32, inverse float32) int32 {
	return func(dst, x []float32, inverse float32) (sum int32) {
		n := len(x) / step * step
		if n > 0 {
			sum = f(dst, x[:n], inverse)
		}
		return sum + rowInt8(dst[n/4*wide:], x[n:], inverse, wide)
	}
}

// rowInt8 rounds a pixel's channels, and returns their sum.
func rowInt8(dst, x []float32, inverse float32, wide int) (sum int32) {
	words := wordsOf(dst)
	for i := 0; i < len(x); i += 4 {
		var q [4]int8
		for j := range q {
			q[j] = quantise(x[i+j], inverse)
			sum += int32(q[j])
		}
		putQuad(words[i/4*wide:], 1, wide, q)
	}
	return sum
}
