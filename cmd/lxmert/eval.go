package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/eval"
	"github.com/go-lxmert/lxmert/predict"
)

func newEval() *cobra.Command {
	var run evalRun
	cmd := &cobra.Command{
		Use:   "eval vqa|gqa|nlvr2 --model DIR --data F --features STORE [--annotations F]",
		Short: "Score a model's answers to a file of questions",
		Long: `Eval answers every question of a file and scores the answers:

  vqa    with --annotations (VQA's own) by the official accuracy, also by answer and question type; else by the soft
         labels of LXMERT's JSON, as the original does while it trains
  gqa    GQA's own file by all that the official script measures (validity and plausibility need --choices); else by
         soft labels
  nlvr2  by accuracy and consistency

The report says which it was. With --out the answers are written too, as lxmert predict does.

Standard error has a warning where the model has learned from what it is scored on: by the list of splits in the model
directory (trained.json), compared by the splits' names and by questions and pictures themselves.

` + fileForms,
		Example: `  lxmert eval vqa --model DIR --data minival.json --features val2014 --annotations v2_mscoco_val2014_annotations.json
  lxmert eval gqa --model DIR --data testdev_balanced_questions.json --features gqa_testdev --out submission.json
  lxmert eval nlvr2 --model DIR --data dev.json --features nlvr2 --json`,
		Args: oneKind,
		RunE: func(cmd *cobra.Command, args []string) error {
			run.kind = questions.Kind(args[0])
			return run.all(cmd)
		},
	}
	flags := cmd.Flags()
	run.add(cmd)
	flags.StringVar(&run.annotations, "annotations", "", "vqa: `file` of people's answers, VQA's annotations; it may have more questions than --data")
	flags.StringVar(&run.choices, "choices", "", "gqa: `file` of the questions' choices (val_choices.json)")
	flags.StringVar(&run.split, "split", "", "`name` of the split that --data is, for the warning (default: by the file's name)")
	flags.StringVar(&run.out, "out", "", "`file` for the answers, as the data set's server takes them")
	flags.BoolVar(&run.json, "json", false, "print one JSON object")
	return cmd
}

type evalRun struct {
	fileFlags
	kind                        questions.Kind
	annotations, choices, split string
	json                        bool
}

