package explain

import (
	"fmt"
	"slices"
	"strings"
)

// A Method turns attentions into an explanation. docs/explain.md says what each does, and does not, say.
type Method string

// The methods: that of Chefer, Gur and Wolf (2021), its two ablations, the baselines they compare with, and a layer as it is.
const (
	MethodRelevance    Method = "relevance"              // the paper's
	MethodUnnormalised Method = "relevance_unnormalised" // without rules 8 and 9
	MethodNoSelf       Method = "relevance_no_self"      // without self-attention in rule 10
	MethodRawAttention Method = "raw_attention"          // the last cross-modality layer's attentions, the heads' mean
	MethodRollout      Method = "rollout"                // attention rollout, whatever the answer
	MethodGradCAM      Method = "attention_gradcam"      // Grad-CAM of the last cross-modality layer's attentions
	MethodAttention    Method = "attention"              // a cross-modality layer's attentions: Options.Layer and Options.Head say which
)

// Methods are all of them, the paper's first.
func Methods() []Method {
	return []Method{MethodRelevance, MethodUnnormalised, MethodNoSelf, MethodRawAttention, MethodRollout, MethodGradCAM, MethodAttention}
}

// MethodNames are the names of all methods, separated by commas.
func MethodNames() string {
	names := make([]string, 0, len(Methods()))
	for _, m := range Methods() {
		names = append(names, string(m))
	}
	return strings.Join(names, ", ")
}

// ParseMethod reads a method's name; "" is [MethodRelevance].
func ParseMethod(name string) (Method, error) {
	if name == "" {
		return MethodRelevance, nil
	}
	if slices.Contains(Methods(), Method(name)) {
		return Method(name), nil
	}
	return "", fmt.Errorf("method: found %q, want one of %s", name, MethodNames())
}

// A Detail says how much of the attentions an [Explanation] has besides.
type Detail string

// The details.
const (
	MapsNone Detail = "none" // no attentions
	MapsMean Detail = "mean" // every attention, as the mean over its heads
	MapsAll  Detail = "all"  // every attention, head by head too
)

// ParseDetail reads a detail's name; "" is [MapsNone].
func ParseDetail(name string) (Detail, error) {
	switch d := Detail(name); d {
	case "":
		return MapsNone, nil
	case MapsNone, MapsMean, MapsAll:
		return d, nil
	}
	return "", fmt.Errorf("maps: found %q, want %s, %s or %s", name, MapsNone, MapsMean, MapsAll)
}

// Options choose what is explained, and how. The zero value explains the model's own answer by the paper's method.
type Options struct {
	Method Method // "": MethodRelevance
	Answer *int   // id of the answer to explain; nil or lxmert.BestAnswer: the one that the model gives
	Maps   Detail // "": MapsNone
	// Layer and Head are for MethodAttention: a cross-modality layer, from 0 (nil: the last), and one of its heads, from 0 (nil: their mean).
	Layer, Head *int
}

// check completes the options, or says what is wrong with them.
func (o Options) check() (Options, error) {
	var err error
	if o.Method, err = ParseMethod(string(o.Method)); err != nil {
		return o, err
	}
	if o.Maps, err = ParseDetail(string(o.Maps)); err != nil {
		return o, err
	}
	if o.Method != MethodAttention && (o.Layer != nil || o.Head != nil) {
		return o, fmt.Errorf("layer and head choose among raw attentions: they are for method %s, found %s", MethodAttention, o.Method)
	}
	return o, nil
}

// raw is the layer and the head that the options choose, of so many; head is -1 for the mean.
func (o Options) raw(layers, heads int) (layer, head int, err error) {
	layer, head = layers-1, -1
	if o.Layer != nil {
		if layer = *o.Layer; layer < 0 || layer >= layers {
			return 0, 0, fmt.Errorf("layer: found %d, but the model has %s", layer, span("cross-modality layer", layers))
		}
	}
	if o.Head != nil {
		if head = *o.Head; head < 0 || head >= heads {
			return 0, 0, fmt.Errorf("head: found %d, but an attention has %s", head, span("head", heads))
		}
	}
	return layer, head, nil
}

// span is "cross-modality layers 0 to 4" of 5.
func span(what string, n int) string {
	switch n {
	case 0:
		return "no " + what + "s"
	case 1:
		return what + " 0 only"
	}
	return fmt.Sprintf("%ss 0 to %d", what, n-1)
}
