package train_test

import (
	"testing"

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
	batch := &train.Batch{Inputs: sample.PreTraining(config, 8, 20, 36)}
	step, err := train.NewStep(m.Network, objectiveOf(config, model.HeadPreTraining, model.Options{}), train.BertAdam{}, 1)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := step.Run(1e-4, 1, batch); err != nil {
			b.Fatal(err)
		}
	}
}
