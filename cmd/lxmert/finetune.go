package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/eval"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/train"
	"github.com/go-lxmert/lxmert/train/tasks"
)

// fineTuning is the recipe of the original's scripts for VQA and NLVR2; GQA's learning rate is a fifth.
var fineTuning = trainingRecipe{batch: 32, epochs: 4, rate: 5e-5, warmup: 0.1, clip: 5}

const gqaRate = 1e-5

func newFinetune() *cobra.Command {
	var run finetuneRun
	cmd := &cobra.Command{
		Use:   "finetune vqa|gqa|nlvr2 --init DIR --train F --valid F --features STORE --out RUN",
		Short: "Teach a model to answer questions, or to judge statements",
		Long: `Finetune trains a model on VQA, GQA or NLVR2 as the original does (§4.2), with the recipe of its scripts unless told otherwise: batches of 32,
4 epochs, BertAdam, a warm-up of a tenth, gradients clipped at 5. What is left over of the examples at an epoch's end is left out.

` + fileForms + `
The answer head of --init is kept if its answers are those of --labels; where --init does not say what its answers are, if there are as many.

Answers of LXMERT's JSON that the answer table does not have are an error; of the data sets' own files they are left out, as the
original does when it prepares these. RUN/valid_predict.json are the answers of the last validation.

` + trainForms,
		Example: `  lxmert finetune vqa --load-answers pretrained --labels trainval_label2ans.json --train train.json --train nominival.json \
      --valid minival.json --features train2014 --features val2014 --out vqa
  lxmert finetune gqa --init pretrained/best --labels gqa_label2ans.json --train train.json --valid testdev.json --features gqa --out gqa --lr 1e-5
  lxmert finetune nlvr2 --init pretrained/best --train train.json --valid dev.json --features nlvr2 --out nlvr2 --resume`,
		Args: oneKind,
		RunE: func(cmd *cobra.Command, args []string) error {
			run.kind = questions.Kind(args[0])
			if lr := cmd.Flags().Lookup("lr"); run.kind == questions.KindGQA && !lr.Changed {
				if err := lr.Value.Set(fmt.Sprint(gqaRate)); err != nil { // in the run's record, too
					return err
				}
			}
			return run.onRanks(cmd, run.all)
		},
	}
	flags := cmd.Flags()
	run.add(cmd, fineTuning, fmt.Sprintf(" (gqa: %v)", gqaRate))
	flags.StringArrayVar(&run.learn, "train", nil, "`file` of questions to learn from (repeatable)")
	flags.StringArrayVar(&run.judge, "valid", nil, "`file` of questions to be judged by (repeatable)")
	flags.StringArrayVar(&run.annotations, "annotations", nil, "vqa: `file` of people's answers to a --train of VQA's own form (one for each)")
	flags.StringArrayVar(&run.validAnnotations, "valid-annotations", nil, "vqa: the same `file` for --valid")
	flags.StringArrayVar(&run.regions, "features", nil, "region store, or feature `file` (TSV) (repeatable)")
	flags.StringVar(&run.labels, "labels", "", "vqa, gqa: answer table `file`, see lxmert ask --help (default: --init's)")
	flags.StringVar(&run.answers, "load-answers", "", "vqa, gqa: pre-trained model `directory`, or name on the hub, whose answer head is taken over answer by answer;\nwithout --init all other weights too")
	flags.StringVar(&run.answerLabels, "load-answers-labels", "", "what the logits of --load-answers mean: answer table `file` (default: the directory's; all_ans.json)")
	required(cmd, "train", "features", "out")
	return cmd
}

type finetuneRun struct {
	trainFlags
	kind                                        questions.Kind
	learn, judge, annotations, validAnnotations []string
	regions                                     []string
	labels, answers, answerLabels               string
	table                                       []string
	inTable                                     map[string]bool
}

func (run *finetuneRun) all(cmd *cobra.Command) error {
	statements := run.kind == questions.KindNLVR2
	if statements && (run.labels != "" || run.answers != "" || run.answerLabels != "") {
		return usagef("--labels and --load-answers: statements of nlvr2 are true or false, they have no answer table")
	}
	if run.initDir == "" && run.answers != "" {
		run.initDir = run.answers // its configuration and vocabulary
	}
	if err := run.check(cmd); err != nil {
		return err
	}
	if run.Patience > 0 && run.judge == nil {
		return usagef("--patience: without --valid there is nothing to judge the model by")
	}
	if err := run.find(cmd); err != nil {
		return err
	}
	l := lesson{
		name: "finetune " + string(run.kind), stage: "finetune", head: model.HeadQuestionAnswering, features: run.regions,
		configure: func(c *model.Config) error { return nil },
		begin:     run.begin,
		read:      run.read,
		task:      func(c tasks.Common) (train.Task, error) { c.Kind = run.kind; return tasks.NewAnswering(c, run.table) },
	}
	l.files = slices.Concat(dataFiles("train", run.learn), dataFiles("annotations", run.annotations),
		dataFiles("valid", run.judge), dataFiles("annotations", run.validAnnotations))
	if statements {
		l.head = model.HeadNLVR2
		l.begin = func(*tasks.Begin) error { return nil }
		l.task = func(c tasks.Common) (train.Task, error) { c.Kind = run.kind; return tasks.NewStatements(c) }
		return run.run(cmd, l)
	}
	if err := run.readTable(); err != nil {
		return err
	}
	l.answers, l.answersIn = run.table, cmp.Or(run.labels, run.initDir)
	l.configure = func(c *model.Config) error {
		c.NumQALabels = len(run.table)
		c.ID2Label = make(map[int]string, len(run.table))
		for id, answer := range run.table {
			c.ID2Label[id] = answer
		}
		return nil
	}
	return run.run(cmd, l)
}

