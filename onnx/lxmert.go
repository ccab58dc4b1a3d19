package onnx

import (
	"fmt"
	"math"
	"slices"

	"github.com/go-lxmert/lxmert/model"
)

// exporter writes LXMERT as an ONNX graph, the computation of package model operator by operator.
type exporter struct {
	graph
	*model.Config
	operators Operators
	omit      []string

	source   model.Source
	declared map[string][]int // the model's weights and their shapes
	used     map[string]bool  // those that the graph reads, or would but for prune
	encoders string           // the prefix of the encoders' weights
	pictures string           // the first axis of the visual stream: "batch", or the name of twice as many

	// What may be looked at, in the type that the operators want; "" if everything may.
	langMask, visualMask string
}

// epsilon is every layer norm's, whatever layer_norm_eps says; see [model.Config.LayerNormEps].
const epsilon = float32(1e-12)

// build makes the graph of a model.
func build(config *model.Config, head model.Head, source model.Source, options Options) (*graph, error) {
	if err := options.check(); err != nil {
		return nil, err
	}
	weights, err := model.Declare(config, head)
	if err != nil {
		return nil, err
	}
	e := &exporter{Config: config, operators: options.Operators, omit: options.Omit, source: source, encoders: "lxmert.", pictures: "batch",
		graph: graph{names: map[string]bool{}}, declared: map[string][]int{}, used: map[string]bool{}}
	for _, w := range weights {
		e.declared[w.Name] = w.Dimensions
	}
	switch head {
	case model.HeadPreTraining:
		e.preTraining()
	case model.HeadQuestionAnswering:
		e.questionAnswering()
	case model.HeadNLVR2:
		e.nlvr2()
	default:
		e.encoders = ""
		lang, visual := e.model()
		lang = e.output(lang, "language_output", "batch", "tokens", e.HiddenSize)
		e.output(visual, "vision_output", "batch", "regions", e.HiddenSize)
		e.output(e.pool(lang), "pooled_output", "batch", e.HiddenSize)
	}
	e.prune()
	return &e.graph, e.complete()
}

// complete checks that the graph reads the weights of the model, all of them but the masked-object head, whose
// predictions the reference uses for its losses alone and does not return.
func (e *exporter) complete() error {
	for name := range e.used {
		if e.declared[name] == nil {
			return fmt.Errorf("the graph reads a weight %s that the model does not have", name)
		}
	}
	for name := range e.declared {
		if !e.used[name] && !isObjectHead(name) {
			return fmt.Errorf("the graph does not read the weight %s", name)
		}
	}
	return nil
}

// model is the reference's LxmertModel but for the pooler: the last hidden states of both streams.
func (e *exporter) model() (lang, visual string) {
	lang, visual = e.embedTokens(e.encoders+"embeddings."), e.embedRegions(e.encoders+"encoder.visn_fc.")
	e.langMask = e.readMask(e.optional("attention_mask", "batch", "tokens"))
	e.visualMask = e.readMask(e.pictureByPicture(e.optional("visual_attention_mask", e.visualAxes()...)))
	encoder := e.encoders + "encoder."
	for i := range e.LanguageLayers {
		lang = e.shaped(e.selfLayer(fmt.Sprintf("%slayer.%d.", encoder, i), lang, e.langMask), "batch", "tokens", e.HiddenSize)
	}
	for i := range e.VisionLayers {
		visual = e.shaped(e.selfLayer(fmt.Sprintf("%sr_layers.%d.", encoder, i), visual, e.visualMask), e.pictures, "regions", e.HiddenSize)
	}
	if e.pictures != "batch" {
		lang, e.langMask = e.twice(lang), e.twice(e.langMask)
	}
	for i := range e.CrossLayers {
		lang, visual = e.crossLayer(fmt.Sprintf("%sx_layers.%d.", encoder, i), lang, visual)
		e.shaped(lang, e.pictures, "tokens", e.HiddenSize)
		e.shaped(visual, e.pictures, "regions", e.HiddenSize)
	}
	return lang, visual
}

