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

	// Sources are the ids that were imported from other sources before, and from which: an image must not come
	// from two. Import adds to it. It may be nil.
	Sources map[string]string
}

// An ImportReport counts images.
type ImportReport struct {
	Added   int     // now
	There   int     // in the store already: passed over
	Skipped int     // with SkipBad
	Faults  []error // the first hundred of the skipped
}

// Import adds what a source has to a store, in the source's order. Images that are in the store already are
// passed over, so that an import that was interrupted goes on where it was. The error is the first bad image's,
// unless SkipBad says to count them; the store's, or ctx's. What was added by then stays.
func Import(ctx context.Context, w *StoreWriter, from Source, options ImportOptions) (ImportReport, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var report ImportReport
	jobs := options.plan(from)
	for i, read := range ahead(ctx, jobs, func(f *fetched) { options.fetch(w, from, f) }) {
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
			options.Progress(i+1, len(jobs))
		}
	}
	return report, ctx.Err()
}

// A fetched image has been read, or not.
type fetched struct {
	source  string
	from    string // its id there
	id      string // in the store
	there   bool
	regions vision.Regions
	err     error
}

// plan lists what there is to fetch, and finds ids that come from two places.
func (o ImportOptions) plan(from Source) []*fetched {
	before := o.Sources
	if before == nil {
		before = map[string]string{}
	}
	_, store := from.(*Store) // whose ids were chosen for a store
	var jobs []*fetched
	for _, id := range from.IDs() {
		f := &fetched{source: from.Path(), from: id, id: id}
		if o.BaseName {
			f.id = path.Base(strings.ReplaceAll(id, `\`, "/"))
		}
		if strings.Contains(f.id, "/") && !store {
			f.err = fmt.Errorf("%s: image id %s is a path; to take the last part of such ids, say --basename", f.source, plain(f.id))
		} else if other, ok := before[f.id]; ok {
			f.err = fmt.Errorf("%s: image %s comes from %s already, want each once", f.source, plain(id), plain(other))
		} else {
			before[f.id] = from.Path()
			if f.id != id {
				before[f.id] += ", image " + id
			}
		}
		jobs = append(jobs, f)
	}
	return jobs
}

func (o ImportOptions) fetch(w *StoreWriter, from Source, f *fetched) {
	if f.err != nil {
		return
	}
	if f.there = w.Has(f.id); f.there {
		return
	}
	f.regions, f.err = from.Get(f.from)
	if o.Preset != "" {
		f.regions.Preset = o.Preset
	}
}

func (o ImportOptions) add(w *StoreWriter, f *fetched) error {
	if f.err != nil {
		return f.err
	}
	err := w.Add(f.id, f.regions)
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

// ahead works on each job, on all processors and a few jobs ahead of who takes them, which is in order.
// When ctx ends, channels are closed without one.
func ahead[T any](ctx context.Context, all []*T, work func(*T)) func(yield func(int, <-chan *T) bool) {
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
			for _, job := range all {
				result := make(chan *T, 1)
				select {
				case queue <- result:
				case <-ctx.Done():
					return
				}
				select {
				case jobs <- func() {
					defer close(result)
					if ctx.Err() == nil {
						work(job)
						result <- job
					}
				}:
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
