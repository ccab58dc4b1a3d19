package service

import (
	"context"
	"fmt"
	"time"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/model"
)

// An Answer is one answer to a question.
type Answer struct {
	ID          int     `json:"id"`
	Text        string  `json:"answer"`
	Score       float32 `json:"score"`       // the logit
	Probability float32 `json:"probability"` // the softmax over all answers
	Confidence  float32 `json:"confidence"`  // the probability, less where the picture is not of the model's world
}

// A Result is what a question has for answers, the best first.
type Result struct {
	Question string   `json:"question"`
	Answers  []Answer `json:"answers"`
}

// Answer answers questions about a picture, or about regions; top answers each, at most. Questions of many callers go through the model together.
func (s *Service) Answer(ctx context.Context, model string, sight *Sight, questions []string, top int) ([]Result, error) {
	return s.AnswerEach(ctx, model, []*Sight{sight}, questions, top)
}

// AnswerEach is Answer for questions that have a picture each; one sight alone is for all of them.
func (s *Service) AnswerEach(ctx context.Context, model string, sights []*Sight, questions []string, top int) ([]Result, error) {
	if err := s.checkTexts("question", questions); err != nil {
		return nil, err
	}
	if len(sights) != 1 && len(sights) != len(questions) {
		return nil, Invalidf("found %d pictures for %d questions, want 1, or one for each", len(sights), len(questions))
	}
	if top < 1 {
		return nil, Invalidf("found %d answers asked for, want 1 or more", top)
	}
	l, err := s.use(model)
	if err != nil {
		return nil, err
	}
	defer l.release()
	queries := queriesAbout(sights[0], questions)
	for i, sight := range sights {
		queries[i].Regions = sight.Regions
	}
	answers, err := l.batcher.ask(ctx, queries)
	if err != nil {
		return nil, refusal("question", len(questions), err)
	}
	results := make([]Result, len(questions))
	for i, all := range answers {
		results[i] = Result{questions[i], sights[min(i, len(sights)-1)].answers(all, top)}
	}
	return results, nil
}

// answers are the first of a model's.
func (v *Sight) answers(all []lxmert.Answer, top int) []Answer {
	list := make([]Answer, min(top, len(all)))
	for i, a := range all[:len(list)] {
		list[i] = Answer{a.ID, a.Text, a.Score, a.Probability, a.Probability * float32(v.Trust)}
	}
	return list
}

func queriesAbout(sight *Sight, texts []string) []lxmert.Query {
	queries := make([]lxmert.Query, len(texts))
	for i, text := range texts {
		queries[i] = lxmert.Query{Regions: sight.Regions, Question: text}
	}
	return queries
}

// refusal is an error about texts: those that the model refuses are the request's fault, and named by their number if there are several.
func refusal(what string, n int, err error) error {
	all := queryErrors(err)
	if len(all) == 0 {
		return AsError(err)
	}
	bad := all[0]
	if known := AsError(bad.Err); known.Kind != Internal {
		return known
	}
	message := bad.Err.Error()
	if n > 1 {
		message = fmt.Sprintf("%s %d: %s", what, bad.Index, message)
	}
	return &Error{Invalid, "text_refused", message, bad.Err}
}

// Embed is a vector for each text together with the picture: the pooled output, hidden_size numbers in -1..1.
func (s *Service) Embed(ctx context.Context, model string, sight *Sight, texts []string) (vectors [][]float32, err error) {
	if err := s.checkTexts("text", texts); err != nil {
		return nil, err
	}
	l, err := s.use(model)
	if err != nil {
		return nil, err
	}
	defer l.release()
	start := time.Now()
	err = guarded(s.options.Log, "embed", func() (err error) {
		vectors, err = l.model.Embed(ctx, queriesAbout(sight, texts))
		return err
	})
	if err != nil {
		return nil, refusal("text", len(texts), err)
	}
	s.options.Observer.Stage("embed", time.Since(start))
	return vectors, nil
}

// Forward runs the model on tensors; the outputs are under the reference's names. What is wrong with the tensors is all in the error.
func (s *Service) Forward(ctx context.Context, name string, in *model.Batch, o model.Options) (model.Output, error) {
	return s.onTensors(ctx, name, "forward", func(l *loaded) (model.Output, error) {
		head := model.HeadQuestionAnswering
		if l.model.HasMaskedLanguageHead() {
			head = model.HeadPreTraining
		}
		if err := l.model.Config().CheckInputs(head, in); err != nil {
			return nil, &Error{Invalid, "tensors_refused", err.Error(), err}
		}
		return l.model.Forward(ctx, in, o)
	})
}

// Encode is Forward without a head: what the encoders and the pooler give.
func (s *Service) Encode(ctx context.Context, name string, in *model.Batch, o model.Options) (model.Output, error) {
	return s.onTensors(ctx, name, "encode", func(l *loaded) (model.Output, error) {
		if err := l.model.Config().CheckInputs(model.HeadQuestionAnswering, in); err != nil {
			return nil, &Error{Invalid, "tensors_refused", err.Error(), err}
		}
		return l.model.Encode(ctx, in, o)
	})
}

func (s *Service) onTensors(ctx context.Context, name, stage string, run func(*loaded) (model.Output, error)) (out model.Output, err error) {
	l, err := s.use(name)
	if err != nil {
		return nil, err
	}
	defer l.release()
	start := time.Now()
	err = guarded(s.options.Log, stage, func() (err error) {
		out, err = run(l)
		return err
	})
	if err != nil {
		return nil, AsError(err)
	}
	s.options.Observer.Stage(stage, time.Since(start))
	return out, nil
}
