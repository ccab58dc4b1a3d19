package model

import (
	"context"
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/backend"
)

// TestOneNetworkManyHeads runs a pre-training model's network as the other classes: its encoders alone, and its answer head alone.
func TestOneNetworkManyHeads(t *testing.T) {
	engine, err := backend.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Finalize()
	config := DefaultConfig()
	config.HiddenSize, config.NumAttentionHeads, config.IntermediateSize, config.VocabSize = 48, 4, 96, 60
	config.LanguageLayers, config.VisionLayers, config.CrossLayers, config.VisualFeatDim, config.NumQALabels = 1, 1, 1, 8, 5
	m, err := NewLxmertForPreTraining(engine, config, config.Fresh(1))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	in := &Batch{
		InputIDs:    tensors.FromFlatDataAndDimensions([]int32{1, 2, 3}, 1, 3),
		VisualFeats: tensors.FromFlatDataAndDimensions([]float32{1, 2, 3, 4, 5, 6, 7, 8}, 1, 1, 8),
		VisualPos:   tensors.FromFlatDataAndDimensions([]float32{0, 0, 1, 1}, 1, 1, 4),
	}
	ctx := context.Background()
	whole, err := m.Forward(ctx, in, Options{})
	if err != nil {
		t.Fatal(err)
	}
	answers, err := (&LxmertForQuestionAnswering{m.Network}).Forward(ctx, in, Options{})
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := m.Encode(ctx, in, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := encoded.PooledOutput.Shape().Dimensions; len(got) != 2 || got[1] != 48 {
		t.Errorf("pooled output: found shape %v, want [1 48]", got)
	}
	got, want := tensors.MustCopyFlatData[float32](answers.QuestionAnsweringScore), tensors.MustCopyFlatData[float32](whole.QuestionAnsweringScore)
	for i := range want {
		if !(math.Abs(float64(got[i]-want[i])) < 1e-5) {
			t.Errorf("answer %d: found %v, want %v", i, got[i], want[i])
		}
	}
}
