package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/eval"
	"github.com/go-lxmert/lxmert/internal/padding"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/predict"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/tokenizer"
	"github.com/go-lxmert/lxmert/train"
	"github.com/go-lxmert/lxmert/train/tasks"
)

// A lesson is what a verb adds to trainFlags: the data, and the task.
type lesson struct {
	name     string // "finetune vqa"
	stage    string // of eval.Trained
	head     model.Head
	files    []train.DataFile // to be hashed
	features []string
	// answers is what each logit means, nil if the model answers nothing; they were read from the file answersIn.
	answers   []string
	answersIn string
	// configure fits a model's configuration to what it shall learn.
	configure func(*model.Config) error
	// begin adds to what the model begins with.
	begin func(*tasks.Begin) error
	// read reads the questions to learn from and to be judged by.
	read func(ctx context.Context, skipped *questions.Skipped) (learn, judge []questions.Question, trained []eval.Trained, err error)
	// task makes the task.
	task func(tasks.Common) (train.Task, error)
}

// run trains.
func (f *trainFlags) run(cmd *cobra.Command, l lesson) error {
	ctx, errOut := cmd.Context(), cmd.ErrOrStderr()
	begun, found, release, err := f.existing()
	if err != nil {
		return err
	}
	defer func() { release() }()
	if err := f.divide(cmd, begun); err != nil {
		return err
	}
	engine, err := backend.Open(f.engine)
	if err != nil {
		return usageError{err}
	}
	defer engine.Finalize()
	if n := engine.NumDevices(); f.Devices > n {
		return usagef("--devices: found %d, the engine %s has %d", f.Devices, engine.Name(), n)
	}
	record, err := f.record(cmd, l, engine)
	if err != nil {
		return err
	}
	if err := record.SameOnAll(f.Ranks); err != nil {
		return err
	}
	if begun != nil {
		if err := record.Differs(begun); err != nil {
			return fmt.Errorf("%s: %w", f.Out, err)
		}
		record = begun
		record.Resumed = append(record.Resumed, time.Now().UTC())
	}
	source, preset, err := f.openFeatures(l.features)
	if err != nil {
		return err
	}
	defer source.Close()
	network, words, err := f.model(engine, l, found, preset, errOut)
	if err != nil {
		return err
	}
	defer network.Close()
	task, skipped, err := f.lesson(ctx, l, found, network, words, source, errOut)
	if err != nil {
		return err
	}
	reportSkipped(errOut, skipped)
	f.Claimed = true
	trainer, err := train.New(network, task, f.Options)
	if err != nil {
		return err
	}
	if found {
		if err := trainer.Resume(); err != nil {
			return err
		}
	}
	if err := train.Agree(f.Ranks, nil); err != nil { // that nothing is wrong with it
		return err
	}
	if f.writes() {
		if begun == nil {
			if release, err = f.claim(); err != nil {
				return err
			}
		}
		if err := record.Write(f.Out); err != nil {
			return err
		}
	}
	return f.train(ctx, cmd, trainer)
}

// train runs the trainer and says how it ended.
func (f *trainFlags) train(ctx context.Context, cmd *cobra.Command, trainer *train.Trainer) error {
	total, perEpoch, done := trainer.Steps()
	progress := newTrainingProgress(cmd.ErrOrStderr(), total, f.Epochs, perEpoch, done+1, time.Now)
	if f.writes() {
		trainer.Watch(watcher{progress})
	}
	err := trainer.Run(ctx)
	progress.end()
	var stopped *train.Interrupted
	if errors.As(err, &stopped) {
		return fmt.Errorf("%s: %w; the same command with --resume goes on", f.Out, err)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), trainer.Summary())
	return err
}

// watcher shows a run's progress.
type watcher struct{ *trainingProgress }

func (w watcher) Step(record train.StepRecord, examples int) { w.step(record, examples) }
func (w watcher) Epoch(record train.EpochRecord)             { w.epoch(record) }
func (w watcher) Saved(string, int)                          {}

// existing looks at the run's directory: the record of a run that was begun, nil if there is none, and whether it has a checkpoint. If there is a run
// its directory is claimed until release is called. Rank 0 looks, and claims it, for all.
func (f *trainFlags) existing() (begun *train.Record, found bool, release func(), err error) {
	release = func() {}
	if f.writes() {
		begun, found, release, err = f.look()
	}
	type seen struct {
		Begun *train.Record
		Found bool
	}
	all, err := train.Confer(f.Ranks, seen{begun, found}, err)
	if err != nil {
		release()
		return nil, false, nil, err
	}
	return all[0].Begun, all[0].Found, release, nil
}

