// Package eval scores answers as the data sets' own evaluations do, and writes the files that their servers take.
//
//	VQA     [VQA]: accuracy against ten people's answers; [Soft]: LXMERT's own, against soft labels
//	GQA     [GQA]: accuracy, and what the official script measures besides
//	NLVR2   [NLVR2]: accuracy and consistency
//
// Scores are in the official unit, which differs: percent for VQA and GQA, a share of 1 for NLVR2 and LXMERT's own. Each says
// so in its JSON ("unit"). Its String is a report for people, always in percent.
//
// Questions and predictions come as plain records. What only scoring needs is read here from the data sets' own files: VQA's annotations, GQA's questions and
// choices, predictions in a submission's format; these are written here too. Questions to be asked are read by package questions, and package predict
// brings them and a model together.
package eval

import (
	"errors"
	"fmt"
	"strings"
)

// Prediction is the answer that is to be scored or submitted. VQA's and GQA's questions are known by their number
// in decimal, NLVR2's examples by their identifier, such as dev-850-0-0, and answered "True" or "False".
type Prediction struct {
	ID     string
	Answer string
}

// MatchError says that predictions are not one for each question.
type MatchError struct {
	Missing   []string // questions without a prediction, in the questions' order
	Unknown   []string // predictions for no question, in the predictions' order
	Duplicate []string // questions predicted more than once, each named once
	Repeated  []string // questions that the list of questions itself has more than once
}

func (e *MatchError) Error() string {
	var parts []string
	for _, p := range [...]struct {
		what string
		ids  []string
	}{
		{"without a prediction", e.Missing},
		{"not in the list of questions", e.Unknown},
		{"predicted more than once", e.Duplicate},
		{"more than once in the list of questions", e.Repeated},
	} {
		if len(p.ids) > 0 {
			parts = append(parts, named(len(p.ids), "question")+" "+p.what+": "+some(p.ids))
		}
	}
	return strings.Join(parts, "; ")
}

// mostNamed is how many questions an error names; more would only scroll by.
const mostNamed = 10

// some names the first of ids and counts the rest.
func some(ids []string) string {
	shown := make([]string, min(len(ids), mostNamed))
	for i := range shown {
		shown[i] = fmt.Sprintf("%.60q", ids[i])
	}
	text := strings.Join(shown, ", ")
	if more := len(ids) - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// named is a number with its noun.
func named(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

var errNoQuestions = errors.New("no questions to score")

// answersTo gives each question its prediction. The error is a *[MatchError].
func answersTo(questions []string, predictions []Prediction) (map[string]string, error) {
	answers, err := sortOut(questions, predictions)
	if len(err.Missing)+len(err.Unknown)+len(err.Duplicate)+len(err.Repeated) > 0 {
		return nil, err
	}
	return answers, nil
}

// sortOut is [answersTo] for callers to whom some of it is no error.
func sortOut(questions []string, predictions []Prediction) (map[string]string, *MatchError) {
	err := &MatchError{}
	count := make(map[string]int, len(questions)) // of predictions
	for _, id := range questions {
		if _, twice := count[id]; twice {
			err.Repeated = append(err.Repeated, id)
		}
		count[id] = 0
	}
	answers := make(map[string]string, len(questions))
	for _, p := range predictions {
		n, known := count[p.ID]
		if !known {
			err.Unknown = append(err.Unknown, p.ID)
			continue
		}
		if n == 1 {
			err.Duplicate = append(err.Duplicate, p.ID)
		}
		count[p.ID] = n + 1
		answers[p.ID] = p.Answer
	}
	for _, id := range questions {
		if n, asked := count[id]; asked && n == 0 {
			err.Missing = append(err.Missing, id)
			delete(count, id) // named once, however often it is asked
		}
	}
	return answers, err
}

// ids lists the questions' names.
func ids[Q any](questions []Q, id func(*Q) string) []string {
	list := make([]string, len(questions))
	for i := range questions {
		list[i] = id(&questions[i])
	}
	return list
}
