package model_test

import (
	"context"
	"fmt"
	"log"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	gomlx "github.com/gomlx/gomlx/ml/model"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/model"
)

// exampleConfig is a model of a few thousand weights: two language layers, one
// object-relationship layer, two cross-modality layers.
func exampleConfig() *model.Config {
	c := model.DefaultConfig()
	c.VocabSize, c.MaxPositionEmbeddings = 50, 16
	c.HiddenSize, c.NumAttentionHeads, c.IntermediateSize = 16, 4, 32
	c.LanguageLayers, c.VisionLayers, c.CrossLayers = 2, 1, 2
	c.VisualFeatDim = 8
	c.NumQALabels, c.NumObjectLabels, c.NumAttrLabels = 5, 6, 3
	return c
}

// exampleBatch is one sentence of four tokens about one picture with three regions.
func exampleBatch() *model.Batch {
	return &model.Batch{
		InputIDs:    tensors.FromValue([][]int64{{1, 7, 9, 2}}),
		VisualFeats: tensors.FromFlatDataAndDimensions(make([]float32, 3*8), 1, 3, 8),
		VisualPos: tensors.FromValue([][][]float32{{
			{0, 0, 1, 1}, {0.1, 0.2, 0.5, 0.6}, {0.4, 0.4, 0.9, 0.8},
		}}),
	}
}

func ExampleNewLxmertModel() {
	engine, err := backend.Open("go:ops_sequential")
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Finalize()
	config := exampleConfig()
	m, err := model.NewLxmertModel(engine, config, config.Fresh(1))
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	out, err := m.Forward(context.Background(), exampleBatch(), model.Options{HiddenStates: true, Attentions: true})
	if err != nil {
		log.Fatal(err)
	}
	for name, value := range out.Named() {
		fmt.Println(name, value.Shape().Dimensions)
	}
	// Output:
	// language_output [1 4 16]
	// vision_output [1 3 16]
	// pooled_output [1 16]
	// language_hidden_states.0 [1 4 16]
	// language_hidden_states.1 [1 4 16]
	// language_hidden_states.2 [1 4 16]
	// language_hidden_states.3 [1 4 16]
	// vision_hidden_states.0 [1 3 16]
	// vision_hidden_states.1 [1 3 16]
	// vision_hidden_states.2 [1 3 16]
	// language_attentions.0 [1 4 4 4]
	// language_attentions.1 [1 4 4 4]
	// vision_attentions.0 [1 4 3 3]
	// cross_encoder_attentions.0 [1 4 4 3]
	// cross_encoder_attentions.1 [1 4 4 3]
}

// The losses have names; a task without labels has none.
func ExampleNewLxmertForPreTraining() {
	engine, err := backend.Open("go:ops_sequential")
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Finalize()
	config := exampleConfig()
	m, err := model.NewLxmertForPreTraining(engine, config, config.Fresh(1))
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	in := exampleBatch()
	in.Labels = tensors.FromValue([][]int64{{model.IgnoreLabel, 7, model.IgnoreLabel, model.IgnoreLabel}})
	in.MatchedLabel = tensors.FromValue([]int64{1})
	out, err := m.Forward(context.Background(), in, model.Options{})
	if err != nil {
		log.Fatal(err)
	}
	total := tensors.ToScalar[float32](out.Loss)
	words := tensors.ToScalar[float32](out.Losses.MaskedLM)
	matched := tensors.ToScalar[float32](out.Losses.Matched)
	fmt.Println("the sum:", math.Abs(float64(total-words-matched)) < 1e-5)
	fmt.Println("of the answer:", out.Losses.Answer != nil)
	// Output:
	// the sum: true
	// of the answer: false
}

func ExampleNewLxmertForQuestionAnswering() {
	engine, err := backend.Open("go:ops_sequential")
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Finalize()
	config := exampleConfig()
	m, err := model.NewLxmertForQuestionAnswering(engine, config, config.Fresh(1))
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	in := exampleBatch()
	in.Labels = tensors.FromValue([]int64{3}) // the answer's number, not a one-hot row
	out, err := m.Forward(context.Background(), in, model.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.QuestionAnsweringScore.Shape().Dimensions)
	fmt.Printf("%.1f\n", tensors.ToScalar[float32](out.Loss)) // about ln 5: nothing learned yet
	// Output:
	// [1 5]
	// 1.7
}

// A config key is overridden by its JSON name, as on a command line; one that does not exist is refused.
func ExampleConfig_Set() {
	config := model.DefaultConfig()
	for _, override := range []string{"hidden_act=relu", "task_qa=false", "num_attention_heads=7", "l_layer=3"} {
		key, value, _ := strings.Cut(override, "=")
		if err := config.Set(key, value); err != nil {
			reason, _, _ := strings.Cut(err.Error(), ";")
			fmt.Println(reason)
		}
	}
	fmt.Println(config.HiddenAct, config.TaskQA)
	fmt.Println(config.Validate())
	// Output:
	// no config key "l_layer"
	// relu false
	// num_attention_heads: 7 heads do not divide hidden_size 768
}

