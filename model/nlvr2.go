package model

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// NLVR2 builds the encoders with the head that judges statements about two pictures, and its loss if there are
// labels (§4.2): the original repository's NLVR2Model, which Hugging Face's library lacks. LXMERT reads a
// statement with each of its pictures, and the head both pooled outputs side by side.
//
// The language layers see no picture, so a statement goes through them once. When training, its two pictures
// therefore meet it under the same dropout, where the original draws one for each.
func (c *Config) NLVR2(s *model.Scope, in *Inputs[*Node], opt Options) *NLVR2Output[*Node] {
	statements := in.VisualFeats.Shape().Dim(0)
	c = c.in(opt.Framework)
	base := c.encode(s.In("lxmert"), pictureByPicture(in), opt, true, nil)
	out := &NLVR2Output[*Node]{States: twoByTwo(base.States, statements)}
	pooled := Reshape(base.PooledOutput, statements, 2*c.HiddenSize) // [statement's first, its second]
	out.Logits = c.classify(s.In("logit_fc"), opt.narrow(pooled), 2)
	if in.Labels != nil {
		out.Loss = crossEntropy(out.Logits, in.Labels, opt)
	}
	return out
}

// pictureByPicture is a batch of twice as many pictures, a statement's one after the other: [2·batch, regions, ...].
func pictureByPicture(in *Inputs[*Node]) *Inputs[*Node] {
	apart := *in
	for _, x := range []**Node{&apart.VisualFeats, &apart.VisualPos, &apart.VisualAttentionMask} {
		if *x != nil {
			dims := (*x).Shape().Dimensions
			*x = Reshape(*x, append([]int{dims[0] * dims[1]}, dims[2:]...)...)
		}
	}
	return &apart
}

// twoByTwo puts the two pictures of a statement beside each other again: [batch, 2, ...]. What is of one statement
// stays as it is.
func twoByTwo(s States[*Node], statements int) States[*Node] {
	for _, tuple := range [][]*Node{s.LanguageHiddenStates, s.VisionHiddenStates, s.LanguageAttentions, s.VisionAttentions, s.CrossEncoderAttentions} {
		for i, x := range tuple {
			if dims := x.Shape().Dimensions; dims[0] != statements {
				tuple[i] = Reshape(x, append([]int{statements, 2}, dims[1:]...)...)
			}
		}
	}
	return s
}
