package batch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/go-lxmert/lxmert/cluster/beam/files"
	"github.com/go-lxmert/lxmert/data"
)

// A receipt says of what a part was made: part-00003-of-00008.json in OUT.beam, beside OUT. It is written last; a part with one of the same items and options
// is whole, as long as its files are there.
type receipt struct {
	Format string `json:"format"` // "lxmert beam part"
	Made   string `json:"made_of"`
	Done   Done   `json:"done"`
	Files  []file `json:"files"`
}

// A file of a part, by its name in OUT.
type file struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

const (
	receiptFormat = "lxmert beam part"
	maxReceipt    = 64 << 20
)

// besides is the directory for what a job has to remember of OUT.
func besides(out string) string { return strings.TrimRight(out, "/") + ".beam" }

func receiptPath(out string, part data.Part) string {
	return files.Join(besides(out), part.FileSuffix()+".json")
}

// deadLetterPath is where the dead letters of a part are.
func deadLetterPath(out string, part data.Part) string {
	return files.Join(besides(out), part.FileSuffix()+".faults.jsonl")
}

// whole says whether a part is there, made of the same.
func whole(ctx context.Context, out string, part data.Part, made string) (Done, bool, error) {
	content, err := files.Read(ctx, receiptPath(out, part), maxReceipt)
	if errors.Is(err, fs.ErrNotExist) {
		return Done{}, false, nil
	}
	if err != nil {
		return Done{}, false, err
	}
	var r receipt
	if err := json.Unmarshal(content, &r); err != nil || r.Format != receiptFormat || r.Made != made {
		return Done{}, false, nil // of other items, or another program's: it is done again
	}
	for _, f := range r.Files {
		path := files.Join(out, f.Name)
		ok, err := files.Has(ctx, path)
		if err != nil || !ok {
			return Done{}, false, err
		}
		size, err := files.Size(ctx, path)
		if err != nil || size != f.Bytes {
			return Done{}, false, err
		}
	}
	r.Done.Whole, r.Done.Milliseconds = true, 0
	return r.Done, true, nil
}

// unlessWhole makes a part, unless it is there, made of the same. again also makes one that has dead letters.
func unlessWhole(ctx context.Context, out string, part data.Part, made string, again bool, work func() (Done, error)) (Done, error) {
	start := time.Now()
	done, ok, err := whole(ctx, out, part, made)
	if err == nil && (!ok || again && done.DeadLetters > 0) {
		if done, err = work(); err == nil {
			done.Milliseconds = max(1, time.Since(start).Milliseconds())
		}
	}
	if err != nil {
		return Done{}, fmt.Errorf("part %v: %w", part, err)
	}
	return done, nil
}

// sign writes the receipt of a part whose files are in their places.
func sign(ctx context.Context, out string, made string, done Done, of []file) error {
	content, err := json.MarshalIndent(receipt{receiptFormat, made, done, of}, "", "  ")
	if err != nil {
		return err
	}
	return files.Write(ctx, receiptPath(out, done.part()), append(content, '\n'))
}

// reopen takes back that a part is whole, before its files are touched.
func reopen(ctx context.Context, out string, part data.Part) error {
	if err := files.Remove(ctx, receiptPath(out, part)); err != nil {
		return fmt.Errorf("the receipt of part %v: %w", part, err)
	}
	return nil
}
