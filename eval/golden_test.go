package eval

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// golden reads a file of the reference; see testdata/eval/README.md.
func golden[T any](t testing.TB, name string) T {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "testdata", "eval", name))
	if err != nil {
		t.Fatal(err)
	}
	var v T
	if err := json.Unmarshal(content, &v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

// equal compares scores; the reference gives them in full precision.
func equal(t testing.TB, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-12) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

type goldenVQA struct {
	Annotations []struct {
		ID           int    `json:"question_id"`
		QuestionType string `json:"question_type"`
		AnswerType   string `json:"answer_type"`
		Answers      []struct{ Answer string }
	}
	Predictions []struct {
		ID     int `json:"question_id"`
		Answer string
	}
}

func goldenVQAQuestions(t testing.TB) (questions []VQAQuestion, predictions []Prediction) {
	input := golden[goldenVQA](t, "vqa_input.json")
	for _, a := range input.Annotations {
		q := VQAQuestion{ID: strconv.Itoa(a.ID), QuestionType: a.QuestionType, AnswerType: a.AnswerType}
		for _, answer := range a.Answers {
			q.Answers = append(q.Answers, answer.Answer)
		}
		questions = append(questions, q)
	}
	for _, p := range input.Predictions {
		predictions = append(predictions, Prediction{strconv.Itoa(p.ID), p.Answer})
	}
	return questions, predictions
}

func TestVQAGolden(t *testing.T) {
	questions, predictions := goldenVQAQuestions(t)
	want := golden[struct {
		Accuracy struct {
			Overall         float64
			PerQuestionType map[string]float64
			PerAnswerType   map[string]float64
		}
		PerQuestion map[string]float64 `json:"per_question"`
		Applied     map[string]bool    `json:"processing_applied"`
	}](t, "vqa_expected.json")
	if len(questions) != 300 || len(want.PerQuestion) != 300 || len(want.Applied) != 300 {
		t.Fatal("want 300 questions")
	}
	got, err := VQA(questions, predictions)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "accuracy", got.Accuracy, want.Accuracy.Overall)
	if got.Questions != 300 {
		t.Errorf("%d questions, want 300", got.Questions)
	}
	compare := func(what string, got map[string]Group, want map[string]float64) {
		count := 0
		for kind, group := range got {
			equal(t, what+" "+kind, group.Score, want[kind])
			count += group.Count
		}
		if len(got) != len(want) || count != 300 {
			t.Errorf("%s: %d kinds of %d questions, want %d of 300", what, len(got), count, len(want))
		}
	}
	compare("answer type", got.ByAnswerType, want.Accuracy.PerAnswerType)
	compare("question type", got.ByQuestionType, want.Accuracy.PerQuestionType)
	for i, q := range questions {
		score, normalised := q.Score(predictions[i].Answer)
		equal(t, q.ID, roundedPercent(tally{score, 1}), want.PerQuestion[q.ID])
		if normalised != want.Applied[q.ID] {
			t.Errorf("%s: normalised %v, want %v", q.ID, normalised, want.Applied[q.ID])
		}
	}
}

type goldenSoft struct {
	Data []struct {
		ID    int `json:"question_id"`
		Label map[string]float64
	}
	Predictions []struct {
		ID     int `json:"question_id"`
		Answer string
	}
	Accuracy float64 `json:"expected_accuracy"`
	File     string  `json:"lxmert_dump_result_of_first_3"`
}

func TestSoftGolden(t *testing.T) {
	input := golden[goldenSoft](t, "lxmert_vqa_soft_eval.json")
	var questions []SoftQuestion
	var predictions []Prediction
	for i, d := range input.Data {
		questions = append(questions, SoftQuestion{ID: strconv.Itoa(d.ID), Label: d.Label})
		p := input.Predictions[i]
		predictions = append(predictions, Prediction{strconv.Itoa(p.ID), p.Answer})
	}
	got, err := Soft(questions, predictions)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "accuracy", got.Accuracy, input.Accuracy)

	var b strings.Builder
	if err := WriteVQA(&b, ids(questions[:3], func(q *SoftQuestion) string { return q.ID }), predictions[:3]); err != nil {
		t.Fatal(err)
	}
	if b.String() != input.File {
		t.Errorf("submission:\n%s\nwant\n%s", b.String(), input.File)
	}
}

type goldenGQA struct {
	Questions map[string]struct {
		Question, Answer string
		IsBalanced       bool
		Types            struct{ Structural, Semantic, Detailed string }
		Groups           struct{ Global string }
		Semantic         []GQAStep
		Entailed         []string
	}
	Choices     map[string]*GQAChoice
	Predictions []struct{ QuestionID, Prediction string }
}

// goldenGQAQuestions are in the order of the predictions, which is that of the questions in the file.
func goldenGQAQuestions(t testing.TB) (questions []GQAQuestion, predictions []Prediction) {
	input := golden[goldenGQA](t, "gqa_input.json")
	for _, p := range input.Predictions {
		q, ok := input.Questions[p.QuestionID]
		if !ok {
			t.Fatalf("no question %s", p.QuestionID)
		}
		questions = append(questions, GQAQuestion{
			ID: p.QuestionID, Question: q.Question, Answer: q.Answer, Balanced: q.IsBalanced,
			Structural: q.Types.Structural, Semantic: q.Types.Semantic, Detailed: q.Types.Detailed, GlobalGroup: q.Groups.Global,
			Steps: q.Semantic, Entailed: q.Entailed, Choices: input.Choices[p.QuestionID],
		})
		predictions = append(predictions, Prediction{p.QuestionID, p.Prediction})
	}
	return questions, predictions
}

