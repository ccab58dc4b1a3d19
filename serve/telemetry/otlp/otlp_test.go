package otlp

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	collected "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/go-lxmert/lxmert/serve/telemetry"
)

// TestStart sends a request's span to a collector.
func TestStart(t *testing.T) {
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
	received := make(chan *collected.ExportTraceServiceRequest, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			unpacked, err := gzip.NewReader(body)
			if err != nil {
				t.Error(err)
				return
			}
			body = unpacked
		}
		data, err := io.ReadAll(body)
		export := new(collected.ExportTraceServiceRequest)
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(data, export) != nil {
			t.Errorf("%s: %d bytes, %v", r.URL.Path, len(data), err)
		}
		received <- export
	}))
	defer collector.Close()
	provider, err := Start(t.Context(), collector.URL, "v1.2.3", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	_, end := telemetry.NewTraces(provider).Request(httptest.NewRequest("GET", "/v1/models", nil))
	end("GET /v1/models", 200)
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	spans := (<-received).GetResourceSpans()[0]
	if got := spans.GetScopeSpans()[0].GetSpans()[0].GetName(); got != "GET /v1/models" {
		t.Errorf("span %q", got)
	}
	about := map[string]string{}
	for _, a := range spans.GetResource().GetAttributes() {
		about[a.GetKey()] = a.GetValue().GetStringValue()
	}
	if about["service.name"] != "lxmert" || about["service.version"] != "v1.2.3" || about["deployment.environment.name"] != "test" {
		t.Errorf("resource %v", about)
	}
}

// TestNoCollector has a collector that refuses: the log says so, and nothing else happens.
func TestNoCollector(t *testing.T) {
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer collector.Close()
	var text bytes.Buffer
	provider, err := Start(t.Context(), collector.URL, "", slog.New(slog.NewTextHandler(&text, nil)))
	if err != nil {
		t.Fatal(err)
	}
	_, end := telemetry.NewTraces(provider).Request(httptest.NewRequest("GET", "/", nil))
	end("", 200)
	err = provider.ForceFlush(t.Context())
	if err == nil && !strings.Contains(text.String(), "403") {
		t.Errorf("nobody says that the collector refuses: %v, log %q", err, text.String())
	}
	_ = provider.Shutdown(t.Context())
}

func TestCollector(t *testing.T) {
	for endpoint, want := range map[string]string{
		"http://localhost:4318": "http://localhost:4318/v1/traces", "https://x/": "https://x/v1/traces", "https://x/own/path": "https://x/own/path",
		"localhost:4318": "", "": "", "grpc://x": "", "http://": "", "http://a b": "",
	} {
		if got, err := collector(endpoint); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", endpoint, got, err, want)
		}
	}
}