// find replaces models' names by their directories.
func (run *finetuneRun) find(cmd *cobra.Command) (err error) {
	if err := run.trainFlags.find(cmd); err != nil {
		return err
	}
	if run.answers, run.answerLabels, err = modelAndLabels(cmd, run.answers, run.answerLabels); err != nil {
		return fmt.Errorf("--load-answers: %w", err)
	}
	return nil
}

// readTable reads the answers of the model to be trained.
func (run *finetuneRun) readTable() error {
	if run.labels == "" && run.initDir == "" {
		return usagef("--labels: a model with fresh weights needs an answer table")
	}
	var err error
	if run.table, err = labelsOf(cmp.Or(run.labels, run.initLabels), run.initDir); err != nil {
		return err
	}
	run.inTable = make(map[string]bool, len(run.table))
	for _, answer := range run.table {
		run.inTable[answer] = true
	}
	return nil
}

// begin adds the answer heads.
func (run *finetuneRun) begin(b *tasks.Begin) error {
	b.Labels = run.table
	if run.answers != "" {
		if b.Init == run.answers {
			b.Init = ""
		}
		labels, err := labelsOf(run.answerLabels, run.answers)
		if err != nil {
			return fmt.Errorf("--load-answers: %w; what its logits mean can be given with --load-answers-labels", err)
		}
		b.Answers, b.AnswerLabels = run.answers, labels
		return nil
	}
	if run.initDir == "" {
		return nil
	}
	own, err := labelsOf(run.initLabels, run.initDir)
	switch {
	case err == nil && !placeholders(own):
		b.KeepAnswers = slices.Equal(own, run.table)
	case err == nil || errors.Is(err, lxmert.ErrNoLabels):
		// The directory does not say what its logits mean; --labels does, if there are as many.
		config, err := pretrained.Config(run.initDir)
		if err != nil {
			return err
		}
		b.KeepAnswers = config.NumQALabels == len(run.table)
	default:
		return err
	}
	return nil
}

// placeholders says whether a table is the one that transformers makes where nobody gave one: LABEL_0, LABEL_1 and so on.
func placeholders(labels []string) bool {
	for i, label := range labels {
		if label != fmt.Sprintf("LABEL_%d", i) {
			return false
		}
	}
	return true
}

// read reads the questions.
func (run *finetuneRun) read(ctx context.Context, skipped *questions.Skipped) (learn, judge []questions.Question, trained []eval.Trained, err error) {
	if n := len(run.annotations); n > 0 && n != len(run.learn) {
		return nil, nil, nil, usagef("--annotations: found %d, want one for each of the %d --train", n, len(run.learn))
	}
	if n := len(run.validAnnotations); n > 0 && n != len(run.judge) {
		return nil, nil, nil, usagef("--valid-annotations: found %d, want one for each of the %d --valid", n, len(run.judge))
	}
	for i, path := range run.learn {
		qs, err := run.file(ctx, path, at(run.annotations, i), skipped)
		if err != nil {
			return nil, nil, nil, err
		}
		trained = append(trained, trainedOn("finetune", string(run.kind), path, qs))
		learn = append(learn, qs...)
	}
	for i, path := range run.judge {
		qs, err := run.file(ctx, path, at(run.validAnnotations, i), skipped)
		if err != nil {
			return nil, nil, nil, err
		}
		judge = append(judge, qs...)
	}
	return learn, judge, trained, nil
}

// at is an element, "" if there are none.
func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// file reads one file. Of what LXMERT's authors have not prepared, answers outside of the table are left out, as they would have been.
func (run *finetuneRun) file(ctx context.Context, path, annotations string, skipped *questions.Skipped) ([]questions.Question, error) {
	seq, form, err := questions.Open(run.kind, path, annotations)
	if err != nil {
		return nil, err
	}
	qs, err := readAll(ctx, seq, skipped)
	if err != nil {
		return nil, err
	}
	if form != questions.FormLXMERT && run.inTable != nil {
		for i := range qs {
			if qs[i].Label != nil {
				qs[i].Label = slices.DeleteFunc(qs[i].Label, func(s answers.Score) bool { return !run.inTable[s.Answer] })
			}
		}
	}
	return qs, nil
}
