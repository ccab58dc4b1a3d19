package main

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/predict"
	"github.com/go-lxmert/lxmert/pretrained"
)

// fileModel answers questions of one kind.
type fileModel struct {
	answer func(context.Context, data.Source, []questions.Question, predict.Options) ([]predict.Prediction, error)
	closes []func()
}

func (m *fileModel) close() {
	for _, c := range m.closes {
		c()
	}
}

// open opens the model for a kind of questions.
func (f *fileFlags) open(config *model.Config, kind questions.Kind) (*fileModel, error) {
	if err := hasHead(f.model, config, kind); err != nil {
		return nil, err
	}
	engine, err := backend.Open(f.engine)
	if err != nil {
		return nil, usageError{err}
	}
	m, err := f.load(engine, config, kind)
	if err != nil {
		engine.Finalize()
		return nil, err
	}
	m.closes = append(m.closes, engine.Finalize)
	return m, nil
}

func (f *fileFlags) load(engine compute.Backend, config *model.Config, kind questions.Kind) (*fileModel, error) {
	options := append([]lxmert.Option{lxmert.WithBackend(engine)}, f.dtype.options()...)
	if tokens := f.maxTokens; tokens > 0 {
		if !f.cut {
			tokens = min(tokens, config.MaxPositionEmbeddings)
		}
		options = append(options, lxmert.WithMaxTokens(tokens))
	}
	if f.labels != "" {
		table, err := lxmert.ReadLabels(f.labels)
		if err != nil {
			return nil, err
		}
		options = append(options, lxmert.WithLabels(table))
	}
	if kind == questions.KindNLVR2 {
		m, err := lxmert.OpenStatements(f.model, options...)
		if err != nil {
			return nil, err
		}
		return &fileModel{
			answer: func(ctx context.Context, features data.Source, qs []questions.Question, o predict.Options) ([]predict.Prediction, error) {
				return predict.Statements(ctx, m, features, qs, o)
			},
			closes: []func(){func() { m.Close() }},
		}, nil
	}
	m, err := lxmert.Open(f.model, options...)
	if err != nil {
		return nil, err
	}
	return &fileModel{
		answer: func(ctx context.Context, features data.Source, qs []questions.Question, o predict.Options) ([]predict.Prediction, error) {
			return predict.Answers(ctx, m, features, qs, o)
		},
		closes: []func(){func() { m.Close() }},
	}, nil
}

// hasHead checks that a model has the head for a kind of questions, before it is read.
func hasHead(dir string, config *model.Config, kind questions.Kind) error {
	want := model.HeadQuestionAnswering
	if kind == questions.KindNLVR2 {
		want = model.HeadNLVR2
	}
	file, err := checkpoint.Open(dir)
	if err != nil {
		return err
	}
	defer file.Close()
	found := pretrained.HeadOf(file, config)
	if found == want {
		return nil
	}
	report, err := pretrained.Match(file, config, want)
	if err != nil {
		return err
	}
	if len(report.Missing) == 0 { // pre-training's has an answer head too
		return nil
	}
	hint := ""
	switch found {
	case model.HeadNLVR2:
		hint = ", which judges statements about two pictures (nlvr2)"
	case model.HeadQuestionAnswering:
		hint = ", which answers questions about a picture (vqa, gqa)"
	}
	return fmt.Errorf("%s: found %s%s, want %s for %s: %s is not there", dir, found.Class(), hint, want.Class(), kind, report.Missing[0].Name)
}
