package lxmert_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// parts loads what [lxmert.New] takes.
func parts(t *testing.T) (*model.LxmertForQuestionAnswering, *tokenizer.Tokenizer) {
	t.Helper()
	engine, err := backend.Open("")
	if err != nil {
		t.Fatal(err)
	}
	network, _, err := pretrained.LxmertForQuestionAnswering(engine, example, pretrained.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := network.Close(); err != nil {
			t.Error(err)
		}
		engine.Finalize()
	})
	words, err := tokenizer.Load(example)
	if err != nil {
		t.Fatal(err)
	}
	return network, words
}

// TestNew: a model of parts answers as one from the directory, and leaves the parts to their owner.
func TestNew(t *testing.T) {
	opened, regions, _ := open(t)
	network, words := parts(t)
	m, err := lxmert.New(network, words, opened.Labels())
	if err != nil {
		t.Fatal(err)
	}
	want, err := opened.Ask(t.Context(), regions, "What color is the dog?")
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Ask(t.Context(), regions, "What color is the dog?")
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("answer %d: %+v, want %+v", i, got[i], want[i])
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Ask(t.Context(), regions, "Why?"); !errors.Is(err, model.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	again, err := lxmert.New(network, words, opened.Labels())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Ask(t.Context(), regions, "Why?"); err != nil {
		t.Errorf("the network was closed with the model: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	network, words := parts(t)
	labels := make([]string, network.Config().NumQALabels)
	for name, test := range map[string]struct {
		network *model.LxmertForQuestionAnswering
		words   *tokenizer.Tokenizer
		labels  []string
		option  lxmert.Option
		want    string
	}{
		"no network":   {nil, words, labels, nil, "found nil"},
		"hollow":       {&model.LxmertForQuestionAnswering{}, words, labels, nil, "found nil"},
		"no tokenizer": {network, nil, labels, nil, "found nil"},
		"labels":       {network, words, labels[1:], nil, "21 answers, but the model scores 22"},
		"engine":       {network, words, labels, lxmert.WithBackendName("go"), "the network has its engine"},
		"answers":      {network, words, labels, lxmert.WithLabels(labels), "the answers are given"},
		"too short":    {network, words, labels, lxmert.WithMaxTokens(2), "found 2, want 3 to 64"},
		"zero":         {network, words, labels, lxmert.WithMaxTokens(0), "found 0, want 3 to 64"},
		"too long":     {network, words, labels, lxmert.WithMaxTokens(65), "found 65, want 3 to 64"},
		"concurrency":  {network, words, labels, lxmert.WithConcurrency(0), "concurrency: found 0"},
	} {
		if _, err := lxmert.New(test.network, test.words, test.labels, test.option); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, test.want)
		}
	}
	if _, err := lxmert.Open(example, lxmert.WithMaxTokens(65)); err == nil || !strings.Contains(err.Error(), "found 65") {
		t.Errorf("Open: %v", err)
	}
}

// TestMaxTokens: of a question that is cut the first word pieces count, and no others.
func TestMaxTokens(t *testing.T) {
	m, regions, _ := open(t, lxmert.WithMaxTokens(6)) // [CLS], four word pieces, [SEP]
	ask := func(question string) lxmert.Answer {
		t.Helper()
		answers, err := m.Ask(t.Context(), regions, question)
		if err != nil {
			t.Fatal(err)
		}
		return answers[0]
	}
	whole := ask("what color is the")
	if cut := ask("what color is the " + strings.Repeat("dog ", 100)); cut != whole {
		t.Errorf("cut to the same words: %+v, want %+v", cut, whole)
	}
	if other := ask("what color is a " + strings.Repeat("dog ", 100)); other == whole {
		t.Error("the fourth word makes no difference")
	}
}

// TestBestBatch: the best answers are the first of all answers.
func TestBestBatch(t *testing.T) {
	m, first, second := open(t)
	queries := []lxmert.Query{{Regions: first, Question: "What color is the dog?"}, {Regions: second, Question: "Is it raining?"}, {Regions: second, Question: "Why?"}}
	all, err := m.AskBatch(t.Context(), queries)
	if err != nil {
		t.Fatal(err)
	}
	best, err := m.BestBatch(t.Context(), queries)
	if err != nil {
		t.Fatal(err)
	}
	for i := range queries {
		if best[i] != all[i][0] {
			t.Errorf("query %d: %+v, want %+v", i, best[i], all[i][0])
		}
	}
	var bad *lxmert.QueryError
	if _, err := m.BestBatch(t.Context(), []lxmert.Query{queries[0], {Regions: first}}); !errors.As(err, &bad) || bad.Index != 1 {
		t.Errorf("an empty question: %v", err)
	}
}
