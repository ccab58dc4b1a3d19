package main

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"

	"github.com/go-lxmert/lxmert/model"
)

// A variant is a way to write the same computation.
type variant string

const (
	plain     variant = "plain"     // ONNX's operators, as PyTorch's exporter writes them
	multihead variant = "multihead" // ONNX Runtime's fused operators, attention after the three linear maps
	attention variant = "attention" // the same, but self-attention with its linear maps in one operator
)

// exporter writes LXMERT's question answering as an ONNX graph: the reference's computation, operator by operator. What no
// output depends on, the visual side of the last layer, is not written, as PyTorch would not.
type exporter struct {
	graph
	*model.Config
	variant variant
	source  model.Source
	used    map[string]bool // weights
	mask    string          // [batch, tokens], 1 or 0, in the type that the variant's operators want; "" if there is none
}

// epsilon is every layer norm's.
const epsilon = float32(1e-12)

func (e *exporter) questionAnswering(withMask bool) {
	ids := e.input("input_ids", int64Type, "batch", "tokens")
	types := e.input("token_type_ids", int64Type, "batch", "tokens")
	feats := e.input("visual_feats", float32Type, "batch", "regions", e.VisualFeatDim)
	boxes := e.input("visual_pos", float32Type, "batch", "regions", e.VisualPosDim)
	if withMask {
		e.mask = e.readMask(e.input("attention_mask", int64Type, "batch", "tokens"))
	}
	lang, visual := e.embedTokens("lxmert.embeddings.", ids, types), e.embedRegions("lxmert.encoder.visn_fc.", feats, boxes)
	const encoder = "lxmert.encoder."
	for i := range e.LanguageLayers {
		lang = e.selfLayer(fmt.Sprintf("%slayer.%d.", encoder, i), lang, e.mask)
	}
	for i := range e.VisionLayers {
		visual = e.selfLayer(fmt.Sprintf("%sr_layers.%d.", encoder, i), visual, "")
	}
	for i := range e.CrossLayers {
		lang, visual = e.crossLayer(fmt.Sprintf("%sx_layers.%d.", encoder, i), lang, visual, i == e.CrossLayers-1)
	}
	first := e.node("", "Gather", []string{lang, e.ints("first", 0)}, attribute{"axis", 1})
	pooled := e.op("Tanh", e.gemm("lxmert.pooler.dense.", first, e.HiddenSize, e.HiddenSize))
	head := "answer_head.logit_fc."
	x := e.gelu(e.gemm(head+"0.", pooled, e.HiddenSize, 2*e.HiddenSize))
	logits := e.gemm(head+"3.", e.layerNorm(head+"2.", x, 2*e.HiddenSize), 2*e.HiddenSize, e.NumQALabels)
	e.output(logits, float32Type, "batch", e.NumQALabels)
}

// readMask turns the input into what attention takes: plain, 0 or float32's lowest number to add to the scores, [batch, 1,
// 1, tokens]; fused, the mask itself as int32.
func (e *exporter) readMask(mask string) string {
	if e.variant != plain {
		return e.node("", "Cast", []string{mask}, attribute{"to", int32Type})
	}
	mask = e.node("", "Cast", []string{e.op("Unsqueeze", mask, e.ints("mask_axes", 1, 2))}, attribute{"to", float32Type})
	return e.op("Mul", e.op("Sub", e.floats("one", 1), mask), e.floats("lowest", -math.MaxFloat32))
}

func (e *exporter) embedTokens(name, ids, types string) string {
	table := func(kind string, rows int) string {
		return e.weight(name+kind+"_embeddings.weight", rows, e.HiddenSize)
	}
	tokens := e.op("Gather", e.op("Shape", ids), e.ints("axis_1", 1))
	positions := e.op("Range", e.ints("zero", 0), tokens, e.ints("step", 1))
	words := e.op("Gather", table("word", e.VocabSize), ids)
	x := e.op("Add", words, e.op("Gather", table("position", e.MaxPositionEmbeddings), positions))
	x = e.op("Add", x, e.op("Gather", table("token_type", e.TypeVocabSize), types))
	return e.layerNorm(name+"LayerNorm.", x, e.HiddenSize)
}

