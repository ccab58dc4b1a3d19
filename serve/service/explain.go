package service

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/explain"
)

// ExplainOptions say which answer is explained, and how.
type ExplainOptions struct {
	Method      string // see [explain.Method]; "" is relevance
	Maps        string // see [explain.Detail]; "" is none
	Layer, Head *int   // of method attention

	Answer     *int   // the answer's id; nil: by AnswerText, or else the best
	AnswerText string // as in the answer table; upper and lower case are alike
}

// Explain says what in the question and in the picture has counted for an answer; and gives the top answers to the question, at most.
func (s *Service) Explain(ctx context.Context, model string, sight *Sight, question string, o ExplainOptions, top int) (*explain.Explanation, []Answer, error) {
	if err := s.checkTexts("question", []string{question}); err != nil {
		return nil, nil, err
	}
	l, err := s.use(model)
	if err != nil {
		return nil, nil, err
	}
	defer l.release()
	how := explain.Options{Method: explain.Method(o.Method), Maps: explain.Detail(o.Maps), Layer: o.Layer, Head: o.Head}
	if how.Answer, err = l.answer(o); err != nil {
		return nil, nil, err
	}
	start := time.Now()
	var e *explain.Explanation
	err = guarded(s.options.Log, "explain", func() (err error) {
		e, err = explain.Relevance(ctx, l.model, sight.Regions, question, how)
		return err
	})
	switch known := AsError(err); {
	case known == nil:
	case known.Kind == Internal && known.Err == err: // package explain speaks of the request
		return nil, nil, &Error{Invalid, "explanation_refused", err.Error(), err}
	default:
		return nil, nil, known
	}
	s.options.Observer.Stage("explain", time.Since(start))
	answers := make([]lxmert.Answer, len(e.Answers))
	for i, a := range e.Answers {
		answers[i] = lxmert.Answer(a)
	}
	return e, sight.answers(answers, top), nil
}

// answer is the id of the answer to explain; nil for the best.
func (l *loaded) answer(o ExplainOptions) (*int, error) {
	if o.Answer != nil || o.AnswerText == "" {
		return o.Answer, nil
	}
	id := slices.IndexFunc(l.labels, func(label string) bool { return strings.EqualFold(label, o.AnswerText) })
	if id < 0 {
		return nil, &Error{Invalid, "answer_unknown", fmt.Sprintf("model %s knows no answer %.80q", l.card.ID, o.AnswerText), nil}
	}
	return &id, nil
}
