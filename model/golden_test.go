package model_test

import (
	"maps"
	"path/filepath"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
)

// portable is GoMLX's own backend. Its parallel scheduling of operations can dead-lock.
func portable(t testing.TB) compute.Backend {
	t.Helper()
	backend, err := gobackend.New("ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	return backend
}

// runCase runs one case of the reference and returns every output by name.
func runCase(t *testing.T, backend compute.Backend, dir string, c golden.Case) map[string]*tensors.Tensor {
	t.Helper()
	config := c.Config(t, dir)
	weights := golden.Weights(t, filepath.Join(dir, "model.safetensors"), c.Head)
	in := golden.Inputs(t, filepath.Join(c.Dir, "inputs.safetensors"))
	opt := model.Options{HiddenStates: c.Options.HiddenStates, Attentions: c.Options.Attentions}
	got, err := runHead(t, backend, config, c.Head, weights, in, opt, c.ResizeNumQALabels)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func runHead(t *testing.T, backend compute.Backend, config *model.Config, head model.Head, weights model.Source,
	in *model.Batch, opt model.Options, resize int) (map[string]*tensors.Tensor, error) {
	t.Helper()
	switch head {
	case model.HeadPreTraining:
		m, err := model.NewLxmertForPreTraining(backend, config, weights)
		if err != nil {
			return nil, err
		}
		defer m.Close()
		if resize > 0 {
			if err := m.ResizeNumQALabels(resize, 1); err != nil {
				return nil, err
			}
		}
		out, err := m.Forward(t.Context(), in, opt)
		if err != nil {
			return nil, err
		}
		return maps.Collect(out.Named()), nil
	case model.HeadQuestionAnswering:
		m, err := model.NewLxmertForQuestionAnswering(backend, config, weights)
		if err != nil {
			return nil, err
		}
		defer m.Close()
		if resize > 0 {
			if err := m.ResizeNumQALabels(resize, 1); err != nil {
				return nil, err
			}
		}
		out, err := m.Forward(t.Context(), in, opt)
		if err != nil {
			return nil, err
		}
		return maps.Collect(out.Named()), nil
	default:
		m, err := model.NewLxmertModel(backend, config, weights)
		if err != nil {
			return nil, err
		}
		defer m.Close()
		out, err := m.Forward(t.Context(), in, opt)
		if err != nil {
			return nil, err
		}
		return maps.Collect(out.Named()), nil
	}
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

func TestGolden(t *testing.T) {
	backend := portable(t)
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
