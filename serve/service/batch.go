package service

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-lxmert/lxmert"
)

// batcher puts questions of many callers into one forward pass. While a pass is under way questions gather; so under load passes are full, and a single
// question waits for nobody.
type batcher struct {
	model    *lxmert.Model
	card     Card
	most     int
	wait     time.Duration
	log      *slog.Logger
	observer Observer

	queue   chan *asking
	coming  atomic.Int64 // questions that were asked and have no answer yet
	closing chan struct{}
	once    sync.Once
	ended   chan struct{}
}

// asking is a question on its way.
type asking struct {
	ctx     context.Context
	query   lxmert.Query
	since   time.Time
	waited  time.Duration // until its pass began
	took    time.Duration // its pass
	answers []lxmert.Answer
	err     error
	done    chan struct{}
}

func newBatcher(m *lxmert.Model, card Card, o Options) *batcher {
	b := &batcher{
		model: m, card: card, most: o.Batch, wait: o.BatchWait, log: o.Log, observer: o.Observer,
		queue: make(chan *asking, o.Queue), closing: make(chan struct{}), ended: make(chan struct{}),
	}
	go b.run()
	return b
}

// close ends the batcher; who still waits is told so.
func (b *batcher) close() {
	b.once.Do(func() { close(b.closing) })
	<-b.ended
}

// ask answers questions about one picture. A queue that is full is [Busy]. One question that is refused is the error, as [lxmert.QueryError] with its number.
func (b *batcher) ask(ctx context.Context, queries []lxmert.Query) (answers [][]lxmert.Answer, err error) {
	all := make([]*asking, len(queries))
	seen := Inference{Questions: len(queries)}
	start := time.Now()
	defer func() {
		seen.Err, seen.Total = err, time.Since(start)
		b.observer.Inference(b.card.ID, b.card.Version, seen)
	}()
	b.coming.Add(int64(len(queries)))
	defer b.coming.Add(-int64(len(queries)))
	for i, q := range queries {
		all[i] = &asking{ctx: ctx, query: q, since: start, done: make(chan struct{})}
		select {
		case b.queue <- all[i]:
		case <-b.closing:
			return nil, &Error{Draining, "draining", "the server is going down", nil}
		default:
			return nil, &Error{Busy, "busy", "too many questions are waiting; ask again a little later", nil}
		}
	}
	answers = make([][]lxmert.Answer, len(all))
	var errs []error
	for i, a := range all {
		select {
		case <-a.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-b.ended:
			select {
			case <-a.done:
			default:
				return nil, &Error{Draining, "draining", "the server is going down", nil}
			}
		}
		if a.err != nil {
			errs = append(errs, &lxmert.QueryError{Index: i, Err: a.err})
		}
		answers[i] = a.answers
		seen.Queue, seen.Compute = max(seen.Queue, a.waited), max(seen.Compute, a.took)
	}
	return answers, errors.Join(errs...)
}

// run makes passes until the end.
func (b *batcher) run() {
	defer close(b.ended)
	batch := make([]*asking, 0, b.most)
	for {
		select {
		case a := <-b.queue:
			batch = b.gather(append(batch[:0], a))
			b.pass(batch)
			clear(batch)
		case <-b.closing:
			return
		}
	}
}

// gather takes those who wait, and waits for those who are on their way, for a little while.
func (b *batcher) gather(batch []*asking) []*asking {
	var late <-chan time.Time
	for len(batch) < b.most {
		select {
		case a := <-b.queue:
			batch = append(batch, a)
			continue
		default:
		}
		if b.wait <= 0 || int(b.coming.Load()) <= len(batch) {
			return batch
		}
		if late == nil {
			timer := time.NewTimer(b.wait - time.Since(batch[0].since))
			defer timer.Stop()
			late = timer.C
		}
		select {
		case a := <-b.queue:
			batch = append(batch, a)
		case <-late:
			return batch
		case <-b.closing:
			return batch
		}
	}
	return batch
}

// pass answers a batch. Those whose callers have gone are left out; the pass itself ends early only if all have.
func (b *batcher) pass(batch []*asking) {
	asked := make([]*asking, 0, len(batch))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var staying atomic.Int64
	for _, a := range batch {
		if a.ctx.Err() != nil {
			a.end(nil, a.ctx.Err())
			continue
		}
		asked = append(asked, a)
	}
	staying.Store(int64(len(asked)))
	for _, a := range asked {
		stop := context.AfterFunc(a.ctx, func() {
			if staying.Add(-1) == 0 {
				cancel()
			}
		})
		defer stop()
	}
	start := time.Now()
	for _, a := range asked {
		a.waited = start.Sub(a.since)
	}
	for len(asked) > 0 {
		refused := b.answer(ctx, asked)
		if refused == 0 {
			break
		}
		rest := asked[:0]
		for _, a := range asked { // the others again, without them
			if a.err == nil {
				rest = append(rest, a)
			}
		}
		asked = rest
	}
	if n := len(asked); n > 0 {
		b.observer.Batch(b.card.ID, b.card.Version, n, time.Since(start))
	}
}

// answer asks the model. It returns how many questions are refused for what they are; then none is answered, and those that are refused have ended.
func (b *batcher) answer(ctx context.Context, batch []*asking) (refused int) {
	queries := make([]lxmert.Query, len(batch))
	for i, a := range batch {
		queries[i] = a.query
	}
	var answers [][]lxmert.Answer
	start := time.Now()
	err := guarded(b.log, "forward pass", func() (err error) {
		answers, err = b.model.AskBatch(ctx, queries)
		return err
	})
	if err == nil {
		for i, a := range batch {
			a.took = time.Since(start)
			a.end(answers[i], nil)
		}
		return 0
	}
	for _, bad := range queryErrors(err) {
		batch[bad.Index].end(nil, bad.Err)
		refused++
	}
	if refused == 0 {
		for _, a := range batch {
			a.end(nil, err)
		}
	}
	return refused
}

// queryErrors are those of a joined error, of each query the first.
func queryErrors(err error) []*lxmert.QueryError {
	var found []*lxmert.QueryError
	seen := map[int]bool{}
	var walk func(error)
	walk = func(err error) {
		switch e := err.(type) {
		case *lxmert.QueryError:
			if !seen[e.Index] {
				seen[e.Index] = true
				found = append(found, e)
			}
		case interface{ Unwrap() []error }:
			for _, inner := range e.Unwrap() {
				walk(inner)
			}
		case interface{ Unwrap() error }:
			walk(e.Unwrap())
		}
	}
	walk(err)
	return found
}

// end gives the answers to who waits for them.
func (a *asking) end(answers []lxmert.Answer, err error) {
	a.answers, a.err = answers, err
	close(a.done)
}
