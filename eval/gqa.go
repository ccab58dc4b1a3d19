package eval

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert/data/answers"
)

// GQAQuestion is what the official GQA evaluation knows about a question: its record in the questions file, and its choices.
type GQAQuestion struct {
	ID          string
	Question    string
	Answer      string
	Balanced    bool       // only balanced questions are scored; the others count for consistency
	Structural  string     // its type: "query" is an open question; "verify", "choose", "logical" and "compare" are binary
	Semantic    string     // its type: "obj", "attr", "cat", "rel" or "global"
	Detailed    string     // its type, such as "chooseAttr"
	GlobalGroup string     // of questions with a common range of answers; empty: in none
	Steps       []GQAStep  // its program
	Entailed    []string   // questions whose answers follow from this one's
	Choices     *GQAChoice // nil where they are not known, as for testdev
}

// GQAStep is an operation of a question's program.
type GQAStep struct{ Operation, Argument string }

// GQAChoice is what may answer a question at all (a color where one is asked for), and what may in this world (no purple apples).
type GQAChoice struct{ Valid, Plausible []string }

// GQAScore is what the official script measures, in percent but for Distribution. A measure is nil where there was nothing to measure it by.
type GQAScore struct {
	Accuracy     float64  `json:"accuracy"`
	Questions    int      `json:"questions"`              // balanced ones
	Binary       *float64 `json:"binary,omitempty"`       // accuracy over all but open questions
	Open         *float64 `json:"open,omitempty"`         // accuracy over questions of structural type "query"
	Consistency  *float64 `json:"consistency,omitempty"`  // share of right answers to what right answers entail
	Validity     *float64 `json:"validity,omitempty"`     // share of answers that may answer the question at all
	Plausibility *float64 `json:"plausibility,omitempty"` // share of answers that may answer it in this world
	Distribution *float64 `json:"distribution,omitempty"` // χ² between how often answers are right and are given; lower is better

	ByStructuralType map[string]Group `json:"accuracyPerStructuralType"`
	BySemanticType   map[string]Group `json:"accuracyPerSemanticType"`
	BySteps          map[int]Group    `json:"accuracyPerSteps"`  // steps of reasoning
	ByLength         map[int]Group    `json:"accuracyPerLength"` // words

	NoConsistency string `json:"noConsistency,omitempty"` // why Consistency is nil
}

// GQA is the official score of predictions: one for each balanced question, and for consistency one for every question. questions are those of the
// split that there are: the balanced ones, or all. Answers are compared as they are. Grounding, which needs scene graphs and attention
// maps, is not measured.
//
// The error names balanced questions without a prediction and predictions that are unknown or come twice (a *[MatchError]), or scored questions
// without choices where others have them.
func GQA(questions []GQAQuestion, predictions []Prediction) (*GQAScore, error) {
	byID := make(map[string]*GQAQuestion, len(questions))
	for i := range questions {
		byID[questions[i].ID] = &questions[i]
	}
	answerTo, match := sortOut(ids(questions, func(q *GQAQuestion) string { return q.ID }), predictions)
	unpredicted := len(match.Missing)
	match.Missing = slices.DeleteFunc(match.Missing, func(id string) bool { return !byID[id].Balanced })
	if len(match.Missing)+len(match.Unknown)+len(match.Duplicate)+len(match.Repeated) > 0 {
		return nil, match
	}

	var all, binary, open, valid, plausible, consistent tally
	structural, semantic := tallies[string]{}, tallies[string]{}
	steps, length := tallies[int]{}, tallies[int]{}
	var distribution gqaDistribution
	var withoutChoices, withoutEntailed []string
	for i := range questions {
		q := &questions[i]
		if !q.Balanced {
			continue
		}
		answer := answerTo[q.ID]
		score := right(answer == q.Answer)
		all.add(score)
		structural.add(q.Structural, score)
		semantic.add(q.Semantic, score)
		steps.add(q.reasoningSteps(), score)
		length.add(len(answers.Words(q.Question)), score)
		if q.Structural == "query" {
			open.add(score)
		} else {
			binary.add(score)
		}
		if q.Choices == nil {
			withoutChoices = append(withoutChoices, q.ID)
		} else {
			valid.add(right(q.isAmong(answer, q.Choices.Valid)))
			plausible.add(right(q.isAmong(answer, q.Choices.Plausible)))
		}
		if q.GlobalGroup != "" {
			distribution.add(q.GlobalGroup, q.Answer, answer)
		}
		if answer == q.Answer {
			entailed, unknown := q.entailedTally(byID, answerTo)
			withoutEntailed = append(withoutEntailed, unknown...)
			if entailed.count > 0 {
				consistent.add(entailed.mean())
			}
		}
	}
	if all.count == 0 {
		return nil, fmt.Errorf("%w: none of %s is balanced", errNoQuestions, named(len(questions), "question"))
	}
	if valid.count > 0 && withoutChoices != nil {
		return nil, fmt.Errorf("%s without choices, where others have them: %s", named(len(withoutChoices), "balanced question"), some(withoutChoices))
	}
	s := &GQAScore{
		Accuracy: all.mean() * 100, Questions: all.count,
		Binary: binary.percent(), Open: open.percent(),
		Validity: valid.percent(), Plausibility: plausible.percent(), Distribution: distribution.chiSquare(),
		ByStructuralType: structural.groups(tallyPercent), BySemanticType: semantic.groups(tallyPercent),
		BySteps: steps.groups(tallyPercent), ByLength: length.groups(tallyPercent),
	}
	switch {
	case unpredicted > 0:
		s.NoConsistency = fmt.Sprintf("%s not balanced have no prediction; consistency needs one for every question", named(unpredicted, "question"))
	case withoutEntailed != nil:
		s.NoConsistency = fmt.Sprintf("entailed questions are not in the list, which must be that of all questions: %s", some(withoutEntailed))
	case consistent.count == 0:
		s.NoConsistency = "no rightly answered question entails another"
	default:
		s.Consistency = consistent.percent()
	}
	return s, nil
}

