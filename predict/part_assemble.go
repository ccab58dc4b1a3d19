package predict

import (
	"errors"
	"fmt"
	"io"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/eval"
	"github.com/go-lxmert/lxmert/internal/atomicfile"
)

// Assembled counts what Assemble has put together.
type Assembled struct{ Parts, Answers, Skipped int }

// ErrOtherRun is the answer to parts that do not belong together.
var ErrOtherRun = errors.New("these are parts of two runs")

// Assemble writes the file of predictions at path of the parts beside it, in the order of the questions: the same bytes that an undivided run writes. The
// parts stay.
//
// The error is a [*data.UnfinishedError] where parts are missing, or ErrOtherRun with what differs: other questions, another kind of them or
// another model.
func Assemble(path string) (Assembled, error) {
	parts, err := data.PartsBeside(path)
	if err != nil {
		return Assembled{}, err
	}
	if len(parts) == 0 {
		return Assembled{}, fmt.Errorf("%s: found no parts of it (%s)", path, data.PartPath(path, data.Part{Index: 0, Of: 8}))
	}
	if err := data.MissingBeside(path, parts[0].Of); err != nil {
		return Assembled{}, err
	}
	var first PartHeader
	var all []PartRecord
	for i, part := range parts {
		header, records, err := readPart(path, part)
		if err != nil {
			return Assembled{}, err
		}
		if i == 0 {
			first = header
		}
		if err := header.agrees(first); err != nil {
			return Assembled{}, fmt.Errorf("%s: %w", data.PartPath(path, part), err)
		}
		all = append(all, records...)
	}
	ordered, err := byIndex(all, first.Questions)
	if err != nil {
		return Assembled{}, fmt.Errorf("%s: %w", path, err)
	}
	done := Assembled{Parts: len(parts)}
	var ids []string
	var predictions []eval.Prediction
	for _, r := range ordered {
		if r.Skipped {
			done.Skipped++
			continue
		}
		ids = append(ids, r.ID)
		predictions = append(predictions, eval.Prediction{ID: r.ID, Answer: r.Answer})
	}
	done.Answers = len(ids)
	err = atomicfile.Write(path, 0o644, func(w io.Writer) error { return Submit(w, first.Kind, ids, predictions) })
	if err != nil {
		return Assembled{}, fmt.Errorf("%s: %w", path, err)
	}
	return done, nil
}

// AssembleAfter is Assemble for who has just written a part: ok is false where others are missing.
func AssembleAfter(path string, part data.Part) (done Assembled, ok bool, err error) {
	err = data.MissingBeside(path, part.Of)
	if err == nil {
		done, err = Assemble(path)
	}
	var unfinished *data.UnfinishedError
	if errors.As(err, &unfinished) {
		return Assembled{}, false, nil
	}
	return done, err == nil, err
}

// agrees compares a part with the first.
func (h PartHeader) agrees(first PartHeader) error {
	differ := func(what string, found, want any) error {
		return fmt.Errorf("%w: found %s %v, want %v as in part %d/%d", ErrOtherRun, what, found, want, first.Part, first.Parts)
	}
	switch {
	case h.Kind != first.Kind:
		return differ("kind", h.Kind, first.Kind)
	case h.Questions != first.Questions || h.SHA256 != first.SHA256:
		return differ("questions", fmt.Sprintf("%d (%.8s)", h.Questions, h.SHA256), fmt.Sprintf("%d (%.8s)", first.Questions, first.SHA256))
	case h.By != first.By:
		return differ("answers by", h.By, first.By)
	}
	return nil
}

// byIndex puts records in order. Each question has one.
func byIndex(records []PartRecord, n int) ([]PartRecord, error) {
	if len(records) != n {
		return nil, fmt.Errorf("found %d records in all parts, want one for each of %d questions", len(records), n)
	}
	ordered, there := make([]PartRecord, n), make([]bool, n)
	for _, r := range records {
		if there[r.Index] {
			return nil, fmt.Errorf("question %.60q (index %d) has two records, want one", r.ID, r.Index)
		}
		ordered[r.Index], there[r.Index] = r, true
	}
	return ordered, nil
}

// Submit writes predictions as the data set's server takes them: eval.WriteVQA, eval.WriteGQA or eval.WriteNLVR2.
func Submit(w io.Writer, kind questions.Kind, ids []string, predictions []eval.Prediction) error {
	switch kind {
	case questions.KindVQA:
		return eval.WriteVQA(w, ids, predictions)
	case questions.KindGQA:
		return eval.WriteGQA(w, ids, predictions)
	default:
		return eval.WriteNLVR2(w, ids, predictions)
	}
}
