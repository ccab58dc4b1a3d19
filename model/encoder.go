package model

import (
	"strconv"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// Options choose what a forward pass returns and whether it trains.
type Options struct {
	// HiddenStates and Attentions ask for the corresponding tuples of [States]. The
	// configuration's output_hidden_states and output_attentions turn them on as well.
	HiddenStates, Attentions bool
	// Training applies dropout. The random state is the weights' store's.
	Training bool
	// Checkpointing lets the gradient compute the inside of each layer again from the layer's input, instead of keeping
	// it since the forward pass: less memory for one more forward pass through the encoders, and the same gradient. It changes
	// nothing where no gradient is taken.
	Checkpointing bool
	// BFloat16 computes the layers and heads in bfloat16, whose numbers have 8 bits; weights, gradients, losses and
	// what a pass returns stay float32. It is an error where the backend has no bfloat16.
	BFloat16 bool
	// Framework is PyTorch or TensorFlow: whose mask constant, epsilon and losses.
	Framework Framework

	watched bool // [Network.Attend]'s: every attention is seen, and gradients reach it
}

// Model builds the three encoders and the pooler in the scope: the reference's LxmertModel.
// It panics, as GoMLX graph functions do, where shapes do not fit; inputs that come
// from outside go through [Config.CheckInputs] first.
func (c *Config) Model(s *model.Scope, in *Inputs[*Node], opt Options) *ModelOutput[*Node] {
	return c.encode(s, in, opt, false, nil)
}

// encode is Model. With pooledOnly the caller reads nothing but the pooled output and what
// the options ask for; then the last cross-modality layer computes the first token
// alone, where the options allow, and the language output has no other. The visual side of that layer,
// which nobody reads, stays in the graph for its weights' sake; engines leave it out. Who watches
// sees every attention; a nil watcher is nobody.
func (c *Config) encode(s *model.Scope, in *Inputs[*Node], opt Options, pooledOnly bool, watch watcher) *ModelOutput[*Node] {
	c = c.in(opt.Framework)
	opt.check(in.VisualFeats.Graph().Backend())
	langMask, visualMask := c.additiveMask(in.AttentionMask), c.additiveMask(in.VisualAttentionMask)
	lang := opt.narrow(c.embedTokens(s.In("embeddings"), in))
	out := &ModelOutput[*Node]{}
	encoder := s.In("encoder")
	visual := opt.narrow(c.embedRegions(encoder.In("visn_fc"), opt.narrow(in.VisualFeats), in.VisualPos))

	opt.HiddenStates = opt.HiddenStates || c.OutputHiddenStates
	opt.Attentions = opt.Attentions || c.OutputAttentions
	keep := func(tuple *[]*Node, x *Node, want bool) {
		if want {
			*tuple = append(*tuple, wide(x))
		}
	}
	var probabilities *Node
	for i, layer := range scopes(encoder, "layer", c.LanguageLayers) {
		opt.begin(layer, &lang)
		lang, probabilities = c.selfLayer(layer, lang, langMask, opt)
		keep(&out.LanguageHiddenStates, lang, opt.HiddenStates)
		keep(&out.LanguageAttentions, probabilities, opt.Attentions)
		watch.see(LanguageAttention, i, probabilities)
	}
	for i, layer := range scopes(encoder, "r_layers", c.VisionLayers) {
		opt.begin(layer, &visual)
		visual, probabilities = c.selfLayer(layer, visual, visualMask, opt)
		keep(&out.VisionHiddenStates, visual, opt.HiddenStates)
		keep(&out.VisionAttentions, probabilities, opt.Attentions)
		watch.see(RegionAttention, i, probabilities)
	}
	batch := max(lang.Shape().Dim(0), visual.Shape().Dim(0))
	langMask = forAll(langMask, batch)
	if c.CrossLayers == 0 {
		lang, visual = forAll(lang, batch), forAll(visual, batch)
	}
	for i, layer := range scopes(encoder, "x_layers", c.CrossLayers) {
		opt.begin(layer, &lang, &visual)
		firstOnly := pooledOnly && !opt.HiddenStates && i == c.CrossLayers-1
		lang, visual, probabilities = c.crossLayer(layer, lang, visual, langMask, visualMask, opt, firstOnly, watch.layer(i))
		keep(&out.LanguageHiddenStates, lang, opt.HiddenStates)
		keep(&out.VisionHiddenStates, visual, opt.HiddenStates)
		keep(&out.CrossEncoderAttentions, probabilities, opt.Attentions)
	}
	opt.end(encoder, &lang, &visual)
	out.LanguageOutput, out.VisionOutput = wide(lang), wide(visual)
	out.PooledOutput = c.pool(s.In("pooler"), lang)
	return out
}

// selfLayer is one layer of the language or the object-relationship encoder (§2.2):
// self-attention, then the feed-forward network.
func (c *Config) selfLayer(s *model.Scope, x, mask *Node, opt Options) (y, probabilities *Node) {
	x, probabilities = c.selfAttention(s.In("attention"), x, mask, opt)
	return c.feedForward(s.In("intermediate"), s.In("output"), x), probabilities
}

// selfAttention lets every row look at the rows of its own stream.
func (c *Config) selfAttention(s *model.Scope, x, mask *Node, opt Options) (y, probabilities *Node) {
	return c.attend(s.In("self"), s.In("output"), x, x, mask, opt)
}

// crossLayer is one cross-modality layer (§2.2): each stream looks at the other, then
// at itself, then passes through its own feed-forward network. Both directions
// of the cross-attention have the same weights, and both read the layer's input: the
// visual stream does not see what language has just learned from it.
//
// lang is [batch, tokens, hidden], visual is [batch, regions, hidden]; a mask is
// [batch, 1, 1, rows], 0 where a row may be looked at, or nil. The probabilities are how
// much each token looked at each region. With firstOnly, newLang is the first token's row alone.
func (c *Config) crossLayer(s *model.Scope, lang, visual, langMask, visualMask *Node, opt Options, firstOnly bool, see func(AttentionKind, *Node),
) (newLang, newVisual, probabilities *Node) {
	unseen := opt // the reference returns no other attention of these layers
	unseen.Attentions = opt.watched
	langCross, probabilities := c.crossAttention(s.In("visual_attention"), lang, visual, visualMask, opt)
	visualCross, byRegions := c.crossAttention(s.Shared("visual_attention"), visual, lang, langMask, unseen)
	queries := langCross
	if firstOnly {
		queries = Slice(langCross, AxisRange(), AxisRange(0, 1))
	}
	langSelf := s.In("lang_self_att")
	lang, langProbabilities := c.attend(langSelf.In("self"), langSelf.In("output"), queries, langCross, langMask, unseen)
	visual, visualProbabilities := c.selfAttention(s.In("visn_self_att"), visualCross, visualMask, unseen)
	see(CrossLanguageAttention, probabilities)
	see(CrossRegionAttention, byRegions)
	see(CrossSelfLanguageAttention, langProbabilities)
	see(CrossSelfRegionAttention, visualProbabilities)
	lang = c.feedForward(s.In("lang_inter"), s.In("lang_output"), lang)
	visual = c.feedForward(s.In("visn_inter"), s.In("visn_output"), visual)
	return lang, visual, probabilities
}

// crossAttention lets every row of x look at the rows of the other stream.
func (c *Config) crossAttention(s *model.Scope, x, context, mask *Node, opt Options) (y, probabilities *Node) {
	return c.attend(s.In("att"), s.In("output"), x, context, mask, opt)
}

// pool is tanh of a linear map of the first token (§2.3): [batch, hidden], float32.
func (c *Config) pool(s *model.Scope, lang *Node) *Node {
	first := Reshape(Slice(lang, AxisRange(), AxisElem(0)), lang.Shape().Dim(0), c.HiddenSize)
	return Tanh(linear(s.In("dense"), first, c.HiddenSize))
}

// scopes are the scopes name/0, name/1, ... of a stack of layers.
func scopes(s *model.Scope, name string, n int) []*model.Scope {
	if n == 0 {
		return nil
	}
	stack, layers := s.In("%s", name), make([]*model.Scope, n)
	for i := range layers {
		layers[i] = stack.In("%s", strconv.Itoa(i))
	}
	return layers
}
