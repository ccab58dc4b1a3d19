package model

import (
	"errors"
	"fmt"
	"math"
)

// Config is everything that fixes a model's architecture, its heads and its losses: the
// reference's LxmertConfig, field by field. The zero value is not a model; start
// from [DefaultConfig] or [ReadConfig].
//
// JSON names are Hugging Face's. Keys of a config.json that this struct does not know
// are kept in Extra and written back unchanged.
type Config struct {
	// VocabSize is the number of word pieces: rows of the word embedding, logits of the
	// masked-language head.
	VocabSize int `json:"vocab_size"`
	// HiddenSize is the width of every hidden state in all three encoders.
	HiddenSize int `json:"hidden_size"`
	// NumAttentionHeads divides HiddenSize.
	NumAttentionHeads int `json:"num_attention_heads"`
	// IntermediateSize is the width inside the feed-forward networks.
	IntermediateSize int `json:"intermediate_size"`
	// HiddenAct names the activation of the feed-forward networks and of the head transforms;
	// see [Activations]. The answer head always uses the exact GELU, the pooler tanh.
	HiddenAct string `json:"hidden_act"`

	// LanguageLayers, VisionLayers and CrossLayers are the depths of the language, the
	// object-relationship and the cross-modality encoder (§2.2: N_L, N_R, N_X).
	LanguageLayers int `json:"l_layers"`
	VisionLayers   int `json:"r_layers"`
	CrossLayers    int `json:"x_layers"`

	// HiddenDropout and AttentionDropout are probabilities, applied when training only.
	HiddenDropout    float64 `json:"hidden_dropout_prob"`
	AttentionDropout float64 `json:"attention_probs_dropout_prob"`

	// MaxPositionEmbeddings bounds the number of tokens.
	MaxPositionEmbeddings int `json:"max_position_embeddings"`
	// TypeVocabSize is the number of token types (segments).
	TypeVocabSize int `json:"type_vocab_size"`
	// InitializerRange is the standard deviation of fresh weight matrices.
	InitializerRange float64 `json:"initializer_range"`
	// LayerNormEps is kept for the file's sake: like the PyTorch reference, the model
	// uses 1e-12 whatever it says, but for [TensorFlow].
	LayerNormEps float64 `json:"layer_norm_eps"`

	// VisualFeatDim is the width of a region's feature vector, VisualPosDim that of its
	// spatial encoding (4: a box, but any encoding of that width works).
	VisualFeatDim int `json:"visual_feat_dim"`
	VisualPosDim  int `json:"visual_pos_dim"`

	// NumQALabels, NumObjectLabels and NumAttrLabels are the classes of the answer head and
	// of the two masked-object classification heads.
	NumQALabels     int `json:"num_qa_labels"`
	NumObjectLabels int `json:"num_object_labels"`
	NumAttrLabels   int `json:"num_attr_labels"`

	// TaskMatched, TaskMaskLM, TaskObjPredict and TaskQA switch the pre-training tasks (§3.1).
	// Without TaskObjPredict or TaskQA the head itself is absent.
	TaskMatched    bool `json:"task_matched"`
	TaskMaskLM     bool `json:"task_mask_lm"`
	TaskObjPredict bool `json:"task_obj_predict"`
	TaskQA         bool `json:"task_qa"`

	// VisualObjLoss, VisualAttrLoss and VisualFeatLoss switch the three kinds of masked-object
	// prediction; VisualLossNormalizer weighs each of them.
	VisualObjLoss        bool    `json:"visual_obj_loss"`
	VisualAttrLoss       bool    `json:"visual_attr_loss"`
	VisualFeatLoss       bool    `json:"visual_feat_loss"`
	VisualLossNormalizer float64 `json:"visual_loss_normalizer"`

	// OutputHiddenStates and OutputAttentions are the defaults of the options of the same name.
	OutputHiddenStates bool `json:"output_hidden_states,omitempty"`
	OutputAttentions   bool `json:"output_attentions,omitempty"`

	// ID2Label names the answers; nil if the file has none. JSON: an object "0": "answer".
	ID2Label map[int]string `json:"id2label,omitempty"`

	// Extra holds the keys of config.json that have no field here, as they were.
	Extra map[string]any `json:"-"`

	framework Framework // whose semantics the graph functions follow; PyTorch's but within a pass for the other's
}

// layerNormEps is the epsilon of every layer normalisation; see [Config.LayerNormEps].
const layerNormEps = 1e-12