// look is existing by who writes.
func (f *trainFlags) look() (begun *train.Record, found bool, release func(), err error) {
	release = func() {}
	begun, err = train.ReadRecord(f.Out)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, release, f.vacant()
	case err != nil:
		return nil, false, release, err
	case !f.resume:
		return nil, false, release, f.taken()
	}
	if release, err = train.Claim(f.Out); err != nil {
		return nil, false, func() {}, err
	}
	found, err = train.Recover(f.Out)
	return begun, found, release, err
}

func (f *trainFlags) taken() error {
	return usagef("%s holds a run already: --resume goes on with it; or choose another --out", f.Out)
}

// vacant refuses a directory that has something of a run, but not its record: what is there would be replaced.
func (f *trainFlags) vacant() error {
	for _, name := range []string{train.LastName, train.BestName, train.LogName} {
		if _, err := os.Lstat(filepath.Join(f.Out, name)); err == nil {
			return fmt.Errorf("%s has a %s of a run, but no %s that says what it was: choose another --out", f.Out, name, train.RecordName)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// claim takes the directory of a run that begins; another may have begun meanwhile.
func (f *trainFlags) claim() (release func(), err error) {
	release, err = train.Claim(f.Out)
	if err != nil {
		return func() {}, err
	}
	if _, err := train.ReadRecord(f.Out); !errors.Is(err, fs.ErrNotExist) {
		return release, errors.Join(err, f.taken())
	}
	return release, nil
}

// record describes the run.
func (f *trainFlags) record(cmd *cobra.Command, l lesson, engine compute.Backend) (*train.Record, error) {
	decide, paths := settings(cmd)
	r := &train.Record{
		Task: l.name, Settings: decide, Files: paths, Engine: engine.Description(), Started: time.Now().UTC(),
		Machine:  fmt.Sprintf("%s/%s, %d CPUs", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
		Versions: map[string]string{"lxmert": version(), "go": runtime.Version()},
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "github.com/gomlx/gomlx" || m.Path == "github.com/gomlx/compute" {
				r.Versions[m.Path] = m.Version
			}
		}
	}
	for _, file := range append(slices.Clone(l.files), dataFiles("features", l.features)...) {
		hashed, err := train.HashData(file.Role, file.Path)
		if err != nil {
			return nil, err
		}
		r.Data = append(r.Data, hashed)
	}
	if l.answers != nil {
		r.Data = append(r.Data, train.HashWords("answers", l.answersIn, l.answers))
	}
	return r, nil
}

// dataFiles are files that are read for the same purpose.
func dataFiles(role string, paths []string) []train.DataFile {
	files := make([]train.DataFile, len(paths))
	for i, path := range paths {
		files[i] = train.DataFile{Role: role, Path: path}
	}
	return files
}

// model loads the run's last checkpoint, or makes the model that it begins with; and its tokenizer.
func (f *trainFlags) model(engine compute.Backend, l lesson, found bool, preset string, errOut io.Writer) (*model.Network, *tokenizer.Tokenizer, error) {
	if found {
		last := filepath.Join(f.Out, train.LastName)
		words, err := tokenizer.Load(last)
		if err != nil {
			return nil, nil, err
		}
		network, _, err := pretrained.Load(engine, last, l.head, pretrained.Options{})
		return network, words, err
	}
	words, err := f.tokenizer()
	if err != nil {
		return nil, nil, err
	}
	config, err := f.configuration(words)
	if err != nil {
		return nil, nil, err
	}
	if err := l.configure(config); err != nil {
		return nil, nil, err
	}
	notePreset(config, l.features, preset, errOut)
	b := tasks.Begin{Config: config, Head: l.head, Seed: f.Seed, Init: f.initDir, Bert: f.bert}
	if err := l.begin(&b); err != nil {
		return nil, nil, err
	}
	network, begun, err := b.Model(engine)
	if err != nil {
		return nil, nil, err
	}
	if text := describeBegun(begun); text != "" {
		fmt.Fprintf(errOut, "lxmert: %s\n", text)
	}
	return network, words, nil
}

func (f *trainFlags) tokenizer() (*tokenizer.Tokenizer, error) {
	switch {
	case f.vocab != "":
		return tokenizer.LoadVocab(f.vocab)
	case f.initDir != "":
		return tokenizer.Load(f.initDir)
	}
	return tokenizer.Load(f.bert)
}

// configuration is the model's, before it is fitted to what it shall learn.
func (f *trainFlags) configuration(words *tokenizer.Tokenizer) (*model.Config, error) {
	config := model.DefaultConfig()
	var err error
	switch {
	case f.initDir != "":
		config, err = pretrained.Config(f.initDir)
	case f.config != "":
		config, err = pretrained.ReadConfigFile(f.config)
	}
	if err != nil {
		return nil, err
	}
	if f.initDir == "" {
		config.VocabSize = words.VocabSize()
	} else if n := words.VocabSize(); n > config.VocabSize {
		return nil, fmt.Errorf("%s: the vocabulary has %d words, the model %d (vocab_size): they do not belong together", f.initDir, n, config.VocabSize)
	}
	if err := override(config, f.sets); err != nil {
		return nil, err
	}
	config.HiddenDropout, config.AttentionDropout = f.dropout, f.dropout
	return config, nil
}

// notePreset writes down in a model's configuration which detector's regions it learns from, so that it can be shown pictures later, and warns
// if it has learned from others.
func notePreset(config *model.Config, features []string, preset string, errOut io.Writer) {
	if preset == "" {
		return
	}
	warnPreset(errOut, config, strings.Join(features, ", "), preset)
	pretrained.SetPreset(config, preset)
}

// openFeatures opens all regions as one source, of one preset, "" if it is unknown.
func (f *trainFlags) openFeatures(paths []string) (all data.Source, preset string, err error) {
	var sources []data.Source
	defer func() {
		if err != nil {
			for _, s := range sources {
				s.Close()
			}
		}
	}()
	for _, path := range paths {
		source, err := data.Open(path, f.index)
		if err != nil {
			return nil, "", err
		}
		sources = append(sources, source)
		switch found := data.PresetOf(source); {
		case preset != "" && found != "" && found != preset:
			return nil, "", fmt.Errorf("%s: regions of preset %s, but those of %s before it: a model cannot learn from two detectors at once", path, found, preset)
		case found != "":
			preset = found
		}
	}
	all, err = data.Join(sources...)
	return all, preset, err
}

// lesson reads the questions and makes the task.
func (f *trainFlags) lesson(ctx context.Context, l lesson, found bool, network *model.Network, words *tokenizer.Tokenizer, source data.Source, errOut io.Writer) (train.Task, *questions.Skipped, error) {
	var skipped *questions.Skipped
	if f.skipBad {
		skipped = &questions.Skipped{}
	}
	learn, judge, trained, err := l.read(ctx, skipped)
	if err != nil {
		return nil, nil, err
	}
	if n := f.limit(); n > 0 {
		some := map[string]bool{}
		for _, id := range source.IDs()[:min(n, source.Len())] {
			some[id] = true
		}
		learn, judge = about(learn, some), about(judge, some)
	}
	f.hide.questions(learn)
	f.hide.questions(judge)
	if trained, err = f.learned(found, trained); err != nil {
		return nil, nil, err
	}
	common := tasks.Common{
		Network: network, Tokenizer: words, MaxTokens: min(f.maxTokens, network.Config().MaxPositionEmbeddings),
		Train: learn, Valid: judge, Features: f.hide.source(source), Trained: trained, Compute: f.compute, Ranks: f.Ranks,
		// Whatever the number of devices in use, so that a run may go on with another.
		FixedSizes: padding.Few(network.Backend()) || network.Backend().NumDevices() > 1,
	}
	if skipped != nil {
		common.Bad = skipped.Add
	}
	task, err := l.task(common)
	if err != nil {
		return nil, nil, err
	}
	fmt.Fprintf(errOut, "lxmert: %s examples to learn from, %s to be judged by, %s pictures\n", grouped(task.Len()), grouped(len(judge)), grouped(source.Len()))
	return task, skipped, nil
}

// about keeps the questions about some pictures.
func about(qs []questions.Question, some map[string]bool) []questions.Question {
	return slices.DeleteFunc(qs, func(q questions.Question) bool { return !some[q.Image] || q.Second != "" && !some[q.Second] })
}

// learned is what checkpoints will have learned from: this run's data, and before it what the model that the run begins with has, as far as it says. A
// run that goes on has written it down; where it began may be gone.
func (f *trainFlags) learned(found bool, now []eval.Trained) ([]eval.Trained, error) {
	if found {
		return eval.ReadTrained(filepath.Join(f.Out, train.LastName, eval.TrainedName))
	}
	if f.initDir == "" {
		return now, nil
	}
	before, err := eval.ReadTrained(filepath.Join(f.initDir, eval.TrainedName))
	if errors.Is(err, fs.ErrNotExist) {
		return now, nil
	}
	return append(before, now...), err
}

// trainedOn records a split for checkpoints.
func trainedOn(stage, dataSet, path string, qs []questions.Question) eval.Trained {
	return eval.NewTrained(stage, eval.SplitOf(dataSet, path), predict.Examples(qs))
}
