package simd

import (
	"slices"

	"github.com/gomlx/compute"

	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

// ConvGeneral implements compute.Function. Convolutions of pictures without groups run on the kernels: channels last as they
// are; channels first, as PyTorch has them, between two transpositions. Weights may lie as [rows, columns, inputs, outputs], [outputs,
// inputs, rows, columns] or [outputs, rows, columns, inputs].
func (f *function) ConvGeneral(input, weights compute.Value, axes compute.ConvolveAxesConfig, strides []int, paddings [][2]int,
	inputDilations, kernelDilations []int, channelGroupCount, batchGroupCount int) (compute.Value, error) {
	inputs := []compute.Value{input, weights}
	v, err := f.one(inputs, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.ConvGeneral(in[0], in[1], axes, strides, paddings, inputDilations, kernelDilations, channelGroupCount, batchGroupCount)
	})
	if err != nil {
		return nil, err
	}
	n := f.made(v, inputs)
	if n == nil || !f.plain(v, input, weights) || channelGroupCount > 1 || batchGroupCount > 1 || !ones(inputDilations) {
		return v, nil
	}
	c, ok := f.convolution(input, weights, v, axes, strides, paddings, kernelDilations)
	if !ok {
		return v, nil
	}
	n.finish = &finish{columns: c.packing.n}
	if c.outputFirst {
		n.finish = nil // its rows are not the result's
	}
	n.kernel = func(run *execution, n *node) error {
		x, err := run.input(n.inputs[0])
		if err != nil {
			return err
		}
		var e kernel.Epilogue
		if n.finish != nil {
			if e, err = run.epilogue(n.finish); err != nil {
				return err
			}
		}
		work, err := run.convolver(c, n.inputs[1], e)
		if err != nil {
			return err
		}
		dst, err := run.output(n.outputs[0])
		if err != nil {
			return err
		}
		run.backend.convolve(c, dst, x, work)
		return nil
	}
	return v, nil
}

// convolution is a convolution that the kernels can do.
type convolution struct {
	window                  kernel.Window
	packing                 packing
	inputFirst, outputFirst bool // channels come before rows and columns
}

// convolution reads the axes and the window; it is false for other configurations.
func (f *function) convolution(input, weights, output compute.Value, axes compute.ConvolveAxesConfig,
	strides []int, paddings [][2]int, dilations []int) (convolution, bool) {
	in, w, out := f.shape(input), f.shape(weights), f.shape(output)
	if in.Rank() != 4 || w.Rank() != 4 {
		return convolution{}, false
	}
	var c convolution
	var okIn, okOut bool
	c.inputFirst, okIn = channelsFirst(axes.InputBatch, axes.InputChannels, axes.InputSpatial)
	c.outputFirst, okOut = channelsFirst(axes.OutputBatch, axes.OutputChannels, axes.OutputSpatial)
	if !okIn || !okOut {
		return convolution{}, false
	}
	c.window = kernel.Window{
		Batch: in.Dim(0), Height: in.Dim(axes.InputSpatial[0]), Width: in.Dim(axes.InputSpatial[1]), Channels: in.Dim(axes.InputChannels),
		KernelY: w.Dim(axes.KernelSpatial[0]), KernelX: w.Dim(axes.KernelSpatial[1]),
	}
	if !setSteps(&c.window, strides, dilations, paddings) {
		return convolution{}, false
	}
	cells := c.window.KernelY * c.window.KernelX
	c.packing = packing{k: cells * c.window.Channels, n: w.Dim(axes.KernelOutputChannels)}
	switch order := append([]int{axes.KernelOutputChannels, axes.KernelInputChannels}, axes.KernelSpatial...); {
	case slices.Equal(order, []int{3, 2, 0, 1}):
		c.packing.layout = kernel.InputsOutputs
	case slices.Equal(order, []int{0, 1, 2, 3}):
		c.packing.layout = kernel.OutputsInputsOver(cells)
	case slices.Equal(order, []int{0, 3, 1, 2}):
		c.packing.layout = kernel.OutputsInputs
	default:
		return convolution{}, false
	}
	height, width := c.window.Out()
	return c, out.Dim(axes.OutputSpatial[0]) == height && out.Dim(axes.OutputSpatial[1]) == width
}

// channelsFirst reports whether axes are those of [batch, channels, height, width], not [batch, height, width, channels]; ok is false
// if they are neither.
func channelsFirst(batch, channels int, spatial []int) (first, ok bool) {
	first = channels == 1
	last := channels == 3
	return first, batch == 0 && (first && slices.Equal(spatial, []int{2, 3}) || last && slices.Equal(spatial, []int{1, 2}))
}

// setSteps gives a window its strides, dilations and paddings, each of two axes or absent; false if they are not a window's.
func setSteps(w *kernel.Window, strides, dilations []int, paddings [][2]int) bool {
	for _, list := range []struct {
		from []int
		to   [2]*int
	}{{strides, [2]*int{&w.StrideY, &w.StrideX}}, {dilations, [2]*int{&w.DilationY, &w.DilationX}}} {
		for i, v := range list.from {
			if v < 1 {
				return false
			}
			*list.to[i] = v
		}
	}
	if len(paddings) == 2 {
		w.Top, w.Bottom, w.Left, w.Right = paddings[0][0], paddings[0][1], paddings[1][0], paddings[1][1]
	}
	return min(w.Top, w.Bottom, w.Left, w.Right) >= 0
}

