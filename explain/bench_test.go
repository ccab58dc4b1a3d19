package explain

import (
	"testing"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/internal/formula"
	"github.com/go-lxmert/lxmert/internal/sample"
	"github.com/go-lxmert/lxmert/model"
)

// BenchmarkRelevance explains one question of 20 tokens about 36 regions with the base-size model, on the default engine. The first, in "new shape", builds
// the graph as well.
func BenchmarkRelevance(b *testing.B) {
	engine, err := backend.Open("")
	if err != nil {
		b.Fatal(err)
	}
	defer engine.Finalize()
	config := model.DefaultConfig()
	config.NumQALabels = 3129
	m, err := model.New(engine, config, model.HeadQuestionAnswering, formula.Weights)
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	relevance := func(b *testing.B, tokens int) {
		out, err := m.Attend(b.Context(), sample.Questions(config, 1, 1, tokens, 36), nil)
		if err != nil {
			b.Fatal(err)
		}
		n, err := readNetwork(out, tokens, 36)
		if err != nil {
			b.Fatal(err)
		}
		n.relevance(normalised, nil)
	}
	b.Run("new shape", func(b *testing.B) {
		tokens := 10
		for b.Loop() {
			relevance(b, tokens)
			tokens++
		}
	})
	b.Run("known shape", func(b *testing.B) {
		relevance(b, 20)
		for b.Loop() {
			relevance(b, 20)
		}
	})
	b.Run("answer alone", func(b *testing.B) {
		qa := &model.LxmertForQuestionAnswering{Network: m}
		for b.Loop() {
			if _, err := qa.Forward(b.Context(), sample.Questions(config, 1, 1, 20, 36), model.Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
