package model_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	gomodel "github.com/gomlx/gomlx/ml/model"

	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
)

// TestGradients compares the gradient of the five tasks' loss with the reference's, weight by weight.
func TestGradients(t *testing.T) { eachEngine(t, testGradients) }

func testGradients(t *testing.T, backend compute.Backend) {
	for _, dir := range []string{"tiny", "odd"} {
		t.Run(dir, func(t *testing.T) {
			config := golden.Config(t, dir)
			m, err := model.NewLxmertForPreTraining(backend, config,
				golden.Weights(t, filepath.Join(dir, "model.safetensors"), model.HeadPreTraining))
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			got := gradients(t, m, golden.Inputs(t, filepath.Join(dir, "grads", "inputs.safetensors")), model.Options{})
			want := golden.Tensors(t, filepath.Join(dir, "grads", "grads.safetensors"))
			for name, w := range want {
				tolerance := golden.Tolerance{Absolute: 1e-5, Relative: 1e-4}
				if strings.HasSuffix(name, ".key.bias") { // truly 0: softmax is blind to a shift
					tolerance = golden.Tolerance{Absolute: 1e-6}
				}
				golden.Near(t, name, got[name], w, tolerance, 0)
			}
			if weights := len(got) - 1; weights != len(want) { // one of got is the loss
				t.Errorf("%d weights have a gradient, want %d", weights, len(want))
			}
			loss := golden.Tensors(t, filepath.Join(dir, "grads", "outputs.safetensors"))
			golden.Near(t, "loss", got["loss"], loss["loss"], golden.ToleranceOf("loss"), 0)
		})
	}
}

// gradients differentiates the loss by every weight, as a trainer would: a graph of one's own over the
// model's store. The loss itself is among the results.
func gradients(t *testing.T, m *model.LxmertForPreTraining, in *model.Batch, opt model.Options) map[string]*tensors.Tensor {
	t.Helper()
	args, assemble := in.Nodes()
	var names []string
	exec, err := gomodel.NewExec(m.Backend(), m.Store(), func(s *gomodel.Scope, nodes []*graph.Node) []*graph.Node {
		loss := m.Config().PreTraining(s, assemble(nodes), opt).Loss
		results, wrt := []*graph.Node{loss}, []*graph.Node(nil)
		names = []string{"loss"}
		for name := range m.Weights() {
			variable := m.Store().GetVariable("/" + strings.ReplaceAll(name, ".", "/"))
			names, wrt = append(names, name), append(wrt, variable.NodeValue(loss))
		}
		return append(results, graph.Gradient(loss, wrt...)...)
	})
	if err != nil {
		t.Fatal(err)
	}
	values, err := exec.Call(args...)
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*tensors.Tensor{}
	for i, name := range names {
		byName[name] = values[i]
	}
	return byName
}
