package data

import (
	"context"
	"fmt"
	"path"
	"runtime"
	"strings"

	"github.com/go-lxmert/lxmert/vision"
)

// ImportOptions say how Import goes about it.
type ImportOptions struct {
	SkipBad  bool               // count images that cannot be read, and go on
	BaseName bool               // of an id that is a path take the last element
	Preset   string             // what the source does not say itself; "" leaves it
	Progress func(done, of int) // unless nil, hears of each image
}

// An ImportReport counts images.
type ImportReport struct {
	Added   int     // now
	There   int     // in the store already: passed over
	Skipped int     // with SkipBad
	Faults  []error // the first hundred of the skipped
}

// Import adds what a source has to a store, in the source's order. Images that are in the store already are passed over, so that
// an import that was interrupted goes on where it was. The error is the first bad image's, unless SkipBad
// says to count them; the store's, or ctx's. What was added by then stays.
func Import(ctx context.Context, w *StoreWriter, from Source, options ImportOptions) (ImportReport, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var report ImportReport
	ids := from.IDs()
	for i, read := range ahead(ctx, ids, func(id string) *fetched { return options.fetch(w, from, id) }) {
		got := <-read
		if got == nil {
			return report, context.Cause(ctx)
		}
		if got.there {
			report.There++
		} else if err := options.add(w, got); err == nil {
			report.Added++
		} else if !options.SkipBad || w.failed() {
			return report, err
		} else if report.Skipped++; len(report.Faults) < 100 {
			report.Faults = append(report.Faults, err)
		}
		if options.Progress != nil {
			options.Progress(i+1, len(ids))
		}
	}
	return report, ctx.Err()
}

// A fetched image has been read, or not.
type fetched struct {
	source  string
	id      string // in the store
	there   bool
	regions vision.Regions
	err     error
}

func (o ImportOptions) fetch(w *StoreWriter, from Source, id string) *fetched {
	f := &fetched{source: from.Path(), id: id}
	if o.BaseName {
		f.id = path.Base(strings.ReplaceAll(id, `\`, "/"))
	}
	if w.Has(f.id) {
		f.there = true
		return f
	}
	f.regions, f.err = from.Get(id)
	if o.Preset != "" {
		f.regions.Preset = o.Preset
	}
	return f
}

func (o ImportOptions) add(w *StoreWriter, f *fetched) error {
	if f.err != nil {
		return f.err
	}
	err := w.Add(f.id, f.regions)
	if err != nil && strings.Contains(f.id, "/") {
		return fmt.Errorf("%s: %w; to take the last part of such ids, say --basename", f.source, err)
	}
	if err != nil {
		return each(err, func(err error) error { return fmt.Errorf("%s: %w", f.source, err) })
	}
	return nil
}

// failed says that the store can take no more.
func (w *StoreWriter) failed() bool {
	w.lock.Lock()
	defer w.lock.Unlock()
	return w.broken != nil || w.held == nil
}

// ahead runs work on each id, on all processors and a few ids ahead of who takes the results, which come in order.
// When ctx ends, channels are closed without one.
func ahead[T any](ctx context.Context, ids []string, work func(id string) *T) func(yield func(int, <-chan *T) bool) {
	return func(yield func(int, <-chan *T) bool) {
		workers := runtime.GOMAXPROCS(0)
		queue := make(chan chan *T, 2*workers)
		jobs := make(chan func())
		for range workers {
			go func() {
				for job := range jobs {
					job()
				}
			}()
		}
		go func() {
			defer close(queue)
			defer close(jobs)
			for _, id := range ids {
				result := make(chan *T, 1)
				job := func() {
					defer close(result)
					if ctx.Err() == nil {
						result <- work(id)
					}
				}
				select {
				case queue <- result:
				case <-ctx.Done():
					return
				}
				select {
				case jobs <- job:
				case <-ctx.Done():
					close(result)
					return
				}
			}
		}()
		i := 0
		for result := range queue {
			if !yield(i, result) {
				return
			}
			i++
		}
	}
}
