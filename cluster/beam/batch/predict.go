package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/go-lxmert/lxmert/cluster/beam/files"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
)

// PredictOptions say what Predict does.
type PredictOptions struct {
	Job       string
	Kind      questions.Kind
	Questions []string // files in the data set's form, LXMERT's or one's own, see questions.Open
	Regions   string   // directory of a region store; if it is divided into parts, its number of parts is that of the job
	Out       string   // directory of the answers
	Parts     int      // for a store that is not divided: it must be on a file system that each worker has
	Workers   int

	Model   Model
	Batch   int  // questions that go to the model at once; 0 is predict.DefaultBatch
	Parquet bool // write Parquet files beside those of JSON lines

	Scratch string
	Again   bool
}

func init() {
	register.DoFn3x1[context.Context, string, func(int, Asked), error](&readQuestionsFn{})
	register.DoFn4x1[context.Context, int, func(*Asked) bool, func(Done), error](&predictFn{})
	register.DoFn3x1[context.Context, []byte, func(*Done) bool, error](&joinDeadLettersFn{})
	register.DoFn2x0[[]byte, func(int, Asked)](&everyAskedFn{})
	register.Emitter2[int, Asked]()
	register.Iter1[Asked]()
}

// Check says before a job begins what would end it, and takes the number of parts from the store. The note is for people.
func (o *PredictOptions) Check(ctx context.Context) (note string, err error) {
	if len(o.Questions) == 0 {
		return "", errors.New("no questions are given")
	}
	for _, path := range append([]string{o.Out, o.Regions}, o.Questions...) {
		if err := files.Check(path); err != nil {
			return "", err
		}
	}
	if err := checkWorkers(o.Workers); err != nil {
		return "", err
	}
	m, err := readManifest(ctx, o.Regions)
	if err != nil {
		return "", err
	}
	switch {
	case m.Parts > 0:
		o.Parts = m.Parts
	case !files.IsLocal(o.Regions):
		return "", fmt.Errorf("%s: the store is not divided into parts, and each worker would have to fetch all of it: extract with --parts, or put it on a "+
			"file system that all workers have", o.Regions)
	}
	if err := checkParts(o.Parts); err != nil {
		return "", err
	}
	if err := writable(ctx, o.Out, o); err != nil {
		return "", err
	}
	model, err := o.Model.open(ctx, o.Kind)
	if err != nil {
		return "", err
	}
	return model.fits(o.Regions, m)
}

// readManifest reads that of a store, wherever it is.
func readManifest(ctx context.Context, dir string) (data.Manifest, error) {
	if files.IsLocal(dir) {
		return data.ReadManifest(dir)
	}
	content, err := files.Read(ctx, files.Join(dir, data.ManifestName), maxReceipt)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s is no region store, or one whose parts are not all done: it has no %s: %w", dir, data.ManifestName, fs.ErrNotExist)
	}
	if err != nil {
		return data.Manifest{}, err
	}
	m, err := data.ParseManifest(content)
	if err != nil {
		err = fmt.Errorf("%s: %w", files.Join(dir, data.ManifestName), err)
	}
	return m, err
}

// writable leaves the job's options in OUT.beam, where they are of use to whoever wonders later, and so finds out whether anything can be written.
func writable(ctx context.Context, out string, options any) error {
	content, err := json.MarshalIndent(options, "", "  ")
	if err != nil {
		return err
	}
	if err := files.Write(ctx, files.Join(besides(out), "job.json"), append(content, '\n')); err != nil {
		return fmt.Errorf("the output cannot be written: %w", err)
	}
	return nil
}

// An Asked is a question on its way: of the file and record that it stands in, which is its order.
type Asked struct {
	File, Record int
	Text         string // the question, JSON
	Path         string // file and record, for dead letters
	ID           string
	Fault        string // why it cannot be asked
}

