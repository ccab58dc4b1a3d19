package tasks_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/internal/blocks"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/train"
	"github.com/go-lxmert/lxmert/train/tasks"
	"github.com/go-lxmert/lxmert/vision"
)

func openEngine(t testing.TB) compute.Backend {
	t.Helper()
	engine, err := backend.Open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Finalize)
	return engine
}

// network makes a model with fresh weights.
func network(t testing.TB, config *model.Config, head model.Head) *model.Network {
	t.Helper()
	m, err := model.New(openEngine(t), config, head, config.Fresh(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// narrow is a model that looks at regions of two numbers.
func narrow() *model.Config {
	c := blocks.Config()
	c.VisualFeatDim = 2
	return c
}

// Two pictures of one region each, and one of two.
var (
	left  = blocks.Scene{ID: "left", Regions: vision.Regions{FeatureWidth: 2, Features: []float32{1, 2}, Boxes: []float32{0, 0, .5, .5}}}
	right = blocks.Scene{ID: "right", Regions: vision.Regions{FeatureWidth: 2, Features: []float32{3, 4}, Boxes: []float32{.5, 0, 1, 1}}}
	wide  = blocks.Scene{ID: "wide", Regions: vision.Regions{FeatureWidth: 2, Features: []float32{5, 6, 7, 8}, Boxes: []float32{0, 0, 1, .25, 0, .5, .75, 1}}}
)

// is compares a tensor with nested slices.
func is(t *testing.T, name string, got *tensors.Tensor, want any) {
	t.Helper()
	if want == nil {
		if got != nil {
			t.Errorf("%s: found %v, want none", name, got.Value())
		}
		return
	}
	if got == nil {
		t.Errorf("%s: found none, want %v", name, want)
	} else if !reflect.DeepEqual(got.Value(), want) {
		t.Errorf("%s: found\n%v\nwant\n%v", name, got.Value(), want)
	}
}

// vqa is a question with a label.
func vqa(id int64, picture, sentence string, label ...answers.Score) questions.Question {
	return questions.Question{ID: questions.NumberID(id), Image: picture, Sentence: sentence, Label: label}
}

func yes(score float64) answers.Score { return answers.Score{Answer: "yes", Score: score} }

func common(t testing.TB, m *model.Network, pictures ...blocks.Scene) tasks.Common {
	t.Helper()
	return tasks.Common{Kind: questions.KindVQA, Network: m, Tokenizer: blocks.Tokenizer(t), MaxTokens: 7, Features: blocks.Source(pictures)}
}

// zeros are rows of padding.
func zeros(rows, width int) [][]float32 {
	z := make([][]float32, rows)
	for i := range z {
		z[i] = make([]float32, width)
	}
	return z
}

// TestAnsweringBatch: sentences are cut and filled up to seven tokens, pictures up to a multiple of eight regions where they differ.
func TestAnsweringBatch(t *testing.T) {
	c := common(t, network(t, narrow(), model.HeadQuestionAnswering), left, right, wide)
	c.Train = []questions.Question{
		vqa(1, "left", "Is there a red thing?", yes(1)),                                                           // 2 5 6 7 8 12 13 3
		vqa(2, "wide", "How many?", answers.Score{Answer: "7", Score: .3}, answers.Score{Answer: "3", Score: .6}), // 2 14 15 13 3
		vqa(3, "right", "zebra", []answers.Score{}...),
	}
	c.Train[2].Label = []answers.Score{}
	task, err := tasks.NewAnswering(c, blocks.Labels)
	if err != nil {
		t.Fatal(err)
	}
	if task.Len() != 3 || task.Describe(1) != "question 2" {
		t.Errorf("%d examples; %s", task.Len(), task.Describe(1))
	}
	b, err := task.Batch(t.Context(), train.Request{Examples: []int{1, 0}})
	if err != nil {
		t.Fatal(err)
	}
	is(t, "ids", b.Inputs.InputIDs, [][]int32{{2, 14, 15, 13, 3, 0, 0}, {2, 5, 6, 7, 8, 12, 3}})
	is(t, "mask", b.Inputs.AttentionMask, [][]float32{{1, 1, 1, 1, 1, 0, 0}, {1, 1, 1, 1, 1, 1, 1}})
	is(t, "features", b.Inputs.VisualFeats, [][][]float32{append([][]float32{{5, 6}, {7, 8}}, zeros(6, 2)...), append([][]float32{{1, 2}}, zeros(7, 2)...)})
	is(t, "boxes", b.Inputs.VisualPos, [][][]float32{append([][]float32{{0, 0, 1, .25}, {0, .5, .75, 1}}, zeros(6, 4)...), append([][]float32{{0, 0, .5, .5}}, zeros(7, 4)...)})
	is(t, "visual mask", b.Inputs.VisualAttentionMask, [][]float32{{1, 1, 0, 0, 0, 0, 0, 0}, {1, 0, 0, 0, 0, 0, 0, 0}})
	is(t, "target", b.Target, [][]float32{{0, 0, .6, 0, .3}, {1, 0, 0, 0, 0}})
	for name := range b.Inputs.Given() {
		if !strings.Contains(" input_ids attention_mask visual_feats visual_pos visual_attention_mask ", " "+name+" ") {
			t.Errorf("found %s", name)
		}
	}
	b, err = task.Batch(t.Context(), train.Request{Examples: []int{2, 0}})
	if err != nil {
		t.Fatal(err)
	}
	is(t, "ids", b.Inputs.InputIDs, [][]int32{{2, 1, 3, 0, 0, 0, 0}, {2, 5, 6, 7, 8, 12, 3}})
	is(t, "features of as many regions", b.Inputs.VisualFeats, [][][]float32{{{3, 4}}, {{1, 2}}})
	is(t, "visual mask of as many regions", b.Inputs.VisualAttentionMask, nil)
	is(t, "target of no right answer", b.Target, [][]float32{{0, 0, 0, 0, 0}, {1, 0, 0, 0, 0}})

	if got := task.Scores([]int{0, 1, 1, 1, 2}, []int32{0, 2, 4, 0, 0}); !reflect.DeepEqual(got, []float64{1, .6, .3, 0, 0}) {
		t.Errorf("scores %v", got)
	}
}

// TestStatementsBatch has two pictures a statement.
func TestStatementsBatch(t *testing.T) {
	c := common(t, network(t, narrow(), model.HeadNLVR2), left, right, wide)
	yes, no := true, false
	c.Train = []questions.Question{
		{ID: questions.TextID("a-0-0-0"), Image: "left", Second: "wide", Sentence: "Both have a red thing", Truth: &yes}, // 2 18 19 7 8 12 3
		{ID: questions.TextID("a-0-1-0"), Image: "right", Second: "left", Sentence: "And", Truth: &no},
		{ID: questions.TextID("a-0-2-0"), Image: "left", Second: "left", Sentence: "And", Truth: &yes},
	}
	task, err := tasks.NewStatements(c)
	if err != nil {
		t.Fatal(err)
	}
	b, err := task.Batch(t.Context(), train.Request{Examples: []int{0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	is(t, "ids", b.Inputs.InputIDs, [][]int32{{2, 18, 19, 7, 8, 12, 3}, {2, 22, 3, 0, 0, 0, 0}})
	is(t, "features", b.Inputs.VisualFeats, [][][][]float32{
		{append([][]float32{{1, 2}}, zeros(7, 2)...), append([][]float32{{5, 6}, {7, 8}}, zeros(6, 2)...)},
		{append([][]float32{{3, 4}}, zeros(7, 2)...), append([][]float32{{1, 2}}, zeros(7, 2)...)}})
	is(t, "visual mask", b.Inputs.VisualAttentionMask, [][][]float32{
		{{1, 0, 0, 0, 0, 0, 0, 0}, {1, 1, 0, 0, 0, 0, 0, 0}}, {{1, 0, 0, 0, 0, 0, 0, 0}, {1, 0, 0, 0, 0, 0, 0, 0}}})
	is(t, "labels", b.Inputs.Labels, []int32{1, 0})
	is(t, "target", b.Target, nil)
	b, err = task.Batch(t.Context(), train.Request{Examples: []int{2}})
	if err != nil {
		t.Fatal(err)
	}
	is(t, "boxes of one statement", b.Inputs.VisualPos, [][][][]float32{{{{0, 0, .5, .5}}, {{0, 0, .5, .5}}}})
	if got := task.Scores([]int{0, 1, 2, 0}, []int32{1, 1, 1, 0}); !reflect.DeepEqual(got, []float64{1, 0, 1, 0}) {
		t.Errorf("scores %v", got)
	}
}

// TestErrors: what is wrong with an example is told, with its name; or, where bad ones may be left out, they are counted.
func TestErrors(t *testing.T) {
	answering, judging := network(t, narrow(), model.HeadQuestionAnswering), network(t, narrow(), model.HeadNLVR2)
	good := []questions.Question{vqa(1, "left", "Is?", yes(1)), vqa(2, "left", "Is?", yes(1))}
	truth := true
	statements := []questions.Question{{ID: questions.TextID("a-0-0-0"), Image: "left", Second: "right", Sentence: "Is", Truth: &truth}}
	for name, c := range map[string]struct {
		bad   questions.Question
		judge bool // among those to be judged by
		nlvr2 bool
		want  string
	}{
		"missing picture":        {vqa(3, "lost", "Is?", yes(1)), false, false, `question 3: picture "lost": image id not found`},
		"missing picture, judge": {vqa(3, "lost", "Is?", yes(1)), true, false, `question 3: picture "lost"`},
		"unknown answer":         {vqa(3, "left", "Is?", yes(1), answers.Score{Answer: "maybe"}), false, false, `question 3: label: answer "maybe" is not in the table of 5 answers`},
		"no label":               {vqa(3, "left", "Is?"), false, false, "question 3: label: "},
		"a picture too many":     {questions.Question{ID: questions.NumberID(3), Image: "left", Second: "left", Sentence: "Is?", Label: []answers.Score{}}, false, false, "question 3: found pictures: 2, want 1"},
		"too many to judge by":   {questions.Question{ID: questions.NumberID(3), Image: "left", Second: "left", Sentence: "Is?"}, true, false, "question 3: found pictures: 2, want 1"},
		"twice":                  {vqa(2, "left", "Is?", yes(1)), true, false, "question 2: comes a second time"},
		"no id":                  {questions.Question{Image: "left", Sentence: "Is there?"}, true, false, `"Is there?" about picture left: found no id`},
		"no truth":               {questions.Question{ID: questions.TextID("b"), Image: "left", Second: "left", Sentence: "Is"}, false, true, "question b: label: found none"},
		"one picture":            {questions.Question{ID: questions.TextID("b"), Image: "left", Sentence: "Is", Truth: &truth}, false, true, "question b: found pictures: 1, want 2"},
		"one picture, judge":     {questions.Question{ID: questions.TextID("b"), Image: "left", Sentence: "Is", Truth: &truth}, true, true, "question b: found pictures: 1, want 2"},
		"missing second picture": {questions.Question{ID: questions.TextID("b"), Image: "left", Second: "lost", Sentence: "Is", Truth: &truth}, false, true, `picture "lost"`},
	} {
		t.Run(name, func(t *testing.T) {
			m, qs := answering, good
			if c.nlvr2 {
				m, qs = judging, statements
			}
			w := common(t, m, left, right)
			w.Train, w.Valid = append([]questions.Question{}, qs...), append([]questions.Question{}, qs...)
			if c.judge {
				w.Valid = append(w.Valid, c.bad)
			} else {
				w.Train = append(w.Train, c.bad)
			}
			make := func() (train.Task, error) {
				if c.nlvr2 {
					return tasks.NewStatements(w)
				}
				return tasks.NewAnswering(w, blocks.Labels)
			}
			if _, err := make(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			var left []error
			w.Bad = func(err error) { left = append(left, err) }
			task, err := make()
			if err != nil || task.Len() != len(qs) || len(left) != 1 || !strings.Contains(left[0].Error(), c.want) {
				t.Errorf("left out %v: %v", left, err)
			}
		})
	}
	t.Run("no identifier of NLVR2's", func(t *testing.T) {
		w := common(t, judging, left, right)
		w.Train, w.Valid = statements, []questions.Question{{ID: questions.TextID("b"), Image: "left", Second: "left", Sentence: "Is", Truth: &truth}}
		if _, err := tasks.NewStatements(w); err == nil || !strings.Contains(err.Error(), `questions to be judged by: identifier "b"`) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("many", func(t *testing.T) {
		w := common(t, answering, left)
		for i := range int64(12) {
			w.Train = append(w.Train, vqa(i, "lost", "Is?", yes(1)))
		}
		_, err := tasks.NewAnswering(w, blocks.Labels)
		if err == nil || !errors.Is(err, data.ErrNotFound) || strings.Count(err.Error(), "\n") != 10 || !strings.HasSuffix(err.Error(), "and 2 more") {
			t.Errorf("got %v", err)
		}
		w.Bad = func(error) {}
		if _, err := tasks.NewAnswering(w, blocks.Labels); err == nil || !strings.Contains(err.Error(), "no examples to learn from") {
			t.Errorf("got %v", err)
		}
	})
}

// TestMisfits: parts that do not belong together.
func TestMisfits(t *testing.T) {
	answering := network(t, narrow(), model.HeadQuestionAnswering)
	for name, c := range map[string]struct {
		spoil  func(*tasks.Common)
		labels []string
		want   string
	}{
		"labels":        {func(*tasks.Common) {}, blocks.Labels[1:], "found 4 answers, but the model scores 5"},
		"tokens":        {func(c *tasks.Common) { c.MaxTokens = 17 }, blocks.Labels, "max tokens: found 17, want 3 to 16"},
		"no word":       {func(c *tasks.Common) { c.MaxTokens = 2 }, blocks.Labels, "max tokens: found 2"},
		"no tokenizer":  {func(c *tasks.Common) { c.Tokenizer = nil }, blocks.Labels, "wants a tokenizer"},
		"no regions":    {func(c *tasks.Common) { c.Features = nil }, blocks.Labels, "wants a tokenizer and the pictures' regions"},
		"head":          {func(c *tasks.Common) { c.Network = network(t, narrow(), model.HeadNLVR2) }, blocks.Labels, fmt.Sprintf("want %s", model.HeadQuestionAnswering)},
		"feature width": {func(c *tasks.Common) { c.Features = blocks.Source(blocks.Scenes(1, "l", 3)) }, blocks.Labels, "question 1: scenes: picture \"l0\": features are 16 numbers wide, want 2"},
		"no examples":   {func(c *tasks.Common) { c.Train = nil }, blocks.Labels, "no examples"},
	} {
		w := common(t, answering, left)
		w.Train = []questions.Question{vqa(1, "left", "Is?", yes(1))}
		c.spoil(&w)
		if name == "feature width" {
			w.Train[0].Image = "l0"
		}
		if _, err := tasks.NewAnswering(w, c.labels); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

// TestLate: a picture that turns out to be wrong in the midst of a run is told with the question that it is for.
func TestLate(t *testing.T) {
	w := common(t, network(t, narrow(), model.HeadQuestionAnswering), left, right)
	w.Features.(blocks.Source)[1].Features = []float32{1, 2, 3}
	w.Train = []questions.Question{vqa(1, "left", "Is?", yes(1)), vqa(2, "right", "Is?", yes(1))}
	task, err := tasks.NewAnswering(w, blocks.Labels)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := task.Batch(t.Context(), train.Request{Examples: []int{0, 1}}); err == nil || !strings.Contains(err.Error(), `question 2: scenes: picture "right": 3 numbers in features`) {
		t.Errorf("got %v", err)
	}
}