func tallyPercent(t tally) float64 { return t.mean() * 100 }

func right(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// reasoningSteps counts the steps of the program but those that only ask for the result.
func (q *GQAQuestion) reasoningSteps() int {
	n := 0
	for _, step := range q.Steps {
		text := step.Operation + ": " + step.Argument
		if !strings.Contains(text, "exist") && !strings.Contains(text, "query: name") && !strings.Contains(text, "choose name") {
			n++
		}
	}
	return n
}

// isAmong reports whether answer is one of the choices. What things have in common is one of three, whatever the choices say.
func (q *GQAQuestion) isAmong(answer string, choices []string) bool {
	if strings.Contains(q.Detailed, "Common") {
		choices = []string{"color", "material", "shape"}
	}
	return slices.Contains(choices, answer)
}

// entailedTally sums up the answers to what a question entails but itself, and names questions that are not in the list.
func (q *GQAQuestion) entailedTally(byID map[string]*GQAQuestion, answerTo map[string]string) (t tally, unknown []string) {
	for _, id := range q.Entailed {
		if id == q.ID {
			continue
		}
		if other, ok := byID[id]; ok {
			t.add(right(answerTo[id] == other.Answer))
		} else {
			unknown = append(unknown, id)
		}
	}
	return t, unknown
}

// String is what the official script prints, and why there is no consistency.
func (s *GQAScore) String() string {
	var r report
	r.percent("Binary", s.Binary)
	r.percent("Open", s.Open)
	r.percent("Accuracy", &s.Accuracy)
	r.percent("Consistency", s.Consistency)
	r.percent("Validity", s.Validity)
	r.percent("Plausibility", s.Plausibility)
	if s.Distribution != nil {
		fmt.Fprintf(&r, "Distribution: %.2f (lower is better)\n", *s.Distribution)
	}
	if s.NoConsistency != "" {
		fmt.Fprintf(&r, "(no consistency: %s)\n", s.NoConsistency)
	}
	reportGroups(&r, "Accuracy / structural type", s.ByStructuralType)
	reportGroups(&r, "Accuracy / semantic type", s.BySemanticType)
	reportGroups(&r, "Accuracy / steps number", s.BySteps)
	reportGroups(&r, "Accuracy / words number", s.ByLength)
	return r.String()
}

// MarshalJSON adds the unit.
func (s *GQAScore) MarshalJSON() ([]byte, error) {
	type plain GQAScore
	return withUnit("percent", (*plain)(s))
}
