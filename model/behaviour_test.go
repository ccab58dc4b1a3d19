package model_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
)

// small is the tiny model with the reference's weights and a batch of three examples for it.
func small(t *testing.T) (*model.LxmertForPreTraining, *model.Batch) {
	t.Helper()
	m, err := model.NewLxmertForPreTraining(portable(t), golden.Config(t, "tiny"),
		golden.Weights(t, "tiny/model.safetensors", model.HeadPreTraining))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m, golden.Inputs(t, filepath.Join(golden.Dir(), "tiny/cases/pre_full/inputs.safetensors"))
}

// TestBatchEqualsSingles: an example's numbers do not depend on its company.
func TestBatchEqualsSingles(t *testing.T) {
	m, batch := small(t)
	all, err := m.Forward(t.Context(), batch, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range batch.InputIDs.Shape().Dim(0) {
		one, err := m.Forward(t.Context(), selectExample(t, batch, i), model.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range one.Named() {
			for batchName, batchValue := range all.Named() {
				if name == batchName {
					golden.Near(t, fmt.Sprintf("example %d: %s", i, name), value, slice(t, batchValue, i), golden.Tolerance{Absolute: 1e-5}, 0)
				}
			}
		}
	}
}

// TestPaddingChangesNothing: masked tokens and regions beyond an example's own leave its numbers.
func TestPaddingChangesNothing(t *testing.T) {
	m, batch := small(t)
	one := selectExample(t, batch, 0)
	want, err := m.Forward(t.Context(), one, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	padded := &model.Batch{
		InputIDs:            pad(t, one.InputIDs, 7, int64(5)),
		TokenTypeIDs:        pad(t, one.TokenTypeIDs, 7, int64(1)),
		AttentionMask:       pad(t, one.AttentionMask, 7, int64(0)),
		VisualFeats:         pad(t, one.VisualFeats, 4, float32(3)),
		VisualPos:           pad(t, one.VisualPos, 4, float32(0.5)),
		VisualAttentionMask: pad(t, one.VisualAttentionMask, 4, int64(0)),
	}
	got, err := m.Forward(t.Context(), padded, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tolerance := golden.Tolerance{Absolute: 1e-5}
	golden.Near(t, "question_answering_score", got.QuestionAnsweringScore, want.QuestionAnsweringScore, tolerance, 0)
	golden.Near(t, "cross_relationship_score", got.CrossRelationshipScore, want.CrossRelationshipScore, tolerance, 0)
	tokens := want.PredictionLogits.Size()
	logits := tensors.MustCopyFlatData[float32](got.PredictionLogits)[:tokens]
	golden.Near(t, "prediction_logits",
		tensors.FromFlatDataAndDimensions(logits, want.PredictionLogits.Shape().Dimensions...), want.PredictionLogits, tolerance, 0)
}

// TestOnePictureManyQuestions: a picture given once for a batch of questions is each question's picture.
func TestOnePictureManyQuestions(t *testing.T) {
	m, err := model.NewLxmertForQuestionAnswering(portable(t), golden.Config(t, "tiny"),
		golden.Weights(t, "tiny/model.safetensors", model.HeadQuestionAnswering))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	batch := golden.Inputs(t, filepath.Join(golden.Dir(), "tiny/cases/qa_full/inputs.safetensors"))
	one := selectExample(t, batch, 1)
	shared, repeated := *batch, *batch
	shared.VisualFeats, shared.VisualPos, shared.VisualAttentionMask = one.VisualFeats, one.VisualPos, one.VisualAttentionMask
	repeated.VisualFeats = repeat[float32](one.VisualFeats, 3)
	repeated.VisualPos = repeat[float32](one.VisualPos, 3)
	repeated.VisualAttentionMask = repeat[int64](one.VisualAttentionMask, 3)
	want, err := m.Forward(t.Context(), &repeated, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, opt := range []model.Options{{}, {HiddenStates: true, Attentions: true}} {
		got, err := m.Forward(t.Context(), &shared, opt)
		if err != nil {
			t.Fatal(err)
		}
		golden.Near(t, "question_answering_score", got.QuestionAnsweringScore, want.QuestionAnsweringScore, golden.Tolerance{Absolute: 1e-5}, 0)
	}
	if err := m.Config().CheckInputs(model.HeadPreTraining, &shared); err == nil {
		t.Error("pre-training takes one picture for three sentences")
	}
}

// repeat copies a batch of one n times.
func repeat[T int64 | float32](value *tensors.Tensor, n int) *tensors.Tensor {
	dims := slices.Clone(value.Shape().Dimensions)
	dims[0] = n
	return tensors.FromFlatDataAndDimensions(slices.Repeat(tensors.MustCopyFlatData[T](value), n), dims...)
}

// TestInputTypes: the same numbers as int32, int64, bool and float32 are the same input, share a compiled
// graph, and stay the caller's.
func TestInputTypes(t *testing.T) {
	m, batch := small(t)
	want, err := m.Forward(t.Context(), batch, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dims := batch.AttentionMask.Shape().Dimensions
	mask := tensors.MustCopyFlatData[int64](batch.AttentionMask)
	bools, floats := make([]bool, len(mask)), make([]float32, len(mask))
	for i, v := range mask {
		bools[i], floats[i] = v != 0, float32(v)
	}
	ids := tensors.MustCopyFlatData[int64](batch.InputIDs)
	narrow := make([]int32, len(ids))
	for i, v := range ids {
		narrow[i] = int32(v)
	}
	for _, variant := range []*tensors.Tensor{
		tensors.FromFlatDataAndDimensions(bools, dims...), tensors.FromFlatDataAndDimensions(floats, dims...),
	} {
		other := *batch
		other.AttentionMask = variant
		other.InputIDs = tensors.FromFlatDataAndDimensions(narrow, batch.InputIDs.Shape().Dimensions...)
		got, err := m.Forward(t.Context(), &other, model.Options{})
		if err != nil {
			t.Fatal(err)
		}
		golden.Near(t, variant.DType().String(), got.PredictionLogits, want.PredictionLogits, golden.Tolerance{}, 0)
	}
	if n := m.CompiledGraphs(); n != 1 {
		t.Errorf("%d graphs compiled for one shape", n)
	}
}

// TestConcurrentShapes: many callers, several shapes, each compiled once.
func TestConcurrentShapes(t *testing.T) {
	m, batch := small(t)
	var want [3]*model.PreTrainingOutput[*tensors.Tensor]
	var singles [3]*model.Batch
	for i := range want {
		singles[i] = selectExample(t, batch, i)
		if i > 0 { // another shape each
			singles[i].VisualFeats = pad(t, singles[i].VisualFeats, i, float32(1))
			singles[i].VisualPos = pad(t, singles[i].VisualPos, i, float32(0.5))
			singles[i].VisualAttentionMask = pad(t, singles[i].VisualAttentionMask, i, int64(1))
		}
		var err error
		if want[i], err = m.Forward(t.Context(), singles[i], model.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	fresh, _ := small(t)
	var group sync.WaitGroup
	for worker := range 12 {
		group.Go(func() {
			i := worker % 3
			got, err := fresh.Forward(context.Background(), singles[i], model.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			golden.Near(t, fmt.Sprint("worker ", worker), got.QuestionAnsweringScore, want[i].QuestionAnsweringScore, golden.Tolerance{Absolute: 1e-6}, 0)
		})
	}
	group.Wait()
	if n := fresh.CompiledGraphs(); n != 3 {
		t.Errorf("%d graphs compiled for three shapes", n)
	}
}

// TestFresh: matrices are normal, padding rows 0, layer normalisations 1 and 0; a seed is a model.
func TestFresh(t *testing.T) {
	config := golden.Config(t, "tiny")
	weights, err := model.Declare(config, model.HeadPreTraining)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range weights {
		values, err := config.Fresh(1)(w.Name, w.Dimensions)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := config.Fresh(1)(w.Name, w.Dimensions)
		other, _ := config.Fresh(2)(w.Name, w.Dimensions)
		if !slices.Equal(values, again) {
			t.Errorf("%s: one seed gives two values", w.Name)
		}
		switch {
		case len(w.Dimensions) == 1 && strings.HasSuffix(w.Name, "weight"):
			if slices.Min(values) != 1 || slices.Max(values) != 1 {
				t.Errorf("%s: %v, want all 1", w.Name, values)
			}
		case len(w.Dimensions) == 1:
			if slices.Min(values) != 0 || slices.Max(values) != 0 {
				t.Errorf("%s: %v, want all 0", w.Name, values)
			}
		default:
			if slices.Equal(values, other) {
				t.Errorf("%s: two seeds give one value", w.Name)
			}
			var squares float64
			for _, v := range values {
				squares += float64(v) * float64(v)
			}
			if deviation := math.Sqrt(squares / float64(len(values))); deviation < 0.012 || deviation > 0.026 {
				t.Errorf("%s: standard deviation %v, want about 0.02", w.Name, deviation)
			}
			padding := strings.HasSuffix(w.Name, "_embeddings.weight")
			if row := values[:w.Dimensions[1]]; padding != (slices.Min(row) == 0 && slices.Max(row) == 0) {
				t.Errorf("%s: row 0 is %v", w.Name, row)
			}
		}
	}
	m, err := model.NewLxmertForPreTraining(portable(t), config, config.Fresh(1))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	_, batch := small(t)
	out, err := m.Forward(t.Context(), batch, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	scores := tensors.MustCopyFlatData[float32](out.QuestionAnsweringScore)
	if slices.Max(scores)-slices.Min(scores) < 1e-3 {
		t.Errorf("a fresh model's scores are all alike: %v", scores)
	}
}

// TestDropout: a training pass differs from the last one and from inference, and starts again with the seed.
func TestDropout(t *testing.T) {
	m, batch := small(t)
	scores := func(opt model.Options) []float32 {
		t.Helper()
		out, err := m.Forward(t.Context(), batch, opt)
		if err != nil {
			t.Fatal(err)
		}
		return tensors.MustCopyFlatData[float32](out.QuestionAnsweringScore)
	}
	still := scores(model.Options{})
	if err := m.SetSeed(3); err != nil {
		t.Fatal(err)
	}
	first, second := scores(model.Options{Training: true}), scores(model.Options{Training: true})
	if slices.Equal(first, second) || slices.Equal(first, still) {
		t.Error("dropout changes nothing")
	}
	if err := m.SetSeed(3); err != nil {
		t.Fatal(err)
	}
	if again := scores(model.Options{Training: true}); !slices.Equal(first, again) {
		t.Error("the same seed gives other numbers")
	}
	if !slices.Equal(still, scores(model.Options{})) {
		t.Error("training passes changed inference")
	}
	for name := range m.Weights() {
		if strings.Contains(name, "#") {
			t.Errorf("%s is among the weights", name)
		}
	}
}

// TestNoDropoutWhenTraining: with probabilities 0 a training pass is an inference pass.
func TestNoDropoutWhenTraining(t *testing.T) {
	config := golden.Config(t, "tiny")
	config.HiddenDropout, config.AttentionDropout = 0, 0
	m, err := model.NewLxmertModel(portable(t), config, golden.Weights(t, "tiny/model.safetensors", model.HeadModel))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	_, batch := small(t)
	still, err := m.Forward(t.Context(), batch, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	training, err := m.Forward(t.Context(), batch, model.Options{Training: true})
	if err != nil {
		t.Fatal(err)
	}
	golden.Near(t, "pooled_output", training.PooledOutput, still.PooledOutput, golden.Tolerance{Absolute: 1e-6}, 0)
}

// TestWeightAccess: what is set is got, used, and checked.
func TestWeightAccess(t *testing.T) {
	m, batch := small(t)
	before, err := m.Forward(t.Context(), batch, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	table, err := m.GetInputEmbeddings()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.SetInputEmbeddings(tensors.FromFlatDataAndDimensions(make([]float32, table.Size()), table.Shape().Dimensions...)); err != nil {
		t.Fatal(err)
	}
	blank, err := m.Forward(t.Context(), batch, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	bias, err := m.Weight("cls.predictions.bias")
	if err != nil {
		t.Fatal(err)
	}
	logits := tensors.MustCopyFlatData[float32](blank.PredictionLogits)
	if !slices.Equal(logits[:bias.Size()], tensors.MustCopyFlatData[float32](bias)) {
		t.Error("with an empty table the word logits are not the bias: the decoder is not tied")
	}
	if err := m.SetInputEmbeddings(table); err != nil {
		t.Fatal(err)
	}
	after, err := m.Forward(t.Context(), batch, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	golden.Near(t, "prediction_logits", after.PredictionLogits, before.PredictionLogits, golden.Tolerance{}, 0)

	if err := m.SetInputEmbeddings(tensors.FromValue([][]float32{{1}})); err == nil || !strings.Contains(err.Error(), "[211 48]") {
		t.Errorf("a table of another shape: %v", err)
	}
	if _, err := m.Weight("no.such.weight"); err == nil {
		t.Error("no error for an unknown weight")
	}

	layer, err := m.GetQALogitLayer()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.ResizeNumQALabels(3, 1); err != nil {
		t.Fatal(err)
	}
	if err := m.SetQALogitLayer(layer); err != nil || m.Config().NumQALabels != 17 {
		t.Errorf("%d answers, %v", m.Config().NumQALabels, err)
	}
	if err := m.ResizeNumQALabels(0, 1); err == nil {
		t.Error("no error for 0 answers")
	}
	base, err := model.NewLxmertModel(m.Backend(), m.Config(), m.Config().Fresh(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := base.ResizeNumQALabels(3, 1); !errors.Is(err, model.ErrNoAnswerHead) {
		t.Errorf("got %v", err)
	}
	base.Close()
	if _, err := base.Forward(t.Context(), batch, model.Options{}); err == nil {
		t.Error("a closed model answers")
	}
}

func TestCancelled(t *testing.T) {
	m, batch := small(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Forward(ctx, batch, model.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestCancelledEndsEarly: on simd a pass that nobody waits for any more ends with the operation under way. Close waits for it.
func TestCancelledEndsEarly(t *testing.T) {
	engine, err := backend.Open("simd")
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Finalize()
	config := golden.Config(t, "tiny")
	config.LanguageLayers, config.VisionLayers, config.CrossLayers = 20, 1, 1
	m, err := model.NewLxmertModel(engine, config, config.Fresh(1))
	if err != nil {
		t.Fatal(err)
	}
	const examples = 400
	in := &model.Batch{
		InputIDs:    tensors.FromFlatDataAndDimensions(make([]int32, examples*40), examples, 40),
		VisualFeats: tensors.FromFlatDataAndDimensions(make([]float32, examples*config.VisualFeatDim), examples, 1, config.VisualFeatDim),
		VisualPos:   tensors.FromFlatDataAndDimensions(make([]float32, examples*config.VisualPosDim), examples, 1, config.VisualPosDim),
	}
	var whole time.Duration
	for range 2 { // the first compiles
		start := time.Now()
		if _, err := m.Forward(t.Context(), in, model.Options{}); err != nil {
			t.Fatal(err)
		}
		whole = time.Since(start)
	}
	start := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), whole/10)
	defer cancel()
	if _, err := m.Forward(ctx, in, model.Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	m.Close()
	if took := time.Since(start); took > whole/2 {
		t.Errorf("cancelled after a tenth of %v, the pass ended after %v", whole, took)
	}
}

func TestMatchProbability(t *testing.T) {
	got, err := model.MatchProbability(tensors.FromValue([][]float32{{0, 0}, {-1, 1}, {500, -500}}))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float32{0.5, 0.880797, 0} {
		if math.Abs(float64(got[i]-want)) > 1e-6 {
			t.Errorf("example %d: %v, want %v", i, got[i], want)
		}
	}
}

// TestActivations evaluates every name of hidden_act against the formula in float64.
func TestActivations(t *testing.T) {
	normal := func(x float64) float64 { return 0.5 * (1 + math.Erf(x/math.Sqrt2)) }
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	clip := func(x, low, high float64) float64 { return min(max(x, low), high) }
	gelu := func(x float64) float64 { return x * normal(x) }
	geluTanh := func(x float64) float64 {
		return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	}
	silu := func(x float64) float64 { return x * sigmoid(x) }
	formulas := map[string]func(float64) float64{
		"gelu": gelu, "gelu_python": gelu,
		"gelu_new": geluTanh, "gelu_fast": geluTanh, "gelu_accurate": geluTanh, "gelu_pytorch_tanh": geluTanh,
		"gelu_10":    func(x float64) float64 { return clip(gelu(x), -10, 10) },
		"hardswish":  func(x float64) float64 { return x * clip(x+3, 0, 6) / 6 },
		"laplace":    func(x float64) float64 { return 0.5 * (1 + math.Erf((x-0.707107)/(0.282095*math.Sqrt2))) },
		"leaky_relu": func(x float64) float64 { return max(x, 0.01*x) },
		"linear":     func(x float64) float64 { return x },
		"mish":       func(x float64) float64 { return x * math.Tanh(math.Log1p(math.Exp(x))) },
		"quick_gelu": func(x float64) float64 { return x * sigmoid(1.702*x) },
		"relu":       func(x float64) float64 { return max(x, 0) },
		"relu2":      func(x float64) float64 { return max(x, 0) * max(x, 0) },
		"relu6":      func(x float64) float64 { return clip(x, 0, 6) },
		"sigmoid":    sigmoid, "silu": silu, "swish": silu, "tanh": math.Tanh,
	}
	points := []float32{-20, -8, -3.5, -1, -0.3, -1e-4, 0, 1e-4, 0.3, 1, 2.5, 6.5, 12, 30}
	for _, name := range model.Activations() {
		formula, ok := formulas[name]
		if !ok {
			t.Errorf("%s: the test has no formula", name)
			continue
		}
		result, err := graph.CallOnce(gobackend.GetBackend(), func(x *graph.Node) *graph.Node { return model.Activate(name, x) }, points)
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range tensors.MustCopyFlatData[float32](result) {
			want := formula(float64(points[i]))
			if !(math.Abs(float64(got)-want) <= 2e-6*max(1, math.Abs(want))) {
				t.Errorf("%s(%v) is %v, want %v", name, points[i], got, want)
			}
		}
	}
}

// selectExample cuts one example out of a batch.
func selectExample(t *testing.T, batch *model.Batch, i int) *model.Batch {
	t.Helper()
	one := &model.Batch{
		InputIDs: slice(t, batch.InputIDs, i), TokenTypeIDs: slice(t, batch.TokenTypeIDs, i), AttentionMask: slice(t, batch.AttentionMask, i),
		VisualFeats: slice(t, batch.VisualFeats, i), VisualPos: slice(t, batch.VisualPos, i), VisualAttentionMask: slice(t, batch.VisualAttentionMask, i),
	}
	return one
}

// slice is element i of the first axis, which stays, with size 1.
func slice(t *testing.T, value *tensors.Tensor, i int) *tensors.Tensor {
	t.Helper()
	dims := slices.Clone(value.Shape().Dimensions)
	size := value.Size() / dims[0]
	dims[0] = 1
	var one *tensors.Tensor
	value.MustConstFlatData(func(flat any) {
		switch flat := flat.(type) {
		case []float32:
			one = tensors.FromFlatDataAndDimensions(flat[i*size:(i+1)*size], dims...)
		case []int64:
			one = tensors.FromFlatDataAndDimensions(flat[i*size:(i+1)*size], dims...)
		}
	})
	return one
}

// pad appends rows of a filler to the second axis of a batch of one.
func pad[T int64 | float32](t *testing.T, value *tensors.Tensor, rows int, filler T) *tensors.Tensor {
	t.Helper()
	dims := slices.Clone(value.Shape().Dimensions)
	flat := tensors.MustCopyFlatData[T](value)
	for range rows * value.Size() / dims[1] {
		flat = append(flat, filler)
	}
	dims[1] += rows
	return tensors.FromFlatDataAndDimensions(flat, dims...)
}
