package eval

import (
	"errors"
	"fmt"
	"strings"
)

// NLVR2Example is a statement about a pair of pictures.
type NLVR2Example struct {
	Identifier string // split-set-pair-sentence, such as dev-850-0-0
	Label      bool   // whether the statement is true
}

// NLVR2Score is the official score, as shares of 1.
type NLVR2Score struct {
	Accuracy    float64 `json:"accuracy"`
	Consistency float64 `json:"consistency"` // share of statements that are judged right about every pair of pictures
	Examples    int     `json:"examples"`
	Statements  int     `json:"statements"`
}

// NLVR2 is the official score of predictions, one for each example, each "True" or "False" in whatever case. The error names
// examples that are missing, unknown or predicted twice (a *[MatchError]), or what is not an answer or an identifier.
func NLVR2(examples []NLVR2Example, predictions []Prediction) (*NLVR2Score, error) {
	if len(examples) == 0 {
		return nil, errNoQuestions
	}
	answerTo, err := answersTo(ids(examples, func(e *NLVR2Example) string { return e.Identifier }), predictions)
	if err != nil {
		return nil, err
	}
	var errs []error
	var all tally
	wrong := make(map[string]bool, len(examples)) // by statement
	for _, e := range examples {
		statement, err := statementOf(e.Identifier)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		answer, err := truth(answerTo[e.Identifier])
		if err != nil {
			errs = append(errs, fmt.Errorf("prediction for %q: %w", e.Identifier, err))
			continue
		}
		score := 0.0
		if answer == e.Label {
			score = 1
		}
		all.add(score)
		wrong[statement] = wrong[statement] || answer != e.Label
	}
	if errs != nil {
		return nil, firstErrors(errs)
	}
	var consistent tally
	for _, w := range wrong {
		if w {
			consistent.add(0)
		} else {
			consistent.add(1)
		}
	}
	return &NLVR2Score{all.mean(), consistent.mean(), all.count, consistent.count}, nil
}

// statementOf is an identifier without the pair of pictures.
func statementOf(identifier string) (string, error) {
	parts := strings.Split(identifier, "-")
	if len(parts) < 4 {
		return "", fmt.Errorf("identifier %q: want split-set-pair-sentence, such as dev-850-0-0", identifier)
	}
	parts[2] = ""
	return strings.Join(parts, "-"), nil
}

// truth reads an answer.
func truth(answer string) (bool, error) {
	switch strings.ToLower(answer) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fmt.Errorf("found %.40q, want True or False", answer)
}

// firstErrors joins the first few errors and counts the rest.
func firstErrors(errs []error) error {
	if more := len(errs) - mostNamed; more > 0 {
		errs = append(errs[:mostNamed:mostNamed], fmt.Errorf("and %d more", more))
	}
	return errors.Join(errs...)
}

func (s *NLVR2Score) String() string {
	return fmt.Sprintf("Accuracy: %.2f%% (%d examples)\nConsistency: %.2f%% (%d statements)\n", 100*s.Accuracy, s.Examples, 100*s.Consistency, s.Statements)
}

// MarshalJSON adds the unit.
func (s *NLVR2Score) MarshalJSON() ([]byte, error) {
	type plain NLVR2Score
	return withUnit("fraction", (*plain)(s))
}
