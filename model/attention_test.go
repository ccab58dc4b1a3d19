package model_test

import (
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
)

// relevance is a file of the reference's relevance data, relative to golden's.
func relevance(name string) string { return filepath.Join("..", "relevance", name) }

func relevanceModel(t *testing.T, engine compute.Backend, head model.Head) *model.Network {
	t.Helper()
	n, err := model.New(engine, golden.Config(t, relevance("")), head, func(name string, dims []int) ([]float32, error) {
		if strings.HasPrefix(name, "cls.") || strings.HasPrefix(name, "obj_predict_head.") {
			return make([]float32, model.Weight{Name: name, Dimensions: dims}.Size()), nil
		}
		return golden.Weights(t, relevance("model.safetensors"), model.HeadQuestionAnswering)(name, dims)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

// referenceName is an attention's name in the reference data: lang.0, x1.cross.vis_queries.
func referenceName(name model.AttentionName) string {
	layer := strconv.Itoa(name.Layer)
	switch name.Kind {
	case model.LanguageAttention:
		return "lang." + layer
	case model.RegionAttention:
		return "vis." + layer
	}
	return "x" + layer + map[model.AttentionKind]string{
		model.CrossLanguageAttention: ".cross.lang_queries", model.CrossRegionAttention: ".cross.vis_queries",
		model.CrossSelfLanguageAttention: ".lang_self", model.CrossSelfRegionAttention: ".vis_self",
	}[name.Kind]
}

// Every attention and every gradient is the reference's, for the best answer and for one that is given, with either head.
func TestAttend(t *testing.T) { eachEngine(t, testAttend) }

func testAttend(t *testing.T, engine compute.Backend) {
	for _, head := range []model.Head{model.HeadQuestionAnswering, model.HeadPreTraining} {
		n := relevanceModel(t, engine, head)
		for file, target := range map[string]int{"case0": model.BestAnswer, "case1": model.BestAnswer, "case2_given_index": 3} {
			t.Run(string(head)+"/"+file, func(t *testing.T) {
				want := golden.Tensors(t, relevance(file+".outputs.safetensors"))
				out, err := n.Attend(t.Context(), golden.Inputs(t, relevance(file+".inputs.safetensors")), []int{target})
				if err != nil {
					t.Fatal(err)
				}
				golden.Near(t, "logits", out.QuestionAnsweringScore, want["logits"], golden.Tolerance{Absolute: 2e-5}, 0)
				if got, want := tensors.MustCopyFlatData[int32](out.Target)[0], tensors.MustCopyFlatData[int64](want["target_index"])[0]; int64(got) != want {
					t.Errorf("target %d, want %d", got, want)
				}
				places := 0
				for name, got := range out.Probabilities.All() {
					w := want["attn."+referenceName(name)]
					golden.Near(t, name.String(), example(t, got, 0), w, golden.Tolerance{Absolute: 1e-5}, 0)
					places++
				}
				if places != 12 {
					t.Errorf("%d attentions, want 12", places)
				}
				for name, got := range out.Gradients.All() {
					w, ok := want["grad."+referenceName(name)]
					if !ok { // the last layer's regions do not reach the answer
						w = tensors.FromShape(example(t, got, 0).Shape())
						if name.String() != "cross_region.1" && name.String() != "cross_self_region.1" {
							t.Errorf("%s has no gradient in the reference", name)
						}
					}
					golden.Near(t, "d "+name.String(), example(t, got, 0), w, golden.Tolerance{Absolute: 1e-5 * largest(w)}, 0)
				}
			})
		}
	}
}

// example is one of a batch.
func example(t *testing.T, x *tensors.Tensor, i int) *tensors.Tensor {
	t.Helper()
	dims := x.Shape().Dimensions
	if len(dims) != 4 {
		t.Fatalf("found shape %v, want [batch, heads, queries, keys]", dims)
	}
	flat := tensors.MustCopyFlatData[float32](x)
	size := len(flat) / dims[0]
	return tensors.FromFlatDataAndDimensions(flat[i*size:][:size], dims[1:]...)
}

func largest(x *tensors.Tensor) (largest float64) {
	for _, v := range tensors.MustCopyFlatData[float32](x) {
		largest = max(largest, math.Abs(float64(v)))
	}
	return largest
}

// Two questions about one picture have attentions of their own, as if each had been asked alone.
func TestAttendBatch(t *testing.T) {
	n := relevanceModel(t, portable(t), model.HeadQuestionAnswering)
	alone := golden.Inputs(t, relevance("case0.inputs.safetensors"))
	two := *alone
	ids := tensors.MustCopyFlatData[int64](alone.InputIDs)
	other := slices.Clone(ids)
	other[1], other[2] = other[2], other[1]+1
	two.InputIDs = tensors.FromFlatDataAndDimensions(slices.Concat(ids, other), 2, len(ids))
	two.AttentionMask, two.TokenTypeIDs = nil, nil
	both, err := n.Attend(t.Context(), &two, []int{model.BestAnswer, 5})
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range [][]int64{ids, other} {
		alone.InputIDs = tensors.FromFlatDataAndDimensions(text, 1, len(text))
		one, err := n.Attend(t.Context(), alone, [][]int{nil, {5}}[i])
		if err != nil {
			t.Fatal(err)
		}
		got := map[model.AttentionName]*tensors.Tensor{}
		for name, x := range both.Gradients.All() {
			got[name] = example(t, x, i)
		}
		for name, x := range one.Gradients.All() {
			want := example(t, x, 0)
			golden.Near(t, name.String(), got[name], want, golden.Tolerance{Absolute: 1e-5 * largest(want)}, 0)
		}
	}
}

func TestAttendErrors(t *testing.T) {
	n := relevanceModel(t, portable(t), model.HeadQuestionAnswering)
	in := golden.Inputs(t, relevance("case0.inputs.safetensors"))
	labelled := *in
	labelled.Labels = tensors.FromFlatDataAndDimensions([]int32{1}, 1)
	for _, c := range []struct {
		in      *model.Batch
		targets []int
		want    string
	}{
		{nil, nil, "no inputs"},
		{in, []int{13}, "found answer 13, want 0..12, or -1 for the best"},
		{in, []int{-2}, "found answer -2"},
		{in, []int{1, 2}, "found 2 targets for a batch of 1"},
		{&labelled, nil, "leave it out"},
		{&model.Batch{}, nil, "visual_feats: missing"},
	} {
		if _, err := n.Attend(t.Context(), c.in, c.targets); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.targets, err, c.want)
		}
	}
	config := golden.Config(t, relevance(""))
	config.TaskQA = false
	for _, head := range []model.Head{model.HeadModel, model.HeadPreTraining, model.HeadNLVR2} {
		n, err := model.New(portable(t), config, head, config.Fresh(1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.Attend(t.Context(), in, nil); !errors.Is(err, model.ErrNoAnswerHead) {
			t.Errorf("%s: %v", head, err)
		}
		n.Close()
	}
}
