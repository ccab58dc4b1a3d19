package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert/internal/atomicdir"
	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/pretrained"
)

// The model directories of a run. Earlier checkpoints, where they are kept, are called step-000001200.
const (
	LastName = "last" // where the run can go on
	BestName = "best" // the best validation's weights, without what training needs
)

const (
	stepPrefix    = "step-"
	removedSuffix = ".old" // of one that is being removed
)

// save writes the run's last checkpoint, and with best also the best one. Both appear whole, or stay as they were.
func (t *Trainer) save(ctx context.Context, best bool) error {
	last := t.path(LastName)
	keep := ""
	if t.options.Keep > 1 && t.savedStep > 0 && t.savedStep < t.state.Step { // not where a validation was interrupted
		keep = t.path(fmt.Sprintf("%s%09d", stepPrefix, t.savedStep))
	}
	// What the checkpoint knows of must not be missing from the log, even after a power cut: it will not come again.
	if err := t.journal.sync(); err != nil {
		return t.unsaved(err)
	}
	err := atomicdir.Write(last, keep, func(dir string) error {
		if err := pretrained.Save(ctx, dir, t.model); err != nil {
			return err
		}
		if err := t.task.Save(dir); err != nil {
			return err
		}
		if err := saveState(dir, t.state, t.model); err != nil {
			return err
		}
		if !best {
			return nil
		}
		// Before the last one: a run that is killed in between finds the same best again.
		return atomicdir.Write(t.path(BestName), "", func(to string) error { return linkModel(dir, to) })
	})
	if err != nil {
		return t.unsaved(err)
	}
	t.savedStep = t.state.Step
	if t.options.Watch != nil {
		t.options.Watch.Saved(last, t.state.Step)
	}
	return t.prune()
}

func (t *Trainer) unsaved(err error) error {
	return fmt.Errorf("the checkpoint of step %d was not saved: %w", t.state.Step, err)
}

// prune removes the oldest of the kept checkpoints.
func (t *Trainer) prune() error {
	entries, err := os.ReadDir(t.options.Out)
	if err != nil {
		return err
	}
	var kept, removed []string
	for _, entry := range entries { // in the order of their names, so of their steps
		switch path := t.path(entry.Name()); {
		case !entry.IsDir() || !strings.HasPrefix(entry.Name(), stepPrefix):
		case strings.HasSuffix(entry.Name(), removedSuffix): // by a program that was killed
			removed = append(removed, path)
		default:
			kept = append(kept, path)
		}
	}
	var errs []error
	for _, dir := range kept[:max(0, len(kept)-(t.options.Keep-1))] {
		// One that lacks files must not look like a checkpoint.
		errs = append(errs, os.Rename(dir, dir+removedSuffix))
		removed = append(removed, dir+removedSuffix)
	}
	for _, dir := range removed {
		errs = append(errs, os.RemoveAll(dir))
	}
	return errors.Join(errs...)
}

func (t *Trainer) path(name string) string { return filepath.Join(t.options.Out, name) }

// linkModel fills a directory with the files of another that make up the model: as links where the file system has them, for
// no file of a checkpoint is ever changed.
func linkModel(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := entry.Name()
		if slices.Contains([]string{StateName, MomentsName}, name) {
			continue
		}
		if os.Link(filepath.Join(from, name), filepath.Join(to, name)) == nil {
			continue
		}
		if err := copyFile(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	return atomicfile.Write(to, 0o644, func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return err
	})
}
