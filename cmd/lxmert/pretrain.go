package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/eval"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/train"
	"github.com/go-lxmert/lxmert/train/tasks"
)

// preTraining is the recipe of the original's script.
var preTraining = trainingRecipe{batch: 256, epochs: 20, rate: 1e-4, warmup: 0.05, clip: 1}

// The names under which the command knows the tasks, those of config.json without task_ and visual_…_loss.
var (
	allTasks  = []string{"mask_lm", "matched", "obj_predict", "qa"}
	allLosses = []string{"obj", "attr", "feat"}
)

func newPretrain() *cobra.Command {
	var run pretrainRun
	cmd := &cobra.Command{
		Use:   "pretrain --data DIR... --out RUN",
		Short: "Teach a model the five pre-training tasks",
		Long: `Pretrain trains a model on pairs of pictures and sentences as the original does (§3.1), with the recipe of its script unless told otherwise: masked
words, masked objects (their labels, attributes and features), whether sentence and picture match, and the answers to questions; batches of 256, 20 epochs,
BertAdam, a warm-up of a twentieth, gradients clipped at 1.

A --data directory holds sentences in pre-training's form (lxmert data convert makes it of COCO, Visual Genome, VG-QA, VQA and GQA), captions.json or all its
files NAME.json of that form, and regions: a region store regions/, or feature files NAME.tsv. Sentences and regions elsewhere are given by --train and
--features. --valid-data and --valid are to judge by.

The paper learns to answer questions in a second stage only: with --qa-from 11 that is so from the eleventh epoch on; or make it a run of its own, with
--tasks mask_lm,matched,obj_predict in the first and --init FIRST/last in the second. --tasks and --visual-losses leave out what is not to be learned.

` + trainForms,
		Example: `  lxmert pretrain --data coco --data vg --valid-data minival --labels all_ans.json --vocab vocab.txt --out pretrained
  lxmert pretrain --train mscoco_train.json --valid mscoco_minival.json --features train2014 --features val2014 --labels all_ans.json \
      --bert bert-base-uncased --qa-from 11 --out pretrained --resume
  lxmert pretrain --data scenes --vocab scenes/vocab.txt --config scenes/config.json --set hidden_size=128 --set num_attention_heads=4 \
      --batch 64 --epochs 10 --out small`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return run.onRanks(cmd, run.all) },
	}
	flags := cmd.Flags()
	run.add(cmd, preTraining, "")
	flags.StringArrayVar(&run.data, "data", nil, "`directory` with sentences and regions to learn from (repeatable)")
	flags.StringArrayVar(&run.validData, "valid-data", nil, "the same to be judged by (repeatable)")
	flags.StringArrayVar(&run.learn, "train", nil, "`file` of sentences to learn from (repeatable)")
	flags.StringArrayVar(&run.judge, "valid", nil, "`file` of sentences to be judged by (repeatable)")
	flags.StringArrayVar(&run.regions, "features", nil, "region store, or feature `file` (TSV) (repeatable)")
	flags.StringVar(&run.labels, "labels", "", "answer table `file`, as all_ans.json (default: --init's, or answers.json or all_ans.json of the first --data)")
	flags.StringSliceVar(&run.tasks, "tasks", allTasks, "what is learned")
	flags.StringSliceVar(&run.losses, "visual-losses", allLosses, "what is learned of masked objects")
	flags.StringSliceVar(&run.sets, "sets", nil, "data sets whose sentences are learned and judged by, such as mscoco,vg (default: all)")
	flags.StringSliceVar(&run.qaSets, "qa-sets", nil, "data sets whose questions are learned, such as vqa,gqa,visual7w (default: all)")
	flags.IntVar(&run.answersFrom, "qa-from", 1, "`epoch` from which on the answers are learned")
	flags.Float64Var(&run.options.WordRate, "word-mask-rate", 0.15, "`share` of words that are masked")
	flags.Float64Var(&run.options.RegionRate, "obj-mask-rate", 0.15, "`share` of regions that are masked")
	required(cmd, "out")
	return cmd
}

