package model_test

import (
	"errors"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/backend/simd"
	"github.com/go-lxmert/lxmert/internal/formula"
	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
)

// narrowed are the precisions but float32, and the largest error that a logit may have in them, as a share of the logits' spread.
var narrowed = map[model.Precision]float64{model.BFloat16: 0.02, model.Int8: 0.05}

// ofSpread is the largest difference of two float32 tensors, as a share of the distance between want's largest and smallest number.
func ofSpread(t *testing.T, name string, got, want *tensors.Tensor) float64 {
	t.Helper()
	if got == nil || !got.Shape().Equal(want.Shape()) {
		t.Fatalf("%s: found %v, want %s", name, got, want.Shape())
	}
	g, w := tensors.MustCopyFlatData[float32](got), tensors.MustCopyFlatData[float32](want)
	most := 0.0
	for i := range w {
		if off := math.Abs(float64(g[i]) - float64(w[i])); !(off <= most) {
			most = off
		}
	}
	return most / float64(slices.Max(w)-slices.Min(w))
}

// TestPrecisions runs the reference's cases with narrow weights. Only logits are compared: [TestBFloat16] has the rest.
func TestPrecisions(t *testing.T) { twoEngines(t, testPrecisions) }

func testPrecisions(t *testing.T, backend compute.Backend) {
	logits := []string{"question_answering_score", "prediction_logits", "cross_relationship_score"}
	worst := map[model.Precision]float64{}
	for _, c := range golden.Cases(t, filepath.Join("tiny", "cases")) {
		if c.Head == model.HeadModel {
			continue // it has no logits
		}
		config, weights := c.Config(t, "tiny"), golden.Weights(t, filepath.Join("tiny", "model.safetensors"), c.Head)
		run := func(precision model.Precision) map[string]*tensors.Tensor {
			m, err := model.NewIn(backend, config, c.Head, precision, weights.Kept())
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			out, err := m.Run(t.Context(), golden.Inputs(t, filepath.Join(c.Dir, "inputs.safetensors")), model.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return maps.Collect(out.Named())
		}
		want := run(model.Float32)
		for precision, most := range narrowed {
			got := run(precision)
			for name, w := range want {
				if w.Rank() == 0 || !slices.Contains(logits, name) {
					continue
				}
				off := ofSpread(t, name, got[name], w)
				worst[precision] = max(worst[precision], off)
				if !(off <= most) {
					t.Errorf("%s, %s: %s is off by %.4f of the logits' spread, want at most %v", c.Name, precision, name, off, most)
				}
			}
		}
	}
	for precision := range narrowed {
		t.Logf("%s: logits are off by up to %.4f of their spread", precision, worst[precision])
	}
}

// TestPrecisionsFull runs the base-size model in each precision: its weights are a formula's.
func TestPrecisionsFull(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the base-size model needs 2 GB and some seconds")
	}
	backend, err := simd.New("")
	if err != nil {
		t.Fatal(err)
	}
	in := golden.Inputs(t, filepath.Join("full", "inputs.safetensors"))
	want := golden.Tensors(t, filepath.Join("full", "outputs.safetensors"))["question_answering_score"]
	for precision, most := range narrowed {
		n, err := model.NewIn(backend, golden.Config(t, "full"), model.HeadQuestionAnswering, precision, model.Source(formula.Weights).Kept())
		if err != nil {
			t.Fatal(err)
		}
		out, err := (&model.LxmertForQuestionAnswering{Network: n}).Forward(t.Context(), in, model.Options{})
		n.Close()
		if err != nil {
			t.Fatal(err)
		}
		off := ofSpread(t, "question_answering_score", out.QuestionAnsweringScore, want)
		t.Logf("%s: logits are off by up to %.4f of their spread", precision, off)
		if !(off <= most) {
			t.Errorf("%s: logits are off by %.4f of their spread, want at most %v", precision, off, most)
		}
	}
}

