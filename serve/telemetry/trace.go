package telemetry

import (
	"context"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// scope names this package as the one that makes the spans.
const scope = "github.com/go-lxmert/lxmert/serve/telemetry"

// Traces make OpenTelemetry spans of requests. A client's own trace, in a traceparent header (W3C Trace Context), goes on in them.
type Traces struct {
	tracer trace.Tracer
	parent propagation.TraceContext
}

// NewTraces makes spans with the tracer provider of the program around it; nil is one that drops them all.
func NewTraces(provider trace.TracerProvider) *Traces {
	if provider == nil {
		provider = noop.NewTracerProvider()
	}
	return &Traces{tracer: provider.Tracer(scope)}
}

// Request begins a request's span and returns a context with it; end is called once when the request is answered, with
// its route as http.ServeMux has it. Attributes are those of OpenTelemetry's conventions for HTTP servers; no query, no header, no address.
func (t *Traces) Request(r *http.Request) (ctx context.Context, end func(route string, status int)) {
	ctx = t.parent.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	method := methodLabel(r.Method)
	name := method
	if method == other {
		method, name = "_OTHER", "HTTP" // the conventions' words
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("http.request.method", method), attribute.String("url.scheme", scheme)))
	return ctx, func(route string, status int) {
		if route != "" {
			span.SetName(name + " " + routePath(route))
			span.SetAttributes(attribute.String("http.route", routePath(route)))
		}
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		if status >= 500 {
			span.SetStatus(codes.Error, http.StatusText(status))
		}
		span.End()
	}
}

// Span begins a span inside that of ctx, for a part of the work; end is called once when it is done. Where ctx has no span, this makes none.
func Span(ctx context.Context, name string) (inner context.Context, end func()) {
	ctx, span := trace.SpanFromContext(ctx).TracerProvider().Tracer(scope).Start(ctx, name)
	return ctx, func() { span.End() }
}

// LogAttrs are the ids of a request's trace and span, for its lines in the log; none where there is no trace.
func LogAttrs(r *http.Request) []slog.Attr {
	span := trace.SpanContextFromContext(r.Context())
	if !span.IsValid() {
		return nil
	}
	return []slog.Attr{slog.String("trace_id", span.TraceID().String()), slog.String("span_id", span.SpanID().String())}
}
