package frcnn

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/go-lxmert/lxmert/checkpoint"
)

// epsilon is batch normalisation's, of torch.nn.BatchNorm2d and of Detectron2's FrozenBatchNorm2d.
const epsilon = 1e-5

// anchorsName is the tensor of anchors at one place, [anchors, 4], which Hugging Face's checkpoint has and Detectron2's has not.
const anchorsName = "proposal_generator.anchor_generator.cell_anchors.0"

// A source gives the weights of a name, which have that shape.
type source func(name string, shape ...int) ([]float32, error)

// wants are the tensors that a checkpoint must have. Those for attributes are wanted only if the configuration says so.
func (c *Config) wants() []checkpoint.Want {
	var all []checkpoint.Want
	add := func(name string, shape ...int) { all = append(all, checkpoint.Want{Name: name, Shape: shape}) }
	for _, v := range c.convolutions() {
		add(v.name+".weight", v.out, v.in/v.group, v.size, v.size)
		if !v.norm {
			add(v.name+".bias", v.out)
			continue
		}
		for _, part := range []string{"weight", "bias", "running_mean", "running_var"} {
			add(v.name+".norm."+part, v.out)
		}
	}
	for _, v := range c.linears() {
		add(v.name+".weight", v.out, v.in)
		add(v.name+".bias", v.out)
	}
	if c.NumAttrs > 0 {
		name, width := c.embedding()
		add(name, c.NumClasses+1, width)
	}
	return append(all, checkpoint.Want{Name: anchorsName, Shape: []int{c.Anchors(), 4}, Optional: true})
}

// rules are a detector's: a checkpoint may tell attributes where none are wanted, and counts batches.
var rules = checkpoint.Rules{
	Heads:   []string{predictor + "cls_embedding.", predictor + "fc_attr.", predictor + "attr_score."},
	Buffers: []string{".num_batches_tracked"},
}

// match finds the tensors in a checkpoint; any other than these, and what training counted, is refused.
func (c *Config) match(file *checkpoint.File) (source, error) {
	report := checkpoint.Match(file, c.wants(), rules)
	allowed := []checkpoint.Allow{checkpoint.AllowOtherHeads}
	if err := report.Err(allowed...); err != nil {
		return nil, err
	}
	return func(name string, shape ...int) ([]float32, error) {
		t, ok := report.Tensor(name)
		if !ok {
			return nil, nil
		}
		if !slices.Equal(t.Shape, shape) {
			return nil, fmt.Errorf("%s: tensor %s: found shape %v, want %v", file.Path(), name, t.Shape, shape)
		}
		values, err := t.Float32s()
		if err != nil {
			return nil, fmt.Errorf("%s: tensor %s: %w", file.Path(), name, err)
		}
		for i, v := range values {
			if !finite(v) {
				return nil, fmt.Errorf("%s: tensor %s has %v at position %d, want finite numbers", file.Path(), name, v, i)
			}
		}
		return values, nil
	}, nil
}

// folded are the weights, [out, in/group, size, size], and the bias of a convolution and the normalisation after it:
// (x·w - mean)·scale/√(variance + ε) + shift, in float64, rounded once.
func (v convolution) folded(from source) (weights, bias []float32, err error) {
	get := func(name string, shape ...int) (values []float32) {
		if err == nil {
			values, err = from(v.name+name, shape...)
		}
		return values
	}
	weights = get(".weight", v.out, v.in/v.group, v.size, v.size)
	if !v.norm {
		return weights, get(".bias", v.out), err
	}
	scale, shift, mean, variance := get(".norm.weight", v.out), get(".norm.bias", v.out), get(".norm.running_mean", v.out), get(".norm.running_var", v.out)
	if err != nil {
		return nil, nil, err
	}
	bias = make([]float32, v.out)
	folded := make([]float32, len(weights)) // what was read may be a view
	each := len(weights) / v.out
	for o := range bias {
		if variance[o] < 0 {
			return nil, nil, fmt.Errorf("%s.norm.running_var: found %v at position %d, want 0 or more", v.name, variance[o], o)
		}
		by := float64(scale[o]) / math.Sqrt(float64(variance[o])+epsilon)
		for i, w := range weights[o*each:][:each] {
			folded[o*each+i] = float32(float64(w) * by)
		}
		bias[o] = float32(float64(shift[o]) - float64(mean[o])*by)
	}
	return folded, bias, nil
}

// infer is the configuration of a checkpoint that has none beside it: [Original], with the classes and attributes that the tensors have.
func infer(file *checkpoint.File) (*Config, error) {
	c := Original()
	scores, ok := file.Tensor(predictor + "cls_score.bias")
	if !ok || len(scores.Shape) != 1 || scores.Shape[0] < 2 {
		return nil, errors.New("there is no " + ConfigName + " beside it, and the tensors are not those of the bottom-up-attention detector in Detectron2")
	}
	c.NumClasses = scores.Shape[0] - 1
	c.NumAttrs = 0
	if attrs, ok := file.Tensor(predictor + "attr_score.bias"); ok && len(attrs.Shape) == 1 {
		c.NumAttrs = attrs.Shape[0] - 1
	}
	most := 0 // blocks of the fourth stage
	for depth, n := range blocks {
		last := fmt.Sprintf("backbone.res4.%d.conv1.weight", n[2]-1)
		if _, ok := file.Tensor(last); ok && n[2] > most {
			c.Depth, most = depth, n[2]
		}
	}
	return c, c.Check()
}

// anchors are those of the checkpoint, or else the configuration's.
func (c *Config) anchors(from source) ([]float32, error) {
	cell, err := from(anchorsName, c.Anchors(), 4)
	if cell == nil && err == nil {
		cell = c.cellAnchors()
	}
	return cell, err
}
