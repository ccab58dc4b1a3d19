package simd

import (
	"github.com/gomlx/compute"

	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

// ReduceWindow implements compute.Function. The largest value and the sum over windows of pictures run on the kernels: channels last as
// they are, channels first between two transpositions.
func (f *function) ReduceWindow(input compute.Value, reductionType compute.ReduceOpType, windowDimensions, strides, inputDilations, windowDilations []int,
	paddings [][2]int) (compute.Value, error) {
	inputs := []compute.Value{input}
	v, err := f.one(inputs, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.ReduceWindow(in[0], reductionType, windowDimensions, strides, inputDilations, windowDilations, paddings)
	})
	if err != nil {
		return nil, err
	}
	reduce := (*kernel.Set).MaxPool
	switch reductionType {
	case compute.ReduceOpMax:
	case compute.ReduceOpSum:
		reduce = (*kernel.Set).SumPool
	default:
		return v, nil
	}
	if strides == nil {
		strides = windowDimensions
	}
	if f.made(v, inputs) == nil || !f.plain(v, input) || f.shape(input).Rank() != 4 || !ones(inputDilations) {
		return v, nil
	}
	p, ok := f.pooling(input, v, windowDimensions, strides, windowDilations, paddings)
	if !ok {
		return v, nil
	}
	f.setKernel(v, func(b *Backend, dst []float32, in [][]float32) { b.reduceWindow(p, reduce, dst, in[0]) })
	return v, nil
}

// pooling is a window over pictures.
type pooling struct {
	window        kernel.Window
	channelsFirst bool
}

// pooling reads the window; it is false where one goes over batch or channels.
func (f *function) pooling(input, output compute.Value, window, strides, dilations []int, paddings [][2]int) (pooling, bool) {
	in, out := f.shape(input), f.shape(output)
	still := func(axis int) bool { // the window does not move along it
		return window[axis] == 1 && strides[axis] == 1 && (paddings == nil || paddings[axis] == [2]int{})
	}
	p := pooling{channelsFirst: !still(3)}
	channels, y := 3, 1
	if p.channelsFirst {
		channels, y = 1, 2
	}
	if !still(0) || !still(channels) {
		return pooling{}, false
	}
	p.window = kernel.Window{
		Batch: in.Dim(0), Height: in.Dim(y), Width: in.Dim(y + 1), Channels: in.Dim(channels), KernelY: window[y], KernelX: window[y+1],
	}
	if dilations != nil {
		dilations = dilations[y : y+2]
	}
	if paddings != nil {
		paddings = paddings[y : y+2]
	}
	if !setSteps(&p.window, strides[y:y+2], dilations, paddings) {
		return pooling{}, false
	}
	height, width := p.window.Out()
	return p, out.Dim(y) == height && out.Dim(y+1) == width
}

// reduceWindow fills dst; threads share the pixels of the result.
func (b *Backend) reduceWindow(p pooling, reduce func(s *kernel.Set, dst, x []float32, w kernel.Window, from, to int), dst, x []float32) {
	w := p.window
	pixels := w.Pixels()
	result := dst
	if p.channelsFirst {
		last := b.memory.take(len(x))
		defer b.memory.give(last)
		b.turnPictures(last, x, w.Batch, w.Channels, w.Height*w.Width)
		x, result = last, b.memory.take(len(dst))
		defer b.memory.give(result)
	}
	b.shareRows(pixels, w.Channels*w.KernelY*w.KernelX, func(from, to int) { reduce(b.set, result, x, w, from, to) })
	if p.channelsFirst {
		b.turnPictures(dst, result, w.Batch, pixels/w.Batch, w.Channels)
	}
}
