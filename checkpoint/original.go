package checkpoint

import (
	"slices"
	"strings"
)

// The original repository's names (airsplay/lxmert). Its pre-training model (LXRTPretraining, NAME_LXRT.pth) calls "bert." what transformers calls
// "lxmert.", and its heads as transformers does. Its fine-tuned models (VQAModel, GQAModel, NLVR2Model) hold that under "lxrt_encoder.model.", and a head
// "logit_fc.": transformers' "answer_head.logit_fc." but for NLVR2's, which transformers does not have. Trained on several GPUs, "module." stands before all names, or
// after "lxrt_encoder.model.".
const (
	originalWrapper = "module."
	originalEncoder = "lxrt_encoder.model."
	originalBase    = "bert."
	originalHead    = "logit_fc."
	answerHead      = "answer_head."
	lxmertBase      = "lxmert."
)

// renaming is what gives tensors with the names of a foreign library those of transformers; others keep theirs.
func renaming(stored map[string]*Tensor) func(name string) string {
	wrapped := len(stored) > 0
	encoder, pretraining := false, false
	for name := range stored {
		wrapped = wrapped && strings.HasPrefix(name, originalWrapper)
		bare := strings.TrimPrefix(name, originalWrapper)
		encoder = encoder || strings.HasPrefix(bare, originalEncoder)
		pretraining = pretraining || strings.HasPrefix(bare, originalBase+"encoder.x_layers.") || strings.HasPrefix(bare, originalBase+"encoder.visn_fc.")
	}
	unwrap := func(name string) string {
		if wrapped {
			return strings.TrimPrefix(name, originalWrapper)
		}
		return name
	}
	head := originalHead
	for name, t := range stored {
		// The first layer of an answer head makes 2 * hidden numbers of hidden, that of NLVR2's makes as many as it takes.
		if unwrap(name) == originalHead+"0.weight" && len(t.Shape) == 2 && t.Shape[0] != t.Shape[1] {
			head = answerHead + originalHead
		}
	}
	return func(name string) string {
		name = unwrap(name)
		inside, inEncoder := strings.CutPrefix(name, originalEncoder)
		switch {
		case inEncoder:
			return lxmertBase + strings.TrimPrefix(strings.TrimPrefix(inside, originalWrapper), originalBase)
		case encoder && strings.HasPrefix(name, originalHead):
			return head + strings.TrimPrefix(name, originalHead)
		case pretraining && strings.HasPrefix(name, originalBase):
			return lxmertBase + strings.TrimPrefix(name, originalBase)
		}
		return name
	}
}

// Original gives a model's tensors, with transformers' names, those of the original repository: of its pre-training model if there are pre-training's heads, else of the model
// fine-tuned for questions or statements, or of the encoders. Its readers want every tensor there, so the tied decoder must be among them where there is the word head.
func Original(tensors []Tensor) []Tensor {
	pretraining := slices.ContainsFunc(tensors, func(t Tensor) bool { return strings.HasPrefix(t.Name, "cls.") })
	headless := !slices.ContainsFunc(tensors, func(t Tensor) bool { return strings.HasPrefix(t.Name, lxmertBase) })
	original := func(name string) string {
		inside, inBase := strings.CutPrefix(name, lxmertBase)
		switch {
		case name == "":
			return ""
		case headless:
			return originalBase + name
		case pretraining && inBase:
			return originalBase + inside
		case pretraining:
			return name
		case inBase:
			return originalEncoder + originalBase + inside
		}
		return strings.TrimPrefix(name, answerHead)
	}
	out := slices.Clone(tensors)
	for i, t := range out {
		out[i].Name, out[i].SameAs = original(t.Name), original(t.SameAs)
	}
	return out
}