func (e *exporter) embedRegions(name, feats, boxes string) string {
	x := e.layerNorm(name+"visn_layer_norm.", e.linear(name+"visn_fc.", feats, e.VisualFeatDim, e.HiddenSize), e.HiddenSize)
	y := e.layerNorm(name+"box_layer_norm.", e.linear(name+"box_fc.", boxes, e.VisualPosDim, e.HiddenSize), e.HiddenSize)
	return e.op("Div", e.op("Add", x, y), e.floats("two", 2))
}

func (e *exporter) selfLayer(name, x, mask string) string {
	x = e.attend(name+"attention.self.", name+"attention.output.", x, x, mask)
	return e.feedForward(name+"intermediate.", name+"output.", x)
}

// crossLayer returns no visual states where it is the last: nobody reads them.
func (e *exporter) crossLayer(name, lang, visual string, last bool) (newLang, newVisual string) {
	cross, output := name+"visual_attention.att.", name+"visual_attention.output."
	newLang = e.attend(cross, output, lang, visual, "")
	if !last {
		newVisual = e.attend(cross, output, visual, lang, e.mask)
		newVisual = e.attend(name+"visn_self_att.self.", name+"visn_self_att.output.", newVisual, newVisual, "")
		newVisual = e.feedForward(name+"visn_inter.", name+"visn_output.", newVisual)
	}
	newLang = e.attend(name+"lang_self_att.self.", name+"lang_self_att.output.", newLang, newLang, e.mask)
	return e.feedForward(name+"lang_inter.", name+"lang_output.", newLang), newVisual
}

func (e *exporter) feedForward(inter, output, x string) string {
	h, wide := e.HiddenSize, e.IntermediateSize
	var y string
	if e.variant == plain {
		y = e.gelu(e.linear(inter+"dense.", x, h, wide))
	} else {
		y = e.node(contrib, "BiasGelu", []string{e.product(inter+"dense.", x, h, wide), e.weight(inter+"dense.bias", wide)})
	}
	return e.addNorm(output, y, x, wide)
}

// addNorm ends every sub-layer: a linear map back to the hidden size, the residual, and the normalisation.
func (e *exporter) addNorm(name, x, residual string, in int) string {
	h := e.HiddenSize
	if e.variant == plain {
		return e.layerNorm(name+"LayerNorm.", e.op("Add", e.linear(name+"dense.", x, in, h), residual), h)
	}
	return e.node(contrib, "SkipLayerNormalization", []string{e.product(name+"dense.", x, in, h), residual,
		e.weight(name+"LayerNorm.weight", h), e.weight(name+"LayerNorm.bias", h), e.weight(name+"dense.bias", h)}, attribute{"epsilon", epsilon})
}

func (e *exporter) attend(name, output, x, context, mask string) string {
	h, heads := e.HiddenSize, e.NumAttentionHeads
	var seen string
	switch {
	case e.variant == plain:
		q := e.split(e.linear(name+"query.", x, h, h), 0, 2, 1, 3)
		k := e.split(e.linear(name+"key.", context, h, h), 0, 2, 3, 1)
		v := e.split(e.linear(name+"value.", context, h, h), 0, 2, 1, 3)
		scores := e.op("Div", e.op("MatMul", q, k), e.floats("head_root", float32(math.Sqrt(float64(h/heads)))))
		if mask != "" {
			scores = e.op("Add", scores, mask)
		}
		scores = e.node("", "Softmax", []string{scores}, attribute{"axis", -1})
		seen = e.node("", "Transpose", []string{e.op("MatMul", scores, v)}, attribute{"perm", []int{0, 2, 1, 3}})
		seen = e.op("Reshape", seen, e.ints("joined", 0, 0, int64(h)))
	case e.variant == attention && x == context:
		seen = e.node(contrib, "Attention", []string{x, e.joined(name, "weight.T", h, h), e.joined(name, "bias", h), mask},
			attribute{"num_heads", heads}, attribute{"mask_filter_value", -float32(math.MaxFloat32)})
	default:
		seen = e.node(contrib, "MultiHeadAttention", []string{e.product(name+"query.", x, h, h), e.product(name+"key.", context, h, h),
			e.product(name+"value.", context, h, h), e.joined(name, "bias", h), mask},
			attribute{"num_heads", heads}, attribute{"mask_filter_value", -float32(math.MaxFloat32)})
	}
	return e.addNorm(output, seen, x, h)
}

