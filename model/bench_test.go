package model_test

import (
	"testing"

	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
)

// BenchmarkDeclare lists the weights of a base-size model.
func BenchmarkDeclare(b *testing.B) {
	config := model.DefaultConfig()
	for b.Loop() {
		if _, err := model.Declare(config, model.HeadPreTraining); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCheckInputs checks and copies the inputs of two questions at base size.
func BenchmarkCheckInputs(b *testing.B) {
	config := golden.Config(b, "full")
	in := golden.Inputs(b, golden.Dir()+"/full/inputs.safetensors")
	for b.Loop() {
		if err := config.CheckInputs(model.HeadQuestionAnswering, in); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkForward answers a batch of the tiny model.
func BenchmarkForward(b *testing.B) {
	m, err := model.NewLxmertForQuestionAnswering(portable(b), golden.Config(b, "tiny"),
		golden.Weights(b, "tiny/model.safetensors", model.HeadQuestionAnswering))
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	in := golden.Inputs(b, golden.Dir()+"/tiny/cases/qa_full/inputs.safetensors")
	for b.Loop() {
		if _, err := m.Forward(b.Context(), in, model.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
