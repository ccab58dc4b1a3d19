package main

import (
	"time"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/shipped"
)

// lookFlags say which model looks at which picture: those of verbs whose arguments are a picture and questions about it.
type lookFlags struct {
	model, features, imageID, labels, engine string
	cache                                    string
	detector                                 detectorFlags
	dtype                                    dtypeFlag
	index                                    bool
}

func (f *lookFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.model, "model", "", "model `directory`, or name on the hub (default: the shipped model)")
	flags.StringVar(&f.features, "features", "", "region store, or feature `file` (bottom-up-attention TSV), in place of a picture")
	flags.StringVar(&f.imageID, "image-id", "", "the picture's `id` in --features")
	flags.StringVar(&f.labels, "labels", "", "answer table `file`: a JSON list, a JSON object answer → id, or one answer a line\n(default: labels.json, or id2label of config.json, in the model directory)")
	flags.BoolVar(&f.index, "index", false, "keep an index beside the feature file, so that later calls need not read through it")
	f.detector.add(cmd, "", "detector-dtype")
	flags.StringVar(&f.cache, "cache", "", "`directory` where regions of pictures are kept, by the pictures' content")
	backendFlag(cmd, &f.engine)
}

// check refuses what means nothing.
func (f *lookFlags) check(cmd *cobra.Command, args []string) error {
	path := cmd.CommandPath()
	switch {
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

// A lookingModel is a model and what it runs on.
type lookingModel struct {
	*lxmert.Model
	engine compute.Backend
	loadMS float64
}

// Close frees the model, and its engine.
func (m *lookingModel) Close() {
	m.Model.Close()
	m.engine.Finalize()
}

// openBoth looks at the picture and opens the model. The caller closes that.
func (f *lookFlags) openBoth(cmd *cobra.Command, args []string) (*view, *lookingModel, error) {
	var err error
	if f.model, f.labels, err = modelAndLabels(cmd, f.model, f.labels); err != nil {
		return nil, nil, err
	}
	f.detector.engine = f.engine
	config, err := f.config()
	if err != nil {
		return nil, nil, err
	}
	start := time.Now()
	view, err := f.look(cmd, config, args)
	if err != nil {
		return nil, nil, err
	}
	if f.features == "" {
		view.seeMS = milliseconds(start)
	}
	start = time.Now()
	engine, err := backend.Open(f.engine)
	if err != nil {
		return nil, nil, usageError{err}
	}
	m, err := f.open(engine)
	if err != nil {
		engine.Finalize()
		return nil, nil, err
	}
	both := &lookingModel{m, engine, milliseconds(start)}
	if err := view.regions.Check(config.VisualFeatDim, config.VisualPosDim); err != nil {
		both.Close()
		return nil, nil, pretrained.InFile(view.source, err)
	}
	return view, both, nil
}

// modelName is what JSON calls the model.
func (f *lookFlags) modelName() string {
	if f.model == "" {
		return "shipped"
	}
	return f.model
}

// config is the model's, before it is opened: it says which detector the picture wants.
func (f *lookFlags) config() (*model.Config, error) {
	if f.model == "" {
		return pretrained.ConfigFS(shipped.QuestionAnswering())
	}
	return pretrained.Config(f.model)
}

func (f *lookFlags) open(engine compute.Backend) (*lxmert.Model, error) {
	options := append([]lxmert.Option{lxmert.WithBackend(engine)}, f.dtype.options()...)
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
