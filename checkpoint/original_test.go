package checkpoint

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// renamed are the names that tensors of these names and shapes have once their file is open.
func renamed(t *testing.T, tensors ...Tensor) []string {
	t.Helper()
	return open(t, write(t, filepath.Join(t.TempDir(), "x.safetensors"), tensors...)).Names()
}

// The original repository's names, of its pre-training and its fine-tuned models, from one GPU or several; and names that only look so.
func TestOriginalNames(t *testing.T) {
	const cross = "encoder.x_layers.0.visual_attention.att.query.weight"
	for name, c := range map[string]struct{ stored, want []Tensor }{
		"pre-training": {
			[]Tensor{floats(t, "bert."+cross, 2), floats(t, "cls.predictions.bias", 2), floats(t, "answer_head.logit_fc.0.weight", 4, 2)},
			[]Tensor{{Name: "lxmert." + cross}, {Name: "cls.predictions.bias"}, {Name: "answer_head.logit_fc.0.weight"}},
		},
		"pre-training on several GPUs": {
			[]Tensor{floats(t, "module.bert."+cross, 2), floats(t, "module.cls.predictions.bias", 2)},
			[]Tensor{{Name: "lxmert." + cross}, {Name: "cls.predictions.bias"}},
		},
		"questions": {
			[]Tensor{floats(t, "lxrt_encoder.model.bert."+cross, 2), floats(t, "logit_fc.0.weight", 4, 2), floats(t, "logit_fc.3.bias", 3)},
			[]Tensor{{Name: "lxmert." + cross}, {Name: "answer_head.logit_fc.0.weight"}, {Name: "answer_head.logit_fc.3.bias"}},
		},
		"questions on several GPUs": {
			[]Tensor{floats(t, "lxrt_encoder.model.module.bert."+cross, 2), floats(t, "logit_fc.0.weight", 4, 2)},
			[]Tensor{{Name: "lxmert." + cross}, {Name: "answer_head.logit_fc.0.weight"}},
		},
		"all of it on several GPUs": {
			[]Tensor{floats(t, "module.lxrt_encoder.model.bert."+cross, 2), floats(t, "module.logit_fc.0.weight", 4, 2)},
			[]Tensor{{Name: "lxmert." + cross}, {Name: "answer_head.logit_fc.0.weight"}},
		},
		"statements": {
			[]Tensor{floats(t, "lxrt_encoder.model.bert."+cross, 2), floats(t, "logit_fc.0.weight", 4, 4)},
			[]Tensor{{Name: "lxmert." + cross}, {Name: "logit_fc.0.weight"}},
		},
		"a BERT": {
			[]Tensor{floats(t, "bert.encoder.layer.0.output.dense.weight", 2), floats(t, "cls.predictions.bias", 2)},
			[]Tensor{{Name: "bert.encoder.layer.0.output.dense.weight"}, {Name: "cls.predictions.bias"}},
		},
		"transformers' on several GPUs": {
			[]Tensor{floats(t, "module.lxmert."+cross, 2)}, []Tensor{{Name: "lxmert." + cross}},
		},
		"one name begins otherwise": {
			[]Tensor{floats(t, "module.x", 2), floats(t, "y", 2)}, []Tensor{{Name: "module.x"}, {Name: "y"}},
		},
	} {
		var want []string
		for _, w := range c.want {
			want = append(want, w.Name)
		}
		slices.Sort(want)
		if got := renamed(t, c.stored...); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	_, err := Open(write(t, filepath.Join(t.TempDir(), "x.safetensors"), floats(t, "lxrt_encoder.model.bert.x", 2), floats(t, "lxmert.x", 2)))
	says(t, err, "lxrt_encoder.model.bert.x", "are both lxmert.x")
}

// A name that is nearly right is pointed out, on both sides; other heads and buffers are no fault, names that nobody knows are.
func TestNearestNames(t *testing.T) {
	f := checkpointOf(t, words, "lxmert.embeddings.LayerNrom.weight", bias, answers, "lxmert.embeddings.position_ids", "obj_predict_head.transform.dense.weight", "scheduler")
	r := Match(f, pretraining, LXMERT())
	err := r.Err(AllowOtherHeads)
	says(t, err, "tensor "+norm+" [2] is missing", "nearest to it among what is of no use here: lxmert.embeddings.LayerNrom.weight",
		"tensor lxmert.embeddings.LayerNrom.weight [5 2] is unexpected", "the nearest is "+norm, "tensor scheduler")
	if n := strings.Count(err.Error(), "\n") + 1; n != 3 {
		t.Errorf("%d faults, want 3: %v", n, err)
	}
	if err := r.Err(AllowUnexpected, AllowMissing); err != nil {
		t.Error(err)
	}
}
