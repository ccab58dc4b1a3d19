package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/eval"
	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/predict"
	"github.com/go-lxmert/lxmert/pretrained"
)

// originalTokens is to how many tokens the original cuts questions.
const originalTokens = 20

// fileFlags are what eval and predict have in common: which model answers which file of questions.
type fileFlags struct {
	model, data, features, labels, engine, out string
	maxTokens, batch                           int
	skipBad, index                             bool
	cut                                        bool // --max-tokens was given
	divided                                    bool // others answer the rest of the file: it may be that none of these can be answered
	hide                                       hiding
	dtype                                      dtypeFlag
}

// fileForms says in both verbs' help what --data may be.
const fileForms = `Questions (--data) are LXMERT's JSON, or what the data set's site offers: VQA's questions, GQA's questions, NLVR2's
lines, told apart by content; each may still be in its zip. For vqa and gqa also a table or list of one's own (.csv, .jsonl,
.json; see lxmert data build --help). Features are a region store (lxmert data import makes one) or a feature file (TSV).
Questions are cut to 20 tokens, as the original does; --max-tokens 0 refuses those that the model cannot read.`

func (f *fileFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.model, "model", "", "model `directory`, or name on the hub")
	flags.StringVar(&f.data, "data", "", "`file` of questions")
	flags.StringVar(&f.features, "features", "", "region store, or feature `file` (bottom-up-attention TSV)")
	flags.StringVar(&f.labels, "labels", "", "vqa, gqa: answer table `file`, see lxmert ask --help (default: the model directory's)")
	flags.BoolVar(&f.skipBad, "skip-bad", false, "name and count questions that cannot be read or answered, or whose picture is missing, and go on")
	flags.BoolVar(&f.index, "index", false, "keep an index beside the feature file, so that later calls need not read through it")
	flags.IntVar(&f.maxTokens, "max-tokens", originalTokens, "cut questions to `n` tokens, [CLS] and [SEP] included; 0 cuts none, and refuses those that are too long")
	flags.IntVar(&f.batch, "batch", predict.DefaultBatch, "`n` questions go to the model at once")
	f.hide.add(cmd)
	f.dtype.add(cmd)
	backendFlag(cmd, &f.engine)
	required(cmd, "model", "data", "features")
}

// oneKind wants a kind of questions as the only argument.
func oneKind(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef("%s wants vqa, gqa or nlvr2, found %d arguments; see %s --help", cmd.CommandPath(), len(args), cmd.CommandPath())
	}
	if _, err := questions.ParseKind(args[0]); err != nil {
		return usageError{err}
	}
	return nil
}

// check refuses flags that mean nothing.
func (f *fileFlags) check(cmd *cobra.Command, kind questions.Kind) error {
	f.cut = cmd.Flags().Changed("max-tokens")
	if err := f.hide.check(); err != nil {
		return err
	}
	switch {
	case f.batch < 1:
		return usagef("--batch: found %d, want 1 or more", f.batch)
	case f.maxTokens < 0:
		return usagef("--max-tokens: found %d, want 0 or more", f.maxTokens)
	case kind == questions.KindNLVR2 && f.labels != "":
		return usagef("--labels: statements of nlvr2 are true or false, they have no answer table")
	}
	return f.find(cmd, kind)
}

// find replaces a model's name by its directory.
func (f *fileFlags) find(cmd *cobra.Command, kind questions.Kind) (err error) {
	if kind == questions.KindNLVR2 { // has no answer table
		f.model, err = modelDir(cmd, f.model)
		return err
	}
	f.model, f.labels, err = modelAndLabels(cmd, f.model, f.labels)
	return err
}

// questionFile is a file of questions in memory.
type questionFile struct {
	kind    questions.Kind
	form    questions.Form
	qs      []questions.Question
	skipped *questions.Skipped // nil where the first bad record ends it
}

// read reads all questions; that there is none is an error.
func (f *fileFlags) read(ctx context.Context, kind questions.Kind) (*questionFile, error) {
	seq, form, err := questions.Open(kind, f.data, "")
	if err != nil {
		return nil, err
	}
	file := &questionFile{kind: kind, form: form}
	if f.skipBad {
		file.skipped = &questions.Skipped{}
	}
	if file.qs, err = readAll(ctx, seq, file.skipped); err != nil {
		return nil, err
	}
	if len(file.qs) == 0 {
		skipped := ""
		if file.skipped != nil && file.skipped.Count > 0 {
			skipped = fmt.Sprintf(" that can be used; the first of %d that cannot: %v", file.skipped.Count, file.skipped.First[0])
		}
		return nil, fmt.Errorf("%s: found no questions%s", f.data, skipped)
	}
	f.hide.questions(file.qs)
	return file, nil
}