// split divides the hidden axis into heads and reorders the axes.
func (e *exporter) split(x string, perm ...int) string {
	heads := e.NumAttentionHeads
	x = e.op("Reshape", x, e.ints("heads", 0, 0, int64(heads), int64(e.HiddenSize/heads)))
	return e.node("", "Transpose", []string{x}, attribute{"perm", perm})
}

func (e *exporter) gelu(x string) string {
	erf := e.op("Erf", e.op("Div", x, e.floats("root_2", math.Sqrt2)))
	return e.op("Mul", e.op("Mul", x, e.op("Add", erf, e.floats("one", 1))), e.floats("half", 0.5))
}

func (e *exporter) layerNorm(name, x string, width int) string {
	return e.node("", "LayerNormalization", []string{x, e.weight(name+"weight", width), e.weight(name+"bias", width)},
		attribute{"axis", -1}, attribute{"epsilon", epsilon})
}

// linear is a linear map of [batch, rows, in], product the same without its bias, gemm of [batch, in].
func (e *exporter) linear(name, x string, in, out int) string {
	return e.op("Add", e.weight(name+"bias", out), e.product(name, x, in, out))
}

func (e *exporter) product(name, x string, in, out int) string {
	e.used[name+"weight"] = true
	weight := e.constant(name+"weight.T", float32Type, []int{in, out}, func() ([]byte, error) {
		values, err := e.source(name+"weight", []int{out, in})
		return dtypes.UnsafeByteSliceFromAny(transposed(values, out, in)), err
	})
	return e.op("MatMul", x, weight)
}

func (e *exporter) gemm(name, x string, in, out int) string {
	return e.node("", "Gemm", []string{x, e.weight(name+"weight", out, in), e.weight(name+"bias", out)}, attribute{"transB", 1})
}

// weight is one of the model's, as it is.
func (e *exporter) weight(name string, dims ...int) string {
	e.used[name] = true
	return e.constant(name, float32Type, dims, func() ([]byte, error) {
		values, err := e.source(name, dims)
		return dtypes.UnsafeByteSliceFromAny(values), err
	})
}

// joined puts query, key and value side by side: biases [3·out], or transposed weights [in, 3·out].
func (e *exporter) joined(name, kind string, dims ...int) string {
	parts := []string{"query.", "key.", "value."}
	suffix, out := kind, dims[len(dims)-1]
	shape := []int{3 * out}
	if len(dims) == 2 {
		suffix, shape = "weight", []int{dims[0], 3 * out}
	}
	for _, part := range parts {
		e.used[name+part+suffix] = true
	}
	return e.constant(name+"joined."+kind, float32Type, shape, func() ([]byte, error) {
		var rows []float32
		for _, part := range parts {
			values, err := e.source(name+part+suffix, dims)
			if err != nil {
				return nil, err
			}
			rows = append(rows, values...)
		}
		if len(dims) == 2 {
			rows = transposed(rows, 3*out, dims[0])
		}
		return dtypes.UnsafeByteSliceFromAny(rows), nil
	})
}

// transposed is x [rows, columns] with its axes exchanged.
func transposed(x []float32, rows, columns int) []float32 {
	y := make([]float32, len(x))
	for i := range rows {
		for j := range columns {
			y[j*rows+i] = x[i*columns+j]
		}
	}
	return y
}
