package guard

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Errors of Limiter.Enter, beside the context's.
var (
	ErrQueueFull = errors.New("all places are taken and the queue is full")
	ErrWaited    = errors.New("no place became free in time")
)

// A Limiter lets a number of requests work at a time and a number wait for it, the first first; the others are turned away at once, while the
// server can still answer those that it has. Its methods may be called by many goroutines at a time.
type Limiter struct {
	places  chan struct{} // one token a request at work; those that wait are senders, which a channel keeps in order
	queue   int64
	wait    time.Duration
	waiting atomic.Int64

	mu   sync.Mutex
	mean time.Duration // of recent requests' work, new ones weighing an eighth
}

// NewLimiter makes a limiter for that many requests at work (0 for two a CPU), that many waiting (0 for eight for each at
// work, negative for none) and the longest wait (0 for 15 seconds).
func NewLimiter(concurrency, queue int, wait time.Duration) *Limiter {
	if concurrency <= 0 {
		concurrency = 2 * runtime.GOMAXPROCS(0)
	}
	if queue == 0 {
		queue = 8 * concurrency
	}
	if wait <= 0 {
		wait = 15 * time.Second
	}
	return &Limiter{places: make(chan struct{}, concurrency), queue: int64(max(queue, 0)), wait: wait}
}

// Enter waits for a place. The error is ErrQueueFull, ErrWaited or ctx's; if it is nil, leave must be called once when the work is done.
func (l *Limiter) Enter(ctx context.Context) (leave func(), err error) {
	select {
	case l.places <- struct{}{}: // never past those that wait: while there are any, no place is free
		return l.working(), nil
	default:
	}
	if l.waiting.Add(1) > l.queue {
		l.waiting.Add(-1)
		return nil, ErrQueueFull
	}
	defer l.waiting.Add(-1)
	timer := time.NewTimer(l.wait)
	defer timer.Stop()
	select {
	case l.places <- struct{}{}:
		return l.working(), nil
	case <-timer.C:
		return nil, ErrWaited
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// working begins a request's work; the function ends it.
func (l *Limiter) working() (leave func()) {
	began := time.Now()
	return func() {
		took := time.Since(began)
		l.mu.Lock()
		if l.mean == 0 {
			l.mean = took
		}
		l.mean += (took - l.mean) / 8
		l.mu.Unlock()
		<-l.places
	}
}

// Waiting is how many requests wait for a place.
func (l *Limiter) Waiting() int { return int(l.waiting.Load()) }

// RetryAfter estimates when one more request would find a place: when those that wait have been served at the recent pace; at least a second, at
// most a minute.
func (l *Limiter) RetryAfter() time.Duration {
	l.mu.Lock()
	mean := l.mean
	l.mu.Unlock()
	ahead := time.Duration(l.waiting.Load() + 1)
	return min(max(ahead*mean/time.Duration(cap(l.places)), time.Second), time.Minute)
}

// limited gives each request a place to work in, light ones left out, or turns it away.
func (g *guard) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.Light.Match(r) {
			next.ServeHTTP(w, r)
			return
		}
		began := time.Now()
		leave, err := g.Limiter.Enter(r.Context())
		g.Observer.Queue(time.Since(began))
		if err == nil {
			defer leave()
			next.ServeHTTP(w, r)
			return
		}
		reason := reasonQueue
		if !errors.Is(err, ErrQueueFull) {
			reason = reasonWait
		}
		if errors.Is(err, context.Canceled) { // the client has gone: there is nobody to answer
			return
		}
		g.refuse(w, r, reason, Refusal{
			Status: http.StatusTooManyRequests, Code: "busy", Message: "The server has as much to do as it can; try again later.", RetryAfter: g.Limiter.RetryAfter(),
		})
	})
}
