package tasks_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/eval"
	"github.com/go-lxmert/lxmert/internal/blocks"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/predict"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/train"
	"github.com/go-lxmert/lxmert/train/tasks"
)

// saved is a model directory of a task.
func saved(t *testing.T, m *model.Network, task train.Task) string {
	t.Helper()
	dir := t.TempDir()
	if err := pretrained.Save(t.Context(), dir, m); err != nil {
		t.Fatal(err)
	}
	if err := task.Save(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestAnsweringValidation: the score and the submission are those of the saved model, opened anew; and where the answers are unknown there is no score.
func TestAnsweringValidation(t *testing.T) {
	world := blocks.Scenes(5, "p", 9)
	m := network(t, blocks.Config(), model.HeadQuestionAnswering)
	w := common(t, m, world...)
	w.MaxTokens = 10
	w.Train, w.Valid = blocks.Questions(world[:3], 0), blocks.Questions(world[3:], 100)
	w.Trained = []eval.Trained{{Split: eval.Split{DataSet: "vqa", Name: "mine"}, Stage: "finetune", Examples: 15}}
	task, err := tasks.NewAnswering(w, blocks.Labels)
	if err != nil {
		t.Fatal(err)
	}
	v, err := task.Validate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir := saved(t, m, task)
	opened, err := lxmert.Open(dir, lxmert.WithMaxTokens(10))
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	found, err := predict.Answers(t.Context(), opened, w.Features, w.Valid, predict.Options{})
	if err != nil {
		t.Fatal(err)
	}
	score, err := predict.SoftScore(w.Valid, predict.Plain(found))
	if err != nil {
		t.Fatal(err)
	}
	if v.Loss != nil || v.Score == nil || *v.Score != score.Accuracy || score.Accuracy == 0 || score.Accuracy == 1 || !reflect.DeepEqual(v.Predictions, predict.Plain(found)) {
		t.Errorf("got %+v, want accuracy %v of %v", v, score.Accuracy, found)
	}
	path := filepath.Join(t.TempDir(), "valid_predict.json")
	if err := task.WritePredictions(path, v.Predictions); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if read, err := eval.ReadVQA(file); err != nil || !reflect.DeepEqual(read, v.Predictions) {
		t.Errorf("written %v, %v; want %v", read, err, v.Predictions)
	}
	if labels, err := lxmert.DirectoryLabels(dir); err != nil || !slices.Equal(labels, blocks.Labels) {
		t.Errorf("labels %v, %v", labels, err)
	}
	if trained, err := eval.ReadTrained(filepath.Join(dir, eval.TrainedName)); err != nil || !reflect.DeepEqual(trained, w.Trained) {
		t.Errorf("trained on %v, %v", trained, err)
	}

	w.Valid[4].Label = nil
	if task, err = tasks.NewAnswering(w, blocks.Labels); err != nil {
		t.Fatal(err)
	}
	if v, err := task.Validate(t.Context()); err != nil || v.Score != nil || len(v.Predictions) != len(w.Valid) {
		t.Errorf("an unknown answer: %+v, %v", v, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := task.Validate(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("told to stop: %v", err)
	}
	w.Valid = nil
	if task, err = tasks.NewAnswering(w, blocks.Labels); err != nil {
		t.Fatal(err)
	}
	if v, err := task.Validate(t.Context()); v != nil || err != nil {
		t.Errorf("nothing to judge by: %+v, %v", v, err)
	}
}

// TestSubmissionForms: VQA's where ids are whole numbers, else GQA's.
func TestSubmissionForms(t *testing.T) {
	for name, c := range map[string]struct {
		kind questions.Kind
		id   questions.ID
		want string
	}{
		"vqa":      {questions.KindVQA, questions.NumberID(5), `"question_id": 5`},
		"own":      {questions.KindVQA, questions.TextID("a"), `"questionId": "a"`},
		"gqa":      {questions.KindGQA, questions.TextID("05"), `"questionId": "05"`},
		"gqa, own": {questions.KindGQA, questions.NumberID(5), `"questionId": "5"`},
	} {
		w := common(t, network(t, narrow(), model.HeadQuestionAnswering), left)
		w.Kind = c.kind
		w.Train = []questions.Question{vqa(1, "left", "Is?", yes(1))}
		w.Valid = []questions.Question{{ID: c.id, Image: "left", Sentence: "Is?"}}
		task, err := tasks.NewAnswering(w, blocks.Labels)
		if err != nil {
			t.Fatal(err)
		}
		v, err := task.Validate(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "out.json")
		if err := task.WritePredictions(path, v.Predictions); err != nil {
			t.Fatal(err)
		}
		if content, _ := os.ReadFile(path); !strings.Contains(string(content), c.want) {
			t.Errorf("%s: found %s, want %s", name, content, c.want)
		}
	}
}

// TestStatementsValidation: the same for statements.
func TestStatementsValidation(t *testing.T) {
	world := blocks.Scenes(5, "dev-", 9)
	m := network(t, blocks.Config(), model.HeadNLVR2)
	w := common(t, m, world...)
	w.Kind = questions.KindNLVR2
	w.Train, w.Valid = blocks.Statements(world[:3]), blocks.Statements(world[3:])
	task, err := tasks.NewStatements(w)
	if err != nil {
		t.Fatal(err)
	}
	v, err := task.Validate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	opened, err := lxmert.OpenStatements(saved(t, m, task), lxmert.WithMaxTokens(w.MaxTokens))
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	found, err := predict.Statements(t.Context(), opened, w.Features, w.Valid, predict.Options{})
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for i, p := range found {
		if (p.Answer == "True") == *w.Valid[i].Truth {
			right++
		}
	}
	if accuracy := float64(right) / float64(len(found)); v.Score == nil || *v.Score != accuracy || accuracy == 0 || accuracy == 1 || !reflect.DeepEqual(v.Predictions, predict.Plain(found)) {
		t.Errorf("got %+v, want accuracy %v of %v", v, accuracy, found)
	}
	path := filepath.Join(t.TempDir(), "out.csv")
	if err := task.WritePredictions(path, v.Predictions); err != nil {
		t.Fatal(err)
	}
	if content, _ := os.ReadFile(path); strings.Count(string(content), "\n") != len(found) || !strings.HasPrefix(string(content), found[0].ID+","+found[0].Answer+"\n") {
		t.Errorf("written %s", content)
	}
	w.Valid[2].Truth = nil
	if task, err = tasks.NewStatements(w); err != nil {
		t.Fatal(err)
	}
	if v, err := task.Validate(t.Context()); err != nil || v.Score != nil || len(v.Predictions) != len(w.Valid) {
		t.Errorf("an unknown truth: %+v, %v", v, err)
	}
}

// TestLearning: a model of a few thousand weights learns to say which colours are there.
func TestLearning(t *testing.T) {
	if testing.Short() {
		t.Skip("learns for seconds")
	}
	world := blocks.Scenes(11, "p", 60)
	config := blocks.Config()
	config.HiddenSize, config.IntermediateSize, config.InitializerRange = 32, 64, 0.15
	config.HiddenDropout, config.AttentionDropout = 0, 0
	m := network(t, config, model.HeadQuestionAnswering)
	w := common(t, m, world...)
	w.MaxTokens = 10
	w.Train, w.Valid = blocks.Questions(world[:50], 0), blocks.Questions(world[50:], 1000)
	task, err := tasks.NewAnswering(w, blocks.Labels)
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	trainer, err := train.New(m, task, train.Options{Out: out, Batch: 25, Epochs: 40, Optimizer: train.AdamW{}, Course: train.Linear, Rate: 2e-3, Warmup: 0.1, Clip: 5, Seed: 1, Patience: 40})
	if err != nil {
		t.Fatal(err)
	}
	if err := trainer.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	var scores, losses []float64
	best := 0.0
	for record, err := range train.ReadLog(filepath.Join(out, train.LogName)) {
		if err != nil {
			t.Fatal(err)
		}
		if e := record.Epoch; e != nil {
			scores, losses, best = append(scores, *e.TrainScore), append(losses, *e.TrainLoss), max(best, *e.ValidScore)
		}
	}
	last := len(scores) - 1
	t.Logf("train score %.3f to %.3f, loss %.3f to %.3f, best validation %.3f", scores[0], scores[last], losses[0], losses[last], best)
	if scores[last] < 0.95 || losses[last] > losses[0]/4 || best < 0.85 {
		t.Errorf("scores %.2v, losses %.2v, best validation %v", scores, losses, best)
	}
}
