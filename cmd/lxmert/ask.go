package main

import (
	"fmt"
	"time"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/shipped"
)

// askFlags are ask's.
type askFlags struct {
	model, features, imageID, labels, engine string
	cache                                    string
	detector                                 detectorFlags
	top                                      int
	asJSON, index                            bool
}

func newAsk() *cobra.Command {
	var f askFlags
	cmd := &cobra.Command{
		Use:   "ask IMAGE QUESTION...",
		Short: "Answer questions about a picture",
		Long: `Ask answers questions about a picture (PNG, JPEG, GIF, WebP, BMP or TIFF): the first argument is the picture, each other is one question; put it in quotes.

Without --model the shipped model answers. It knows pictures of a small drawn world, such as those in examples/ (lxmert scenes generate makes
more), and nothing else; about another picture it says so, and how unlike those it is. With --model the picture's regions are found by the
detector that the model was trained with (region_preset of its config.json), if it is scenes or a grid; else by the Faster R-CNN that --detector names, that lies in the
model's directory (detector/), or that was downloaded before (lxmert pull unc-nlp/frcnn-vg-finetuned). With --cache its regions are kept by the picture's content, and found there the next time.

Regions that were made before are asked about with --features, a region store (lxmert data import or lxmert extract makes one) or a feature
file of the bottom-up-attention detector (TSV, one picture a line), and --image-id. Then every argument is a question.

The score is the model's logit. The confidence is the softmax over all answers, scaled down as far as the picture is not of the world that the model knows,
where that can be told; --json has the softmax itself too (probability).`,
		Example: `  lxmert ask examples/park.png "What color is the car?" "How many stars are there?"
  lxmert ask --top 3 --json picture.jpg "Is there a dog?"
  lxmert ask --model unc-nlp/lxmert-vqa-uncased --detector unc-nlp/frcnn-vg-finetuned --cache regions photo.jpg "What is on the table?"
  lxmert ask --model DIR --features train2014_obj36.tsv --image-id COCO_train2014_000000573195 "What animal is this?"`,
		Args: func(cmd *cobra.Command, args []string) error { return f.check(cmd, args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if f.model, f.labels, err = modelAndLabels(cmd, f.model, f.labels); err != nil {
				return err
			}
			asked, err := f.ask(cmd, args)
			if err != nil {
				return err
			}
			for _, note := range asked.Notes {
				fmt.Fprintf(cmd.ErrOrStderr(), "lxmert: %s\n", note)
			}
			if f.asJSON {
				return printJSON(cmd.OutOrStdout(), asked)
			}
			return asked.print(cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.model, "model", "", "model `directory`, or name on the hub (default: the shipped model)")
	flags.StringVar(&f.features, "features", "", "region store, or feature `file` (bottom-up-attention TSV), in place of a picture")
	flags.StringVar(&f.imageID, "image-id", "", "the picture's `id` in --features")
	flags.StringVar(&f.labels, "labels", "", "answer table `file`: a JSON list, a JSON object answer → id, or one answer a line\n(default: labels.json, or id2label of config.json, in the model directory)")
	flags.BoolVar(&f.index, "index", false, "keep an index beside the feature file, so that later calls need not read through it")
	f.detector.add(cmd, "")
	flags.StringVar(&f.cache, "cache", "", "`directory` where regions of pictures are kept, by the pictures' content")
	flags.IntVar(&f.top, "top", 5, "print the best `n` answers")
	flags.BoolVar(&f.asJSON, "json", false, "print one JSON object")
	backendFlag(cmd, &f.engine)
	return cmd
}

// check refuses what means nothing.
func (f *askFlags) check(cmd *cobra.Command, args []string) error {
	path := cmd.CommandPath()
	switch {
	case f.top < 1:
		return usagef("--top: found %d, want 1 or more", f.top)
	case f.features == "" && f.imageID != "":
		return usagef("%s: --image-id is a picture in --features, which is not given", path)
	case f.features == "" && f.index:
		return usagef("%s: --index is for --features, which is not given", path)
	case f.features != "" && (f.cache != "" || f.detector.name != ""):
		return usagef("%s: --detector and --cache are for a picture, but --features has its regions already", path)
	case f.features != "" && f.imageID == "":
		return usagef("%s needs --image-id with --features: which of its pictures the questions are about", path)
	case f.features != "" && len(args) == 0:
		return usagef("%s wants a question, in quotes", path)
	case f.features == "" && len(args) == 0:
		return usagef("%s wants a picture and a question, in quotes; see %s --help", path, path)
	case f.features == "" && len(args) == 1:
		return usagef("%s wants a picture and a question, found only %q: which is it? %s IMAGE %q…", path, shortened(args[0]), path, "What color is it?")
	}
	return nil
}

// ask looks at the picture and answers.
func (f *askFlags) ask(cmd *cobra.Command, args []string) (*asked, error) {
	ctx := cmd.Context()
	f.detector.engine = f.engine
	name := f.model
	if name == "" {
		name = "shipped"
	}
	a := &asked{Model: name}
	config, err := f.config()
	if err != nil {
		return nil, err
	}
	start := time.Now()
	view, err := f.look(cmd, config, args)
	if err != nil {
		return nil, err
	}
	if f.features == "" {
		a.SeeMS = milliseconds(start)
	}
	a.Detector, a.Stages, a.Cached = view.detector, view.stages, view.cached
	a.Picture, a.ImageID, a.Regions, a.Preset, a.Familiar, a.Notes = view.picture, f.imageID, view.regions.Len(), view.regions.Preset, view.familiar, view.notes
	start = time.Now()
	engine, err := backend.Open(f.engine)
	if err != nil {
		return nil, usageError{err}
	}
	defer engine.Finalize()
	m, err := f.open(engine)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	if err := view.regions.Check(config.VisualFeatDim, config.VisualPosDim); err != nil {
		return nil, pretrained.InFile(view.source, err)
	}
	a.LoadMS = milliseconds(start)
	for _, question := range view.questions {
		start := time.Now()
		answers, err := m.Ask(ctx, view.regions, question)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", shortened(question), err)
		}
		a.Questions = append(a.Questions, newAskedQuestion(question, answers[:min(f.top, len(answers))], view.trust(), milliseconds(start)))
	}
	return a, nil
}

// config is the model's, before it is opened: it says which detector the picture wants.
func (f *askFlags) config() (*model.Config, error) {
	if f.model == "" {
		return pretrained.ConfigFS(shipped.QuestionAnswering())
	}
	return pretrained.Config(f.model)
}

func (f *askFlags) open(engine compute.Backend) (*lxmert.Model, error) {
	options := []lxmert.Option{lxmert.WithBackend(engine)}
	if f.labels != "" {
		table, err := lxmert.ReadLabels(f.labels)
		if err != nil {
			return nil, err
		}
		options = append(options, lxmert.WithLabels(table))
	}
	if f.model == "" {
		return lxmert.Shipped(options...)
	}
	return lxmert.Open(f.model, options...)
}
