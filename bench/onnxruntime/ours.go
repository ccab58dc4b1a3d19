package main

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/backend/simd/kernel"
	"github.com/go-lxmert/lxmert/internal/formula"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// ours is the model as Go programs have it: the network alone, and with tokenizer and answers.
type ours struct {
	network *model.LxmertForQuestionAnswering
	library *lxmert.Model // nil unless questions are asked as text
}

// open makes the network and, with text, a model directory in dir that the library opens.
func open(ctx context.Context, engine compute.Backend, dir string, text bool) (*ours, error) {
	config := baseSize()
	network, err := model.NewLxmertForQuestionAnswering(engine, config, formula.Weights)
	if err != nil || !text {
		return &ours{network: network}, err
	}
	if _, err := os.Stat(dir); err != nil {
		if err := save(ctx, dir, network, config); err != nil {
			return nil, err
		}
	}
	library, err := lxmert.Open(dir, lxmert.WithBackend(engine), lxmert.WithLabels(vocabulary(config.NumQALabels)))
	return &ours{network, library}, err
}

// save makes a model directory with a tokenizer.
func save(ctx context.Context, dir string, network *model.LxmertForQuestionAnswering, config *model.Config) error {
	if err := pretrained.Save(ctx, dir, network.Network); err != nil {
		return err
	}
	vocab := filepath.Join(dir, "vocab.txt")
	if err := os.WriteFile(vocab, []byte(strings.Join(vocabulary(config.VocabSize), "\n")+"\n"), 0o644); err != nil {
		return err
	}
	words, err := tokenizer.LoadVocab(vocab)
	if err != nil {
		return err
	}
	return words.Save(dir)
}

// forward runs the network on the padded batch: [batch, answers].
func (o *ours) forward(ctx context.Context, c *testCase) ([]float32, error) {
	out, err := o.network.Forward(ctx, c.batch, model.Options{})
	if err != nil {
		return nil, err
	}
	return tensors.CopyFlatData[float32](out.QuestionAnsweringScore)
}

// ask has the questions answered as text, tokenizing and ranking included.
func (o *ours) ask(ctx context.Context, c *testCase) ([]float32, error) {
	answers, err := o.library.AskBatch(ctx, c.queries)
	if err != nil {
		return nil, err
	}
	n := len(o.library.Labels())
	logits := make([]float32, len(answers)*n)
	for i := range answers {
		for _, a := range answers[i] {
			logits[i*n+a.ID] = a.Score
		}
	}
	return logits, nil
}

// peak is the multiply-add rate of so many threads in GFLOP/s, the best of some tries.
func peak(threads int) (float64, error) {
	set, err := kernel.Default()
	if err != nil {
		return 0, err
	}
	best := 0.0
	for range 20 {
		done := make(chan int, threads)
		start := time.Now()
		for range threads {
			go func() { done <- set.Peak(1 << 19) }()
		}
		operations := 0
		for range threads {
			operations += <-done
		}
		best = math.Max(best, float64(operations)/time.Since(start).Seconds()/1e9)
	}
	return best, nil
}