// ones reports whether every value is 1.
func ones(list []int) bool {
	return !slices.ContainsFunc(list, func(v int) bool { return v != 1 })
}

// convolver is how a convolution is computed: in pieces, each with scratch of its own.
type convolver struct {
	pieces, scratch int
	pictures        *kernel.Set // that packs the pictures before, nil: they are read as they are
	part            func(dst, x []float32, from, to int, scratch []float32)
}

// convolver gets the weights ready: once, where they are one of the caller's buffers. Each piece ends with e.
func (x *execution) convolver(c convolution, weights compute.Value, e kernel.Epilogue) (convolver, error) {
	b, w := x.backend, c.window
	src := x.plan.source(weights)
	if buffer := x.callers[src]; buffer != nil && !x.donated[src] && b.weights == kernel.Float32 && c.worthTransforming() {
		g, err := buffer.transform(c.packing)
		if err != nil {
			return convolver{}, err
		}
		return convolver{kernel.WinogradSquares(&w), g.Scratch(), nil, func(dst, x []float32, from, to int, scratch []float32) {
			g.Convolve(dst, c.packing.n, x, w, from, to, e, scratch)
		}}, nil
	}
	p := x.preferred(weights, c.packing)
	if !b.set.In(p.number).Convolves(&w) {
		p.number = kernel.Float32
	}
	right, err := x.right(weights, p, nil)
	if err != nil {
		return convolver{}, err
	}
	packed := right.packed
	if packed == nil { // the weights are used once
		if packed, err = b.packB(right.once.Values, nil, p); err != nil {
			return convolver{}, err
		}
	}
	set := right.set
	return convolver{set.LeftTiles(w.Pixels()), set.ConvolveScratch(&w), set, func(dst, x []float32, from, to int, scratch []float32) {
		set.Convolve(dst, c.packing.n, x, w, packed, from, to, e, scratch)
	}}, nil
}

// worthTransforming reports whether Winograd's way pays: with enough channels for the transformations to be a small part, enough
// squares to fill a tile, and squares that are not for the most part beside the result. Transformed weights take four times the memory
// of others beside them; large ones are made only for much work.
func (c *convolution) worthTransforming() bool {
	w := &c.window
	if !kernel.WinogradFits(w) || min(w.Channels, c.packing.n) < 32 {
		return false
	}
	const (
		largeWeights = 200 * 200 // inputs times outputs: 6 MB
		muchWork     = 256       // squares
	)
	squares := kernel.WinogradSquares(w)
	if w.Channels*c.packing.n > largeWeights && squares < muchWork {
		return false
	}
	return squares >= 28 && w.Pixels() >= 8*squares
}

// transform returns the buffer as Winograd's weights; it is made so once, by whoever comes first. The buffer keeps its own memory, for
// what was transformed does not come back exactly.
func (b *Buffer) transform(p packing) (*kernel.Winograd, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if g := b.transformed[p]; g != nil {
		return g, nil
	}
	memory, err := b.unpacked()
	if err != nil {
		return nil, err
	}
	weights, err := values(memory)
	if err != nil {
		return nil, err
	}
	g := b.backend.set.NewWinograd(p.k/9, p.n)
	b.backend.share(g.Panels(), func(from, to int) { g.Pack(weights, p.layout, from, to) })
	if b.transformed == nil {
		b.transformed = map[packing]*kernel.Winograd{}
	}
	b.transformed[p] = g
	return g, nil
}

// convolve fills dst; threads share the pixels of the result.
func (b *Backend) convolve(c convolution, dst, x []float32, work convolver) {
	w := c.window
	if c.inputFirst {
		last := b.memory.take(len(x))
		defer b.memory.give(last)
		b.turnPictures(last, x, w.Batch, w.Channels, w.Height*w.Width)
		x = last
	}
	if set := work.pictures; set != nil && set.PicturesLen(&w) > 0 {
		packed := b.memory.take(set.PicturesLen(&w))
		defer b.memory.give(packed)
		rows := w.PictureRows()
		b.shareRows(rows, w.Width*w.Channels, func(from, to int) { set.MeasurePictures(packed, x, w, from, to) })
		b.shareRows(rows, w.Width*w.Channels, func(from, to int) { set.PackPictures(packed, x, w, from, to) })
		x = packed
	}
	result := dst
	if c.outputFirst {
		result = b.memory.take(len(dst))
		defer b.memory.give(result)
	}
	b.shareRows(work.pieces, 1+len(dst)*c.packing.k/(work.pieces*perValue), func(from, to int) {
		scratch := b.memory.take(work.scratch)
		work.part(result, x, from, to, scratch)
		b.memory.give(scratch)
	})
	if c.outputFirst {
		b.turnPictures(dst, result, w.Batch, w.Pixels()/w.Batch, c.packing.n)
	}
}

// perValue is how many multiply-adds count as much as a value that is copied.
const perValue = 16

// turnPictures transposes each of some matrices [rows, columns]; threads share the columns.
func (b *Backend) turnPictures(dst, x []float32, pictures, rows, columns int) {
	size := rows * columns
	for i := range pictures {
		b.shareRows(columns, rows, func(from, to int) {
			b.set.Transpose(dst[i*size:][:size], x[i*size:][:size], rows, columns, from, to)
		})
	}
}
