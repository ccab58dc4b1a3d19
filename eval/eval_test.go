package eval

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Predictions must be one for each question; the error has every one that is not, and names them.
func TestMatchError(t *testing.T) {
	questions := []string{"1", "2", "3", "3", "4"}
	predictions := []Prediction{{"1", "a"}, {"1", "b"}, {"1", "c"}, {"5", "x"}, {"4", ""}}
	_, err := answersTo(questions, predictions)
	var match *MatchError
	if !errors.As(err, &match) {
		t.Fatalf("error %v", err)
	}
	want := &MatchError{Missing: []string{"2", "3"}, Unknown: []string{"5"}, Duplicate: []string{"1"}, Repeated: []string{"3"}}
	if !reflect.DeepEqual(match, want) {
		t.Errorf("found %+v, want %+v", match, want)
	}
	const text = `2 questions without a prediction: "2", "3"; 1 question not in the list of questions: "5"; ` +
		`1 question predicted more than once: "1"; 1 question more than once in the list of questions: "3"`
	if err.Error() != text {
		t.Errorf("error %q, want %q", err, text)
	}
	many := make([]string, 1234)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	if _, err := answersTo(many, nil); !strings.HasSuffix(err.Error(), `"9" and 1224 more`) || len(err.Error()) > 200 {
		t.Errorf("error %q", err)
	}
}

