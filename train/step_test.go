package train_test

import (
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	gomodel "github.com/gomlx/gomlx/ml/model"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/internal/formula"
	"github.com/go-lxmert/lxmert/internal/sample"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/train"
)

// BenchmarkStep trains on 8 examples of all five pre-training tasks, at base size, for profiles; `lxmert bench --train` measures.
func BenchmarkStep(b *testing.B) {
	engine, err := backend.Open("")
	if err != nil {
		b.Fatal(err)
	}
	config := model.DefaultConfig()
	m, err := model.NewLxmertForPreTraining(engine, config, formula.Weights)
	if err != nil {
		b.Fatal(err)
	}
	args, assemble := sample.PreTraining(config, 8, 20, 36).Nodes()
	step, err := train.NewStep(m.Network, func(s *gomodel.Scope, inputs []*graph.Node) *graph.Node {
		return config.PreTraining(s, assemble(inputs), model.Options{Training: true}).Loss
	}, &train.BertAdam{LearningRate: 1e-4, Warmup: 0.05, Steps: 1000}, 1)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := step.Run(args...); err != nil {
			b.Fatal(err)
		}
	}
}