type pretrainRun struct {
	trainFlags
	data, validData, learn, judge, regions []string
	labels                                 string
	tasks, losses, sets, qaSets            []string
	answersFrom                            int
	options                                tasks.PreTrainingOptions
}

func (run *pretrainRun) all(cmd *cobra.Command) error {
	for name, list := range map[string][2][]string{"--tasks": {run.tasks, allTasks}, "--visual-losses": {run.losses, allLosses}} {
		for _, word := range list[0] {
			if !slices.Contains(list[1], word) {
				return usagef("%s: found %q, want some of %s", name, word, strings.Join(list[1], ", "))
			}
		}
	}
	if run.answersFrom < 1 {
		return usagef("--qa-from: found %d, want 1 or more", run.answersFrom)
	}
	run.options.AnswersFrom = run.answersFrom - 1
	if err := run.check(cmd); err != nil {
		return err
	}
	if err := run.gather(); err != nil {
		return err
	}
	if run.Patience > 0 && run.judge == nil {
		return usagef("--patience: without --valid or --valid-data there is nothing to judge the model by")
	}
	if err := run.find(cmd); err != nil {
		return err
	}
	if err := run.readTable(); err != nil {
		return err
	}
	l := lesson{
		name: "pretrain", stage: "pretrain", head: model.HeadPreTraining, features: run.regions,
		configure: run.configure,
		begin:     func(b *tasks.Begin) error { b.KeepAnswers = run.sameTable(b.Init); return nil },
		read:      run.read,
		task:      func(c tasks.Common) (train.Task, error) { return tasks.NewPreTraining(c, run.options) },
	}
	l.files = append(dataFiles("train", run.learn), dataFiles("valid", run.judge)...)
	if table := run.options.Labels; table != nil {
		l.answers, l.answersIn = answersOf(table), cmp.Or(run.labels, run.initDir, "the first --data that has a table")
	}
	return run.run(cmd, l)
}

// gather finds the files of the directories.
func (run *pretrainRun) gather() error {
	for _, part := range []struct {
		dirs  []string
		files *[]string
	}{{run.data, &run.learn}, {run.validData, &run.judge}} {
		for _, dir := range part.dirs {
			sentences, regions, err := inDirectory(dir)
			if err != nil {
				return err
			}
			*part.files = append(*part.files, sentences...)
			for _, path := range regions {
				if !slices.Contains(run.regions, path) {
					run.regions = append(run.regions, path)
				}
			}
		}
	}
	switch {
	case len(run.learn) == 0:
		return usagef("lxmert pretrain needs --data or --train; see lxmert pretrain --help")
	case len(run.regions) == 0:
		return usagef("lxmert pretrain needs --features, or --data with regions")
	}
	return nil
}

// inDirectory finds sentences and regions.
func inDirectory(dir string) (sentences, regions []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		switch {
		case entry.Name() == "captions.json":
			sentences = []string{path}
		case strings.HasSuffix(path, ".json") && !slices.Contains(sentences, filepath.Join(dir, "captions.json")):
			if of, err := questions.IsPretraining(path); err != nil {
				return nil, nil, err
			} else if of {
				sentences = append(sentences, path)
			}
		case strings.HasSuffix(path, ".tsv"):
			regions = append(regions, path)
		case entry.IsDir():
			if _, err := os.Stat(filepath.Join(path, data.ManifestName)); err == nil {
				regions = append(regions, path)
			}
		}
	}
	if sentences == nil {
		return nil, nil, fmt.Errorf("%s: found no sentences in pre-training's form (captions.json, or NAME.json with sentf): lxmert data convert makes them", dir)
	}
	return sentences, regions, nil
}

// readTable finds the answers.
func (run *pretrainRun) readTable() error {
	if !slices.Contains(run.tasks, "qa") {
		return nil
	}
	entries, err := run.answerEntries()
	if err != nil {
		return err
	}
	table, err := answers.NewTable(entries)
	if err != nil {
		return err
	}
	if run.qaSets != nil && slices.ContainsFunc(entries, func(e answers.Entry) bool { return e.DataSets != nil }) {
		if table = table.Of(run.qaSets...); table.Len() == 0 {
			return usagef("--qa-sets: no answer of the table is of %s", strings.Join(run.qaSets, ", "))
		}
	}
	run.options.Labels = table
	return nil
}

