package eval

import "fmt"

// SoftQuestion is a question with soft labels, as LXMERT's data for VQA and GQA has them.
type SoftQuestion struct {
	ID    string
	Label map[string]float64 // right answers and how right each is, 0..1; may be empty
}

// SoftScore is LXMERT's own accuracy, a share of 1.
type SoftScore struct {
	Accuracy  float64 `json:"accuracy"`
	Questions int     `json:"questions"`
}

// Soft is the accuracy that LXMERT measures while it learns: the mean of how right the predicted answers are. Answers are compared as they
// are. On VQA it differs from the official accuracy ([VQA]) where an answer is not among the labels; on GQA's balanced questions it
// equals it. The error is a *[MatchError].
func Soft(questions []SoftQuestion, predictions []Prediction) (*SoftScore, error) {
	if len(questions) == 0 {
		return nil, errNoQuestions
	}
	answerTo, err := answersTo(ids(questions, func(q *SoftQuestion) string { return q.ID }), predictions)
	if err != nil {
		return nil, err
	}
	var all tally
	for _, q := range questions {
		all.add(q.Label[answerTo[q.ID]])
	}
	return &SoftScore{all.mean(), all.count}, nil
}

func (s *SoftScore) String() string {
	return fmt.Sprintf("Accuracy (soft labels): %.2f%% (%d questions)\n", 100*s.Accuracy, s.Questions)
}

// MarshalJSON adds the unit.
func (s *SoftScore) MarshalJSON() ([]byte, error) {
	type plain SoftScore
	return withUnit("fraction", (*plain)(s))
}