// TestNarrowWeights: what a network in a narrow type gives as a weight is what was put in, as near as the type allows; it can
// be replaced, and the answer head resized.
func TestNarrowWeights(t *testing.T) {
	config, source := golden.Config(t, "tiny"), golden.Weights(t, filepath.Join("tiny", "model.safetensors"), model.HeadPreTraining)
	for precision := range narrowed {
		n, err := model.NewIn(portable(t), config, model.HeadPreTraining, precision, source.Kept())
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		declared, err := model.Declare(config, model.HeadPreTraining)
		if err != nil {
			t.Fatal(err)
		}
		types := map[dtypes.DType]int{}
		for _, w := range precision.Kept(declared) {
			types[w.DType]++
		}
		kept := map[dtypes.DType]int{}
		for _, value := range n.Weights() {
			kept[value.DType()]++
		}
		if !maps.Equal(types, kept) || kept[dtypes.BFloat16] == 0 || (kept[dtypes.Int8] > 0) != (precision == model.Int8) {
			t.Errorf("%s: weights are kept as %v, want %v", precision, kept, types)
		}
		for _, w := range declared {
			got, err := n.Weight(w.Name)
			if err != nil {
				t.Fatal(err)
			}
			values, err := source(w.Name, w.Dimensions)
			if err != nil {
				t.Fatal(err)
			}
			most := 0.01 // of the largest
			if precision.Of(w) == dtypes.Float32 {
				most = 0
			}
			if off := ofSpread(t, w.Name, got, tensors.FromFlatDataAndDimensions(values, w.Dimensions...)); !(off <= most) && w.Size() > 1 {
				t.Errorf("%s: %s is off by %v", precision, w.Name, off)
			}
		}
		for _, name := range []string{"lxmert.encoder.layer.0.output.dense.weight", "lxmert.pooler.dense.weight", "lxmert.pooler.dense.bias"} {
			old, err := n.Weight(name)
			if err != nil {
				t.Fatal(err)
			}
			values := tensors.MustCopyFlatData[float32](old)
			for i := range values {
				values[i] *= -2
			}
			if err := n.SetWeight(name, tensors.FromFlatDataAndDimensions(values, old.Shape().Dimensions...)); err != nil {
				t.Fatal(err)
			}
			if got, err := n.Weight(name); err != nil || !slices.Equal(tensors.MustCopyFlatData[float32](got), values) {
				t.Errorf("%s: %s is not what it was set to, %v", precision, name, err)
			}
		}
		if err := n.ResizeNumQALabels(config.NumQALabels+3, 1); err != nil {
			t.Fatal(err)
		}
		out, err := n.Run(t.Context(), golden.Inputs(t, filepath.Join(golden.Dir(), "tiny", "cases", "pre_plain", "inputs.safetensors")), model.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if scores := maps.Collect(out.Named())["question_answering_score"]; scores.Shape().Dim(-1) != config.NumQALabels+3 {
			t.Errorf("%s: resized to %s", precision, scores.Shape())
		}
	}
}

// TestAnswersOnly: a network in a narrow type refuses what wants gradients, and says why.
func TestAnswersOnly(t *testing.T) {
	for precision := range narrowed {
		weights := golden.Weights(t, filepath.Join("tiny", "model.safetensors"), model.HeadQuestionAnswering)
		n, err := model.NewIn(portable(t), golden.Config(t, "tiny"), model.HeadQuestionAnswering, precision, weights.Kept())
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		in := golden.Inputs(t, filepath.Join(golden.Dir(), "tiny", "cases", "qa_plain", "inputs.safetensors"))
		if _, err := n.Run(t.Context(), in, model.Options{Training: true}); !errors.Is(err, model.ErrAnswersOnly) {
			t.Errorf("training: %v", err)
		}
		if _, err := n.Attend(t.Context(), in, nil); !errors.Is(err, model.ErrAnswersOnly) {
			t.Errorf("attentions and gradients: %v", err)
		}
		if _, err := n.Run(t.Context(), in, model.Options{BFloat16: true}); err == nil || !strings.Contains(err.Error(), precision.String()) {
			t.Errorf("BFloat16 on top: %v", err)
		}
	}
}

// TestNarrowRefuses: weights without a counterpart, sources that give too little, backends without the type.
func TestNarrowRefuses(t *testing.T) {
	config := golden.Config(t, "tiny")
	of := func(v float32) model.Source {
		return func(name string, dimensions []int) ([]float32, error) {
			values := make([]float32, model.Weight{Name: name, Dimensions: dimensions}.Size())
			values[0] = v
			return values, nil
		}
	}
	for _, c := range []struct {
		backend   compute.Backend
		precision model.Precision
		source    model.KeptSource
		says      []string
	}{
		{portable(t), model.Int8, of(float32(math.NaN())).Kept(), []string{"encoder.", "weight", "row 0, column 0 is NaN"}},
		{portable(t), model.BFloat16, of(math.MaxFloat32).Kept(), []string{"embeddings.", "too large for bfloat16"}},
		{portable(t), model.Int8, func(model.Weight) ([]byte, error) { return make([]byte, 3), nil }, []string{"want"}},
		{without{portable(t)}, model.BFloat16, of(1).Kept(), []string{"has no BFloat16"}},
		{portable(t), model.Precision(7), of(1).Kept(), []string{"precision 7"}},
	} {
		_, err := model.NewIn(c.backend, config, model.HeadModel, c.precision, c.source)
		for _, want := range c.says {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want it to say %q", err, want)
			}
		}
	}
}

// TestParsePrecision: names there and back.
func TestParsePrecision(t *testing.T) {
	for name, want := range map[string]model.Precision{
		"f32": model.Float32, "float32": model.Float32, "bf16": model.BFloat16, "bfloat16": model.BFloat16, "int8": model.Int8,
	} {
		if got, err := model.ParsePrecision(name); err != nil || got != want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if again, err := model.ParsePrecision(want.String()); err != nil || again != want {
			t.Errorf("%s: %v, %v", want, again, err)
		}
	}
	if _, err := model.ParsePrecision("fp8"); err == nil || !strings.Contains(err.Error(), "want f32, bf16 or int8") {
		t.Error(err)
	}
}