func ExampleReadConfig() {
	config, err := model.ReadConfig(strings.NewReader(`{
		"model_type": "lxmert",
		"num_hidden_layers": {"language": 3, "vision": 2, "cross_encoder": 1},
		"num_qa_labels": 3129,
		"torch_dtype": "float32"
	}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(config.LanguageLayers, config.VisionLayers, config.CrossLayers, config.NumQALabels)
	fmt.Println(config.HiddenSize, config.Extra["torch_dtype"])
	// Output:
	// 3 2 1 3129
	// 768 float32
}

// Everything that is wrong is reported at once, under the reference's names.
func ExampleConfig_CheckInputs() {
	in := exampleBatch()
	in.InputIDs = tensors.FromValue([][]int64{{1, 7, 999, 2}})
	in.VisualPos = nil
	in.Ans = tensors.FromValue([]int64{2})
	fmt.Println(exampleConfig().CheckInputs(model.HeadQuestionAnswering, in))
	// Output:
	// input_ids: element [0 2] is 999, want 0..49
	// ans: LxmertForQuestionAnswering takes no such labels
	// visual_pos: missing: LXMERT needs the positions of the picture's regions, usually boxes in 0..1
}

// The second entry of cross_relationship_score stands for "belongs together".
func ExampleMatchProbability() {
	score := tensors.FromValue([][]float32{{0, 0}, {-1, 1}, {3, -3}})
	probabilities, err := model.MatchProbability(score)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.2f\n", probabilities)
	// Output: [0.50 0.88 0.00]
}

// What each stream knew before it saw the other.
func ExampleStates_SingleModality() {
	engine, err := backend.Open("go:ops_sequential")
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Finalize()
	config := exampleConfig()
	m, err := model.NewLxmertModel(engine, config, config.Fresh(1))
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	out, err := m.Forward(context.Background(), exampleBatch(), model.Options{HiddenStates: true})
	if err != nil {
		log.Fatal(err)
	}
	language, vision := out.SingleModality(config)
	fmt.Println(language == out.LanguageHiddenStates[1], vision == out.VisionHiddenStates[0])
	// Output: true true
}

func ExampleNetwork_ResizeNumQALabels() {
	engine, err := backend.Open("go:ops_sequential")
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Finalize()
	config := exampleConfig()
	m, err := model.NewLxmertForQuestionAnswering(engine, config, config.Fresh(1))
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	if err := m.ResizeNumQALabels(8, 1); err != nil {
		log.Fatal(err)
	}
	layer, err := m.GetQALogitLayer()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(layer.Weight.Shape().Dimensions, layer.Bias.Shape().Dimensions, m.Config().NumQALabels)
	// Output: [8 32] [8] 8
}

// Scaling a weight: read a copy, change it, set it.
func ExampleNetwork_SetWeight() {
	engine, err := backend.Open("go:ops_sequential")
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Finalize()
	config := exampleConfig()
	m, err := model.NewLxmertModel(engine, config, config.Fresh(1))
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	const name = "encoder.layer.0.attention.output.LayerNorm.weight"
	weight, err := m.Weight(name)
	if err != nil {
		log.Fatal(err)
	}
	values, err := tensors.CopyFlatData[float32](weight)
	if err != nil {
		log.Fatal(err)
	}
	for i := range values {
		values[i] *= 2
	}
	if err := m.SetWeight(name, tensors.FromFlatDataAndDimensions(values, weight.Shape().Dimensions...)); err != nil {
		log.Fatal(err)
	}
	fmt.Println(values[:3], m.SetWeight("no.such.weight", weight))
	// Output: [2 2 2] LxmertModel has no weight "no.such.weight"
}

// A graph of one's own over a model's weights: here only the loss, which a training step
// would differentiate.
func ExampleInputs_Nodes() {
	engine, err := backend.Open("go:ops_sequential")
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Finalize()
	config := exampleConfig()
	m, err := model.NewLxmertForPreTraining(engine, config, config.Fresh(1))
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	in := exampleBatch()
	in.MatchedLabel = tensors.FromValue([]int64{1})

	args, assemble := in.Nodes()
	exec, err := gomlx.NewExec(engine, m.Store(), func(s *gomlx.Scope, nodes []*graph.Node) *graph.Node {
		return config.PreTraining(s, assemble(nodes), model.Options{}).Losses.Matched
	})
	if err != nil {
		log.Fatal(err)
	}
	defer exec.Finalize()
	loss, err := exec.Call(args...)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.1f\n", tensors.ToScalar[float32](loss[0])) // about ln 2
	// Output: 0.7
}

// Outputs under the reference's names, whichever head the model has.
func ExampleNetwork_Run() {
	engine, err := backend.Open("go:ops_sequential")
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Finalize()
	config := exampleConfig()
	m, err := model.New(engine, config, model.HeadPreTraining, config.Fresh(1))
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	out, err := m.Run(context.Background(), exampleBatch(), model.Options{})
	if err != nil {
		log.Fatal(err)
	}
	named := maps.Collect(out.Named())
	for _, name := range slices.Sorted(maps.Keys(named)) {
		fmt.Println(name, named[name].Shape().Dimensions)
	}
	// Output:
	// cross_relationship_score [1 2]
	// prediction_logits [1 4 50]
	// question_answering_score [1 5]
}

// The weights of a model, without making it.
func ExampleDeclare() {
	config := model.DefaultConfig()
	config.NumQALabels = 3129
	weights, err := model.Declare(config, model.HeadQuestionAnswering)
	if err != nil {
		log.Fatal(err)
	}
	parameters := 0
	for _, w := range weights {
		parameters += w.Size()
	}
	fmt.Println(weights[0].Name, weights[0].Dimensions)
	fmt.Println(parameters, "parameters")
	// Output:
	// lxmert.embeddings.word_embeddings.weight [30522 768]
	// 213930297 parameters
}

func ExampleConfig_WriteTo() {
	config := exampleConfig()
	config.ID2Label = map[int]string{0: "no", 1: "yes"}
	var file strings.Builder
	if _, err := config.WriteTo(&file); err != nil {
		log.Fatal(err)
	}
	again, err := model.ReadConfig(strings.NewReader(file.String()))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(again.ID2Label[1], again.CrossLayers)
	// Output: yes 2
}
