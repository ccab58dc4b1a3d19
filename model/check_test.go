package model_test

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
)

// TestCheckInputs breaks one thing of a good batch at a time.
func TestCheckInputs(t *testing.T) {
	config := golden.Config(t, "tiny")
	good := func() *model.Batch {
		return golden.Inputs(t, filepath.Join(golden.Dir(), "tiny/cases/pre_all_labels/inputs.safetensors"))
	}
	if err := config.CheckInputs(model.HeadPreTraining, good()); err != nil {
		t.Fatalf("the good batch: %v", err)
	}
	ints := func(values ...int64) *tensors.Tensor { return tensors.FromFlatDataAndDimensions(values, len(values)) }
	for name, test := range map[string]struct {
		head   model.Head
		breaks func(*model.Batch)
		want   string
	}{
		"no words":           {"", func(b *model.Batch) { b.InputIDs = nil }, "input_ids: missing"},
		"two kinds of words": {"", func(b *model.Batch) { b.InputsEmbeds = floats(3, 9, 48) }, "inputs_embeds: given together with input_ids"},
		"no features":        {"", func(b *model.Batch) { b.VisualFeats = nil }, "visual_feats: missing"},
		"no positions":       {"", func(b *model.Batch) { b.VisualPos = nil }, "visual_pos: missing"},
		"id beyond the vocabulary": {"", func(b *model.Batch) { setInt(b.InputIDs, 10, 211) },
			"input_ids: element [1 1] is 211, want 0..210"},
		"negative id":     {"", func(b *model.Batch) { setInt(b.InputIDs, 0, -1) }, "input_ids: element [0 0] is -1"},
		"id of 2^40":      {"", func(b *model.Batch) { setInt(b.InputIDs, 0, 1<<40) }, "is 1099511627776"},
		"unknown type":    {"", func(b *model.Batch) { setInt(b.TokenTypeIDs, 0, 2) }, "token_type_ids: element [0 0] is 2, want 0..1"},
		"too many tokens": {"", func(b *model.Batch) { b.InputIDs = zeros(3, 41) }, "41 tokens, the model has positions for 40"},
		"NaN in a box":    {"", func(b *model.Batch) { setFloat(b.VisualPos, 29, float32(math.NaN())) }, "visual_pos: element [1 0 1] is NaN"},
		"Inf in a feature": {"", func(b *model.Batch) { setFloat(b.VisualFeats, 0, float32(math.Inf(-1))) },
			"visual_feats: element [0 0 0] is -Inf"},
		"feature width":     {"", func(b *model.Batch) { b.VisualFeats = floats(3, 7, 21) }, "visual_feats: found shape [3 7 21], want [3 7 20]"},
		"box width":         {"", func(b *model.Batch) { b.VisualPos = floats(3, 7, 5) }, "visual_pos: found shape [3 7 5], want [3 7 4]"},
		"other batch":       {"", func(b *model.Batch) { b.VisualPos = floats(2, 7, 4) }, "visual_pos: found shape [2 7 4]"},
		"no shape to go by": {"", func(b *model.Batch) { b.InputIDs = tensors.FromScalar(int64(1)) }, "input_ids: found shape [], want [? ?]"},
		"flat ids":          {"", func(b *model.Batch) { b.InputIDs = ints(1, 2) }, "input_ids: found shape [2]"},
		"float ids":         {"", func(b *model.Batch) { b.InputIDs = floats(3, 9) }, "input_ids: found Float32, want int32 or int64"},
		"double boxes": {"", func(b *model.Batch) {
			b.VisualPos = tensors.FromFlatDataAndDimensions(make([]float64, 84), 3, 7, 4)
		}, "visual_pos: found Float64, want float32"},
		"no regions":      {"", func(b *model.Batch) { b.VisualFeats = floats(3, 0, 20) }, "no axis may be empty"},
		"mask of 2":       {"", func(b *model.Batch) { setInt(b.AttentionMask, 0, 2) }, "attention_mask: element [0 0] is 2, want 0..1"},
		"mask width":      {"", func(b *model.Batch) { b.AttentionMask = zeros(3, 8) }, "attention_mask: found shape [3 8], want [3 9]"},
		"label":           {"", func(b *model.Batch) { setInt(b.Labels, 0, 211) }, "want 0..210 or -100 for none"},
		"label -1":        {"", func(b *model.Batch) { setInt(b.Labels, 0, -1) }, "labels: element [0 0] is -1"},
		"match":           {"", func(b *model.Batch) { setInt(b.MatchedLabel, 0, 2) }, "matched_label: element [0] is 2"},
		"answer":          {"", func(b *model.Batch) { setInt(b.Ans, 2, 17) }, "ans: element [2] is 17, want 0..16"},
		"object class":    {"", func(b *model.Batch) { setInt(b.ObjLabels.Obj.Label, 0, 13) }, "obj_labels.obj.label: element [0 0] is 13"},
		"no confidence":   {"", func(b *model.Batch) { b.ObjLabels.Attr.Conf = nil }, "obj_labels.attr: label or conf is missing"},
		"labels to model": {model.HeadModel, func(*model.Batch) {}, "labels: LxmertModel takes no such labels"},
		"answers to qa":   {model.HeadQuestionAnswering, func(*model.Batch) {}, "ans: LxmertForQuestionAnswering takes no such labels"},
	} {
		t.Run(name, func(t *testing.T) {
			batch := good()
			test.breaks(batch)
			head := test.head
			if head == "" {
				head = model.HeadPreTraining
			}
			err := config.CheckInputs(head, batch)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
	if err := config.CheckInputs(model.HeadModel, nil); err == nil {
		t.Error("no error for no inputs")
	}
	// Everything at once.
	batch := good()
	setInt(batch.InputIDs, 0, 500)
	setFloat(batch.VisualPos, 0, float32(math.NaN()))
	batch.AttentionMask = zeros(1, 1)
	err := config.CheckInputs(model.HeadPreTraining, batch)
	for _, want := range []string{"input_ids: ", "visual_pos: ", "attention_mask: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

func floats(dims ...int) *tensors.Tensor {
	size := 1
	for _, d := range dims {
		size *= d
	}
	return tensors.FromFlatDataAndDimensions(make([]float32, size), dims...)
}

func zeros(rows, columns int) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(make([]int64, rows*columns), rows, columns)
}

func setInt(t *tensors.Tensor, i int, v int64) {
	tensors.MustMutableFlatData(t, func(flat []int64) { flat[i] = v })
}

func setFloat(t *tensors.Tensor, i int, v float32) {
	tensors.MustMutableFlatData(t, func(flat []float32) { flat[i] = v })
}
