package frcnn

import (
	"fmt"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/model"
)

// The network as GoMLX graphs, in three parts, for between them stands what depends on the data: trunk sees the picture, fifth the regions, heads their features.
// Pictures and features are [batch, height, width, channels]; weights stay as PyTorch stores them.

// A graphBuilder builds one of the parts.
type graphBuilder func(s *model.Scope, in []*Node) []*Node

// trunk is [1, height, width, 3] → res4 [1, h, w, channels], logits [1, h, w, anchors], deltas [1, h, w, 4 · anchors].
func (c *Config) trunk(s *model.Scope, in []*Node) []*Node {
	x := c.pool(activation.Relu(c.convolve(s, in[0], c.stem())))
	for _, b := range c.backbone() {
		x = c.block(s, x, b)
	}
	hidden, logits, deltas := c.proposer()
	h := activation.Relu(c.convolve(s, x, hidden))
	return []*Node{x, c.convolve(s, h, logits), c.convolve(s, h, deltas)}
}

// pool is the largest of 3×3, at every second place. Caffe's way is not padded, and a last window may reach beyond the edge.
func (c *Config) pool(x *Node) *Node {
	padding := [2][2]int{{1, 1}, {1, 1}}
	if c.CaffeMaxPool {
		for axis := range padding {
			size := x.Shape().Dim(1 + axis)
			out := max(size-3+1, 0)/2 + 1
			padding[axis] = [2]int{0, max(2*(out-1)+3-size, 0)}
		}
	}
	return MaxPool(x).Window(3).Strides(2).PaddingPerDim(padding[:]).Done()
}

// block is ReLU(what its three convolutions make of x + x), x by the shortcut where the shape changes.
func (c *Config) block(s *model.Scope, x *Node, b block) *Node {
	y := activation.Relu(c.convolve(s, x, b.reduce))
	y = activation.Relu(c.convolve(s, y, b.middle))
	y = c.convolve(s, y, b.expand)
	if b.shortcut.name != "" {
		x = c.convolve(s, x, b.shortcut)
	}
	return activation.Relu(Add(y, x))
}

// fifth is [regions, resolution, resolution, channels] → [regions, features]: the fifth stage, and the mean over places.
func (c *Config) fifth(s *model.Scope, in []*Node) []*Node {
	x := in[0]
	for _, b := range c.res5() {
		x = c.block(s, x, b)
	}
	return []*Node{ReduceMean(x, 1, 2)}
}

// heads is [regions, features] → probabilities of classes and background [regions, classes + 1], deltas [regions, 4 · classes] and, if there are attributes, their
// probabilities [regions, attributes]. The class whose embedding goes into them is the most probable one, which may be the background.
func (c *Config) heads(s *model.Scope, in []*Node) []*Node {
	x := in[0]
	g := x.Graph()
	scores := c.linear(s, x, c.scorer())
	out := []*Node{Softmax(scores, -1), c.linear(s, x, c.mover())}
	if c.NumAttrs > 0 {
		name, width := c.embedding()
		table := variable(s, g, name, c.NumClasses+1, width)
		class := ArgMax(scores, -1, dtypes.Int32)
		inner, outer := c.describers()
		h := activation.Relu(c.linear(s, Concatenate([]*Node{x, Gather(table, ExpandAxes(class, -1))}, -1), inner))
		attributes := Slice(c.linear(s, h, outer), AxisRange(), AxisRange(0, c.NumAttrs))
		out = append(out, Softmax(attributes, -1))
	}
	return out
}

// lastAxes are pictures with channels last, and weights as PyTorch has them.
var lastAxes = compute.ConvolveAxesConfig{
	InputBatch: 0, InputSpatial: []int{1, 2}, InputChannels: 3,
	KernelOutputChannels: 0, KernelInputChannels: 1, KernelSpatial: []int{2, 3},
	OutputBatch: 0, OutputSpatial: []int{1, 2}, OutputChannels: 3,
}

// convolve is x · weight + bias.
func (c *Config) convolve(s *model.Scope, x *Node, v convolution) *Node {
	g := x.Graph()
	weight := variable(s, g, v.name+".weight", v.out, v.in/v.group, v.size, v.size)
	bias := variable(s, g, v.name+".bias", v.out)
	pad := [2]int{v.pad, v.pad}
	y := ConvGeneral(x, weight, lastAxes, []int{v.stride, v.stride}, [][2]int{pad, pad}, nil, []int{v.dilation, v.dilation}, v.group, 1)
	return Add(y, ExpandLeftToRank(bias, 4))
}

// linear is x · weightᵀ + bias.
func (c *Config) linear(s *model.Scope, x *Node, v linear) *Node {
	g := x.Graph()
	weight := variable(s, g, v.name+".weight", v.out, v.in)
	bias := variable(s, g, v.name+".bias", v.out)
	return Add(DotGeneral(x, []int{1}, nil, weight, []int{1}, nil), ExpandLeftToRank(bias, 2))
}

// variable is a weight of the store.
func variable(s *model.Scope, g *Graph, name string, shape ...int) *Node {
	v := s.Store().GetVariable(path(name))
	if v == nil || !v.Shape().Equal(shapes.Make(dtypes.Float32, shape...)) {
		panic(fmt.Errorf("weight %s%v has not been loaded", name, shape))
	}
	return v.NodeValue(g)
}

// path is a weight's name in the store.
func path(name string) string { return "/" + strings.ReplaceAll(name, ".", "/") }
