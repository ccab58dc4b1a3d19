package service

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/vision"
)

// entry is a model's place: the files change, requests go on.
type entry struct {
	source Source
	reload sync.Mutex // one at a time

	mu      sync.Mutex
	current *loaded // nil once closed
	count   int     // of loads
}

// loaded is a model as it was loaded once. It is freed when it was replaced and its last user has gone.
type loaded struct {
	card       Card
	model      *lxmert.Model
	extractor  vision.Extractor // nil: answers about regions only
	vocabulary vision.Vocabulary
	labels     []string      // the answer of each id
	looks      chan struct{} // one for each picture that the extractor may look at, at once
	pace       pace          // of the looks
	batcher    *batcher
	free       func() error
	seenFiles  string // fingerprint

	entry *entry
	users int  // guarded by entry.mu
	gone  bool // guarded by entry.mu
}

// load opens the entry's model, and then puts it in the place of the one that was there.
func (s *Service) load(ctx context.Context, e *entry) error {
	e.reload.Lock()
	defer e.reload.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	start := time.Now()
	files := e.source.fingerprint()
	m, extractor, release, err := e.source.open(s.engine)
	if err != nil {
		return fmt.Errorf("model %s: %w", e.source.Name, err)
	}
	e.mu.Lock()
	e.count++
	version := strconv.Itoa(e.count)
	e.mu.Unlock()
	l := &loaded{model: m, extractor: extractor, labels: m.Labels(), entry: e, seenFiles: files, card: newCard(e.source, version, m, extractor)}
	if extractor != nil {
		l.vocabulary = vision.VocabularyOf(extractor)
		l.looks = make(chan struct{}, looksAtOnce(extractor))
	}
	l.batcher = newBatcher(m, l.card, s.options)
	l.free = func() error {
		l.batcher.close()
		return release()
	}
	e.mu.Lock()
	before := e.current
	e.current = l
	e.mu.Unlock()
	if before != nil {
		s.cache.forget(e.source.Name)
		if err := before.retire(); err != nil {
			s.options.Log.Warn("freeing a model that was replaced", "model", e.source.Name, "error", err)
		}
	}
	s.options.Observer.Loaded(s.Cards())
	s.options.Log.Info("model loaded", "model", l.card.ID, "version", version, "source", l.card.Source, "detector", l.card.Detector, "took", time.Since(start))
	return nil
}

// looksAtOnce is how many pictures an extractor may look at, at once, to keep all processors busy.
func looksAtOnce(e vision.Extractor) int {
	if t, ok := e.(vision.Threaded); ok {
		return max(1, runtime.GOMAXPROCS(0)/max(1, t.Threads()))
	}
	return 1
}

// retire frees the model after its last user.
func (l *loaded) retire() error {
	l.entry.mu.Lock()
	l.gone = true
	last := l.users == 0
	l.entry.mu.Unlock()
	if last {
		return l.free()
	}
	return nil
}

// hold is one more use, by who has one already.
func (l *loaded) hold() {
	l.entry.mu.Lock()
	l.users++
	l.entry.mu.Unlock()
}

// release ends one use.
func (l *loaded) release() {
	l.entry.mu.Lock()
	l.users--
	last := l.gone && l.users == 0
	l.entry.mu.Unlock()
	if last {
		l.free()
	}
}

// use finds a model by name, "" for the first. The caller releases it.
func (s *Service) use(name string) (*loaded, error) {
	e, err := s.entry(name)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil {
		return nil, &Error{Draining, "draining", "the server is going down", nil}
	}
	e.current.users++ // as hold
	return e.current, nil
}

func (s *Service) entry(name string) (*entry, error) {
	if name == "" {
		return s.entries[0], nil
	}
	names := make([]string, len(s.entries))
	for i, e := range s.entries {
		if e.source.Name == name {
			return e, nil
		}
		names[i] = e.source.Name
	}
	return nil, &Error{NotFound, "model_not_found", fmt.Sprintf("there is no model %.80q here, only %s", name, strings.Join(names, ", ")), nil}
}

// close frees the model after its last user.
func (e *entry) close() error {
	e.mu.Lock()
	l := e.current
	e.current = nil
	e.mu.Unlock()
	if l == nil {
		return nil
	}
	return l.retire()
}

// Reload loads a model anew from its files, "" for all. Requests go on with the one that is there until it has succeeded; if it has not, that one stays.
func (s *Service) Reload(ctx context.Context, name string) error {
	if name != "" {
		e, err := s.entry(name)
		if err != nil {
			return err
		}
		return s.load(ctx, e)
	}
	for _, e := range s.entries {
		if err := s.load(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// watch reloads models whose files have changed, once they have stayed the same for one look: a copy takes its time.
func (s *Service) watch(ctx context.Context, every time.Duration) {
	pending := map[*entry]string{}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for _, e := range s.entries {
			now := e.source.fingerprint()
			e.mu.Lock()
			same := e.current == nil || now == e.current.seenFiles
			e.mu.Unlock()
			switch {
			case same || now == "":
				delete(pending, e)
			case pending[e] != now:
				pending[e] = now
			default:
				delete(pending, e)
				if err := s.load(ctx, e); err != nil {
					s.options.Log.Error("model not loaded anew; the one that was there goes on", "model", e.source.Name, "error", err)
					e.mu.Lock()
					e.current.seenFiles = now // not again until they change
					e.mu.Unlock()
				}
			}
		}
	}
}
