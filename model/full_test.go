package model_test

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/backend/simd"
	"github.com/go-lxmert/lxmert/internal/formula"
	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
)

// TestFormula checks the samples that the reference data gives of its base-size weights.
func TestFormula(t *testing.T) {
	for _, sample := range []struct {
		name string
		size int
		i    int
		bits uint32
	}{
		{"lxmert.embeddings.word_embeddings.weight", 1, 0, 0x3d007ff3},
		{"lxmert.embeddings.LayerNorm.weight", 768, 5, 0x3f7ea424},
		{"lxmert.encoder.visn_fc.visn_layer_norm.weight", 768, 767, 0x3f683ee0},
		{"lxmert.encoder.x_layers.4.visual_attention.att.query.weight", 768 * 768, 123456, 0x3c381317},
		{"answer_head.logit_fc.2.weight", 1536, 1, 0x3c99a551},
		{"answer_head.logit_fc.3.bias", 3129, 3128, 0xbc87c29b},
	} {
		values, err := formula.Weights(sample.name, []int{sample.size})
		if err != nil {
			t.Fatal(err)
		}
		if got := math.Float32bits(values[sample.i]); got != sample.bits {
			t.Errorf("%s[%d] is %08x, want %08x", sample.name, sample.i, got, sample.bits)
		}
	}
}

// TestFull runs the base-size model: 213,930,297 weights, about 2 GB.
func TestFull(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the base-size model needs 2 GB and some seconds")
	}
	t.Run("go", func(t *testing.T) { testFull(t, portable(t)) })
	engine, err := simd.New("")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("simd", func(t *testing.T) { testFull(t, engine) })
}

func testFull(t *testing.T, backend compute.Backend) {
	config := golden.Config(t, "full")
	m, err := model.NewLxmertForQuestionAnswering(backend, config, formula.Weights)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	count := 0
	for _, value := range m.Weights() {
		count += value.Size()
	}
	if count != 213_930_297 {
		t.Errorf("%d weights, want 213930297", count)
	}
	in := golden.Inputs(t, filepath.Join("full", "inputs.safetensors"))
	want := golden.Tensors(t, filepath.Join("full", "outputs.safetensors"))
	qa, err := m.Forward(t.Context(), in, model.Options{HiddenStates: true})
	if err != nil {
		t.Fatal(err)
	}
	golden.Near(t, "question_answering_score", qa.QuestionAnsweringScore, want["question_answering_score"], golden.Tolerance{Absolute: 1e-6}, 0)
	summary(t, "language_output", qa.LanguageHiddenStates[len(qa.LanguageHiddenStates)-1], want)
	summary(t, "vision_output", qa.VisionHiddenStates[len(qa.VisionHiddenStates)-1], want)

	scores, err := m.Forward(t.Context(), in, model.Options{}) // the last layer then computes the first token alone
	if err != nil {
		t.Fatal(err)
	}
	golden.Near(t, "question_answering_score, alone", scores.QuestionAnsweringScore, want["question_answering_score"], golden.Tolerance{Absolute: 1e-6}, 0)

	if backend.Name() != simd.Name {
		return // the same encoders, at the portable engine's pace
	}
	encoders, err := model.NewLxmertModel(backend, config, func(name string, dimensions []int) ([]float32, error) {
		return formula.Weights("lxmert."+name, dimensions)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer encoders.Close()
	base, err := encoders.Forward(t.Context(), in, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	golden.Near(t, "pooled_output", base.PooledOutput, want["pooled_output"], golden.Tolerance{Absolute: 2e-5}, 0)
}

// summary compares the first 8 values, the mean and the standard deviation of a hidden state.
func summary(t *testing.T, name string, got *tensors.Tensor, want map[string]*tensors.Tensor) {
	t.Helper()
	flat := tensors.MustCopyFlatData[float32](got)
	var sum, squares float64
	for _, v := range flat {
		sum += float64(v)
	}
	mean := sum / float64(len(flat))
	for _, v := range flat {
		squares += (float64(v) - mean) * (float64(v) - mean)
	}
	deviation := math.Sqrt(squares / float64(len(flat)))
	tolerance := golden.Tolerance{Absolute: 5e-5}
	golden.Near(t, name+".first8", tensors.FromValue(flat[:8]), want[name+".first8"], tolerance, 0)
	golden.Near(t, name+".mean", tensors.FromScalar(float32(mean)), want[name+".mean"], tolerance, 0)
	golden.Near(t, name+".std", tensors.FromScalar(float32(deviation)), want[name+".std"], tolerance, 0)
}
