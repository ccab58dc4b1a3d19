package batch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-lxmert/lxmert/cluster/beam/files"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
)

// A dataPart is a part of a data set on its way.
type dataPart struct {
	options DataOptions
	part    data.Part
	asked   []Asked
}

// run writes the part, unless it is there.
func (p *dataPart) run(ctx context.Context) (Done, error) {
	made, err := madeOfQuestions([]any{"data", p.part.String(), p.options.pretraining()}, p.asked)
	if err != nil {
		return Done{}, fmt.Errorf("part %v: %w", p.part, err)
	}
	return unlessWhole(ctx, p.options.Out, p.part, made, p.options.Again, func() (Done, error) {
		good, letters, err := p.good()
		if err != nil {
			return Done{}, err
		}
		done := Done{Part: p.part.Index, Of: p.part.Of, Items: len(p.asked), Made: len(good), DeadLetters: len(letters)}
		err = p.publish(ctx, made, &done, good, letters) // which counts the bytes
		return done, err
	})
}

// good are the questions that can be written. In pre-training's form a sentence without a label beside others of its picture and source with one cannot.
func (p *dataPart) good() (good []questions.Question, letters []DeadLetter, err error) {
	type source struct{ image, name string }
	labelled := map[source]bool{}
	for _, a := range p.asked {
		if a.Fault != "" {
			letters = append(letters, DeadLetter{a.ID, a.Path, a.Fault})
			continue
		}
		q, err := decodeQuestion(a.Text)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", a.Path, err)
		}
		good = append(good, q)
		if q.Label != nil {
			labelled[source{q.Image, q.Source}] = true
		}
	}
	if !p.options.pretraining() {
		return good, letters, nil
	}
	kept := good[:0]
	for _, q := range good {
		if q.Label == nil && labelled[source{q.Image, q.Source}] {
			letters = append(letters, DeadLetter{q.ID.String(), q.Image, "label: found none, want one as others of its picture have"})
			continue
		}
		kept = append(kept, q)
	}
	return kept, letters, nil
}

// publish writes the part's file, its dead letters and its receipt.
func (p *dataPart) publish(ctx context.Context, made string, done *Done, good []questions.Question, letters []DeadLetter) error {
	if err := reopen(ctx, p.options.Out, p.part); err != nil {
		return err
	}
	name := p.part.FileSuffix() + ".json"
	dir, err := os.MkdirTemp(p.options.Scratch, "lxmert-beam-data-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, name)
	seq := func(yield func(questions.Question, error) bool) {
		for _, q := range good {
			if !yield(q, nil) {
				return
			}
		}
	}
	if p.options.pretraining() {
		_, _, err = questions.WritePretraining(path, seq, false)
	} else {
		_, err = questions.Write(path, seq)
	}
	if err != nil {
		return err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	done.Bytes = int64(len(content))
	if err := files.Write(ctx, files.Join(p.options.Out, name), content); err != nil {
		return err
	}
	if err := putDeadLetters(ctx, p.options.Out, p.part, letters); err != nil {
		return err
	}
	return sign(ctx, p.options.Out, made, *done, []file{{name, done.Bytes}})
}