func (run *evalRun) all(cmd *cobra.Command) error {
	if err := run.check(cmd, run.kind); err != nil {
		return err
	}
	file, err := run.read(cmd.Context(), run.kind)
	if err != nil {
		return err
	}
	truth, err := run.truth(file)
	if err != nil {
		return err
	}
	if _, err := truth.score(file.qs, file.blank()); err != nil { // so that hours of work do not end there
		return fmt.Errorf("%s cannot be scored: %w", run.data, err)
	}
	out, err := file.submit(run.out)
	if err != nil {
		return err
	}
	defer out.discard()
	overlaps, err := run.warn(cmd.ErrOrStderr(), file)
	if err != nil {
		return err
	}
	start := time.Now()
	predictions, err := run.answer(cmd.Context(), file, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	seconds := time.Since(start).Seconds()
	skipped := reportSkipped(cmd.ErrOrStderr(), file.skipped)
	plainly := predict.Plain(predictions)
	score, err := truth.score(file.qs, plainly)
	if err != nil {
		return fmt.Errorf("%s: %w", run.data, err)
	}
	if err := out.commit(file, plainly); err != nil {
		return err
	}
	file.incomplete(cmd.ErrOrStderr(), run.out)
	if run.json {
		return printScore(cmd.OutOrStdout(), score, evalRecord{run.kind, truth.by, skipped, seconds, overlaps})
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s questions in %.1f s, %s skipped; by %s\n%s", run.data, grouped(len(file.qs)), seconds, grouped(skipped), truth.by, score)
	return err
}

// evalRecord is what eval's JSON has besides the score.
type evalRecord struct {
	Kind     questions.Kind `json:"kind"`
	By       string         `json:"scored_by"`
	Skipped  int            `json:"skipped"`
	Seconds  float64        `json:"seconds"` // to open the model and to answer
	Overlaps []string       `json:"overlaps"`
}

// printScore prints one object of both.
func printScore(w io.Writer, score predict.Score, record evalRecord) error {
	one, err := json.Marshal(record)
	if err != nil {
		return err
	}
	two, err := score.MarshalJSON()
	if err != nil {
		return err
	}
	one[len(one)-1] = ',' // in place of its }
	return printJSON(w, json.RawMessage(append(one, two[1:]...)))
}

// truth is what answers are scored by.
type truth struct {
	by    string
	score func([]questions.Question, []eval.Prediction) (predict.Score, error)
}

// truth reads what is known of the right answers.
func (run *evalRun) truth(file *questionFile) (*truth, error) {
	switch {
	case run.annotations != "" && run.kind != questions.KindVQA:
		return nil, usagef("--annotations are VQA's; %s has its answers in --data", run.kind)
	case run.choices != "" && file.form != questions.FormGQA:
		return nil, usagef("--choices go with GQA's own questions file, found %s in %s", file.form.Called(), run.data)
	case run.annotations != "":
		people, err := eval.ReadVQAAnnotations(run.annotations)
		if err != nil {
			return nil, err
		}
		if err := covered(run.annotations, people, file.qs); err != nil {
			return nil, err
		}
		return &truth{"the official VQA accuracy", func(qs []questions.Question, predictions []eval.Prediction) (predict.Score, error) {
			return eval.VQA(only(people, qs, func(q eval.VQAQuestion) string { return q.ID }), predictions)
		}}, nil
	case file.form == questions.FormVQA:
		return nil, usagef("%s has no answers to score by: give --annotations, or answer it with lxmert predict", run.data)
	case file.form == questions.FormGQA:
		asked := idSet(file.qs)
		official, err := eval.ReadGQAQuestions(run.data, run.choices, func(id string) bool { return asked[id] })
		if err != nil {
			return nil, err
		}
		return &truth{"the official GQA metrics", func(qs []questions.Question, predictions []eval.Prediction) (predict.Score, error) {
			return eval.GQA(only(official, qs, func(q eval.GQAQuestion) string { return q.ID }), predictions)
		}}, nil
	case run.kind == questions.KindNLVR2:
		return &truth{"the official NLVR2 accuracy and consistency", func(qs []questions.Question, predictions []eval.Prediction) (predict.Score, error) {
			return predict.StatementScore(qs, predictions)
		}}, nil
	}
	return &truth{"soft labels", func(qs []questions.Question, predictions []eval.Prediction) (predict.Score, error) {
		return predict.SoftScore(qs, predictions)
	}}, nil
}

// only are the records of the questions that were asked.
func only[R any](records []R, qs []questions.Question, id func(R) string) []R {
	asked := idSet(qs)
	var kept []R
	for _, r := range records {
		if asked[id(r)] {
			kept = append(kept, r)
		}
	}
	return kept
}

func idSet(qs []questions.Question) map[string]bool {
	set := make(map[string]bool, len(qs))
	for _, id := range predict.IDs(qs) {
		set[id] = true
	}
	return set
}

// covered checks that people have answered all questions.
func covered(path string, people []eval.VQAQuestion, qs []questions.Question) error {
	left := idSet(qs)
	for _, q := range people {
		delete(left, q.ID)
	}
	for _, q := range qs {
		if left[q.ID.String()] {
			return fmt.Errorf("%s: %d of %d questions have no annotation, the first is %q: are these the annotations of another split?", path, len(left), len(qs), q.ID)
		}
	}
	return nil
}

// warn says what the model has learned from of what it is scored on.
func (run *evalRun) warn(w io.Writer, file *questionFile) ([]string, error) {
	split := eval.SplitOf(string(run.kind), run.data)
	if run.split != "" {
		split.Name = run.split
	}
	trained, err := eval.ReadTrained(filepath.Join(run.model, eval.TrainedName))
	if errors.Is(err, fs.ErrNotExist) {
		for _, o := range eval.Overlaps(eval.OriginalPreTraining(), split, predict.Examples(file.qs)) {
			if o.Questions() {
				fmt.Fprintf(w, "note: %s has no %s, so what the model has learned from is unknown; if it began with LXMERT's published weights, %v\n", run.model, eval.TrainedName, o)
				break
			}
		}
		return []string{}, nil
	}
	if err != nil {
		return nil, err
	}
	texts := []string{}
	for _, o := range eval.Overlaps(trained, split, predict.Examples(file.qs)) {
		fmt.Fprintf(w, "warning: %v\n", o)
		texts = append(texts, o.String())
	}
	return texts, nil
}