// Predict answers questions. Those about images of one part are answered by whoever works on the part, from its regions, which are read from the store and
// never sent between workers; of two images the first counts. Answers are in OUT/answers-part-00003-of-00008.jsonl (and .parquet), dead letters in
// OUT.faults.jsonl.
func Predict(s beam.Scope, o PredictOptions) {
	s = s.Scope("predict")
	all := beam.Flatten(s,
		beam.ParDo(s, &everyAskedFn{Parts: o.Parts}, beam.Impulse(s)),
		beam.ParDo(s, &readQuestionsFn{Options: o}, beam.Reshuffle(s, beam.CreateList(s, o.Questions))))
	done := beam.ParDo(s, &predictFn{Options: o}, beam.GroupByKey(s, all))
	beam.ParDo0(s, &joinDeadLettersFn{Job: o.Job, Out: o.Out, Parts: o.Parts}, beam.Impulse(s), beam.SideInput{Input: done})
}

// everyAskedFn gives each part something, see Sources.pictures.
type everyAskedFn struct{ Parts int }

func (f *everyAskedFn) ProcessElement(_ []byte, emit func(int, Asked)) {
	for i := range f.Parts {
		emit(i, Asked{Record: -1})
	}
}

// readQuestionsFn reads a file.
type readQuestionsFn struct{ Options PredictOptions }

func (f *readQuestionsFn) ProcessElement(ctx context.Context, path string, emit func(int, Asked)) error {
	return failed(ctx, f.Options.Job, f.read(ctx, path, emit))
}

func (f *readQuestionsFn) read(ctx context.Context, path string, emit func(int, Asked)) error {
	number := indexOf(f.Options.Questions, path)
	return fetched(ctx, path, func(local string) error {
		seq, _, err := questions.Open(f.Options.Kind, local, "")
		if err != nil {
			return err
		}
		return eachQuestion(ctx, seq, path, local, func(record int, q questions.Question, bad *DeadLetter) error {
			a := Asked{File: number, Record: record, Path: at(path, record)}
			if bad != nil {
				a.ID, a.Fault = bad.ID, bad.Error
				emit(data.PartOf(a.Path, f.Options.Parts), a)
				return nil
			}
			text, err := encodeQuestion(q)
			if err != nil {
				return err
			}
			a.ID, a.Text = q.ID.String(), text
			emit(data.PartOf(q.Image, f.Options.Parts), a)
			return nil
		})
	})
}

// predictFn works on parts.
type predictFn struct {
	Options PredictOptions
	lanes   *lanes
}

// Setup loads the model, if the process has none yet.
func (f *predictFn) Setup(ctx context.Context) error {
	_, err := f.Options.Model.open(ctx, f.Options.Kind)
	return failed(ctx, f.Options.Job, err)
}

func (f *predictFn) StartBundle(ctx context.Context, _ func(Done)) error {
	f.lanes = newLanes(ctx, f.Options.Workers)
	return nil
}

func (f *predictFn) ProcessElement(ctx context.Context, index int, asked func(*Asked) bool, _ func(Done)) error {
	part := &predictPart{options: f.Options, part: data.Part{Index: index, Of: f.Options.Parts}}
	var a Asked
	for asked(&a) {
		if a.Record >= 0 {
			part.asked = append(part.asked, a)
		}
	}
	return failed(ctx, f.Options.Job, f.lanes.add(part.run))
}

// FinishBundle waits for the parts of the bundle.
func (f *predictFn) FinishBundle(ctx context.Context, emit func(Done)) error {
	return failed(ctx, f.Options.Job, f.lanes.report(ctx, emit))
}

// joinDeadLettersFn joins the dead letters when all parts are done.
type joinDeadLettersFn struct {
	Job, Out string
	Parts    int
}

func (f *joinDeadLettersFn) ProcessElement(ctx context.Context, _ []byte, done func(*Done) bool) error {
	parts, err := everyPart(done, f.Parts)
	if err == nil {
		err = joinDeadLetters(ctx, f.Out, parts)
	}
	return failed(ctx, f.Job, err)
}

// Submit joins the answers of all parts in the order of the questions, as the data set's server takes them.
func Submit(ctx context.Context, o PredictOptions, path string) (int, error) {
	var all []Answer
	for i := range o.Parts {
		file, _, err := files.Open(ctx, files.Join(o.Out, answersName(data.Part{Index: i, Of: o.Parts})+".jsonl"))
		if err != nil {
			return 0, err
		}
		answers, err := readAnswers(file)
		file.Close()
		if err != nil {
			return 0, fmt.Errorf("part %d/%d: %w", i, o.Parts, err)
		}
		all = append(all, answers...)
	}
	return len(all), submit(ctx, o.Kind, all, path)
}
