package predict_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/eval"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/predict"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/tokenizer"
	"github.com/go-lxmert/lxmert/vision"
)

// open opens the example model, with random weights, and its two pictures.
func open(t testing.TB) (*lxmert.Model, *data.TSV) {
	t.Helper()
	m, err := lxmert.Open("../examples/tiny", lxmert.WithMaxTokens(20))
	if err != nil {
		t.Fatal(err)
	}
	features, err := data.OpenTSV("../examples/regions.tsv")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(m.Close(), features.Close()); err != nil {
			t.Error(err)
		}
	})
	return m, features
}

// asked makes questions about the pictures in turn.
func asked(n int, pictures ...string) []questions.Question {
	words := strings.Fields("what color is the dog next to a big red bus on the street")
	qs := make([]questions.Question, n)
	for i := range qs {
		qs[i] = questions.Question{ID: questions.NumberID(int64(1000 + i)), Image: pictures[i%len(pictures)], Sentence: strings.Join(words[i%7:7+i%6], " ")}
	}
	return qs
}

// TestAnswers: each question gets the answer that it gets alone, in the order of the questions, whatever the batch.
func TestAnswers(t *testing.T) {
	m, features := open(t)
	qs := asked(23, "drawn-1", "drawn-2")
	want := make([]predict.Prediction, len(qs))
	for i, q := range qs {
		regions, err := features.Get(q.Image)
		if err != nil {
			t.Fatal(err)
		}
		alone, err := m.Ask(t.Context(), regions, q.Sentence)
		if err != nil {
			t.Fatal(err)
		}
		want[i] = predict.Prediction{Prediction: eval.Prediction{ID: q.ID.String(), Answer: alone[0].Text}, Probability: alone[0].Probability}
	}
	for _, batch := range []int{0, 1, 2, 5, 100} {
		var steps []int
		got, err := predict.Answers(t.Context(), m, features, qs, predict.Options{Batch: batch, Progress: func(done, of int) {
			if steps = append(steps, done); of != len(qs) {
				t.Errorf("%d of %d", done, of)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) {
			t.Fatalf("batches of %d: %d predictions, want %d", batch, len(got), len(want))
		}
		for i := range want {
			if d := got[i].Probability - want[i].Probability; got[i].Prediction != want[i].Prediction || d > 1e-5 || d < -1e-5 {
				t.Errorf("batches of %d: %+v, want %+v", batch, got[i], want[i])
			}
		}
		if !slices.IsSorted(steps) || steps[len(steps)-1] != len(qs) {
			t.Errorf("batches of %d: progress was %v", batch, steps)
		}
	}
	if none, err := predict.Answers(t.Context(), m, features, nil, predict.Options{}); err != nil || len(none) != 0 {
		t.Errorf("no questions: %v, %v", none, err)
	}
	if _, err := predict.Answers(t.Context(), m, features, qs, predict.Options{Batch: -1}); err == nil || !strings.Contains(err.Error(), "batch: found -1") {
		t.Errorf("a negative batch: %v", err)
	}
}

// counting has as many copies of one picture as are asked for, and counts how often each was read.
type counting struct {
	data.Source // nil: nothing else is to be called
	ids         []string
	regions     vision.Regions
	damaged     string
	slow        time.Duration

	mu   sync.Mutex
	read map[string]int
	all  atomic.Int64
}

func newCounting(t testing.TB, n int) *counting {
	t.Helper()
	_, features := open(t)
	c := &counting{read: map[string]int{}}
	var err error
	if c.regions, err = features.Get("drawn-1"); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		c.ids = append(c.ids, fmt.Sprint("picture-", i))
	}
	return c
}

func (c *counting) Path() string                       { return "counting" }
func (c *counting) Len() int                           { return len(c.ids) }
func (c *counting) IDs() []string                      { return c.ids }
func (c *counting) All() iter.Seq2[data.Record, error] { return nil }
func (c *counting) Close() error                       { return nil }
func (c *counting) Get(id string) (vision.Regions, error) {
	time.Sleep(c.slow)
	c.mu.Lock()
	c.read[id]++
	c.mu.Unlock()
	c.all.Add(1)
	if !slices.Contains(c.ids, id) {
		return vision.Regions{}, &data.NotFoundError{Path: "counting", ID: id}
	}
	if id == c.damaged {
		return vision.Regions{}, errors.New("damaged")
	}
	r := c.regions
	r.Features, r.Boxes = slices.Clone(r.Features), slices.Clone(r.Boxes)
	return r, nil
}

// TestAnswersReadsOnce: a picture is read once, wherever in the list its questions are, and not long before the model comes to it.
func TestAnswersReadsOnce(t *testing.T) {
	m, _ := open(t)
	const pictures, batch = 60, 4
	c := newCounting(t, pictures)
	qs := asked(150, c.ids...)
	for i := range 9 { // more than two batches about one picture
		qs[10*i].Image = c.ids[7]
	}
	ahead := 0
	got, err := predict.Answers(t.Context(), m, c, qs, predict.Options{Batch: batch, Progress: func(done, _ int) {
		ahead = max(ahead, int(c.all.Load())-done) // each answered question is about one picture at most
	}})
	if err != nil || len(got) != len(qs) {
		t.Fatalf("%d predictions, %v", len(got), err)
	}
	for id, n := range c.read {
		if n != 1 {
			t.Errorf("%s was read %d times", id, n)
		}
	}
	if ahead > 4*batch {
		t.Errorf("%d pictures were read before they were needed, want at most %d", ahead, 4*batch)
	}
}

// TestAnswersReadsAhead: while the model works, the next pictures are read: two batches wait, and one more is in hand.
func TestAnswersReadsAhead(t *testing.T) {
	m, _ := open(t)
	c := newCounting(t, 60)
	const batch = 4
	first := true
	_, err := predict.Answers(t.Context(), m, c, asked(60, c.ids...), predict.Options{Batch: batch, Progress: func(done, _ int) {
		if !first {
			return
		}
		first = false // and hold on to it
		for range 1000 {
			if c.all.Load() >= int64(done)+3*batch {
				break
			}
			time.Sleep(time.Millisecond)
		}
		time.Sleep(20 * time.Millisecond)
		if read := c.all.Load(); read != int64(done)+3*batch {
			t.Errorf("with %d answered %d pictures were read, want %d more", done, read, 3*batch)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAnswersRefuses: errors name question and picture; what is missing is found before anything is asked.
func TestAnswersRefuses(t *testing.T) {
	m, features := open(t)
	good := asked(10, "drawn-1")
	missing := append(slices.Clone(good), questions.Question{ID: questions.TextID("lost"), Image: "drawn-11", Sentence: "why?"})
	_, err := predict.Answers(t.Context(), m, features, missing, predict.Options{Batch: 2, Progress: func(int, int) { t.Error("questions were asked") }})
	var bad *predict.QuestionError
	if !errors.Is(err, data.ErrNotFound) || !errors.As(err, &bad) || bad.ID != "lost" || bad.Picture != "drawn-11" {
		t.Fatalf("a missing picture: %v", err)
	}
	for _, want := range []string{`question "lost"`, `picture "drawn-11"`, "did you mean drawn-1"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	silent := slices.Clone(good)
	silent[3].Sentence = "\u200b"
	if _, err := predict.Answers(t.Context(), m, features, silent, predict.Options{}); !errors.As(err, &bad) || bad.ID != "1003" || !strings.Contains(err.Error(), "no words") {
		t.Errorf("a question without words: %v", err)
	}
	c := newCounting(t, 3)
	c.damaged = c.ids[1]
	if _, err := predict.Answers(t.Context(), m, c, asked(3, c.ids...), predict.Options{}); !errors.As(err, &bad) || bad.ID != "1001" || bad.Picture != c.damaged {
		t.Errorf("a damaged picture: %v", err)
	}
	many := asked(20, "none")
	if _, err := predict.Answers(t.Context(), m, features, many, predict.Options{}); err == nil || !strings.Contains(err.Error(), "and 17 questions more") || strings.Contains(err.Error(), "1003") {
		t.Errorf("many missing pictures: %v", err)
	}
}

// TestAnswersSkips: where the caller wants to hear of what is bad, the rest is answered as if it were alone.
func TestAnswersSkips(t *testing.T) {
	m, _ := open(t)
	c := newCounting(t, 5)
	c.damaged = c.ids[2]
	qs := asked(15, c.ids...)
	qs[4].Image = "none"
	qs[8].Sentence = " "
	var told []string
	got, err := predict.Answers(t.Context(), m, c, qs, predict.Options{Batch: 6, Bad: func(err *predict.QuestionError) { told = append(told, err.ID) }})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(told)
	if want := []string{"1002", "1004", "1007", "1008", "1012"}; !slices.Equal(told, want) {
		t.Errorf("told of %v, want %v", told, want)
	}
	var ids []string
	for _, p := range got {
		ids = append(ids, p.ID)
	}
	if want := strings.Fields("1000 1001 1003 1005 1006 1009 1010 1011 1013 1014"); !slices.Equal(ids, want) {
		t.Errorf("answered %v, want %v", ids, want)
	}
}

// TestAnswersCancelled: the end of ctx is the end, also while a picture is waited for; nobody reads afterwards.
func TestAnswersCancelled(t *testing.T) {
	m, _ := open(t)
	for _, slow := range []time.Duration{0, 20 * time.Millisecond} {
		c := newCounting(t, 2000)
		c.slow = slow
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		_, err := predict.Answers(ctx, m, c, asked(2000, c.ids...), predict.Options{Batch: 4, Progress: func(int, int) { cancel() }})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if spent := time.Since(start); spent > 2*time.Second {
			t.Errorf("it took %v to end", spent)
		}
		read := c.all.Load()
		time.Sleep(2*slow + 10*time.Millisecond)
		if c.all.Load() != read {
			t.Error("pictures were read after the end")
		}
	}
}

// TestStatements: each statement gets the verdict that it gets alone, be it true or false; what is wrong with one is said with its identifier and
// both pictures.
func TestStatements(t *testing.T) {
	_, features := open(t)
	qs := asked(17, "drawn-1", "drawn-2")
	for i := range qs {
		qs[i].ID, qs[i].Second = questions.TextID(fmt.Sprintf("dev-%d-0-0", i)), []string{"drawn-2", "drawn-1", "drawn-1"}[i%3]
	}
	m := judge(t, 1)
	given := map[string]int{}
	for _, m := range []*lxmert.Statements{m, judge(t, -1)} {
		for _, batch := range []int{3, 32} {
			got, err := predict.Statements(t.Context(), m, features, qs, predict.Options{Batch: batch})
			if err != nil || len(got) != len(qs) {
				t.Fatalf("%d predictions, %v", len(got), err)
			}
			for i, q := range qs {
				left, _ := features.Get(q.Image)
				right, _ := features.Get(q.Second)
				verdict, err := m.Judge(t.Context(), left, right, q.Sentence)
				if err != nil {
					t.Fatal(err)
				}
				answer, probability := "False", 1-verdict.Probability
				if verdict.True {
					answer, probability = "True", verdict.Probability
				}
				given[answer]++
				if d := got[i].Probability - probability; got[i].ID != q.ID.String() || got[i].Answer != answer || d > 1e-5 || d < -1e-5 || probability < 0.5 {
					t.Errorf("batches of %d: %+v, want %s %v", batch, got[i], answer, probability)
				}
			}
		}
	}
	if given["True"] == 0 || given["False"] == 0 {
		t.Errorf("verdicts %v, want both", given)
	}
	silent := slices.Clone(qs)
	silent[5].Sentence = "\u200b"
	_, err := predict.Statements(t.Context(), m, features, silent, predict.Options{})
	if err == nil || !strings.Contains(err.Error(), `question "dev-5-0-0" (picture "drawn-2 and drawn-1"): the statement has no words`) {
		t.Errorf("a statement without words: %v", err)
	}
	qs[4].Second = ""
	if _, err := predict.Statements(t.Context(), m, features, qs, predict.Options{}); err == nil || !strings.Contains(err.Error(), `question "dev-4-0-0"`) {
		t.Errorf("one picture: %v", err)
	}
	answerer, _ := open(t)
	if _, err := predict.Answers(t.Context(), answerer, features, qs, predict.Options{}); err == nil || !strings.Contains(err.Error(), "found two pictures, want one") {
		t.Errorf("two pictures: %v", err)
	}
}

// judge makes a model for statements; one with the other sign holds the opposite to be true.
func judge(t *testing.T, sign float32) *lxmert.Statements {
	t.Helper()
	engine, err := backend.Open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Finalize)
	config, err := pretrained.Config("../examples/tiny")
	if err != nil {
		t.Fatal(err)
	}
	fresh := config.Fresh(3)
	network, err := model.NewLxmertForNLVR2(engine, config, func(name string, dimensions []int) ([]float32, error) {
		values, err := fresh(name, dimensions)
		if name == "logit_fc.3.weight" {
			for i := range values {
				values[i] *= sign
			}
		}
		return values, err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { network.Close() })
	words, err := tokenizer.Load("../examples/tiny")
	if err != nil {
		t.Fatal(err)
	}
	m, err := lxmert.NewStatements(network, words)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestScores: predictions are scored by what the questions themselves know, and by nothing else.
func TestScores(t *testing.T) {
	yes, no := true, false
	qs := []questions.Question{
		{ID: questions.TextID("dev-1-0-0"), Label: []answers.Score{{Answer: "cat", Score: 0.6}, {Answer: "dog", Score: 1}}, Truth: &yes},
		{ID: questions.TextID("dev-1-1-0"), Label: []answers.Score{}, Truth: &no},
	}
	soft, err := predict.SoftScore(qs, []eval.Prediction{{ID: "dev-1-0-0", Answer: "cat"}, {ID: "dev-1-1-0", Answer: "dog"}})
	if err != nil || soft.Accuracy != 0.3 || soft.Questions != 2 {
		t.Errorf("%+v, %v", soft, err)
	}
	statements, err := predict.StatementScore(qs, []eval.Prediction{{ID: "dev-1-1-0", Answer: "False"}, {ID: "dev-1-0-0", Answer: "True"}})
	if err != nil || statements.Accuracy != 1 || statements.Consistency != 1 || statements.Statements != 1 {
		t.Errorf("%+v, %v", statements, err)
	}
	qs[1].Label, qs[1].Truth = nil, nil
	if _, err := predict.SoftScore(qs, nil); !errors.Is(err, eval.ErrNoAnswers) || !strings.Contains(err.Error(), "1 of 2") {
		t.Errorf("without a label: %v", err)
	}
	if _, err := predict.StatementScore(qs, nil); !errors.Is(err, eval.ErrNoAnswers) {
		t.Errorf("without a truth: %v", err)
	}
}
