// Package serve is LXMERT as a server: a page on which people ask pictures, the server's own API, and those that clients of Hugging Face, of the Open Inference Protocol
// and of OpenAI speak already, over one service with its models, its queue and its memory of pictures.
//
//	s, err := service.New(ctx, service.Options{})
//	if err != nil {
//		return err
//	}
//	defer s.Close()
//	http.Handle("/", serve.Handler(s, serve.Options{}))
//
// [Run] is all of it as a program: listening, metrics, gRPC, an end without a lost request.
package serve

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/go-lxmert/lxmert/serve/guard"
	"github.com/go-lxmert/lxmert/serve/hf"
	"github.com/go-lxmert/lxmert/serve/oip"
	"github.com/go-lxmert/lxmert/serve/openai"
	"github.com/go-lxmert/lxmert/serve/own"
	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/serve/telemetry"
	"github.com/go-lxmert/lxmert/serve/web"
	"github.com/go-lxmert/lxmert/serve/wire"
)

// Options say what stands before the routes. The zero Options have limits for everything, ask for no token and log nothing.
type Options struct {
	Tokens  *guard.Tokens // with which clients may come; nil: no token is asked for
	Origins guard.Origins // other sites' pages that may call the API; none: only the server's own page
	Hosts   []string      // names by which the server may be called; none: any

	MaxBody     int64         // bytes of a request's body; 0: as much as a picture of the greatest size takes, twice, in base64
	Concurrency int           // requests at work at once; 0 is 64
	Queue       int           // requests that wait beyond those; 0 is 256, less than 0 is none
	Timeout     time.Duration // for a request altogether; 0 is 30 s

	NoPage      bool   // the API alone
	AllowReload bool   // a request may have a model loaded anew from its files (Triton's model repository)
	Version     string // of the program, for who asks; "" is "devel"

	inference *oip.API // shared with gRPC, so that both are counted; nil: one of its own

	Traces  trace.TracerProvider // spans of requests; nil: none
	Metrics *telemetry.Metrics   // nil: none
	Limiter *guard.Limiter       // in place of Concurrency and Queue, where something else shares it
	Drain   *guard.Drain         // how the program ends; nil: not by draining
	Log     *slog.Logger         // a line for each request; nil: none
}

// Defaults of [Options].
const (
	DefaultConcurrency = 64
	DefaultQueue       = 256
	DefaultTimeout     = 30 * time.Second
)

// withDefaults fills in what is left at zero.
func (o Options) withDefaults(s *service.Service) Options {
	if o.MaxBody == 0 {
		o.MaxBody = 2*(s.Limits().MaxFileBytes+2)/3*4 + 1<<20 // Hugging Face's client sends the picture twice
	}
	if o.Concurrency == 0 {
		o.Concurrency = DefaultConcurrency
	}
	if o.Queue == 0 {
		o.Queue = DefaultQueue
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Limiter == nil {
		o.Limiter = guard.NewLimiter(o.Concurrency, o.Queue, o.Timeout/2)
	}
	if o.Drain == nil {
		o.Drain = new(guard.Drain)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// oip are the options of the Open Inference Protocol.
func (o Options) oip() oip.Options {
	return oip.Options{Version: o.Version, MaxBytes: o.MaxBody, AllowReload: o.AllowReload, Ready: func() bool { return !o.Drain.Draining() }}
}

// Paths that are for everybody, and those that cost next to nothing.
var (
	health = guard.Paths{"/v2/health/", "/health"}
	files  = guard.Paths{"/", "/docs", "/web/", "/openapi.json", "/favicon.ico"}
)

// formats are the bodies of errors, by protocol.
var formats = guard.Formats{
	"/v1/chat/": guard.OpenAI, "/v1/models": guard.OpenAI,
	"/v2":  guard.Sentence,
	"/vqa": guard.Sentence, "/visual-question-answering": guard.Sentence, "/object-detection": guard.Sentence, "/fill-mask": guard.Sentence,
	"/feature-extraction": guard.Sentence, "/document-question-answering": guard.Sentence, "/models/": guard.Sentence, "/pipeline/": guard.Sentence,
}

// Handler serves everything over HTTP, behind all limits. The service stays the caller's.
func Handler(s *service.Service, o Options) http.Handler {
	o = o.withDefaults(s)
	mux := http.NewServeMux()
	own.Register(mux, s)
	hf.Register(mux, s)
	openai.Register(mux, s)
	if o.inference == nil {
		o.inference = oip.New(s, o.oip())
	}
	o.inference.Register(mux)
	if !o.NoPage {
		page := web.Handler()
		for _, path := range []string{"GET /{$}", "GET /docs", "GET /web/"} {
			mux.Handle(path, page)
		}
	}
	light := slices.Concat(health, files)
	if o.Metrics != nil {
		mux.Handle("GET /metrics", o.Metrics.Handler())
		light = append(light, "/metrics")
	}
	mux.HandleFunc("/", elsewhere(mux))
	guarded := guard.Options{
		Errors: formats, Log: o.Log, Public: slices.Concat(health, files), Tokens: o.Tokens, Light: light,
		MaxBody: o.MaxBody, Timeout: o.Timeout, Limiter: o.Limiter,
		Origins: o.Origins, Hosts: o.Hosts, Drain: o.Drain,
	}
	if o.Metrics != nil {
		guarded.Observer = o.Metrics
	}
	if o.Traces != nil {
		guarded.Trace, guarded.LogAttrs = telemetry.NewTraces(o.Traces).Request, telemetry.LogAttrs
	}
	// The guard stands next to the mux, which tells the route it has chosen to the very request that it is given.
	return wire.Logged(o.Log, guard.New(guarded)(mux))
}

// elsewhere answers where no route fits: with the methods that would, or not found.
func elsewhere(mux *http.ServeMux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		refusal := guard.Refusal{Status: http.StatusNotFound, Code: "not_found", Message: "There is nothing at this path; /docs says what there is."}
		var allowed []string
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if other := r.Clone(r.Context()); method != r.Method {
				other.Method = method
				if _, pattern := mux.Handler(other); strings.HasPrefix(pattern, method) {
					allowed = append(allowed, method)
				}
			}
		}
		if len(allowed) > 0 {
			methods := strings.Join(allowed, ", ")
			refusal = guard.Refusal{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Message: "This path wants " + methods + "."}
			w.Header().Set("Allow", methods)
		}
		formats.Write(w, r, refusal)
	}
}
