package model_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
)

// TestTensorFlow compares what TensorFlow's classes compute with PyTorch's, by what is known of the difference.
func TestTensorFlow(t *testing.T) {
	tensorFlow := model.Options{Framework: model.TensorFlow}
	weights := golden.Weights(t, filepath.Join("tiny", "model.safetensors"), model.HeadPreTraining)
	open := func(change func(*model.Config)) *model.LxmertForPreTraining {
		config := golden.Config(t, "tiny")
		config.LayerNormEps = 1e-12
		change(config)
		m, err := model.NewLxmertForPreTraining(portable(t), config, weights)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		return m
	}
	run := func(m *model.LxmertForPreTraining, in *model.Batch, opt model.Options) *model.PreTrainingOutput[*tensors.Tensor] {
		t.Helper()
		out, err := m.Forward(t.Context(), in, opt)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	inputs := func() *model.Batch {
		return labelled(golden.Inputs(t, filepath.Join(golden.Dir(), "tiny", "cases", "pre_all_labels", "inputs.safetensors")))
	}
	near := func(what string, got, want *tensors.Tensor, tolerance float64) {
		t.Helper()
		golden.Near(t, what, got, want, golden.Tolerance{Absolute: tolerance}, 0)
	}
	same := open(func(*model.Config) {})

	// Partly masked, the same; wholly masked, as if nothing were (the scores keep three digits beside 10,000).
	in := inputs()
	near("scores", run(same, in, tensorFlow).PredictionLogits, run(same, in, model.Options{}).PredictionLogits, 2e-5)
	in = inputs()
	shape := in.AttentionMask.Shape().Dimensions
	in.AttentionMask = tensors.FromFlatDataAndDimensions(make([]float32, shape[0]*shape[1]), shape...)
	masked := run(same, in, tensorFlow).PredictionLogits
	if uniform := run(same, in, model.Options{}).PredictionLogits; slices.Equal(values(uniform), values(masked)) {
		t.Error("with everything masked TensorFlow gives what PyTorch does, want attention by the scores")
	}
	in.AttentionMask = nil
	near("all masked", masked, run(same, in, model.Options{}).PredictionLogits, 2e-2)

	// The epsilon of the configuration.
	coarse := open(func(c *model.Config) { c.LayerNormEps = 0.1 })
	in = inputs()
	near("PyTorch's epsilon", run(coarse, in, model.Options{}).PredictionLogits, run(same, in, model.Options{}).PredictionLogits, 0)
	if slices.Equal(values(run(coarse, in, tensorFlow).PredictionLogits), values(run(same, in, tensorFlow).PredictionLogits)) {
		t.Error("layer_norm_eps changes nothing for TensorFlow")
	}

	// A visual loss is PyTorch's with all confidences 1, times their mean.
	in = inputs()
	got := run(same, in, tensorFlow).Losses
	means := map[string]float32{}
	for name, label := range map[string]*model.ObjLabel[*tensors.Tensor]{"obj": &in.ObjLabels.Obj, "attr": &in.ObjLabels.Attr, "feat": &in.ObjLabels.Feat} {
		ones := values(label.Conf)
		for i, v := range ones {
			means[name] += v / float32(len(ones))
			ones[i] = 1
		}
		label.Conf = tensors.FromFlatDataAndDimensions(ones, label.Conf.Shape().Dimensions...)
	}
	unweighed := run(same, in, model.Options{}).Losses
	for name, pair := range map[string][2]*tensors.Tensor{"obj": {got.Object, unweighed.Object}, "attr": {got.Attribute, unweighed.Attribute}, "feat": {got.Feature, unweighed.Feature}} {
		if means[name] > 0.99 || means[name] < 0.01 {
			t.Errorf("%s: the mean confidence is %v: nothing is tested", name, means[name])
		}
		want := tensors.FromScalar(values(pair[1])[0] * means[name])
		golden.Near(t, name, pair[0], want, golden.Tolerance{Relative: 1e-5}, 0)
	}
	near("matched", got.Matched, unweighed.Matched, 1e-6)

	// No label is ignored.
	in = inputs()
	labels := tensors.MustCopyFlatData[int64](in.Labels)
	labels[0] = model.IgnoreLabel
	in.Labels = tensors.FromFlatDataAndDimensions(labels, in.Labels.Shape().Dimensions...)
	if _, err := same.Forward(t.Context(), in, tensorFlow); err == nil || !strings.Contains(err.Error(), "is -100, want 0..") || strings.Contains(err.Error(), "or -100") {
		t.Errorf("an ignored label: %v", err)
	}
}

// TestTensorFlowGradients: id 0 learns, where PyTorch's padding_idx keeps it from that.
func TestTensorFlowGradients(t *testing.T) {
	m, err := model.NewLxmertForPreTraining(portable(t), golden.Config(t, "tiny"), golden.Weights(t, filepath.Join("tiny", "model.safetensors"), model.HeadPreTraining))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	in := labelled(golden.Inputs(t, filepath.Join(golden.Dir(), "tiny", "cases", "pre_all_labels", "inputs.safetensors")))
	const positions = "lxmert.embeddings.position_embeddings.weight"
	for framework, learns := range map[model.Framework]bool{model.PyTorch: false, model.TensorFlow: true} {
		row := values(gradients(t, m, in, model.Options{Framework: framework})[positions])[:m.Config().HiddenSize]
		if moved := slices.ContainsFunc(row, func(v float32) bool { return v != 0 }); moved != learns {
			t.Errorf("%v: the first position has a gradient: %v, want %v", framework, moved, learns)
		}
	}
}

func values(x *tensors.Tensor) []float32 { return tensors.MustCopyFlatData[float32](x) }

// labelled gives every label that is ignored the class 1.
func labelled(in *model.Batch) *model.Batch {
	for _, label := range []**tensors.Tensor{&in.Labels, &in.MatchedLabel, &in.Ans, &in.ObjLabels.Obj.Label, &in.ObjLabels.Attr.Label} {
		classes := tensors.MustCopyFlatData[int64](*label)
		for i, class := range classes {
			if class == model.IgnoreLabel {
				classes[i] = 1
			}
		}
		*label = tensors.FromFlatDataAndDimensions(classes, (*label).Shape().Dimensions...)
	}
	return in
}
