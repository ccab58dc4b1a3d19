package predict

import (
	"encoding/json"
	"fmt"
	"iter"

	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/eval"
)

// Score is a score of any of the data sets: *eval.VQAScore, *eval.GQAScore, *eval.NLVR2Score or *eval.SoftScore. Its String is a report for people, its JSON
// has "accuracy" and "unit".
type Score interface {
	json.Marshaler
	fmt.Stringer
}

// SoftScore scores predictions by the labels that the questions carry, see [eval.Soft]. The error is [eval.ErrNoAnswers] if a question has none, or a
// *[eval.MatchError].
func SoftScore(qs []questions.Question, predictions []eval.Prediction) (*eval.SoftScore, error) {
	var unknown []questions.ID
	labelled := make([]eval.SoftQuestion, len(qs))
	for i, q := range qs {
		if q.Label == nil {
			unknown = append(unknown, q.ID)
		}
		label := make(map[string]float64, len(q.Label))
		for _, s := range q.Label {
			label[s.Answer] = s.Score
		}
		labelled[i] = eval.SoftQuestion{ID: q.ID.String(), Label: label, DataSet: q.Source}
	}
	if unknown != nil {
		return nil, withoutAnswers(unknown, len(qs), "label")
	}
	return eval.Soft(labelled, predictions)
}

// StatementScore scores predictions by the statements' own truth, see [eval.NLVR2]. The error is [eval.ErrNoAnswers] if that of one is unknown.
func StatementScore(qs []questions.Question, predictions []eval.Prediction) (*eval.NLVR2Score, error) {
	var unknown []questions.ID
	examples := make([]eval.NLVR2Example, len(qs))
	for i, q := range qs {
		if q.Truth == nil {
			unknown = append(unknown, q.ID)
			continue
		}
		examples[i] = eval.NLVR2Example{Identifier: q.ID.String(), Label: *q.Truth}
	}
	if unknown != nil {
		return nil, withoutAnswers(unknown, len(qs), "label")
	}
	return eval.NLVR2(examples, predictions)
}

func withoutAnswers(unknown []questions.ID, of int, what string) error {
	return fmt.Errorf("%w: %d of %d questions have no %s, the first is %.60q", eval.ErrNoAnswers, len(unknown), of, what, unknown[0])
}

// IDs are the questions' ids as submissions have them.
func IDs(qs []questions.Question) []string {
	ids := make([]string, len(qs))
	for i, q := range qs {
		ids[i] = q.ID.String()
	}
	return ids
}

// Examples are questions as package eval compares them, to find out which of them a model has learned from ([eval.NewTrained], [eval.Overlaps]).
func Examples(qs []questions.Question) iter.Seq[eval.Example] {
	return func(yield func(eval.Example) bool) {
		for i := range qs {
			if !yield(eval.Example{Pictures: picturesOf(&qs[i]), Text: qs[i].Sentence}) {
				return
			}
		}
	}
}
