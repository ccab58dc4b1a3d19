package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/data/questions"
)

func newDataBuild() *cobra.Command {
	var run buildRun
	cmd := &cobra.Command{
		Use:   "build FILE... --out DIR",
		Short: "Make a data set of your own from CSV or JSON",
		Long: `Build turns questions of your own and what people answered into the files that LXMERT is fine-tuned with. A FILE is CSV with a
header, JSON lines (.jsonl) or a JSON list (.json) of records with

  image        the picture's id in the feature file (also img_id, image_id)
  question     (also sent, sentence)
  answers      what people answered, ten of them or any number: in JSON a list, in CSV divided by "|"
  answer       a single answer, or in CSV the columns answer1 to answer10
  question_id  (also id) if there is none, questions are numbered

Answers are normalised as the official VQA evaluation does (--raw leaves them); an answer that k of n people gave
has the score min(1, 3k/n): 0.3, 0.6, 0.9 and 1 for one to four of ten, as in VQA. For each FILE, DIR/NAME.json is written; and from all of them
DIR/trainval_label2ans.json and trainval_ans2label.json, the answers that were the best of at least --min questions. Give all splits
at once, or --answers with the list of the first time.`,
		Example: `  lxmert data build train.csv valid.csv --out mine
  lxmert data build test.jsonl --answers mine/trainval_label2ans.json --out mine`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("%s wants a file; see %s --help", cmd.CommandPath(), cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return run.all(args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&run.out, "out", "", "`directory` to write to")
	flags.IntVar(&run.min, "min", 1, "leave out answers that are the best of fewer questions")
	flags.StringVar(&run.answers, "answers", "", "`file` of the answers in use, in place of a list made from the files")
	flags.BoolVar(&run.raw, "raw", false, "do not normalise answers")
	flags.BoolVar(&run.skipBad, "skip-bad", false, "count bad records, and go on")
	required(cmd, "out")
	return cmd
}

type buildRun struct {
	out, answers string
	min          int
	raw, skipBad bool
}

func (run buildRun) all(files []string, out, errOut io.Writer) error {
	if run.min < 1 {
		return usagef("--min: found %d, want 1 or more", run.min)
	}
	names := map[string]string{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)) + ".json"
		if other, ok := names[name]; ok {
			return usagef("%s and %s would both become %s", other, file, name)
		}
		if target := filepath.Join(run.out, name); sameFile(target, file) {
			return usagef("%s would be written over itself: want another --out", file)
		}
		names[name] = file
	}
	inUse, err := answersInUse(run.answers)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(run.out, 0o755); err != nil {
		return err
	}
	if inUse == nil {
		if inUse, err = run.list(files, out); err != nil {
			return err
		}
	}
	for _, file := range files {
		if err := run.file(file, inUse, out, errOut); err != nil {
			return err
		}
	}
	return nil
}

func sameFile(a, b string) bool {
	one, err1 := os.Stat(a)
	two, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(one, two)
}

func (run buildRun) read(file string, skipped *questions.Skipped) questions.Seq {
	normalise := answers.Official
	if run.raw {
		normalise = nil
	}
	if run.skipBad && skipped == nil {
		skipped = &questions.Skipped{}
	}
	return questions.Good(questions.Distinct(file, questions.Own(file, normalise), nil), skipped)
}

// list makes the list of answers from all files.
func (run buildRun) list(files []string, out io.Writer) (func(string) bool, error) {
	counter := answers.NewCounter()
	for _, file := range files {
		for q, err := range run.read(file, nil) {
			if err != nil {
				return nil, err
			}
			if best, ok := q.Best(); ok {
				counter.Add("own", best)
			}
		}
	}
	list := counter.AtLeast(run.min)
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: found no answer that is the best of %d questions or more; test questions want --answers", strings.Join(files, ", "), run.min)
	}
	if err := answers.WriteList(run.out, "trainval", list); err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "%s: %s of %s answers, the best of %.1f %% of the questions\n", filepath.Join(run.out, "trainval_label2ans.json"), grouped(len(list)), grouped(counter.Len()), 100*counter.Covered(list))
	set := map[string]bool{}
	for _, answer := range list {
		set[answer] = true
	}
	return func(answer string) bool { return set[answer] }, nil
}

func (run buildRun) file(file string, inUse func(string) bool, out, errOut io.Writer) error {
	var skipped *questions.Skipped
	if run.skipBad {
		skipped = &questions.Skipped{}
	}
	var done convertRecord
	target := filepath.Join(run.out, strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))+".json")
	n, err := questions.Write(target, counted(inUsed(run.read(file, skipped), inUse), &done))
	count := reportSkipped(errOut, skipped)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %s questions, %s without an answer in use, %s skipped\n", target, grouped(n), grouped(done.Unlabeled), grouped(count))
	return err
}
