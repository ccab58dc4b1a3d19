package train_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	gomodel "github.com/gomlx/gomlx/ml/model"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/internal/sample"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/train"
)

// onDevices is the world on an engine with so many virtual devices.
func (w world) onDevices(t *testing.T, n int) *world {
	t.Helper()
	engine, err := backend.Open(fmt.Sprintf("simd:devices=%d", n))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Finalize)
	w.engine, w.common.FixedSizes = engine, true
	return &w
}

// TestDevices: a batch in four parts teaches the same on one, two or four devices, dropout, validation and all, also if it goes on with
// another number of them after it was told to stop, and if ranks have several devices each.
func TestDevices(t *testing.T) {
	w := newWorld(t).onDevices(t, 4)
	o := small(t.TempDir())
	o.Batch, o.Accumulate, o.Epochs = 4, 4, 2
	w.run(t, o)
	alone, want := o.Out, w.weightsIn(t, o)
	for name, c := range map[string]struct{ ranks, devices, then int }{
		"two":             {1, 2, 2},
		"four":            {1, 4, 4},
		"two, then four":  {1, 2, 4},
		"four, then one":  {1, 4, 1},
		"two of two":      {2, 2, 2},
		"two of two, one": {2, 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			o := o
			o.Out, o.Devices = t.TempDir(), c.devices
			stopped := make([]*train.Interrupted, c.ranks)
			for i, err := range w.over(t, c.ranks, o, func(rank int, s *session) context.Context {
				ctx, stop := context.WithCancel(t.Context())
				s.Watch(watch{step: func(r train.StepRecord, _ int) {
					if r.Step == 7 {
						stop()
					}
				}})
				return ctx
			}) {
				if !errors.As(err, &stopped[i]) {
					t.Fatal(err)
				}
			}
			o.Devices = c.then
			if err := errors.Join(w.over(t, c.ranks, o, nil)...); err != nil {
				t.Fatal(err)
			}
			sameWeights(t, w.weightsIn(t, o), want, 2e-5)
			got, alone := readLog(t, o.Out), readLog(t, alone)
			for i, r := range alone {
				closeTo(t, fmt.Sprintf("loss of step %d", i+1), got[i].Loss, r.Loss, 1e-4)
				closeTo(t, fmt.Sprintf("gradient norm of step %d", i+1), got[i].GradientNorm, r.GradientNorm, 1e-3)
			}
		})
	}
}

// TestDevicesGolden: twenty steps of pre-training of the reference's tiny model, with dropout, in two parts on one device and on two.
func TestDevicesGolden(t *testing.T) {
	start := filepath.Join("train", "pretrain_bertadam")
	config := golden.Config(t, start)
	config.HiddenDropout, config.AttentionDropout = 0.1, 0.1
	learn := func(devices int) map[string][]float32 {
		engine, err := backend.Open("simd:devices=2")
		if err != nil {
			t.Fatal(err)
		}
		defer engine.Finalize()
		m, err := model.New(engine, config, model.HeadPreTraining, golden.Weights(t, filepath.Join(start, "initial.safetensors"), model.HeadPreTraining))
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		objective := func(s *gomodel.Scope, in *model.Inputs[*graph.Node], _ *graph.Node) train.Loss {
			return train.Loss{Total: config.PreTraining(s, in, model.Options{Training: true}).Loss}
		}
		step, err := train.NewStep(m, objective, train.BertAdam{}, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer step.Close()
		if err := step.On(devices); err != nil {
			t.Fatal(err)
		}
		schedule := train.Schedule{Course: train.Linear, Rate: 1e-4, Warmup: 0.1, Steps: 20}
		for i := range 20 {
			var parts []*train.Batch
			for part := range 2 {
				// Other examples in each part, and regions that differ in number.
				parts = append(parts, &train.Batch{Inputs: sample.PreTraining(config, 2, 6+i%3, 5), Seed: new(int64(2*i + part))})
			}
			r, err := step.Run(schedule.At(i+1), i+1, parts...)
			if err != nil {
				t.Fatal(err)
			}
			if i == 19 {
				t.Logf("%d devices: loss %v, gradient norm %v", devices, r.Loss, r.GradientNorm)
			}
		}
		weights := map[string][]float32{}
		for name, value := range m.Weights() {
			if weights[name], err = tensors.CopyFlatData[float32](value); err != nil {
				t.Fatal(err)
			}
		}
		return weights
	}
	sameWeights(t, learn(2), learn(1), 2e-5)
}

// TestDevicesRefused: more devices than the engine has, and parts that cannot be divided.
func TestDevicesRefused(t *testing.T) {
	w := newWorld(t).onDevices(t, 2)
	o := small(t.TempDir())
	o.Batch, o.Accumulate, o.Devices = 4, 4, 4
	if err := w.fresh(t, o).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "found 2 devices of the engine simd, want 4") {
		t.Errorf("4 devices of 2: %v", err)
	}
	task := w.fresh(t, small(t.TempDir())).task
	o.Devices, o.Accumulate = 2, 1
	if _, err := train.New(task.Network, task, o); err == nil || !strings.Contains(err.Error(), "1 parts cannot be divided among 2 devices of 1 ranks") {
		t.Errorf("found %v", err)
	}
}