func TestGQAGolden(t *testing.T) {
	questions, predictions := goldenGQAQuestions(t)
	want := golden[struct {
		GQAScore
		Report   string
		All      float64 `json:"lxmert_gqa_evaluator_all_questions"`
		Balanced float64 `json:"lxmert_gqa_evaluator_balanced_questions"`
		File     string  `json:"lxmert_dump_result_of_first_3"`
	}](t, "gqa_expected.json")
	got, err := GQA(questions, predictions)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range [...]struct {
		name      string
		got, want *float64
	}{
		{"accuracy", &got.Accuracy, &want.Accuracy},
		{"binary", got.Binary, want.Binary},
		{"open", got.Open, want.Open},
		{"consistency", got.Consistency, want.Consistency},
		{"validity", got.Validity, want.Validity},
		{"plausibility", got.Plausibility, want.Plausibility},
		{"distribution", got.Distribution, want.Distribution},
	} {
		if m.got == nil || m.want == nil {
			t.Errorf("%s: %v, want %v", m.name, m.got, m.want)
		} else {
			equal(t, m.name, *m.got, *m.want)
		}
	}
	goldenGroups(t, "structural type", got.ByStructuralType, want.ByStructuralType)
	goldenGroups(t, "semantic type", got.BySemanticType, want.BySemanticType)
	goldenGroups(t, "steps", got.BySteps, want.BySteps)
	goldenGroups(t, "length", got.ByLength, want.ByLength)
	if report := "\n" + got.String(); report != want.Report {
		t.Errorf("report:\n%s\nwant\n%s", report, want.Report)
	}

	var all, balanced []SoftQuestion
	var balancedPredictions []Prediction
	for i, q := range questions {
		soft := SoftQuestion{ID: q.ID, Label: map[string]float64{q.Answer: 1}}
		all = append(all, soft)
		if q.Balanced {
			balanced = append(balanced, soft)
			balancedPredictions = append(balancedPredictions, predictions[i])
		}
	}
	soft, err := Soft(all, predictions)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "LXMERT's accuracy", soft.Accuracy, want.All)
	if soft, err = Soft(balanced, balancedPredictions); err != nil {
		t.Fatal(err)
	}
	equal(t, "LXMERT's accuracy on balanced questions", soft.Accuracy, want.Balanced)

	var b strings.Builder
	if err := WriteGQA(&b, ids(questions[:3], func(q *GQAQuestion) string { return q.ID }), predictions[:3]); err != nil {
		t.Fatal(err)
	}
	if b.String() != want.File {
		t.Errorf("submission:\n%s\nwant\n%s", b.String(), want.File)
	}
}

func goldenGroups[K comparable](t *testing.T, what string, got, want map[K]Group) {
	t.Helper()
	if len(got) != len(want) || len(want) == 0 {
		t.Errorf("%s: %d kinds, want %d", what, len(got), len(want))
	}
	for kind, w := range want {
		equal(t, what, got[kind].Score, w.Score)
		if got[kind].Count != w.Count {
			t.Errorf("%s %v: %d questions, want %d", what, kind, got[kind].Count, w.Count)
		}
	}
}

type goldenNLVR2 struct {
	Accuracy    float64
	Consistency float64
	Predictions map[string]string
	File        string `json:"lxmert_dump_result_of_first_5"`
}

func TestNLVR2Golden(t *testing.T) {
	sets := golden[map[string]goldenNLVR2](t, "nlvr2_expected.json")
	if len(sets) != 6 {
		t.Fatalf("%d sets of predictions, want 6", len(sets))
	}
	var examples []NLVR2Example
	for id, label := range sets["perfect"].Predictions {
		examples = append(examples, NLVR2Example{id, label == "True"})
	}
	if len(examples) != 500 {
		t.Fatalf("%d examples, want 500", len(examples))
	}
	for name, set := range sets {
		var predictions []Prediction
		for id, answer := range set.Predictions {
			predictions = append(predictions, Prediction{id, answer})
		}
		got, err := NLVR2(examples, predictions)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, name+": accuracy", got.Accuracy, set.Accuracy)
		equal(t, name+": consistency", got.Consistency, set.Consistency)
		if got.Statements != 146 || got.Examples != 500 {
			t.Errorf("%s: %d examples of %d statements, want 500 of 146", name, got.Examples, got.Statements)
		}
		if set.File == "" {
			continue
		}
		var first []string
		for line := range strings.Lines(set.File) {
			id, _, _ := strings.Cut(line, ",")
			first = append(first, id)
		}
		var five []Prediction
		for _, id := range first {
			five = append(five, Prediction{id, set.Predictions[id]})
		}
		var b strings.Builder
		if err := WriteNLVR2(&b, first, five); err != nil {
			t.Fatal(err)
		}
		if b.String() != set.File {
			t.Errorf("submission:\n%s\nwant\n%s", b.String(), set.File)
		}
	}
	if sets["noisy_95"].File == "" {
		t.Error("the reference has no submission file")
	}
}
