package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/tokenizer"
	"github.com/go-lxmert/lxmert/vision"
	"github.com/go-lxmert/lxmert/vision/extractors"
)

// model looks at a model directory or a file of weights.
func (c *checkup) model(ctx context.Context, path string) {
	start := time.Now()
	inspection, err := pretrained.Inspect(path)
	if err != nil {
		c.fault(path, "take another copy of it", err)
		return
	}
	var formats []string
	for _, f := range inspection.Formats {
		if name := f.String(); len(formats) == 0 || formats[len(formats)-1] != name {
			formats = append(formats, name)
		}
	}
	c.ok(path, "%s parameters in %d tensors, %s, in %d files; opened in %.0f ms", grouped(inspection.Values), len(inspection.Tensors), strings.Join(formats, " and "), len(inspection.Files), milliseconds(start))
	config := inspection.Config
	if config == nil {
		c.fault("  config", "put the config.json beside it that belongs to it", inspection.NoConfig)
		return
	}
	fits := c.weights(inspection)
	c.finiteWeights(ctx, path)
	words := c.words(path, config)
	if fits && words && (inspection.Head == model.HeadQuestionAnswering || inspection.Head == model.HeadPreTraining) && c.labels(path, config) {
		c.computes(ctx, path, config)
	}
	c.preset(config)
}

// weights says whether the checkpoint gives every weight of the class that it was saved as.
func (c *checkup) weights(i *pretrained.Inspection) bool {
	const subject = "  weights"
	fit, class := i.Fits[i.Head], i.Head.Class()
	switch {
	case fit.Err != nil:
		c.fault(subject, "", fit.Err)
	case len(fit.Missing) > 0:
		c.fault(subject, "take another copy, or the config.json that belongs to it", fmt.Errorf("%d of %s are missing: %s", len(fit.Missing), class, listed(fit.Missing)))
	case len(fit.Unexpected) > 0:
		c.note(subject, "", "all of %s, and %d tensors that it has no use for: %s", class, len(fit.Unexpected), listed(fit.Unexpected))
		return true
	default:
		c.ok(subject, "all of %s, and nothing else", class)
		return true
	}
	return false
}

// finiteWeights looks for NaN and infinities, which make every answer one.
func (c *checkup) finiteWeights(ctx context.Context, path string) {
	const subject = "  numbers"
	file, err := checkpoint.Open(path)
	if err != nil {
		c.fault(subject, "", err)
		return
	}
	defer file.Close()
	var bad []string
	largest, of := 0.0, ""
	for _, name := range file.Names() {
		t, _ := file.Tensor(name)
		if !t.IsFloat() || ctx.Err() != nil {
			continue
		}
		values, err := t.Float32s()
		t.Forget()
		if err != nil {
			c.fault(subject, "", err)
			return
		}
		finite := true
		for _, v := range values {
			finite = finite && v-v == 0
			if size := math.Abs(float64(v)); size > largest {
				largest, of = size, name
			}
		}
		if !finite {
			bad = append(bad, name)
		}
	}
	if bad != nil {
		c.fault(subject, "take another copy: training went wrong before it was saved, or the file is damaged", fmt.Errorf("%d tensors have numbers that are not finite: %s", len(bad), listed(bad)))
		return
	}
	c.ok(subject, "all finite, the largest %.3g in %s", largest, of)
}

func (c *checkup) words(path string, config *model.Config) bool {
	const subject = "  tokenizer"
	words, err := tokenizer.Load(pretrained.Directory(path))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.fault(subject, "put vocab.txt or tokenizer.json beside it; LXMERT's own is bert-base-uncased's", err)
	case err != nil:
		c.fault(subject, "", err)
	case words.VocabSize() > config.VocabSize:
		c.fault(subject, "take the tokenizer that belongs to it", fmt.Errorf("it has %d words, but the model %d: the last ones would be out of range", words.VocabSize(), config.VocabSize))
	case words.VocabSize() < config.VocabSize:
		c.note(subject, "if the model was not made so, take the tokenizer that belongs to it", "it has %d words, and the model %d", words.VocabSize(), config.VocabSize)
		return true
	default:
		c.ok(subject, "%d words, as the model has", words.VocabSize())
		return true
	}
	return false
}

func (c *checkup) labels(path string, config *model.Config) bool {
	const subject = "  answers"
	labels, err := lxmert.DirectoryLabels(pretrained.Directory(path))
	switch {
	case errors.Is(err, lxmert.ErrNoLabels):
		c.note(subject, "put labels.json beside it, or give --labels: answers are numbers otherwise", "the model scores %d answers, and nothing says which", config.NumQALabels)
	case err != nil:
		c.fault(subject, "", err)
	case len(labels) != config.NumQALabels:
		c.fault(subject, "take the table that belongs to it", fmt.Errorf("the table has %d answers, the model %d", len(labels), config.NumQALabels))
	default:
		c.ok(subject, "%d, each with its text", len(labels))
		return true
	}
	return false
}

func (c *checkup) preset(config *model.Config) {
	const subject = "  regions"
	preset := pretrained.Preset(config)
	if preset == "" {
		c.note(subject, "", "features of %d numbers; config.json does not say which detector made those that it has learned from", config.VisualFeatDim)
		return
	}
	extractor, err := extractors.ByPreset(preset)
	if err != nil {
		c.note(subject, "", "of preset %s: pictures must come as regions (--features)", plain(preset))
		return
	}
	if width := extractor.FeatureWidth(); width != config.VisualFeatDim {
		c.fault(subject, "config.json names a detector that it was not trained with", fmt.Errorf("preset %s has features of %d numbers, the model wants %d", plain(preset), width, config.VisualFeatDim))
		return
	}
	c.ok(subject, "of preset %s, whose detector is here: it takes pictures", plain(preset))
}

// computes asks about random regions: what is answered means nothing, that it is finite does.
func (c *checkup) computes(ctx context.Context, path string, config *model.Config) {
	const subject, regions = "  computing", 36
	start := time.Now()
	engine, err := backend.Open("")
	if err != nil {
		c.fault(subject, "", err)
		return
	}
	defer engine.Finalize()
	m, err := lxmert.Open(path, lxmert.WithBackend(engine))
	if err != nil {
		c.fault(subject, "", err)
		return
	}
	defer m.Close()
	r := rand.New(rand.NewPCG(1, 2))
	view := vision.Regions{FeatureWidth: config.VisualFeatDim, Size: vision.Size{Width: 640, Height: 480}}
	for range regions {
		for range config.VisualFeatDim {
			view.Features = append(view.Features, r.Float32())
		}
		x, y := r.Float32()/2, r.Float32()/2
		view.Boxes = append(view.Boxes, x, y, x+0.3, y+0.3)
	}
	loaded := milliseconds(start)
	start = time.Now()
	answers, err := m.Ask(ctx, view, "what is there?")
	if err != nil {
		c.fault(subject, "", err)
		return
	}
	for _, a := range answers {
		if math.IsNaN(float64(a.Score)) || math.IsInf(float64(a.Score), 0) {
			c.fault(subject, "", fmt.Errorf("the score of answer %d is %v", a.ID, a.Score))
			return
		}
	}
	c.ok(subject, "in %s: loaded in %.0f ms; the first question took %.0f ms, with compiling", m.Precision(), loaded, milliseconds(start))
}
