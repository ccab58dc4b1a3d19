package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/data/questions"
)

func newDataConvert() *cobra.Command {
	var run convertRun
	cmd := &cobra.Command{
		Use:   "convert KIND FILE... --out F.json",
		Short: "Turn a data set's own files into LXMERT's JSON",
		Long: `Convert reads what the sites of data sets offer, unpacked or (a single JSON file) in its zip, and writes the JSON that LXMERT is trained and judged with.

  vqa QUESTIONS [ANNOTATIONS]   VQA 2.0. Labels are min(1, 0.3 × how many of ten people gave the answer), of the
                                answers in --answers, compared as they are; of all answers without it
  gqa FILE...                   GQA, balanced or all; with --balanced the balanced ones of all
  nlvr2 FILE                    NLVR2: train.json, dev.json, test1.json
  coco FILE                     captions of MS COCO, for pre-training
  vg FILE                       region_descriptions.json of Visual Genome, for pre-training
  vgqa FILE                     question_answers.json of Visual Genome
  lxmert FILE...                LXMERT's own JSON, to put files together or leave out bad records

For pre-training (--pretrain; coco and vg always) a record is a picture with all its sentences: sentf and labelf. Files are
read record by record; pre-training's sentences of vqa, gqa and coco are gathered in memory.`,
		Example: `  lxmert data convert vqa v2_Questions_Val_mscoco.zip v2_Annotations_Val_mscoco.zip --answers trainval_label2ans.json --out val.json
  lxmert data convert gqa testdev_balanced_questions.json --out testdev.json
  lxmert data convert nlvr2 dev.json --split valid --out valid.json
  lxmert data convert coco captions_val2014.json --out coco_val.json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usagef("%s wants a kind and its files; see %s --help", cmd.CommandPath(), cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return run.all(args[0], args[1:], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&run.out, "out", "", "`file` to write")
	flags.StringVar(&run.answers, "answers", "", "`file` of the answers in use, as --labels of ask; others are left out of labels")
	flags.BoolVar(&run.pretrain, "pretrain", false, "write pre-training's form, a record for each picture")
	flags.BoolVar(&run.balanced, "balanced", false, "gqa: balanced questions only")
	flags.StringVar(&run.split, "split", "valid", "nlvr2: `name` of the split within uid (train, valid, test)")
	flags.StringVar(&run.prefix, "img-prefix", "", "coco: `text` before the twelve digits of a picture's number (COCO_train2014_), in place of its file's name")
	flags.BoolVar(&run.skipBad, "skip-bad", false, "count bad records, and go on")
	flags.BoolVar(&run.json, "json", false, "print one JSON object")
	required(cmd, "out")
	return cmd
}

type convertRun struct {
	out, answers, split, prefix       string
	pretrain, balanced, skipBad, json bool
}

type convertRecord struct {
	Pictures  int `json:"pictures,omitempty"`
	Sentences int `json:"sentences"`
	Skipped   int `json:"skipped"`
	Unlabeled int `json:"without_answer_in_use"`
}

func (run convertRun) all(kind string, files []string, out, errOut io.Writer) error {
	inUse, err := answersInUse(run.answers)
	if err != nil {
		return err
	}
	seq, err := run.open(kind, files, inUse)
	if err != nil {
		return err
	}
	var skipped *questions.Skipped
	if run.skipBad {
		skipped = &questions.Skipped{}
	}
	var done convertRecord
	seq = counted(inUsed(questions.Good(seq, skipped), inUse), &done)
	if run.pretrain || kind == "coco" || kind == "vg" {
		done.Pictures, done.Sentences, err = questions.WritePretraining(run.out, seq, kind == "vg" || kind == "vgqa")
	} else {
		done.Sentences, err = questions.Write(run.out, seq)
	}
	done.Skipped = reportSkipped(errOut, skipped)
	if err != nil {
		return err
	}
	if run.json {
		return printJSON(out, done)
	}
	pictures := ""
	if done.Pictures > 0 {
		pictures = fmt.Sprintf(" about %s pictures", grouped(done.Pictures))
	}
	_, err = fmt.Fprintf(out, "%s: %s sentences%s, %s without an answer in use, %s skipped\n", run.out, grouped(done.Sentences), pictures, grouped(done.Unlabeled), grouped(done.Skipped))
	return err
}

// open is the sequence of a kind's files.
func (run convertRun) open(kind string, files []string, inUse func(string) bool) (questions.Seq, error) {
	single := func(read func(path string) questions.Seq) (questions.Seq, error) {
		if len(files) != 1 {
			return nil, usagef("%s wants one file, found %d", kind, len(files))
		}
		return read(files[0]), nil
	}
	joined := func(read func(path string) questions.Seq) (questions.Seq, error) {
		seen := map[questions.ID]bool{}
		return chain(files, func(path string) questions.Seq { return questions.Distinct(path, read(path), seen) }), nil
	}
	switch kind {
	case "vqa":
		if len(files) > 2 {
			return nil, usagef("vqa wants questions and annotations, found %d files", len(files))
		}
		annotations := ""
		if len(files) == 2 {
			annotations = files[1]
		}
		return sourced(questions.VQA(files[0], annotations, inUse), questions.SourceVQA), nil
	case "gqa":
		seq, err := joined(func(path string) questions.Seq { return questions.GQA(path, run.balanced) })
		return sourced(seq, questions.SourceGQA), err
	case "nlvr2":
		return single(func(path string) questions.Seq {
			return questions.Distinct(path, questions.NLVR2(path, run.split), nil)
		})
	case "coco":
		return single(func(path string) questions.Seq { return questions.COCO(path, run.prefix) })
	case "vg":
		return single(questions.Regions)
	case "vgqa":
		return single(questions.VGQA)
	case "lxmert":
		return joined(questions.LXMERT)
	}
	return nil, usagef("found kind %q, want vqa, gqa, nlvr2, coco, vg, vgqa or lxmert", kind)
}

// chain reads files one after the other.
func chain(files []string, read func(path string) questions.Seq) questions.Seq {
	return func(yield func(questions.Question, error) bool) {
		for _, file := range files {
			for q, err := range read(file) {
				if !yield(q, err) {
					return
				}
			}
		}
	}
}

// sourced names the source of questions that have none.
func sourced(seq questions.Seq, source string) questions.Seq {
	return func(yield func(questions.Question, error) bool) {
		for q, err := range seq {
			if q.Source == "" {
				q.Source = source
			}
			if !yield(q, err) {
				return
			}
		}
	}
}

// inUsed leaves out of labels the answers that are not in use.
func inUsed(seq questions.Seq, inUse func(string) bool) questions.Seq {
	if inUse == nil {
		return seq
	}
	return func(yield func(questions.Question, error) bool) {
		for q, err := range seq {
			if q.Label != nil {
				q.Label = slices.DeleteFunc(slices.Clone(q.Label), func(s answers.Score) bool { return !inUse(s.Answer) })
			}
			if !yield(q, err) {
				return
			}
		}
	}
}

// counted counts the questions that have a label without an answer in it.
func counted(seq questions.Seq, done *convertRecord) questions.Seq {
	return func(yield func(questions.Question, error) bool) {
		for q, err := range seq {
			if q.Label != nil && len(q.Label) == 0 {
				done.Unlabeled++
			}
			if !yield(q, err) {
				return
			}
		}
	}
}

// answersInUse reads a list of answers; nil without one.
func answersInUse(path string) (func(string) bool, error) {
	if path == "" {
		return nil, nil
	}
	list, err := lxmert.ReadLabels(path)
	if err != nil {
		return nil, err
	}
	set := make(map[string]bool, len(list))
	for _, answer := range list {
		set[answer] = true
	}
	return func(answer string) bool { return set[answer] }, nil
}

// reportSkipped names what was skipped and says how much.
func reportSkipped(w io.Writer, skipped *questions.Skipped) int {
	if skipped == nil {
		return 0
	}
	for _, err := range skipped.First {
		fmt.Fprintf(w, "skipped: %v\n", err)
	}
	if rest := skipped.Count - len(skipped.First); rest > 0 {
		fmt.Fprintf(w, "skipped: %d more\n", rest)
	}
	return skipped.Count
}
