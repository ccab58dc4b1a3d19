package batch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-lxmert/lxmert/cluster/beam/files"
	"github.com/go-lxmert/lxmert/data/questions"
)

// at names a record of a file.
func at(path string, record int) string { return fmt.Sprintf("%s: record %d", path, record) }

// indexOf is the place of a file among those of the job, which orders what comes from it.
func indexOf(all []string, path string) int { return slices.Index(all, path) }

// fetched does something with a file on this machine, fetching it if it is in an object store. Its name stays, for the form is known by it.
func fetched(ctx context.Context, path string, do func(local string) error) error {
	if files.IsLocal(path) {
		return do(path)
	}
	dir, err := os.MkdirTemp("", "lxmert-beam-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	local := filepath.Join(dir, files.Base(path))
	if err := files.Fetch(ctx, path, local); err != nil {
		return err
	}
	return do(local)
}

// eachQuestion goes through the questions of a file; a record that is none comes as a dead letter. Records are counted as they come, from 0, a question
// each, so that the number is the order.
func eachQuestion(ctx context.Context, seq questions.Seq, path, local string, each func(record int, q questions.Question, bad *DeadLetter) error) error {
	record := -1
	for q, err := range seq {
		record++
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var bad *questions.RecordError
		var letter *DeadLetter
		switch {
		case errors.As(err, &bad):
			letter = &DeadLetter{ID: bad.ID, Path: at(path, bad.Record), Error: bad.Err.Error()}
		case err != nil:
			if path != local {
				err = fmt.Errorf("%s: %w", path, err)
			}
			return err
		}
		if err := each(record, q, letter); err != nil {
			return err
		}
	}
	return nil
}

// madeOfQuestions puts a part's questions in the order in which they stood, and is a hash of them and of the options that its bytes depend on.
func madeOfQuestions(options []any, asked []Asked) (string, error) {
	slices.SortStableFunc(asked, func(a, b Asked) int { return cmp.Or(a.File-b.File, a.Record-b.Record) })
	hash := sha256.New()
	lines := json.NewEncoder(hash)
	if err := lines.Encode(options); err != nil {
		return "", err
	}
	for _, a := range asked {
		if err := lines.Encode(a); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// A carried question is one as JSON, with an id that may be missing.
type carried struct {
	questions.Question
	ID questions.ID `json:",omitzero"`
}

func encodeQuestion(q questions.Question) (string, error) {
	text, err := json.Marshal(carried{q, q.ID})
	return string(text), err
}

func decodeQuestion(text string) (questions.Question, error) {
	var c carried
	err := json.Unmarshal([]byte(text), &c)
	c.Question.ID = c.ID
	return c.Question, err
}
