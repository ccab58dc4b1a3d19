package checkpoint

import (
	"slices"
	"strings"
)

// KerasName is the name of a model's weights in a directory, as Hugging Face's TensorFlow classes save them.
const KerasName = "tf_model.h5"

// TensorFlow's classes, as they call themselves in names. There is none for statements (NLVR2), and questions are
// pre-training's answer head.
const (
	kerasModel       = "tf_lxmert_model"
	kerasPreTraining = "tf_lxmert_for_pre_training"
)

// kerasTopLevel is the group of weights that belong to no layer.
const kerasTopLevel = "top_level_model_weights"

// fromKeras gives the path of a weight in a file the name that transformers' PyTorch classes give it, and says
// whether its matrix must be transposed, for Keras multiplies from the other side:
//
//	lxmert/tf_lxmert_for_pre_training/lxmert/encoder/layer_._0/attention/self/query/kernel:0
//	lxmert.encoder.layer.0.attention.self.query.weight, transposed
//
// A path begins with the layer whose group it is in, and the class. It is not ok if it does not look so.
func fromKeras(path string) (name string, transpose, ok bool) {
	path, ok = strings.CutSuffix(path, ":0")
	parts := strings.Split(path, "/")
	if !ok || len(parts) < 3 || slices.Contains(parts, "") {
		return "", false, false
	}
	parts = parts[2:]
	last := &parts[len(parts)-1]
	switch *last {
	case "kernel":
		*last, transpose = "weight", true
	case "gamma", "embeddings":
		*last = "weight"
	case "beta":
		*last = "bias"
	case "weight", "bias":
	default:
		return "", false, false
	}
	return strings.ReplaceAll(strings.Join(parts, "."), "_._", "."), transpose, true
}

// toKeras is the way back: the layer whose group a weight is in, and the weight's name there, which begins with the
// class. It is not ok where Keras' model has no such weight: the decoder that is tied to the word embedding, other heads.
func toKeras(name, class string) (layer, weight string, transpose, ok bool) {
	parts := strings.Split(name, ".")
	layer = parts[0]
	n := len(parts) - 1
	if !slices.Contains(kerasLayers, layer) || n == 0 || name == kerasTied {
		return "", "", false, false
	}
	module := strings.Join(parts[:n], ".")
	norm := strings.HasSuffix(module, "LayerNorm") || strings.HasSuffix(module, "layer_norm") || module == "answer_head.logit_fc.2"
	leaf := parts[n]
	switch {
	case leaf == "weight" && norm:
		leaf = "gamma"
	case leaf == "bias" && norm:
		leaf = "beta"
	case leaf == "weight" && strings.HasSuffix(module, ".word_embeddings"):
	case leaf == "weight" && strings.HasSuffix(module, "_embeddings"):
		leaf = "embeddings"
	case leaf == "weight":
		leaf, transpose = "kernel", true
	case leaf != "bias":
		return "", "", false, false
	}
	path := class
	for i, part := range parts[:n] {
		switch {
		case part[:min(1, len(part))] >= "0" && part[:min(1, len(part))] <= "9": // a list's
			path += "_._" + part
		case i > 0 && parts[i-1] == "decoder_dict":
			path += "." + part
		default:
			path += "/" + part
		}
	}
	return layer, path + "/" + leaf + ":0", transpose, true
}

// kerasTied is the weight that Keras' model has only under its other name.
const kerasTied = "cls.predictions.decoder.weight"

// kerasEmbeddings begins the names of what the group cls repeats: the word head holds the embeddings.
const kerasEmbeddings = "lxmert.embeddings."

// kerasLayers are the layers of the classes, in the order in which the model has them.
var kerasLayers = []string{"lxmert", "cls", "obj_predict_head", "answer_head"}

// kerasOrder is the order of a model's parts: of any two with the same parent the first to be made comes first.
var kerasOrder = strings.Fields(`
	predictions lxmert
	word_embeddings token_type_embeddings position_embeddings
	visn_fc visn_layer_norm box_fc box_layer_norm layer x_layers r_layers
	visual_attention lang_self_att visn_self_att lang_inter lang_output visn_inter visn_output
	attention att self query key value intermediate output
	kernel gamma bias beta transform embeddings encoder pooler dense LayerNorm
	decoder_dict.attr decoder_dict.feat decoder_dict.obj logit_fc seq_relationship`)

// compareKeras orders the names of a layer's weights as Keras does.
func compareKeras(a, b string) int {
	x, y := strings.Split(strings.TrimSuffix(a, ":0"), "/"), strings.Split(strings.TrimSuffix(b, ":0"), "/")
	return slices.CompareFunc(x, y, func(a, b string) int {
		module, number, _ := strings.Cut(a, "_._")
		other, otherNumber, _ := strings.Cut(b, "_._")
		if module != other {
			if order := slices.Index(kerasOrder, module) - slices.Index(kerasOrder, other); order != 0 {
				return order
			}
			return strings.Compare(module, other)
		}
		if order := len(number) - len(otherNumber); order != 0 {
			return order
		}
		return strings.Compare(number, otherNumber)
	})
}