func (run *pretrainRun) answerEntries() ([]answers.Entry, error) {
	path := cmp.Or(run.labels, run.initLabels)
	if path == "" && run.initDir == "" {
		for _, name := range []string{"answers.json", "all_ans.json"} {
			for _, dir := range run.data {
				candidate := filepath.Join(dir, name)
				if _, err := os.Stat(candidate); err == nil && path == "" {
					path = candidate
				}
			}
		}
		if path == "" {
			return nil, usagef("the task qa needs --labels, an answer table such as all_ans.json (lxmert data answers pretrain makes one); or leave it out with --tasks")
		}
	}
	if path != "" {
		if table, err := answers.ReadTable(path); err == nil {
			return table.Entries(), nil
		}
	}
	list, err := labelsOf(path, run.initDir)
	if err != nil {
		return nil, err
	}
	entries := make([]answers.Entry, len(list))
	for i, answer := range list {
		entries[i].Answer = answer
	}
	return entries, nil
}

// sameTable says whether a model's answers are those that are to be learned.
func (run *pretrainRun) sameTable(dir string) bool {
	if dir == "" || run.options.Labels == nil {
		return false
	}
	own, err := labelsOf(run.initLabels, dir)
	if err != nil {
		return errors.Is(err, lxmert.ErrNoLabels) && run.labels == ""
	}
	return slices.Equal(own, answersOf(run.options.Labels))
}

// answersOf are the answers of a table in order of their ids.
func answersOf(table *answers.Table) []string {
	list := make([]string, 0, table.Len())
	for _, e := range table.Entries() {
		list = append(list, e.Answer)
	}
	return list
}

// configure switches tasks on and off.
func (run *pretrainRun) configure(c *model.Config) error {
	learns := func(task string) bool { return slices.Contains(run.tasks, task) }
	c.TaskMaskLM, c.TaskMatched, c.TaskObjPredict, c.TaskQA = learns("mask_lm"), learns("matched"), learns("obj_predict"), learns("qa")
	loss := func(name string) bool { return slices.Contains(run.losses, name) }
	c.VisualObjLoss, c.VisualAttrLoss, c.VisualFeatLoss = loss("obj"), loss("attr"), loss("feat")
	if run.options.Labels != nil {
		c.NumQALabels = run.options.Labels.Len()
		c.ID2Label = make(map[int]string, c.NumQALabels)
		for id, e := range run.options.Labels.Entries() {
			c.ID2Label[id] = e.Answer
		}
	}
	return nil
}

// read reads the sentences.
func (run *pretrainRun) read(ctx context.Context, skipped *questions.Skipped) (learn, judge []questions.Question, trained []eval.Trained, err error) {
	for _, part := range []struct {
		files []string
		to    *[]questions.Question
	}{{run.learn, &learn}, {run.judge, &judge}} {
		for _, path := range part.files {
			qs, err := readAll(ctx, questions.LXMERT(path), skipped)
			if err != nil {
				return nil, nil, nil, err
			}
			if run.sets != nil {
				qs = slices.DeleteFunc(qs, func(q questions.Question) bool { return !slices.Contains(run.sets, q.Source) })
				if len(qs) == 0 {
					return nil, nil, nil, usagef("--sets: %s has no sentence of %s", path, strings.Join(run.sets, ", "))
				}
			}
			if run.qaSets != nil {
				for i := range qs {
					if !slices.Contains(run.qaSets, qs[i].Source) {
						qs[i].Label = nil
					}
				}
			}
			if part.to == &learn {
				trained = append(trained, trainedOn("pretrain", "lxmert", path, qs))
			}
			*part.to = append(*part.to, qs...)
		}
	}
	return learn, judge, trained, nil
}
