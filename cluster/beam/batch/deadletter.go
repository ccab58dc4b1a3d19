package batch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/go-lxmert/lxmert/cluster/beam/files"
	"github.com/go-lxmert/lxmert/data"
)

// A DeadLetter is an item that could not be used.
type DeadLetter struct {
	ID    string `json:"id"`   // the picture's or the question's, "" if it has none
	Path  string `json:"path"` // of the picture, or the file and record of the question
	Error string `json:"error"`
}

// putDeadLetters writes those of a part; none, and there is no file.
func putDeadLetters(ctx context.Context, out string, part data.Part, letters []DeadLetter) error {
	path := deadLetterPath(out, part)
	if len(letters) == 0 {
		return files.Remove(ctx, path)
	}
	var text bytes.Buffer
	lines := json.NewEncoder(&text)
	lines.SetEscapeHTML(false)
	for _, l := range letters {
		if err := lines.Encode(l); err != nil {
			return err
		}
	}
	return files.Write(ctx, path, text.Bytes())
}

// DeadLettersPath is where a job leaves the dead letters of all parts, by part, if there are any.
func DeadLettersPath(out string) string {
	return strings.TrimRight(out, "/") + ".faults.jsonl"
}

const maxDeadLetters = 1 << 30

// joinDeadLetters puts those of all parts into one file.
func joinDeadLetters(ctx context.Context, out string, parts []Done) error {
	var all []byte
	for _, d := range parts {
		if d.DeadLetters == 0 {
			continue
		}
		path := deadLetterPath(out, d.part())
		content, err := files.Read(ctx, path, maxDeadLetters)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("part %v has %d dead letters, but %s is missing: remove its receipt, so that it is done again", d.part(), d.DeadLetters, path)
		}
		if err != nil {
			return err
		}
		all = append(all, content...)
	}
	if len(all) == 0 {
		return files.Remove(ctx, DeadLettersPath(out))
	}
	return files.Write(ctx, DeadLettersPath(out), all)
}
