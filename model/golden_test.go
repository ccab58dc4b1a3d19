package model_test

import (
	"maps"
	"path/filepath"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
)

// The engines that tests run on.
var (
	eachEngine = golden.EachEngine
	twoEngines = golden.TwoEngines
	portable   = golden.Portable
)

// runCase runs one case of the reference and returns every output by name.
func runCase(t *testing.T, backend compute.Backend, dir string, c golden.Case) map[string]*tensors.Tensor {
	t.Helper()
	m, err := model.New(backend, c.Config(t, dir), c.Head, golden.Weights(t, filepath.Join(dir, "model.safetensors"), c.Head))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if c.ResizeNumQALabels > 0 {
		if err := m.ResizeNumQALabels(c.ResizeNumQALabels, 1); err != nil {
			t.Fatal(err)
		}
	}
	out, err := m.Run(t.Context(), golden.Inputs(t, filepath.Join(c.Dir, "inputs.safetensors")),
		model.Options{HiddenStates: c.Options.HiddenStates, Attentions: c.Options.Attentions})
	if err != nil {
		t.Fatal(err)
	}
	return maps.Collect(out.Named())
}

// compareCase checks a case's outputs: no more and no fewer than the reference's, each within its tolerance.
func compareCase(t *testing.T, c golden.Case, got map[string]*tensors.Tensor) {
	t.Helper()
	want := golden.Tensors(t, filepath.Join(c.Dir, "outputs.safetensors"))
	for name, w := range want {
		columns := 0
		if name == "question_answering_score" {
			columns = c.CompareFirstRows
		}
		golden.Near(t, name, got[name], w, golden.ToleranceOf(name), columns)
	}
	for name := range got {
		if want[name] == nil {
			t.Errorf("%s: the reference has no such output", name)
		}
	}
}

func TestGolden(t *testing.T) { eachEngine(t, testGolden) }

func testGolden(t *testing.T, backend compute.Backend) {
	for _, dir := range []string{"tiny", "odd"} {
		for _, cases := range []string{"cases", "resize"} {
			for _, c := range golden.Cases(t, filepath.Join(dir, cases)) {
				t.Run(dir+"/"+c.Name, func(t *testing.T) {
					compareCase(t, c, runCase(t, backend, dir, c))
				})
			}
		}
	}
}

// TestVariants: bfloat16, float16 and sharded checkpoints, computed in float32.
func TestVariants(t *testing.T) { eachEngine(t, testVariants) }

func testVariants(t *testing.T, backend compute.Backend) {
	for _, variant := range []string{"bf16", "f16", "sharded"} {
		t.Run(variant, func(t *testing.T) {
			dir := filepath.Join("tiny", "variants", variant)
			m, err := model.New(backend, golden.Config(t, dir), model.HeadPreTraining, golden.Weights(t, dir, model.HeadPreTraining))
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			reference := filepath.Join(golden.Dir(), dir) // of the rounded weights; shards hold tiny's own
			if variant == "sharded" {
				reference = filepath.Join(golden.Dir(), "tiny", "cases", "pre_full")
			}
			in := golden.Inputs(t, filepath.Join(golden.Dir(), "tiny", "cases", "pre_full", "inputs.safetensors"))
			out, err := m.Run(t.Context(), in, model.Options{HiddenStates: true, Attentions: true})
			if err != nil {
				t.Fatal(err)
			}
			got := maps.Collect(out.Named())
			want := golden.Tensors(t, filepath.Join(reference, "outputs.safetensors"))
			for name, w := range want {
				golden.Near(t, name, got[name], w, golden.ToleranceOf(name), 0)
			}
		})
	}
}