// Every score refuses predictions that do not fit, and no questions.
func TestScoresMatch(t *testing.T) {
	scores := map[string]func(questions []string, p []Prediction) error{
		"VQA": func(questions []string, p []Prediction) error {
			var list []VQAQuestion
			for _, id := range questions {
				list = append(list, VQAQuestion{ID: id, Answers: []string{"yes", "no"}})
			}
			_, err := VQA(list, p)
			return err
		},
		"Soft": func(questions []string, p []Prediction) error {
			var list []SoftQuestion
			for _, id := range questions {
				list = append(list, SoftQuestion{ID: id})
			}
			_, err := Soft(list, p)
			return err
		},
		"GQA": func(questions []string, p []Prediction) error {
			var list []GQAQuestion
			for _, id := range questions {
				list = append(list, GQAQuestion{ID: id, Balanced: true})
			}
			_, err := GQA(list, p)
			return err
		},
		"NLVR2": func(questions []string, p []Prediction) error {
			var list []NLVR2Example
			for _, id := range questions {
				list = append(list, NLVR2Example{Identifier: id})
			}
			_, err := NLVR2(list, p)
			return err
		},
	}
	a, b := Prediction{"dev-1-0-0", "True"}, Prediction{"dev-1-1-0", "false"}
	both := []string{a.ID, b.ID}
	for name, score := range scores {
		if err := score(both, []Prediction{b, a}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := score(nil, nil); !errors.Is(err, errNoQuestions) {
			t.Errorf("%s: no questions: %v", name, err)
		}
		for what, want := range map[string]struct {
			questions   []string
			predictions []Prediction
			err         MatchError
		}{
			"missing":   {both, []Prediction{a}, MatchError{Missing: []string{b.ID}}},
			"unknown":   {both[:1], []Prediction{a, b}, MatchError{Unknown: []string{b.ID}}},
			"duplicate": {both, []Prediction{a, b, a}, MatchError{Duplicate: []string{a.ID}}},
			"repeated":  {append(both, a.ID), []Prediction{a, b}, MatchError{Repeated: []string{a.ID}}},
		} {
			var match *MatchError
			err := score(want.questions, want.predictions)
			if !errors.As(err, &match) || strings.Join(slices.Concat(match.Missing, match.Unknown, match.Duplicate, match.Repeated), " ") !=
				strings.Join(slices.Concat(want.err.Missing, want.err.Unknown, want.err.Duplicate, want.err.Repeated), " ") {
				t.Errorf("%s: %s: %v", name, what, err)
			}
		}
	}
}

// With ten people, the accuracy depends on how many agree as the reference has tabulated.
func TestVQALeavesOneOut(t *testing.T) {
	for agree, want := range []float64{0, 0.3, 0.6, 0.9, 1, 1, 1, 1, 1, 1, 1} {
		q := VQAQuestion{Answers: slices.Concat(slices.Repeat([]string{"Two."}, agree), slices.Repeat([]string{"red"}, 10-agree))}
		answer := "2"
		if agree == 10 {
			answer = "Two." // nobody disagrees, so nothing is normalised
		}
		got, normalised := q.Score(answer)
		equal(t, fmt.Sprint(agree), got, want)
		if normalised != (agree > 0 && agree < 10) {
			t.Errorf("%d: normalised %v", agree, normalised)
		}
	}
	all := VQAQuestion{Answers: slices.Repeat([]string{"\tTwo. "}, 10)}
	if got, _ := all.Score("2"); got != 0 {
		t.Errorf("an unanimous answer was normalised: %v", got)
	}
	if got, _ := all.Score("Two.\n"); got != 1 {
		t.Errorf("an unanimous answer was not trimmed: %v", got)
	}
	one := VQAQuestion{Answers: []string{"yes"}}
	if got, _ := one.Score("yes"); got != 0 {
		t.Errorf("one person's answer has no others to agree with: %v", got)
	}
}

func TestSoftByDataSet(t *testing.T) {
	questions := []SoftQuestion{{"1", map[string]float64{"a": 0.3}, "vqa"}, {"2", map[string]float64{"a": 1}, "vqa"}, {"3", nil, "gqa"}, {"4", map[string]float64{"b": 1}, ""}}
	got, err := Soft(questions, []Prediction{{"1", "a"}, {"2", "a"}, {"3", "a"}, {"4", "b"}})
	want := &SoftScore{(0.3 + 1 + 1) / 4, 4, map[string]Group{"vqa": {1.3 / 2, 2}, "gqa": {0, 1}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

func TestVQANobodyAnswered(t *testing.T) {
	_, err := VQA([]VQAQuestion{{ID: "7"}, {ID: "8", Answers: []string{"a"}}}, []Prediction{{"7", ""}, {"8", ""}})
	if err == nil || err.Error() != `1 question without people's answers: "7"` {
		t.Errorf("error %v", err)
	}
}

// Halves go to the even neighbour, as in Python 3.
func TestRoundedPercent(t *testing.T) {
	for _, c := range []struct {
		t    tally
		want float64
	}{{tally{5, 8}, 62.5}, {tally{1, 3}, 33.33}, {tally{2, 3}, 66.67}, {tally{4.97, 8}, 62.12}, {tally{0.62135, 1}, 62.13}, {tally{0, 5}, 0}} {
		if got := roundedPercent(c.t); got != c.want {
			t.Errorf("%+v: %v, want %v", c.t, got, c.want)
		}
	}
}

// GQA measures what it has been given: without choices no validity, without all predictions no consistency, and says why.
func TestGQAWithout(t *testing.T) {
	questions, predictions := goldenGQAQuestions(t)
	for i := range questions {
		questions[i].Choices, questions[i].GlobalGroup = nil, ""
	}
	s, err := GQA(questions, predictions)
	if err != nil {
		t.Fatal(err)
	}
	if s.Validity != nil || s.Plausibility != nil || s.Distribution != nil || s.Consistency == nil {
		t.Errorf("without choices and groups: %v", s)
	}

	var balanced []Prediction
	for i, q := range questions {
		if q.Balanced {
			balanced = append(balanced, predictions[i])
		}
	}
	missing := len(questions) - len(balanced)
	if s, err = GQA(questions, balanced); err != nil {
		t.Fatal(err)
	}
	if s.Consistency != nil || !strings.HasPrefix(s.NoConsistency, fmt.Sprintf("%d questions not balanced have no prediction", missing)) ||
		!strings.Contains(s.String(), "no consistency: ") {
		t.Errorf("with predictions for balanced questions only: %v", s)
	}

	var list []GQAQuestion
	for _, q := range questions {
		if q.Balanced {
			list = append(list, q)
		}
	}
	if s, err = GQA(list, balanced); err != nil {
		t.Fatal(err)
	}
	if s.Consistency != nil || !strings.Contains(s.NoConsistency, "entailed questions are not in the list") {
		t.Errorf("with balanced questions only: %v", s)
	}

	list[3].Choices = &GQAChoice{}
	if _, err = GQA(list, balanced); err == nil || !strings.Contains(err.Error(), "without choices, where others have them") {
		t.Errorf("choices for one question: %v", err)
	}
	if _, err = GQA([]GQAQuestion{{ID: "1"}}, []Prediction{{"1", ""}}); !errors.Is(err, errNoQuestions) {
		t.Errorf("nothing balanced: %v", err)
	}
	s, err = GQA([]GQAQuestion{{ID: "1", Balanced: true, Structural: "query"}}, []Prediction{{"1", "a"}})
	if err != nil || s.Binary != nil || s.Open == nil || *s.Open != 0 || s.NoConsistency != "no rightly answered question entails another" {
		t.Errorf("one open question: %v, %v", s, err)
	}
}

// The order in which the records come must not change a digit.
func TestGQAOrder(t *testing.T) {
	questions, predictions := goldenGQAQuestions(t)
	first, err := GQA(questions, predictions)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		again, err := GQA(questions, predictions)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(first, again) {
			t.Fatalf("%v, then %v", first, again)
		}
	}
}

func TestNLVR2Errors(t *testing.T) {
	_, err := NLVR2([]NLVR2Example{{"dev-1-0", true}, {"dev-1-0-0", true}}, []Prediction{{"dev-1-0", "True"}, {"dev-1-0-0", "yes"}})
	if err == nil || !strings.Contains(err.Error(), `identifier "dev-1-0": want`) || !strings.Contains(err.Error(), `"dev-1-0-0": found "yes", want True or False`) {
		t.Errorf("error %v", err)
	}
}

// The JSON of every score has its unit and an accuracy, and reads back as the same numbers.
func TestScoreJSON(t *testing.T) {
	half := 50.0
	for _, c := range []struct {
		score any
		unit  string
	}{
		{&VQAScore{Accuracy: 73.93, Questions: 2, ByAnswerType: map[string]Group{"yes/no": {1, 2}}}, "percent"},
		{&SoftScore{0.5, 2, map[string]Group{"gqa": {0.25, 1}}}, "fraction"},
		{&GQAScore{Accuracy: 0.1 + 0.2, Open: &half, BySteps: map[int]Group{10: {50, 2}}}, "percent"},
		{&NLVR2Score{0.954, 0.8561643835616438, 500, 146}, "fraction"},
	} {
		content, err := json.Marshal(c.score)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(content, &fields); err != nil {
			t.Fatalf("%s: %v", content, err)
		}
		if _, ok := fields["accuracy"].(float64); !ok || fields["unit"] != c.unit {
			t.Errorf("%s: want an accuracy, and unit %s", content, c.unit)
		}
		again := reflect.New(reflect.TypeOf(c.score).Elem()).Interface()
		if err := json.Unmarshal(content, again); err != nil || !reflect.DeepEqual(again, c.score) {
			t.Errorf("%s read back as %+v, %v", content, again, err)
		}
	}
}

func TestReports(t *testing.T) {
	for _, c := range []struct {
		score fmt.Stringer
		want  string
	}{
		{&VQAScore{Accuracy: 73.9, Questions: 12, ByAnswerType: map[string]Group{"yes/no": {80, 5}, "number": {100.0 / 3, 7}}},
			"Accuracy: 73.90% (12 questions)\n\nAccuracy / answer type:\n  number: 33.33% (7 questions)\n  yes/no: 80.00% (5 questions)\n"},
		{&SoftScore{0.34449, 200, map[string]Group{"vqa": {0.3, 150}, "gqa": {0.47796, 50}}},
			"Accuracy (soft labels): 34.45% (200 questions)\n\nAccuracy / data set:\n  gqa: 47.80% (50 questions)\n  vqa: 30.00% (150 questions)\n"},
		{&NLVR2Score{0.954, 0.8561643835616438, 500, 146}, "Accuracy: 95.40% (500 examples)\nConsistency: 85.62% (146 statements)\n"},
	} {
		if got := c.score.String(); got != c.want {
			t.Errorf("report:\n%s\nwant\n%s", got, c.want)
		}
	}
}

func TestChiSquareByHand(t *testing.T) {
	var d gqaDistribution
	for _, a := range [][3]string{{"x", "a", "a"}, {"x", "a", "b"}, {"x", "b", "b"}, {"y", "c", "d"}} {
		d.add(a[0], a[1], a[2])
	}
	// x: a right 2, given 1: 1/2; b right 1, given 2: 1/1; so 1.5 over 3 questions. y: c right 1, given 0: 1 over 1.
	if got := d.chiSquare(); got == nil || math.Abs(*got-(1.5*3+1*1)/4/100) > 1e-15 {
		t.Errorf("χ² %v", got)
	}
}

func BenchmarkVQA(b *testing.B) {
	questions, predictions := goldenVQAQuestions(b)
	for b.Loop() {
		if _, err := VQA(questions, predictions); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(questions)), "ns/question")
}
