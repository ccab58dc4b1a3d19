// Package guard stands between the network and a handler: limits, tokens, headers, deadlines, logs. It knows nothing of what is
// served, and is plain net/http.
//
// A request meets its parts in this order, from the outside in: an id; security headers; the log; recovery from panics;
// deadlines; the names by which the server may be called; other origins; draining; the token; the body; a place to
// work in. What refuses a request without looking at its body comes before its body is read, and a place is taken only when
// the body is there, so a slow client holds up nobody but itself.
package guard

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Options say what is guarded, and how. The zero value has limits for everything, asks for no token, answers other origins' pages with
// nothing and logs nothing.
type Options struct {
	// Errors are the forms of error bodies by path prefix; Own where none fits.
	Errors Formats

	// Log gets a line for each request. LogAttrs, if not nil, adds to it, such as a trace's id.
	Log      *slog.Logger
	LogAttrs func(*http.Request) []slog.Attr
	// Observer, if not nil, is told what happens, for metrics.
	Observer Observer
	// Trace, if not nil, begins a span of each request but light ones; it is ended with the route and the status. The context reaches the handler.
	Trace func(*http.Request) (ctx context.Context, end func(route string, status int))

	// Public paths need no token, the others one of Tokens. No path needs any if Tokens is nil.
	Public Paths
	Tokens *Tokens
	// Light paths take no place of the limiter and are answered while draining: health, metrics, a page's files. Their bodies are not read.
	Light Paths

	// MaxBody is the most bytes a request's body may have; 0 for 32 MiB.
	MaxBody int64
	// MaxBodies is the most bytes that all bodies may take at a time, at least one of the largest; 0 for eight of them.
	MaxBodies int64
	// Timeout is how long a request may take altogether; 0 for 30 seconds.
	Timeout time.Duration
	// BodyTimeout is how long its body may take to arrive; 0 for half of Timeout.
	BodyTimeout time.Duration
	// Limiter bounds how many requests are at work; nil for NewLimiter(0, 0, Timeout/2).
	Limiter *Limiter

	// Origins are those whose pages may call the API from a browser; nil for none but the server's own.
	Origins Origins
	// Hosts are the names by which the server may be called, without ports; any if there are none. A server on a loopback address should
	// have its names here: else any web page can call it, by a name of its own that it lets point there.
	Hosts []string

	// Drain, if not nil, is how the program ends serving; see Drain.
	Drain *Drain
}

// An Observer is told what happens. Its methods are called by many goroutines at a time.
type Observer interface {
	// Request is told of each request answered, by its route's pattern ("" where no route fits). Code is
	// 499 where the client has gone before there was an answer.
	Request(route, method string, code int, took time.Duration)
	// Queue is told how long a request has waited for a place to work in.
	Queue(waited time.Duration)
	// Rejected is told of requests that were not let in: token, body, slow, broken, memory, queue, wait, draining, origin or host.
	Rejected(reason string)
	// Inflight is told how the number of requests under way, light ones left out, has changed.
	Inflight(change int)
}

// New makes a guard. It stands before each handler that the function is given; all share its limits.
func New(o Options) func(http.Handler) http.Handler {
	if o.MaxBody == 0 {
		o.MaxBody = 32 << 20
	}
	if o.MaxBodies == 0 {
		o.MaxBodies = 8 * o.MaxBody
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.BodyTimeout == 0 {
		o.BodyTimeout = o.Timeout / 2
	}
	if o.Limiter == nil {
		o.Limiter = NewLimiter(0, 0, o.Timeout/2)
	}
	if o.Drain == nil {
		o.Drain = new(Drain)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Observer == nil {
		o.Observer = unobserved{}
	}
	g := &guard{Options: o, bodies: budget{most: max(o.MaxBodies, o.MaxBody+firstRead)}}
	parts := []func(http.Handler) http.Handler{
		g.identify, g.traced, g.secure, g.logged, g.recovered, g.deadlines, g.named, g.crossOrigin, g.drained, g.authorised, g.bodied, g.limited,
		g.routed,
	}
	return func(h http.Handler) http.Handler {
		for i := len(parts) - 1; i >= 0; i-- {
			h = parts[i](h)
		}
		return h
	}
}

// guard is Options made whole, and what its requests share.
type guard struct {
	Options
	bodies budget
}

// traced begins a span of each request and ends it with what is known then, also while a panic passes by.
func (g *guard) traced(next http.Handler) http.Handler {
	if g.Trace == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.Light.Match(r) {
			next.ServeHTTP(w, r)
			return
		}
		e := exchangeOf(r.Context())
		ctx, end := g.Trace(r)
		defer func() { end(e.route, cmp.Or(e.status, statusGone)) }()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// routed notes which route has answered, for the parts around it: a mux tells only the request that it was given.
func (g *guard) routed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { exchangeOf(r.Context()).route = r.Pattern }() // also after a panic
		next.ServeHTTP(w, r)
	})
}

type unobserved struct{}

func (unobserved) Request(string, string, int, time.Duration) {}
func (unobserved) Queue(time.Duration)                        {}
func (unobserved) Rejected(string)                            {}
func (unobserved) Inflight(int)                               {}

// exchangeOf is the exchange of a request that has passed identify.
func exchangeOf(ctx context.Context) *exchange {
	return ctx.Value(exchangeKey{}).(*exchange)
}

type exchangeKey struct{}
