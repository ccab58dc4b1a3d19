package batch

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/cluster/beam/files"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/data/questions"
)

// DataOptions say what Data does; see lxmert data convert and lxmert data build.
type DataOptions struct {
	Job         string
	Kind        string   // one of DataKinds
	Files       []string // of the data set
	Annotations string   // vqa: the file of people's answers, if there is one
	Out         string
	Parts       int
	Workers     int

	Answers  string // file of the answers in use; others are left out of labels
	Pretrain bool   // pre-training's form, a record for each picture; coco and vg have no other
	Balanced bool   // gqa: balanced questions only
	Raw      bool   // own: do not normalise answers
	Split    string // nlvr2: the split within uid
	Prefix   string // coco: before a picture's number, in place of its file's name

	Scratch string
	Again   bool
}

// DataKinds are the data sets that are read.
func DataKinds() []string {
	return []string{"vqa", "gqa", "nlvr2", "coco", "vg", "vgqa", "own", "lxmert"}
}

func init() {
	register.DoFn3x1[context.Context, string, func(string, Asked), error](&readDataFn{})
	register.DoFn3x1[string, func(*Asked) bool, func(int, Asked), error](&firstOfFn{})
	register.DoFn4x1[context.Context, int, func(*Asked) bool, func(Done), error](&dataFn{})
	register.Emitter2[string, Asked]()
}

// Check says before a job begins what would end it.
func (o DataOptions) Check(ctx context.Context) error {
	if len(o.Files) == 0 {
		return errors.New("no files are given")
	}
	paths := append([]string{o.Out}, o.Files...)
	if o.Annotations != "" {
		paths = append(paths, o.Annotations)
	}
	for _, path := range paths {
		if err := files.Check(path); err != nil {
			return err
		}
	}
	for _, path := range paths[1:] {
		if ok, err := files.Has(ctx, path); err != nil || !ok {
			return errors.Join(fmt.Errorf("%s is not there", path), err)
		}
	}
	if err := errors.Join(checkParts(o.Parts), checkWorkers(o.Workers)); err != nil {
		return err
	}
	if _, err := o.inUse(); err != nil {
		return err
	}
	if _, err := o.seq(o.Files[0], o.Annotations, nil); err != nil {
		return err
	}
	return writable(ctx, o.Out, o)
}

func (o DataOptions) pretraining() bool { return o.Pretrain || o.Kind == "coco" || o.Kind == "vg" }

var answerLists once[string, map[string]bool]

// inUse says which answers are; nil: all.
func (o DataOptions) inUse() (func(string) bool, error) {
	if o.Answers == "" {
		return nil, nil
	}
	set, err := answerLists.get(o.Answers, func() (map[string]bool, error) {
		list, err := lxmert.ReadLabels(o.Answers)
		set := make(map[string]bool, len(list))
		for _, answer := range list {
			set[answer] = true
		}
		return set, err
	})
	return func(answer string) bool { return set[answer] }, err
}

// seq reads a file of the data set, on this machine.
func (o DataOptions) seq(path, annotations string, inUse func(string) bool) (questions.Seq, error) {
	if annotations != "" && (o.Kind != "vqa" || len(o.Files) != 1) {
		return nil, errors.New("annotations are vqa's, of one file of questions")
	}
	switch o.Kind {
	case "vqa":
		return questions.VQA(path, annotations, inUse), nil
	case "gqa":
		return questions.GQA(path, o.Balanced), nil
	case "nlvr2":
		return questions.NLVR2(path, o.Split), nil
	case "coco":
		return questions.COCO(path, o.Prefix), nil
	case "vg":
		return questions.Regions(path), nil
	case "vgqa":
		return questions.VGQA(path), nil
	case "own":
		normalise := answers.Official
		if o.Raw {
			normalise = nil
		}
		return questions.Own(path, normalise), nil
	case "lxmert":
		return questions.LXMERT(path), nil
	}
	return nil, fmt.Errorf("found kind %q, want one of %q", o.Kind, DataKinds())
}

// Data reads a data set's own files and writes LXMERT's JSON, in parts: OUT/part-00003-of-00008.json has what is said of the images of part 3, in the order of
// the files. A record that cannot be read, or whose id came before, is a dead letter.
func Data(s beam.Scope, o DataOptions) {
	s = s.Scope("data")
	byID := beam.GroupByKey(s, beam.ParDo(s, &readDataFn{Options: o}, beam.Reshuffle(s, beam.CreateList(s, o.Files))))
	all := beam.Flatten(s,
		beam.ParDo(s, &everyAskedFn{Parts: o.Parts}, beam.Impulse(s)),
		beam.ParDo(s, &firstOfFn{Parts: o.Parts}, byID))
	done := beam.ParDo(s, &dataFn{Options: o}, beam.GroupByKey(s, all))
	beam.ParDo0(s, &joinDeadLettersFn{Job: o.Job, Out: o.Out, Parts: o.Parts}, beam.Impulse(s), beam.SideInput{Input: done})
}

