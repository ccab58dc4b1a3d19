package batch

import (
	"context"
	"fmt"
	"time"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/hub"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/predict"
	"github.com/go-lxmert/lxmert/pretrained"
)

// A Model says what answers questions.
type Model struct {
	Name      string // a directory, which each worker must have, or a name on the hub; "": the model that is part of this program, for drawn scenes
	Labels    string // file of its answers, where it does not say them itself
	Engine    string
	DType     string // f32, bf16 or int8; "" is what its configuration says
	MaxTokens int    // cut questions; 0 as the model has it
}

type predictions = []predict.Prediction

// answering is a model that has been loaded.
type answering struct {
	answer func(context.Context, data.Source, []questions.Question, predict.Options) (predictions, error)
	config *model.Config
}

type modelKey struct {
	Model
	two bool
}

var models once[modelKey, *answering]

// open is the model of this process.
func (m Model) open(ctx context.Context, kind questions.Kind) (*answering, error) {
	return models.get(modelKey{m, kind == questions.KindNLVR2}, func() (*answering, error) {
		start := time.Now()
		defer func() { loadTime.Update(ctx, time.Since(start).Milliseconds()) }()
		a, err := m.load(ctx, kind)
		if err != nil {
			err = fmt.Errorf("the model: %w", err)
		}
		return a, err
	})
}

func (m Model) load(ctx context.Context, kind questions.Kind) (*answering, error) {
	var options []lxmert.Option
	if m.Engine != "" {
		options = append(options, lxmert.WithBackendName(m.Engine))
	}
	if m.DType != "" {
		precision, err := model.ParsePrecision(m.DType)
		if err != nil {
			return nil, err
		}
		options = append(options, lxmert.WithDType(precision))
	}
	if m.MaxTokens > 0 {
		options = append(options, lxmert.WithMaxTokens(m.MaxTokens))
	}
	dir, labels := "", m.Labels
	if m.Name != "" {
		found, err := hub.Find(ctx, m.Name, hub.Options{})
		if err != nil {
			return nil, err
		}
		if dir = found.Dir; labels == "" {
			if _, err := lxmert.DirectoryLabels(dir); err != nil {
				labels = found.Labels
			}
		}
	}
	if labels != "" && kind != questions.KindNLVR2 {
		table, err := lxmert.ReadLabels(labels)
		if err != nil {
			return nil, err
		}
		options = append(options, lxmert.WithLabels(table))
	}
	if kind == questions.KindNLVR2 {
		open := func() (*lxmert.Statements, error) { return lxmert.ShippedStatements(options...) }
		if dir != "" {
			open = func() (*lxmert.Statements, error) { return lxmert.OpenStatements(dir, options...) }
		}
		judge, err := open()
		if err != nil {
			return nil, err
		}
		answer := func(ctx context.Context, from data.Source, qs []questions.Question, o predict.Options) (predictions, error) {
			return predict.Statements(ctx, judge, from, qs, o)
		}
		return &answering{answer, judge.Config()}, nil
	}
	open := func() (*lxmert.Model, error) { return lxmert.Shipped(options...) }
	if dir != "" {
		open = func() (*lxmert.Model, error) { return lxmert.Open(dir, options...) }
	}
	answers, err := open()
	if err != nil {
		return nil, err
	}
	answer := func(ctx context.Context, from data.Source, qs []questions.Question, o predict.Options) (predictions, error) {
		return predict.Answers(ctx, answers, from, qs, o)
	}
	return &answering{answer, answers.Config()}, nil
}

// fits says whether a store has regions that the model can read; the note is about regions that it can, but was not trained with.
func (a *answering) fits(path string, m data.Manifest) (note string, err error) {
	if want := a.config.VisualFeatDim; m.FeatureWidth != want {
		return "", fmt.Errorf("%s: features are %d numbers wide, want %d as the model was trained with", path, m.FeatureWidth, want)
	}
	if want := pretrained.Preset(a.config); want != "" && m.Preset != "" && want != m.Preset {
		note = fmt.Sprintf("%s: the regions are of preset %s, but the model was trained with those of %s: its answers mean little", path, m.Preset, want)
	}
	return note, nil
}