// readAll reads all questions of a sequence.
func readAll(ctx context.Context, seq questions.Seq, skipped *questions.Skipped) ([]questions.Question, error) {
	var all []questions.Question
	for q, err := range questions.Good(seq, skipped) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		all = append(all, q)
	}
	return all, nil
}

// answer asks the model everything, and leaves out of file.qs what it could not be asked.
func (f *fileFlags) answer(ctx context.Context, file *questionFile, errOut io.Writer) ([]predict.Prediction, error) {
	source, err := data.Open(f.features, f.index)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	config, err := pretrained.Config(f.model)
	if err != nil {
		return nil, err
	}
	warnPreset(errOut, config, f.features, data.PresetOf(source))
	m, err := f.open(config, file.kind)
	if err != nil {
		return nil, err
	}
	defer m.close()
	progress := newProgress(errOut, string(file.kind))
	options := predict.Options{Batch: f.batch, Progress: progress.set}
	if file.skipped != nil {
		options.Bad = func(err *predict.QuestionError) {
			file.skipped.Add(fmt.Errorf("%s: %w", f.data, err))
		}
	}
	predictions, err := m.answer(ctx, f.hide.source(source), file.qs, options)
	progress.end()
	if err != nil {
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return nil, err
		}
		return nil, pretrained.InFile(f.data, err)
	}
	file.keep(predictions)
	if len(predictions) == 0 && !f.divided {
		return nil, fmt.Errorf("%s: none of the questions can be answered; the first: %v", f.data, file.skipped.First[0])
	}
	return predictions, nil
}

// keep leaves the questions that have a prediction; both are in the same order.
func (file *questionFile) keep(predictions []predict.Prediction) {
	if len(predictions) == len(file.qs) {
		return
	}
	kept := file.qs[:0]
	for _, q := range file.qs {
		if len(kept) < len(predictions) && predictions[len(kept)].ID == q.ID.String() {
			kept = append(kept, q)
		}
	}
	file.qs = kept
}

// incomplete warns of a submission in which something was skipped; path is "" where there is none.
func (file *questionFile) incomplete(w io.Writer, path string) {
	if path != "" && file.skipped != nil && file.skipped.Count > 0 {
		fmt.Fprintf(w, "warning: %s lacks the %s skipped; servers want an answer to every question\n", path, grouped(file.skipped.Count))
	}
}

// submission is a file of predictions that is to appear when all is done.
type submission struct {
	kind questions.Kind
	file *atomicfile.File // nil: none is wanted
}

// submit begins a submission at path, "" for none. It finds out beforehand whether the file can be written and has room for these questions'
// ids, so that hours of work do not end there.
func (file *questionFile) submit(path string) (*submission, error) {
	s := &submission{kind: file.kind}
	if path == "" {
		return s, nil
	}
	if err := file.fits(path); err != nil {
		return nil, err
	}
	var err error
	s.file, err = atomicfile.Create(path, 0o644)
	return s, err
}

// fits says why these questions' ids cannot be in a submission.
func (file *questionFile) fits(path string) error {
	if err := predict.Submit(io.Discard, file.kind, predict.IDs(file.qs), file.blank()); err != nil {
		return fmt.Errorf("%s cannot be written: %w", path, err)
	}
	return nil
}

// blank are predictions in the right form, whatever is true.
func (file *questionFile) blank() []eval.Prediction {
	blank := make([]eval.Prediction, len(file.qs))
	for i, id := range predict.IDs(file.qs) {
		blank[i] = eval.Prediction{ID: id, Answer: "False"}
	}
	return blank
}

// commit puts the file in its place, if one is wanted.
func (s *submission) commit(file *questionFile, predictions []eval.Prediction) error {
	if s.file == nil {
		return nil
	}
	if err := predict.Submit(s.file, s.kind, predict.IDs(file.qs), predictions); err != nil {
		return err
	}
	return s.file.Commit()
}

// discard leaves what was there before. After commit it does nothing.
func (s *submission) discard() {
	if s.file != nil {
		s.file.Discard()
	}
}
