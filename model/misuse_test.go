package model_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
)

// TestMisuse: what a caller gets wrong is an error, not a panic, and changes nothing.
func TestMisuse(t *testing.T) {
	m, batch := small(t)
	config := m.Config()
	layer, err := m.GetQALogitLayer()
	if err != nil {
		t.Fatal(err)
	}
	doubles := func(dims ...int) *tensors.Tensor {
		size := 1
		for _, d := range dims {
			size *= d
		}
		return tensors.FromFlatDataAndDimensions(make([]float64, size), dims...)
	}
	for name, try := range map[string]func() error{
		"nil weight":        func() error { return m.SetWeight("cls.predictions.bias", nil) },
		"double weight":     func() error { return m.SetWeight("cls.predictions.bias", doubles(211)) },
		"empty logit layer": func() error { return m.SetQALogitLayer(model.LogitLayer{}) },
		"double bias":       func() error { return m.SetQALogitLayer(model.LogitLayer{Weight: floats(5, 96), Bias: doubles(5)}) },
		"other logit layer": func() error { return m.SetQALogitLayer(model.LogitLayer{Weight: floats(5, 96), Bias: floats(4)}) },
		"nil scores":        func() error { _, err := model.MatchProbability(nil); return err },
		"answer scores":     func() error { _, err := model.MatchProbability(floats(1, 5)); return err },
		"no source":         func() error { _, err := model.New(m.Backend(), config, model.HeadModel, nil); return err },
		"no configuration":  func() error { _, err := model.New(m.Backend(), nil, model.HeadModel, config.Fresh(0)); return err },
		"no backend":        func() error { _, err := model.New(nil, config, model.HeadModel, config.Fresh(0)); return err },
		"unknown head":      func() error { _, err := model.New(m.Backend(), config, "vqa", config.Fresh(0)); return err },
		"null for a number": func() error { return config.Set("hidden_size", "null") },
		"a failing source": func() error {
			_, err := model.New(m.Backend(), config, model.HeadModel, func(string, []int) ([]float32, error) { return nil, errors.New("no disk") })
			return err
		},
		"too few values": func() error {
			_, err := model.New(m.Backend(), config, model.HeadModel, func(string, []int) ([]float32, error) { return make([]float32, 3), nil })
			return err
		},
	} {
		if err := try(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	after, err := m.GetQALogitLayer()
	if err != nil {
		t.Fatal(err)
	}
	golden.Near(t, "the logit layer", after.Weight, layer.Weight, golden.Tolerance{}, 0)
	if _, err := m.Forward(t.Context(), batch, model.Options{}); err != nil {
		t.Errorf("after all that: %v", err)
	}
}

// TestWeightsInTheLoop: reading methods may be called while weights are visited, a writer waiting or not.
func TestWeightsInTheLoop(t *testing.T) {
	m, _ := small(t)
	visited := 0
	for name := range m.Weights() {
		done := make(chan error, 1)
		if visited == 0 {
			go func() { done <- m.SetSeed(1) }() // a writer
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		if _, err := m.Weight(name); err != nil {
			t.Fatal(err)
		}
		visited++
	}
	if weights, err := model.Declare(m.Config(), m.Head()); err != nil || visited != len(weights) {
		t.Errorf("visited %d weights of %d, %v", visited, len(weights), err)
	}
}

// TestBooleansAreNoIDs: a mask may be bool, ids may not.
func TestBooleansAreNoIDs(t *testing.T) {
	m, batch := small(t)
	dims := batch.InputIDs.Shape().Dimensions
	batch.InputIDs = tensors.FromFlatDataAndDimensions(make([]bool, dims[0]*dims[1]), dims...)
	if err := m.Config().CheckInputs(m.Head(), batch); err == nil || !strings.Contains(err.Error(), "found Bool, want int32 or int64") {
		t.Errorf("got %v", err)
	}
}
