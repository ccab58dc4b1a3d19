// Package service is what a server of LXMERT does, without HTTP: models by name, pictures to regions, which are kept for the next question,
// questions of many callers in one forward pass, answers, vectors, masked words. The packages beside it put protocols before it.
//
//	picture ─ See: decode ─ extractor ─▶ Sight, kept by the content's hash
//	Sight, questions ─ Answer: queue ─ batch ─▶ lxmert.Model.AskBatch ─▶ answers
package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/gomlx/compute"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/vision"
)

// Options say what is served, and what a request may ask for. The zero Options serve the shipped model.
type Options struct {
	Models  []Source // the first is asked where a request names none; none: the shipped model
	Backend string   // engine by name, see [backend.Open]

	Batch     int           // questions in a forward pass at most; 0 is 32
	BatchWait time.Duration // how long a question waits for company at most, if others are on their way; 0 is 2 ms, less than 0 is not at all
	Queue     int           // questions that wait at most, beyond which they are refused as [Busy]; 0 is 1024

	CacheBytes int64 // memory for regions of pictures that were seen; 0 is 256 MB, less than 0 is none

	MaxFileBytes     int64 // of a picture's file; 0 is 20 MB, at most [vision.MaxFileBytes]
	MaxPixels        int   // of a picture; 0 is 40 million, at most [vision.MaxPixels]
	MaxQuestions     int   // about one picture in one request; 0 is 64
	MaxQuestionBytes int   // 0 is 4096

	Fetch *Fetcher // reads pictures from the network; nil: requests may not name any

	Watch time.Duration // how often models' directories are looked at for new files, which are then loaded; 0 is never

	Observer Observer     // hears of what happens; may be nil
	Log      *slog.Logger // nil: nothing is logged
}

// withDefaults fills in what is left at zero.
func (o Options) withDefaults() (Options, error) {
	if len(o.Models) == 0 {
		o.Models = []Source{{}}
	}
	o.Batch = cmp.Or(o.Batch, 32)
	o.BatchWait = cmp.Or(o.BatchWait, 2*time.Millisecond)
	o.Queue = cmp.Or(o.Queue, 1024)
	o.CacheBytes = cmp.Or(o.CacheBytes, 256<<20)
	o.MaxFileBytes = min(cmp.Or(o.MaxFileBytes, 20<<20), vision.MaxFileBytes)
	o.MaxPixels = min(cmp.Or(o.MaxPixels, 40_000_000), vision.MaxPixels)
	o.MaxQuestions = cmp.Or(o.MaxQuestions, 64)
	o.MaxQuestionBytes = cmp.Or(o.MaxQuestionBytes, 4096)
	if o.Observer == nil {
		o.Observer = nobody{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	for _, n := range []struct {
		name  string
		value int64
	}{{"batch", int64(o.Batch)}, {"queue", int64(o.Queue)}, {"max file bytes", o.MaxFileBytes}, {"max pixels", int64(o.MaxPixels)},
		{"max questions", int64(o.MaxQuestions)}, {"max question bytes", int64(o.MaxQuestionBytes)}} {
		if n.value < 1 {
			return o, fmt.Errorf("%s: found %d, want 1 or more", n.name, n.value)
		}
	}
	return o, nil
}

// Service serves models. It is safe for concurrent use.
type Service struct {
	options Options
	engine  compute.Backend
	entries []*entry // in the options' order
	cache   *cache
	decodes chan struct{} // pictures that may be decoded at once
	stop    context.CancelFunc
	tasks   sync.WaitGroup
}

// New opens all models. The error names the one that cannot be.
func New(ctx context.Context, o Options) (*Service, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	engine, err := backend.Open(o.Backend)
	if err != nil {
		return nil, err
	}
	s := &Service{options: o, engine: engine, decodes: make(chan struct{}, runtime.GOMAXPROCS(0))}
	s.cache = newCache(o.CacheBytes)
	for _, source := range o.Models {
		source.Name = source.name()
		if slices.ContainsFunc(s.entries, func(e *entry) bool { return e.source.Name == source.Name }) {
			s.Close()
			return nil, fmt.Errorf("two models have the name %q: give one of them another, NAME=DIRECTORY", source.Name)
		}
		e := &entry{source: source}
		s.entries = append(s.entries, e)
		if err := s.load(ctx, e); err != nil {
			s.Close()
			return nil, err
		}
	}
	var watching context.Context
	watching, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	if o.Watch > 0 {
		s.tasks.Go(func() { s.watch(watching, o.Watch) })
	}
	return s, nil
}

// Close ends the service: requests under way are refused as [Draining], models and the engine are freed.
func (s *Service) Close() error {
	if s.stop != nil {
		s.stop()
	}
	s.tasks.Wait()
	var errs []error
	for _, e := range s.entries {
		errs = append(errs, e.close())
	}
	s.cache.clear()
	s.engine.Finalize()
	return errors.Join(errs...)
}

// CacheStats are what the cache of regions has done so far, and holds now.
func (s *Service) CacheStats() CacheStats { return s.cache.stats() }

// Fetch reads a picture's file from the network, if the service may. The error is [Unsupported] if it may not.
func (s *Service) Fetch(ctx context.Context, url string) ([]byte, error) {
	if s.options.Fetch == nil {
		return nil, &Error{Unsupported, "fetch_not_allowed", "this server reads no pictures from the network: send the picture itself, as base64 or as a data URL", nil}
	}
	return s.options.Fetch.get(ctx, url, s.options.MaxFileBytes)
}

// Limits are what a request may ask for.
func (s *Service) Limits() Options {
	o := s.options
	o.Models, o.Observer, o.Log, o.Fetch = nil, nil, nil, nil
	return o
}

// Log is where the service logs.
func (s *Service) Log() *slog.Logger { return s.options.Log }

// checkTexts refuses too many texts, and those that are too long to be looked at.
func (s *Service) checkTexts(what string, texts []string) error {
	if len(texts) == 0 {
		return Invalidf("there is no %s, want one or more", what)
	}
	if len(texts) > s.options.MaxQuestions {
		return &Error{TooLarge, "too_many", fmt.Sprintf("%d %ss in one request, want at most %d", len(texts), what, s.options.MaxQuestions), nil}
	}
	for i, text := range texts {
		if len(text) > s.options.MaxQuestionBytes {
			return &Error{TooLarge, "text_too_long", fmt.Sprintf("%s %d has %d bytes, want at most %d", what, i, len(text), s.options.MaxQuestionBytes), nil}
		}
	}
	return nil
}

// guarded turns a panic into an error, so that it hurts one request only.
func guarded(log *slog.Logger, what string, f func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			stack := make([]byte, 16<<10)
			log.Error("panic", "in", what, "fault", fmt.Sprint(fault), "stack", string(stack[:runtime.Stack(stack, false)]))
			err = &Error{Internal, "internal", "something went wrong inside; the server's log says what", nil}
		}
	}()
	return f()
}

var _ io.Closer = (*Service)(nil)
