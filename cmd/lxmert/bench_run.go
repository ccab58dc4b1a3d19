package main

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	gomodel "github.com/gomlx/gomlx/ml/model"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/backend/simd/kernel"
	"github.com/go-lxmert/lxmert/internal/formula"
	"github.com/go-lxmert/lxmert/internal/sample"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/train"
)

// run measures each batch size, and tells about it as soon as it is known.
func (b *benchmark) run(ctx context.Context, tell func(benchResult) error) ([]benchResult, error) {
	engine, err := backend.Open(b.engine)
	if err != nil {
		return nil, usageError{err}
	}
	defer engine.Finalize()
	start := time.Now()
	m, err := b.load(engine)
	if err != nil {
		return nil, err
	}
	defer closeUnlessEnded(ctx, m)
	loaded := milliseconds(start)
	var results []benchResult
	for _, batch := range b.batches {
		r, err := b.measure(ctx, m, batch)
		if err != nil {
			return nil, err
		}
		r.LoadMS, r.Backend = loaded, engine.Description()
		results = append(results, r)
		if err := tell(r); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// load reads the model, or makes the base-size one.
func (b *benchmark) load(engine compute.Backend) (*model.Network, error) {
	head, config := model.HeadQuestionAnswering, model.DefaultConfig()
	config.NumQALabels = 3129
	if b.train {
		head, config.NumQALabels = model.HeadPreTraining, 9500
	}
	if b.dir != "" {
		options := b.dtype.load()
		if b.train {
			options = pretrained.Options{} // weights in training are float32, whatever is multiplied
		}
		m, _, err := pretrained.Load(engine, b.dir, head, options)
		return m, err
	}
	precision := b.dtype.or(model.Float32)
	if b.train {
		precision = model.Float32
	}
	return model.NewIn(engine, config, head, precision, model.Source(formula.Weights).Kept())
}

// measure times one batch size.
func (b *benchmark) measure(ctx context.Context, m *model.Network, batch int) (benchResult, error) {
	r := benchResult{DType: b.computing(m), Batch: batch, Tokens: b.tokens, Regions: b.regions, Threads: b.threads}
	prepare := b.answering
	if b.train {
		prepare = b.training
	}
	w, err := prepare(m, batch)
	if err != nil {
		return r, err
	}
	defer w.close()
	var times []float64
	for round := range b.warm + b.rounds {
		start := time.Now()
		if err := w.pass(ctx); err != nil {
			return r, err
		}
		if round < b.warm {
			continue
		}
		times = append(times, milliseconds(start))
		if m.Backend().Name() != backend.XLA { // which may compute elsewhere
			r.PeakGFLOPS = max(r.PeakGFLOPS, measurePeak(b.threads)) // between passes, while all cores are awake
		}
	}
	slices.Sort(times)
	r.MedianMS, r.P95MS = times[len(times)/2], times[(95*len(times)+99)/100-1]
	r.PerSecond = 1000 * float64(batch) / r.MedianMS
	r.GFLOPS = float64(w.operations) / r.MedianMS / 1e6
	if r.PeakGFLOPS > 0 {
		r.ShareOfPeak = r.GFLOPS / r.PeakGFLOPS
	}
	r.RSSMB = peakMemory()
	return r, nil
}

// computing is the type in which linear maps multiply.
func (b *benchmark) computing(m *model.Network) string {
	precision := m.Precision()
	if b.train {
		precision = b.dtype.or(precision)
	}
	return map[model.Precision]string{model.Float32: "float32", model.BFloat16: "bfloat16", model.Int8: "int8"}[precision]
}

// work is what is timed.
type work struct {
	pass       func(context.Context) error
	operations int // of the matrix products of a pass
	close      func()
}

// answering is the forward passes of question answering: one for the batch, or one for each picture of several questions.
func (b *benchmark) answering(m *model.Network, batch int) (work, error) {
	qa := &model.LxmertForQuestionAnswering{Network: m}
	passes, questions := 1, batch
	if b.perImage > 1 {
		passes, questions = batch/b.perImage, b.perImage
	}
	c, pictures := m.Config(), questions/b.perImage
	in := sample.Questions(c, questions, pictures, b.tokens, b.regions)
	pass := func(ctx context.Context) error {
		for range passes {
			out, err := qa.Forward(ctx, in, model.Options{})
			if err != nil {
				return err
			}
			if _, err := tensors.CopyFlatData[float32](out.QuestionAnsweringScore); err != nil { // an engine may still be computing them
				return err
			}
		}
		return nil
	}
	return work{pass, passes * c.QuestionAnsweringOperations(questions, pictures, b.tokens, b.regions), func() {}}, nil
}

// training is a step of pre-training.
func (b *benchmark) training(m *model.Network, batch int) (work, error) {
	c := m.Config()
	var parts []*train.Batch
	for range b.devices {
		in := sample.PreTraining(c, batch/b.devices, b.tokens, b.regions)
		if err := c.CheckInputs(model.HeadPreTraining, in); err != nil {
			return work{}, err
		}
		parts = append(parts, &train.Batch{Inputs: in})
	}
	objective := func(s *gomodel.Scope, in *model.Inputs[*graph.Node], _ *graph.Node) train.Loss {
		return train.Loss{Total: c.PreTraining(s, in, model.Options{Training: true, BFloat16: b.dtype.or(model.Float32) == model.BFloat16}).Loss}
	}
	step, err := train.NewStep(m, objective, train.BertAdam{}, 1)
	if err != nil {
		return work{}, err
	}
	if err := step.On(b.devices); err != nil {
		return work{}, err
	}
	steps := 0
	pass := func(ctx context.Context) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		steps++
		// A rate that changes no weight much, for the labels mean nothing; the time does not depend on it.
		_, err := step.Run(1e-6, steps, parts...)
		return err
	}
	return work{pass, 3 * c.PreTrainingOperations(batch, b.tokens, b.regions), step.Close}, nil
}

// measurePeak is the multiply-add rate of so many threads in GFLOP/s, the best of some tries of 2 ms: in others a thread came late.
func measurePeak(threads int) float64 {
	set, err := kernel.Default()
	if err != nil {
		return 0
	}
	best := 0.0
	for range 5 {
		done := make(chan int, threads)
		start := time.Now()
		for range threads {
			go func() { done <- set.Peak(1 << 19) }()
		}
		operations := 0
		for range threads {
			operations += <-done
		}
		best = max(best, float64(operations)/time.Since(start).Seconds()/1e9)
	}
	return best
}

// peakMemory is the most memory that the process has held, in MB; 0 where the system does not say.
func peakMemory() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
			return kilobytes / 1024
		}
	}
	return 0
}
