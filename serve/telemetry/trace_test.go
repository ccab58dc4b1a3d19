package telemetry

import (
	"net/http/httptest"
	"testing"

	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

func TestTraces(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	traces := NewTraces(sdk.NewTracerProvider(sdk.WithSyncer(spans)))

	r := httptest.NewRequest("POST", "/v1/answers?question=private", nil)
	r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	ctx, end := traces.Request(r)
	_, endPart := Span(ctx, "regions")
	endPart()
	attrs := LogAttrs(r.WithContext(ctx))
	end("POST /v1/answers", 200)

	_, end = traces.Request(httptest.NewRequest("BREW", "/nothing", nil))
	end("", 503)

	got := spans.GetSpans()
	if len(got) != 3 {
		t.Fatalf("%d spans, want 3", len(got))
	}
	part, request, broken := got[0], got[1], got[2]
	if request.Name != "POST /v1/answers" || request.SpanKind != trace.SpanKindServer || request.Status.Code != codes.Unset {
		t.Errorf("span %+v", request)
	}
	if request.SpanContext.TraceID().String() != "0af7651916cd43dd8448eb211c80319c" || request.Parent.SpanID().String() != "b7ad6b7169203331" {
		t.Errorf("the client's trace does not go on: %v, parent %v", request.SpanContext, request.Parent)
	}
	if part.Name != "regions" || part.Parent.SpanID() != request.SpanContext.SpanID() {
		t.Errorf("part %+v", part)
	}
	if len(attrs) != 2 || attrs[0].Value.String() != request.SpanContext.TraceID().String() || attrs[1].Value.String() != request.SpanContext.SpanID().String() {
		t.Errorf("the log gets %v", attrs)
	}
	want := map[string]string{"http.request.method": "POST", "url.scheme": "http", "http.route": "/v1/answers", "http.response.status_code": "200"}
	for _, a := range request.Attributes {
		if want[string(a.Key)] != a.Value.String() {
			t.Errorf("attribute %s is %s, want %q", a.Key, a.Value.String(), want[string(a.Key)])
		}
		delete(want, string(a.Key))
	}
	if len(want) > 0 {
		t.Errorf("missing attributes: %v", want)
	}
	if broken.Name != "HTTP" || broken.Status.Code != codes.Error || broken.Parent.IsValid() {
		t.Errorf("span %+v", broken)
	}
}

// TestNoTraces is what happens by default: nothing.
func TestNoTraces(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	ctx, end := NewTraces(nil).Request(r)
	inner, endPart := Span(ctx, "part")
	endPart()
	end("GET /", 200)
	if trace.SpanFromContext(inner).IsRecording() || LogAttrs(r.WithContext(inner)) != nil {
		t.Error("there is a trace that nobody asked for")
	}
}
