package service

import (
	"context"
	"time"

	"github.com/go-lxmert/lxmert"
)

// HiddenStates are the language stream's last hidden states, [tokens, hidden], of a text together with the picture.
func (s *Service) HiddenStates(ctx context.Context, model string, sight *Sight, text string) (states [][]float32, err error) {
	if err := s.checkTexts("text", []string{text}); err != nil {
		return nil, err
	}
	l, err := s.use(model)
	if err != nil {
		return nil, err
	}
	defer l.release()
	start := time.Now()
	err = guarded(s.options.Log, "hidden states", func() (err error) {
		states, err = l.model.HiddenStates(ctx, lxmert.Query{Regions: sight.Regions, Question: text})
		return err
	})
	if err != nil {
		return nil, refusal("text", 1, err)
	}
	s.options.Observer.Stage("hidden_states", time.Since(start))
	return states, nil
}

// CountTokens is how many tokens a model reads of a text, those that every text has among them.
func (s *Service) CountTokens(model, text string) (int, error) {
	l, err := s.use(model)
	if err != nil {
		return 0, err
	}
	defer l.release()
	n, err := l.model.CountTokens(text)
	if err != nil {
		return 0, &Error{Invalid, "text_refused", err.Error(), err}
	}
	return n, nil
}