// DefaultConfig is the base-size model of the paper with the pre-training heads: LxmertConfig().
func DefaultConfig() *Config {
	return &Config{
		VocabSize: 30522, HiddenSize: 768, NumAttentionHeads: 12, IntermediateSize: 3072, HiddenAct: "gelu",
		LanguageLayers: 9, VisionLayers: 5, CrossLayers: 5,
		HiddenDropout: 0.1, AttentionDropout: 0.1,
		MaxPositionEmbeddings: 512, TypeVocabSize: 2, InitializerRange: 0.02, LayerNormEps: 1e-12,
		VisualFeatDim: 2048, VisualPosDim: 4,
		NumQALabels: 9500, NumObjectLabels: 1600, NumAttrLabels: 400,
		TaskMatched: true, TaskMaskLM: true, TaskObjPredict: true, TaskQA: true,
		VisualObjLoss: true, VisualAttrLoss: true, VisualFeatLoss: true, VisualLossNormalizer: 6.67,
	}
}

// headSize is the width of one attention head.
func (c *Config) headSize() int { return c.HiddenSize / c.NumAttentionHeads }

// Limits on what a config file may ask for: far above any LXMERT, low enough that a
// hostile file cannot make shapes overflow.
const (
	maxDimension = 1 << 20
	maxVocab     = 1 << 22
	maxWeights   = 1 << 32 // numbers in all weights: 16 GiB
	maxLayers    = 128     // GoMLX takes 1.4 s to build that; the time grows with the square
)

// Validate reports everything that is wrong with the configuration at once, one line a field,
// under the field's JSON name; nil if a model can be built.
func (c *Config) Validate() error {
	var errs []error
	bad := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
	}
	for _, size := range []struct {
		key   string
		value int
	}{
		{"vocab_size", c.VocabSize}, {"hidden_size", c.HiddenSize}, {"num_attention_heads", c.NumAttentionHeads},
		{"intermediate_size", c.IntermediateSize}, {"max_position_embeddings", c.MaxPositionEmbeddings},
		{"type_vocab_size", c.TypeVocabSize}, {"visual_feat_dim", c.VisualFeatDim}, {"visual_pos_dim", c.VisualPosDim},
		{"num_qa_labels", c.NumQALabels}, {"num_object_labels", c.NumObjectLabels}, {"num_attr_labels", c.NumAttrLabels},
	} {
		highest := maxDimension
		if size.key == "vocab_size" {
			highest = maxVocab
		}
		if size.value < 1 || size.value > highest {
			bad(size.key, "found %d, want 1..%d", size.value, highest)
		}
	}
	if c.HiddenSize > 0 && c.NumAttentionHeads > 0 && c.HiddenSize%c.NumAttentionHeads != 0 {
		bad("num_attention_heads", "%d heads do not divide hidden_size %d", c.NumAttentionHeads, c.HiddenSize)
	}
	for _, depth := range []struct {
		key   string
		value int
	}{{"l_layers", c.LanguageLayers}, {"r_layers", c.VisionLayers}, {"x_layers", c.CrossLayers}} {
		if depth.value < 0 || depth.value > maxLayers {
			bad(depth.key, "found %d, want 0..%d", depth.value, maxLayers)
		}
	}
	if c.LanguageLayers == 0 && c.CrossLayers == 0 {
		bad("l_layers", "0 together with x_layers 0 leaves the language stream without a layer; make one of them 1 or more")
	}
	if c.VisionLayers == 0 && c.CrossLayers == 0 {
		bad("r_layers", "0 together with x_layers 0 leaves the visual stream without a layer; make one of them 1 or more")
	}
	for _, p := range []struct {
		key   string
		value float64
	}{{"hidden_dropout_prob", c.HiddenDropout}, {"attention_probs_dropout_prob", c.AttentionDropout}} {
		if !(p.value >= 0 && p.value < 1) {
			bad(p.key, "found %v, want a probability in [0, 1)", p.value)
		}
	}
	if !(c.InitializerRange >= 0 && c.InitializerRange <= 1e6) {
		bad("initializer_range", "found %v, want a standard deviation in 0..1e6", c.InitializerRange)
	}
	if math.IsNaN(c.VisualLossNormalizer) || math.IsInf(c.VisualLossNormalizer, 0) {
		bad("visual_loss_normalizer", "found %v, want a finite number", c.VisualLossNormalizer)
	}
	if _, ok := activations[c.HiddenAct]; !ok {
		bad("hidden_act", "found %q, want one of %q", shorten(c.HiddenAct), Activations())
	}
	for id := range c.ID2Label {
		if id < 0 || id >= maxDimension {
			bad("id2label", "found id %d, want 0..%d", id, maxDimension-1)
			break
		}
	}
	return errors.Join(errs...)
}
