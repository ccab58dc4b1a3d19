package frcnn

import "fmt"

// The network's parts in the order in which data goes through them: what loading and the graphs both walk.

// A convolution is a convolution with a bias: batch normalisation is folded into it when weights are loaded.
type convolution struct {
	name                                        string
	in, out, size, stride, pad, dilation, group int
	norm                                        bool // in the checkpoint it has no bias of its own, but a normalisation
}

// A block is a bottleneck of a ResNet: three convolutions, and one beside them where the shape changes (else shortcut.name is "").
type block struct{ reduce, middle, expand, shortcut convolution }

// stem is the first convolution.
func (c *Config) stem() convolution {
	return convolution{name: "backbone.stem.conv1", in: 3, out: c.StemOutChannels, size: 7, stride: 2, pad: 3, dilation: 1, group: 1, norm: true}
}

// backbone are the blocks of the second to the fourth stage.
func (c *Config) backbone() []block {
	var all []block
	in := c.StemOutChannels
	for stage := range 3 {
		name := fmt.Sprintf("backbone.res%d", stage+2)
		all = append(all, c.stage(name, stage, in, 1+min(stage, 1), 1)...)
		in = c.Res2OutChannels << stage
	}
	return all
}

// res5 are the blocks that look at each region.
func (c *Config) res5() []block {
	step, dilation := 2, 1
	if !c.Res5Halve {
		step, dilation = 1, 2
	}
	return c.stage("roi_heads.res5", 3, c.Res4Channels(), step, dilation)
}

// stage are the blocks of a stage, counted from 0; the first has the step.
func (c *Config) stage(name string, stage, in, step, dilation int) []block {
	all := make([]block, blocks[c.Depth][stage])
	middle, out := c.NumGroups*c.WidthPerGroup<<stage, c.Res2OutChannels<<stage
	for i := range all {
		first, second := step, 1
		if !c.StrideIn1x1 {
			first, second = 1, step
		}
		name := fmt.Sprintf("%s.%d", name, i)
		all[i] = block{
			reduce: convolution{name: name + ".conv1", in: in, out: middle, size: 1, stride: first, dilation: 1, group: 1, norm: true},
			middle: convolution{name: name + ".conv2", in: middle, out: middle, size: 3, stride: second, pad: dilation, dilation: dilation, group: c.NumGroups, norm: true},
			expand: convolution{name: name + ".conv3", in: middle, out: out, size: 1, stride: 1, dilation: 1, group: 1, norm: true},
		}
		if i == 0 && in != out {
			all[i].shortcut = convolution{name: name + ".shortcut", in: in, out: out, size: 1, stride: step, dilation: 1, group: 1, norm: true}
		}
		in, step = out, 1
	}
	return all
}

// proposer are the three convolutions of the region proposal network: what the other two read, logits, and deltas.
func (c *Config) proposer() (hidden, logits, deltas convolution) {
	const name = "proposal_generator.rpn_head."
	n := c.hidden()
	hidden = convolution{name: name + "conv", in: c.Res4Channels(), out: n, size: 3, stride: 1, pad: 1, dilation: 1, group: 1}
	logits = convolution{name: name + "objectness_logits", in: n, out: c.Anchors(), size: 1, stride: 1, dilation: 1, group: 1}
	deltas = convolution{name: name + "anchor_deltas", in: n, out: 4 * c.Anchors(), size: 1, stride: 1, dilation: 1, group: 1}
	return hidden, logits, deltas
}

// A linear is a linear map with a bias.
type linear struct {
	name    string
	in, out int
}

const predictor = "roi_heads.box_predictor."

// scorer scores a region's classes; the last is the background.
func (c *Config) scorer() linear {
	return linear{predictor + "cls_score", c.FeatureWidth(), c.NumClasses + 1}
}

// mover says how a region's box should be moved, for each class.
func (c *Config) mover() linear {
	n := c.NumClasses
	if c.ClassAgnostic {
		n = 1
	}
	return linear{predictor + "bbox_pred", c.FeatureWidth(), 4 * n}
}

// embedding is the name of what a region's class adds to its features before attributes are told, [classes + 1, width].
func (c *Config) embedding() (name string, width int) {
	return predictor + "cls_embedding.weight", c.FeatureWidth() / 8
}

// describers are the two layers that tell attributes; the second has one output too many, which is never read.
func (c *Config) describers() (inner, scores linear) {
	_, width := c.embedding()
	n := c.FeatureWidth() / 4
	return linear{predictor + "fc_attr", c.FeatureWidth() + width, n}, linear{predictor + "attr_score", n, c.NumAttrs + 1}
}

// convolutions are all of them.
func (c *Config) convolutions() []convolution {
	all := []convolution{c.stem()}
	for _, b := range append(c.backbone(), c.res5()...) {
		if b.shortcut.name != "" {
			all = append(all, b.shortcut)
		}
		all = append(all, b.reduce, b.middle, b.expand)
	}
	hidden, logits, deltas := c.proposer()
	return append(all, hidden, logits, deltas)
}

// linears are all of them.
func (c *Config) linears() []linear {
	all := []linear{c.scorer(), c.mover()}
	if c.NumAttrs > 0 {
		inner, scores := c.describers()
		all = append(all, inner, scores)
	}
	return all
}
