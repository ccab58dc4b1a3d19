package model_test

import (
	"maps"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gomlx/compute"
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
func TestPrecisions(t *testing.T) { eachEngine(t, testPrecisions) }

func testPrecisions(t *testing.T, backend compute.Backend) {
	logits := []string{"question_answering_score", "prediction_logits", "cross_relationship_score"}
	for precision, most := range narrowed {
		worst := 0.0
		for _, c := range golden.Cases(t, filepath.Join("tiny", "cases")) {
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
			want, got := run(model.Float32), run(precision)
			for name, w := range want {
				if w.Rank() == 0 || !slices.Contains(logits, name) {
					continue
				}
				off := ofSpread(t, name, got[name], w)
				t.Logf("%s %s %s: %.5f", precision, c.Name, name, off)
				worst = max(worst, off)
				if !(off <= most) {
					t.Errorf("%s, %s: %s is off by %.4f of the logits' spread, want at most %v", c.Name, precision, name, off, most)
				}
			}
		}
		t.Logf("%s: logits are off by up to %.4f of their spread", precision, worst)
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
