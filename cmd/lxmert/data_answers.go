package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/data/questions"
)

func newDataAnswers() *cobra.Command {
	var run answersRun
	cmd := &cobra.Command{
		Use:   "answers KIND FILE... --out PATH",
		Short: "Make the list of answers that a model chooses from",
		Long: `Answers counts in how many questions each answer was the one most people gave.

  vqa ANNOTATIONS...      the answers of --min questions or more (default 9), normalised: the rule by which the 3,129
                          for VQA 2.0 were made from train and val
  gqa FILE...             all answers of GQA's questions
  lxmert FILE...          the best answers of LXMERT's JSON
  pretrain SOURCE=FILE... the --size most frequent answers (default 9500) over several sources in LXMERT's JSON, in the form
                          of pre-training (lower case, without articles, numbers as digits). SOURCE is vqa, gqa or visual7w

For a list to fine-tune with, PATH is a directory: trainval_label2ans.json and trainval_ans2label.json are
written, sorted by alphabet. The order of the published lists came from a Python dictionary and cannot be found
again: models that were trained with those need those. For pretrain, PATH is the file all_ans.json; the published
one's own script was never given out, this makes one like it.`,
		Example: `  lxmert data answers vqa v2_mscoco_train2014_annotations.json v2_mscoco_val2014_annotations.json --out vqa
  lxmert data answers pretrain vqa=vqa/train.json gqa=gqa/train.json visual7w=vgqa.json --out all_ans.json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usagef("%s wants a kind and its files; see %s --help", cmd.CommandPath(), cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("min") && args[0] == "vqa" {
				run.min = 9
			}
			return run.all(args[0], args[1:], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&run.out, "out", "", "`path` to write")
	flags.IntVar(&run.min, "min", 1, "leave out answers of fewer questions")
	flags.IntVar(&run.size, "size", 9500, "pretrain: how many answers")
	flags.BoolVar(&run.skipBad, "skip-bad", false, "count bad records, and go on")
	required(cmd, "out")
	return cmd
}

type answersRun struct {
	out       string
	min, size int
	skipBad   bool
}

func (run answersRun) all(kind string, files []string, out, errOut io.Writer) error {
	if run.min < 1 || run.size < 1 {
		return usagef("--min, --size: found %d and %d, want 1 or more", run.min, run.size)
	}
	var skipped *questions.Skipped
	if run.skipBad {
		skipped = &questions.Skipped{}
	}
	counter := answers.NewCounter()
	for _, file := range files {
		if err := run.count(kind, file, counter, skipped); err != nil {
			return err
		}
	}
	reportSkipped(errOut, skipped)
	if kind == "pretrain" {
		table := counter.Table(run.size)
		var list []string
		for _, e := range table.Entries() {
			list = append(list, e.Answer)
		}
		if err := table.Write(run.out); err != nil {
			return err
		}
		return run.say(out, counter, list)
	}
	list := counter.AtLeast(run.min)
	if err := os.MkdirAll(run.out, 0o755); err != nil {
		return err
	}
	if err := answers.WriteList(run.out, "trainval", list); err != nil {
		return err
	}
	return run.say(out, counter, list)
}

func (run answersRun) say(out io.Writer, counter *answers.Counter, list []string) error {
	_, err := fmt.Fprintf(out, "%s: %s of %s answers, the best of %.1f %% of the questions\n", run.out, grouped(len(list)), grouped(counter.Len()), 100*counter.Covered(list))
	return err
}

// count adds a file's answers.
func (run answersRun) count(kind, file string, counter *answers.Counter, skipped *questions.Skipped) error {
	source, form := kind, func(answer string) string { return answer }
	var seq questions.Seq
	switch kind {
	case "vqa":
		return questions.VQAMostCommon(file, func(answer string) { counter.Add("vqa", answers.VQALabel(answer)) })
	case "gqa":
		seq = questions.GQA(file, false)
	case "lxmert":
		seq = questions.LXMERT(file)
	case "pretrain":
		name, path, ok := strings.Cut(file, "=")
		if !ok {
			return usagef("pretrain: found %q, want SOURCE=FILE", file)
		}
		source, form, seq = name, answers.Pretraining, questions.LXMERT(path)
	default:
		return usagef("found kind %q, want vqa, gqa, lxmert or pretrain", kind)
	}
	for q, err := range questions.Good(seq, skipped) {
		if err != nil {
			return err
		}
		if best, ok := q.Best(); ok {
			counter.Add(source, form(best))
		}
	}
	return nil
}
