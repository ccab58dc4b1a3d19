package kernel

import "fmt"

// A Window slides over pictures, [batch, height, width, channels]: what convolutions and pooling have in common. Where it lies,
// with its stride, dilation and padding, it sees some cells of the picture and perhaps some beside it.
type Window struct {
	Batch, Height, Width, Channels int // of the pictures
	KernelY, KernelX               int // cells that the window has, down and across
	StrideY, StrideX               int // from one place of the window to the next; 0 stands for 1
	DilationY, DilationX           int // from one cell of the window to the next; 0 stands for 1
	Top, Bottom, Left, Right       int // cells beside the picture that the window may reach
}

// Out is the height and width of the result: the places that the window has.
func (w *Window) Out() (height, width int) {
	places := func(size, kernel, stride, dilation int) int {
		span := (kernel-1)*max(1, dilation) + 1
		if size < span {
			return 0
		}
		return (size-span)/max(1, stride) + 1
	}
	return places(w.Top+w.Height+w.Bottom, w.KernelY, w.StrideY, w.DilationY),
		places(w.Left+w.Width+w.Right, w.KernelX, w.StrideX, w.DilationX)
}

// Pixels is how many places there are in all pictures together.
func (w *Window) Pixels() int {
	height, width := w.Out()
	return w.Batch * height * width
}

// check panics unless the window is one and x holds the pictures. It fills in what 0 stands for.
func (w Window) check(function string, x []float32) Window {
	w = w.filled(function)
	need(function, "x", x, w.Batch*w.Height*w.Width, w.Channels, w.Channels)
	return w
}

// single reports whether the window has one cell, which is always in the picture.
func (w *Window) single() bool {
	return w.KernelY*w.KernelX == 1 && w.Top|w.Bottom|w.Left|w.Right == 0
}

// filled panics unless the window is one. It fills in what 0 stands for.
func (w Window) filled(function string) Window {
	for _, v := range []*int{&w.StrideY, &w.StrideX, &w.DilationY, &w.DilationX} {
		if *v == 0 {
			*v = 1
		}
	}
	if min(w.Batch, w.Height, w.Width, w.Channels, w.Top, w.Bottom, w.Left, w.Right) < 0 ||
		min(w.KernelY, w.KernelX, w.StrideY, w.StrideX, w.DilationY, w.DilationX) < 1 {
		panic(fmt.Sprintf("kernel.%s: no such window: %+v", function, w))
	}
	return w
}

// A place is where the window lies: its first cell's picture, row and column, which may be beside the picture.
type place struct{ picture, y, x int }

// inside reports whether all cells of the window are in the picture.
func (w *Window) inside(p place) bool {
	return p.y >= 0 && p.x >= 0 && p.y+(w.KernelY-1)*w.DilationY < w.Height && p.x+(w.KernelX-1)*w.DilationX < w.Width
}

// at is where a place's first cell lies in memory.
func (w *Window) at(p place) int { return ((p.picture*w.Height+p.y)*w.Width + p.x) * w.Channels }

// A walk goes over the places in the order of the results.
type walk struct {
	w             *Window
	height, width int // of the result
	picture, y, x int // in the result
}

// from begins at a pixel of the result, of which it is told the size.
func (w *Window) from(pixel, height, width int) walk {
	row := pixel / width
	return walk{w, height, width, row / height, row % height, pixel % width}
}

// place is where the window lies for the pixel at which the walk stands.
func (k *walk) place() place {
	return place{k.picture, k.y*k.w.StrideY - k.w.Top, k.x*k.w.StrideX - k.w.Left}
}

// next goes on by a pixel.
func (k *walk) next() { k.skip(1) }

// skip goes on by some pixels, at most to the end of the row.
func (k *walk) skip(n int) {
	if k.x += n; k.x == k.width {
		k.x = 0
		if k.y++; k.y == k.height {
			k.y = 0
			k.picture++
		}
	}
}