// readMask turns a mask into what attention takes: standard, 0 or float32's lowest number to add to the scores,
// [batch, 1, 1, rows]; fused, the mask itself as int32, [batch, rows].
func (e *exporter) readMask(mask string) string {
	if mask == "" {
		return ""
	}
	if e.operators != Standard {
		return e.node("", "Cast", []string{mask}, attribute{"to", int32Type})
	}
	mask = e.node("", "Cast", []string{e.op("Unsqueeze", mask, e.ints("mask_axes", 1, 2))}, attribute{"to", float32Type})
	return e.op("Mul", e.op("Sub", e.floats("one", 1), mask), e.floats("lowest", -math.MaxFloat32))
}

// optional declares an int64 input; "" if it is to be omitted.
func (e *exporter) optional(name string, axes ...any) string {
	if slices.Contains(e.omit, name) {
		return ""
	}
	return e.input(name, int64Type, axes...)
}

// embedTokens is the language stream's first layer: word + position + type, normalised. [batch, tokens, hidden].
func (e *exporter) embedTokens(name string) string {
	ids := e.input("input_ids", int64Type, "batch", "tokens")
	types := e.optional("token_type_ids", "batch", "tokens")
	if types == "" {
		types = e.ints("zero", 0) // one for all
	}
	tokens := e.op("Gather", e.op("Shape", ids), e.ints("axis_1", 1))
	positions := e.op("Range", e.ints("zero", 0), tokens, e.ints("step", 1))
	x := e.op("Gather", e.weight(e.wordEmbeddings()), ids)
	x = e.op("Add", x, e.op("Gather", e.weight(name+"position_embeddings.weight"), positions))
	x = e.op("Add", x, e.op("Gather", e.weight(name+"token_type_embeddings.weight"), types))
	return e.shaped(e.layerNorm(name+"LayerNorm.", x), "batch", "tokens", e.HiddenSize)
}

func (e *exporter) wordEmbeddings() string { return e.encoders + "embeddings.word_embeddings.weight" }

// embedRegions is the visual stream's: the mean of normalised features and spatial encoding. [batch, regions, hidden].
func (e *exporter) embedRegions(name string) string {
	feats := e.pictureByPicture(e.input("visual_feats", float32Type, append(e.visualAxes(), e.VisualFeatDim)...))
	boxes := e.pictureByPicture(e.input("visual_pos", float32Type, append(e.visualAxes(), e.VisualPosDim)...))
	x := e.layerNorm(name+"visn_layer_norm.", e.linear(name+"visn_fc.", feats))
	y := e.layerNorm(name+"box_layer_norm.", e.linear(name+"box_fc.", boxes))
	return e.shaped(e.op("Div", e.op("Add", x, y), e.floats("two", 2)), e.pictures, "regions", e.HiddenSize)
}

func (e *exporter) selfLayer(name, x, mask string) string {
	x = e.attend(name+"attention.self.", name+"attention.output.", x, x, mask)
	return e.feedForward(name+"intermediate.", name+"output.", x)
}

// crossLayer lets each stream look at the other, with the same weights, then at itself.
func (e *exporter) crossLayer(name, lang, visual string) (newLang, newVisual string) {
	cross, output := name+"visual_attention.att.", name+"visual_attention.output."
	newLang = e.attend(cross, output, lang, visual, e.visualMask)
	newVisual = e.attend(cross, output, visual, lang, e.langMask)
	newLang = e.attend(name+"lang_self_att.self.", name+"lang_self_att.output.", newLang, newLang, e.langMask)
	newVisual = e.attend(name+"visn_self_att.self.", name+"visn_self_att.output.", newVisual, newVisual, e.visualMask)
	newLang = e.feedForward(name+"lang_inter.", name+"lang_output.", newLang)
	newVisual = e.feedForward(name+"visn_inter.", name+"visn_output.", newVisual)
	return newLang, newVisual
}

// pool is tanh of a linear map of the first token. [batch, hidden].
func (e *exporter) pool(lang string) string {
	first := e.node("", "Gather", []string{lang, e.ints("zero", 0)}, attribute{"axis", 1})
	return e.op("Tanh", e.gemm(e.encoders+"pooler.dense.", first))
}
