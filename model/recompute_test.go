package model_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	gomodel "github.com/gomlx/gomlx/ml/model"

	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/internal/sample"
	"github.com/go-lxmert/lxmert/model"
)

// inGraph is a loss of inputs in a graph.
type inGraph = func(*gomodel.Scope, *model.Inputs[*graph.Node]) *graph.Node

// TestCheckpointing: layers that are computed again give the gradients of layers that are kept, with dropout too: the masks are the same.
func TestCheckpointing(t *testing.T) { twoEngines(t, testCheckpointing) }

func testCheckpointing(t *testing.T, backend compute.Backend) {
	start := filepath.Join("train", "pretrain_bertadam")
	batch := golden.Inputs(t, filepath.Join(golden.Dir(), start, "batch_0.safetensors"))
	for _, c := range []struct {
		dropout float64
		narrow  bool
	}{{0, false}, {0.1, false}, {0, true}, {0.1, true}} {
		t.Run(fmt.Sprintf("dropout %v, bfloat16 %v", c.dropout, c.narrow), func(t *testing.T) {
			config := golden.Config(t, start)
			config.HiddenDropout, config.AttentionDropout = c.dropout, c.dropout
			m, err := model.NewLxmertForPreTraining(backend, config, golden.Weights(t, filepath.Join(start, "initial.safetensors"), model.HeadPreTraining))
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			kept, draws := trainingGradients(t, m, batch, model.Options{Training: true, BFloat16: c.narrow})
			again, drawsAgain := trainingGradients(t, m, batch, model.Options{Training: true, BFloat16: c.narrow, Checkpointing: true})
			if embeddings := 2; c.dropout > 0 && drawsAgain != 2*draws-embeddings {
				t.Errorf("random numbers are drawn %d times, want each of %d twice but for those of %d embeddings", drawsAgain, draws, embeddings)
			}
			for name, w := range kept {
				golden.Near(t, name, again[name], w, golden.Tolerance{Absolute: 1e-6, Relative: 1e-5}, 0)
			}
		})
	}
}

// TestCheckpointingHeads is TestCheckpointing where the last layer computes the first token alone: for questions about one picture, which
// layers spread over the batch, and for statements, which are spread over their pictures.
func TestCheckpointingHeads(t *testing.T) { twoEngines(t, testCheckpointingHeads) }

func testCheckpointingHeads(t *testing.T, backend compute.Backend) {
	judge, pairs := statements(t, backend)
	config := judge.Config()
	qa, err := model.NewLxmertForQuestionAnswering(backend, config, config.Fresh(1))
	if err != nil {
		t.Fatal(err)
	}
	defer qa.Close()
	scores := func(options model.Options) inGraph {
		return func(s *gomodel.Scope, in *model.Inputs[*graph.Node]) *graph.Node {
			return graph.ReduceAllSum(graph.Square(config.QuestionAnswering(s, in, options).QuestionAnsweringScore))
		}
	}
	logits := func(options model.Options) inGraph {
		return func(s *gomodel.Scope, in *model.Inputs[*graph.Node]) *graph.Node {
			return graph.ReduceAllSum(graph.Square(config.NLVR2(s, in, options).Logits))
		}
	}
	for _, c := range []struct {
		name string
		m    *model.Network
		in   *model.Batch
		loss func(model.Options) inGraph
	}{
		{"questions", qa.Network, sample.Questions(config, 3, 1, 5, 4), scores},
		{"statements", judge.Network, pairs, logits},
	} {
		t.Run(c.name, func(t *testing.T) {
			kept, _ := gradientsOf(t, c.m, c.in, c.loss(model.Options{Training: true}))
			again, _ := gradientsOf(t, c.m, c.in, c.loss(model.Options{Training: true, Checkpointing: true}))
			for name, w := range kept {
				golden.Near(t, name, again[name], w, golden.Tolerance{Absolute: 1e-6, Relative: 1e-5}, 0)
			}
		})
	}
}

// trainingGradients is the loss of a step and its gradient by every weight, under its name; and how often random numbers are drawn for them.
func trainingGradients(t *testing.T, m *model.LxmertForPreTraining, in *model.Batch, options model.Options) (byName map[string]*tensors.Tensor, draws int) {
	t.Helper()
	config := m.Config()
	return gradientsOf(t, m.Network, in, func(s *gomodel.Scope, in *model.Inputs[*graph.Node]) *graph.Node {
		return config.PreTraining(s, in, options).Loss
	})
}

// gradientsOf is trainingGradients for any loss.
func gradientsOf(t *testing.T, m *model.Network, in *model.Batch, loss inGraph) (byName map[string]*tensors.Tensor, draws int) {
	t.Helper()
	if err := m.SetSeed(1); err != nil {
		t.Fatal(err)
	}
	args, assemble := in.Nodes()
	var names []string
	exec, err := gomodel.NewExec(m.Backend(), m.Store(), func(s *gomodel.Scope, nodes []*graph.Node) []*graph.Node {
		s.Store().SetTraining(nodes[0].Graph(), true)
		value := loss(s, assemble(nodes))
		var weights []*graph.Node
		names = []string{"loss"}
		for name := range m.Weights() {
			names = append(names, name)
			weights = append(weights, m.Store().GetVariable("/"+strings.ReplaceAll(name, ".", "/")).NodeValue(value))
		}
		results := append([]*graph.Node{value}, graph.Gradient(value, weights...)...)
		for n := range ancestors(results) {
			if n.Type() == graph.NodeTypeRNGBitGenerator {
				draws++
			}
		}
		return results
	})
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	values, err := exec.Call(args...)
	if err != nil {
		t.Fatal(err)
	}
	byName = map[string]*tensors.Tensor{}
	for i, name := range names {
		byName[name] = values[i]
	}
	return byName, draws
}

// ancestors are nodes and what they depend on.
func ancestors(nodes []*graph.Node) map[*graph.Node]bool {
	seen := map[*graph.Node]bool{}
	for len(nodes) > 0 {
		n := nodes[len(nodes)-1]
		nodes = nodes[:len(nodes)-1]
		if !seen[n] {
			seen[n] = true
			nodes = append(nodes, n.Inputs()...)
		}
	}
	return seen
}
