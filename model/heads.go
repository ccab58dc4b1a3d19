package model

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/activation"
	"github.com/gomlx/gomlx/ml/model"
)

// PreTraining builds the encoders with every pre-training head and the losses of the labels
// that are given: the reference's LxmertForPreTraining (§3.1).
func (c *Config) PreTraining(s *model.Scope, in *Inputs[*Node], opt Options) *PreTrainingOutput[*Node] {
	c = c.in(opt.Framework)
	encoders := s.In("lxmert")
	base := c.Model(encoders, in, opt)
	out := &PreTrainingOutput[*Node]{States: base.States}
	heads := s.In("cls")
	words := c.wordEmbeddings(encoders.Shared("embeddings"), in.VisualFeats.Graph())
	pooled := opt.narrow(base.PooledOutput)
	out.PredictionLogits = c.maskedLanguageHead(heads.In("predictions"), words, opt.narrow(base.LanguageOutput))
	out.CrossRelationshipScore = linear(heads.In("seq_relationship"), pooled, 2)
	var objects objectLogits
	if c.TaskObjPredict {
		objects = c.maskedObjectHead(s.In("obj_predict_head"), opt.narrow(base.VisionOutput))
	}
	if c.TaskQA {
		out.QuestionAnsweringScore = c.answerHead(s.In("answer_head"), pooled)
	} else {
		out.QuestionAnsweringScore = Reshape(Slice(base.PooledOutput, AxisElem(0), AxisElem(0)))
	}
	c.preTrainingLosses(in, out, objects, opt)
	return out
}

// QuestionAnswering builds the encoders with the answer head, and its loss if there are
// labels: the reference's LxmertForQuestionAnswering (§4.2).
func (c *Config) QuestionAnswering(s *model.Scope, in *Inputs[*Node], opt Options) *QuestionAnsweringOutput[*Node] {
	c = c.in(opt.Framework)
	base := c.encode(s.In("lxmert"), in, opt, true, nil)
	out := &QuestionAnsweringOutput[*Node]{States: base.States}
	out.QuestionAnsweringScore = c.answerHead(s.In("answer_head"), opt.narrow(base.PooledOutput))
	if in.Labels != nil {
		out.Loss = crossEntropy(out.QuestionAnsweringScore, in.Labels, opt)
	}
	return out
}

// maskedLanguageHead predicts the word at every token: [batch, tokens, vocab]. Its last map is
// the word embedding table itself, with a bias of its own.
func (c *Config) maskedLanguageHead(s *model.Scope, words, lang *Node) *Node {
	x := c.headTransform(s.In("transform"), lang)
	return dense(x, words, param(s, x.Graph(), "bias", c.VocabSize))
}

// objectLogits are the masked-object head's predictions, [batch, regions, classes or features]; a kind
// whose loss is switched off has none.
type objectLogits struct{ obj, attr, feat *Node }

// maskedObjectHead predicts each region's object, attribute and feature.
func (c *Config) maskedObjectHead(s *model.Scope, visual *Node) objectLogits {
	x := c.headTransform(s.In("transform"), visual)
	decoders := s.In("decoder_dict")
	var logits objectLogits
	if c.VisualObjLoss {
		logits.obj = linear(decoders.In("obj"), x, c.NumObjectLabels)
	}
	if c.VisualAttrLoss {
		logits.attr = linear(decoders.In("attr"), x, c.NumAttrLabels)
	}
	if c.VisualFeatLoss {
		logits.feat = linear(decoders.In("feat"), x, c.VisualFeatDim)
	}
	return logits
}

// headTransform is what both masked heads begin with.
func (c *Config) headTransform(s *model.Scope, x *Node) *Node {
	y := c.activate(linear(s.In("dense"), x, c.HiddenSize))
	return like(c.layerNorm(s.In("LayerNorm"), y), x)
}

// answerHead scores every answer from the pooled output: [batch, answers].
func (c *Config) answerHead(s *model.Scope, pooled *Node) *Node {
	return c.classify(s.In("logit_fc"), pooled, c.NumQALabels)
}

// classify is how every task upon the pooled output ends: [batch, classes]. Its activation is the
// exact GELU whatever hidden_act says.
func (c *Config) classify(s *model.Scope, x *Node, classes int) *Node {
	y := activation.Gelu(linear(s.In("0"), x, 2*c.HiddenSize))
	return linear(s.In("3"), like(c.layerNorm(s.In("2"), y), x), classes)
}
