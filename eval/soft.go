package eval

import "fmt"

// SoftQuestion is a question with soft labels, as LXMERT's data for VQA and GQA has them.
type SoftQuestion struct {
	ID      string
	Label   map[string]float64 // right answers and how right each is, 0..1; may be empty
	DataSet string             // which of several it comes from, as in pre-training; may be empty
}

// SoftScore is LXMERT's own accuracy, a share of 1.
type SoftScore struct {
	Accuracy  float64          `json:"accuracy"`
	Questions int              `json:"questions"`
	ByDataSet map[string]Group `json:"perDataSet,omitempty"` // nil if questions do not say
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
	byDataSet := tallies[string]{}
	for _, q := range questions {
		score := q.Label[answerTo[q.ID]]
		all.add(score)
		if q.DataSet != "" {
			byDataSet.add(q.DataSet, score)
		}
	}
	s := &SoftScore{Accuracy: all.mean(), Questions: all.count}
	if len(byDataSet) > 0 {
		s.ByDataSet = byDataSet.groups(tally.mean)
	}
	return s, nil
}

func (s *SoftScore) String() string {
	var r report
	fmt.Fprintf(&r, "Accuracy (soft labels): %.2f%% (%d questions)\n", 100*s.Accuracy, s.Questions)
	inPercent := map[string]Group{}
	for name, g := range s.ByDataSet {
		inPercent[name] = Group{100 * g.Score, g.Count}
	}
	reportGroups(&r, "Accuracy / data set", inPercent)
	return r.String()
}

// MarshalJSON adds the unit.
func (s *SoftScore) MarshalJSON() ([]byte, error) {
	type plain SoftScore
	return withUnit("fraction", (*plain)(s))
}
