package train

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/backend"
	batchof "github.com/go-lxmert/lxmert/internal/sample"
	"github.com/go-lxmert/lxmert/model"
)

// tinyConfig is a model's configuration that computes in no time.
func tinyConfig() *model.Config {
	c := model.DefaultConfig()
	c.HiddenSize, c.NumAttentionHeads, c.IntermediateSize = 8, 2, 16
	c.LanguageLayers, c.VisionLayers, c.CrossLayers = 1, 1, 1
	c.VocabSize, c.VisualFeatDim, c.NumQALabels, c.NumObjectLabels, c.NumAttrLabels = 50, 6, 5, 7, 4
	return c
}

// TestEven: batches are padded to the same shapes, and their losses stay as they were.
func TestEven(t *testing.T) {
	c := tinyConfig()
	c.HiddenDropout, c.AttentionDropout = 0, 0
	engine, err := backend.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Finalize()
	m, err := model.New(engine, c, model.HeadPreTraining, c.Fresh(1))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	losses := func(in *model.Batch) (list []float64) {
		t.Helper()
		out, err := (&model.LxmertForPreTraining{Network: m}).Forward(t.Context(), in, model.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, loss := range []*tensors.Tensor{out.Losses.MaskedLM, out.Losses.Matched, out.Losses.Object, out.Losses.Attribute, out.Losses.Feature, out.Losses.Answer} {
			list = append(list, float64(loss.Value().(float32)))
		}
		return list
	}
	batches := []*Batch{{Inputs: batchof.PreTraining(c, 2, 6, 5)}, {Inputs: batchof.PreTraining(c, 2, 9, 4)}}
	var want [][]float64
	for _, b := range batches {
		want = append(want, losses(b.Inputs))
	}
	if err := even(batches); err != nil {
		t.Fatal(err)
	}
	shapes := map[string][]int{}
	for i, b := range batches {
		for name, value := range b.Inputs.Given() {
			if i == 0 {
				shapes[name] = value.Shape().Dimensions
			} else if !reflect.DeepEqual(value.Shape().Dimensions, shapes[name]) {
				t.Errorf("%s: found %v and %v", name, shapes[name], value.Shape().Dimensions)
			}
		}
		for j, got := range losses(b.Inputs) {
			if !(math.Abs(got-want[i][j]) <= 1e-5*math.Abs(want[i][j])) {
				t.Errorf("part %d, loss %d: found %v, want %v", i, j, got, want[i][j])
			}
		}
	}
	if got := shapes["input_ids"]; !reflect.DeepEqual(got, []int{2, 9}) || shapes["visual_attention_mask"] == nil {
		t.Errorf("found %v", shapes)
	}
	for what, other := range map[string]*Batch{
		"examples": {Inputs: batchof.PreTraining(c, 3, 6, 5)},
		"inputs":   {Inputs: batchof.Questions(c, 2, 2, 6, 5)},
	} {
		if err := even([]*Batch{{Inputs: batchof.PreTraining(c, 2, 6, 5)}, other}); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("other %s: found %v", what, err)
		}
	}
}
