package model_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/internal/formula"
	"github.com/go-lxmert/lxmert/internal/sample"
	"github.com/go-lxmert/lxmert/model"
)

// BenchmarkPrecision is question answering of the base size, 20 tokens and 36 regions, in each precision.
func BenchmarkPrecision(b *testing.B) {
	engine, err := backend.Open("")
	if err != nil {
		b.Fatal(err)
	}
	defer engine.Finalize()
	config := model.DefaultConfig()
	config.NumQALabels = 3129
	for _, precision := range []model.Precision{model.Float32, model.BFloat16, model.Int8} {
		n, err := model.NewIn(engine, config, model.HeadQuestionAnswering, precision, model.Source(formula.Weights).Kept())
		if err != nil {
			b.Fatal(err)
		}
		m := &model.LxmertForQuestionAnswering{Network: n}
		for _, batch := range []int{1, 32} {
			in := sample.Questions(config, batch, batch, 20, 36)
			b.Run(fmt.Sprintf("%v/%d", precision, batch), func(b *testing.B) {
				for b.Loop() {
					if _, err := m.Forward(context.Background(), in, model.Options{}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "questions/s")
			})
		}
		n.Close()
	}
}