// readDataFn reads a file; its records come by id, or, what has none, by where it stands.
type readDataFn struct{ Options DataOptions }

func (f *readDataFn) ProcessElement(ctx context.Context, path string, emit func(string, Asked)) error {
	return failed(ctx, f.Options.Job, f.read(ctx, path, emit))
}

func (f *readDataFn) read(ctx context.Context, path string, emit func(string, Asked)) error {
	o := f.Options
	inUse, err := o.inUse()
	if err != nil {
		return err
	}
	number := indexOf(o.Files, path)
	return fetched(ctx, path, func(local string) error {
		annotations := func(do func(local string) error) error { return do("") }
		if o.Annotations != "" {
			annotations = func(do func(local string) error) error { return fetched(ctx, o.Annotations, do) }
		}
		return annotations(func(people string) error {
			seq, err := o.seq(local, people, inUse)
			if err != nil {
				return err
			}
			return eachQuestion(ctx, seq, path, local, func(record int, q questions.Question, bad *DeadLetter) error {
				a := Asked{File: number, Record: record, Path: at(path, record)}
				if bad != nil {
					a.ID, a.Fault = bad.ID, bad.Error
					emit(a.Path, a)
					return nil
				}
				var err error
				a.Text, err = encodeQuestion(o.finished(q, inUse))
				if a.ID = q.ID.String(); err == nil {
					emit(keyOf(q, a), a)
				}
				return err
			})
		})
	})
}

// keyOf is by what a record is found again.
func keyOf(q questions.Question, a Asked) string {
	if q.ID.IsZero() {
		return a.Path
	}
	return fmt.Sprintf("%v %s", q.ID.IsNumber(), q.ID)
}

// finished names the source of a question, and leaves answers that are not in use out of its label.
func (o DataOptions) finished(q questions.Question, inUse func(string) bool) questions.Question {
	if source := map[string]string{"vqa": questions.SourceVQA, "gqa": questions.SourceGQA}[o.Kind]; q.Source == "" {
		q.Source = source
	}
	if inUse != nil && q.Label != nil {
		label := []answers.Score{}
		for _, s := range q.Label {
			if inUse(s.Answer) {
				label = append(label, s)
			}
		}
		q.Label = label
	}
	return q
}

// firstOfFn lets the first of an id through; the others become dead letters.
type firstOfFn struct{ Parts int }

func (f *firstOfFn) ProcessElement(_ string, same func(*Asked) bool, emit func(int, Asked)) error {
	var first, a Asked
	var rest []Asked
	for n := 0; same(&a); n++ {
		switch {
		case n == 0:
			first = a
		case a.File < first.File || a.File == first.File && a.Record < first.Record:
			rest, first = append(rest, first), a
		default:
			rest = append(rest, a)
		}
	}
	image := first.Path
	if first.Fault == "" {
		q, err := decodeQuestion(first.Text)
		if err != nil {
			return fmt.Errorf("%s: %w", first.Path, err)
		}
		image = q.Image
	}
	part := data.PartOf(image, f.Parts)
	emit(part, first)
	for _, a := range rest {
		a.Text, a.Fault = "", "id: comes a second time, want each once: first in "+first.Path
		emit(part, a)
	}
	return nil
}

// dataFn writes parts.
type dataFn struct {
	Options DataOptions
	lanes   *lanes
}

func (f *dataFn) StartBundle(ctx context.Context, _ func(Done)) error {
	f.lanes = newLanes(ctx, f.Options.Workers)
	return nil
}

func (f *dataFn) ProcessElement(ctx context.Context, index int, asked func(*Asked) bool, _ func(Done)) error {
	part := &dataPart{options: f.Options, part: data.Part{Index: index, Of: f.Options.Parts}}
	var a Asked
	for asked(&a) {
		if a.Record >= 0 {
			part.asked = append(part.asked, a)
		}
	}
	return failed(ctx, f.Options.Job, f.lanes.add(part.run))
}

// FinishBundle waits for the parts of the bundle.
func (f *dataFn) FinishBundle(ctx context.Context, emit func(Done)) error {
	return failed(ctx, f.Options.Job, f.lanes.report(ctx, emit))
}
