package guard

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestDrain ends a server with one request at work and one in the queue: both are answered, a third is refused.
func TestDrain(t *testing.T) {
	drain := new(Drain)
	l := NewLimiter(1, 1, 0)
	release := make(chan struct{})
	mux := routes()
	mux.HandleFunc("GET /work", func(w http.ResponseWriter, r *http.Request) {
		<-release
		_, _ = io.WriteString(w, "done")
	})
	server := httptest.NewServer(New(Options{Drain: drain, Limiter: l, Light: Paths{"/health"}})(mux))
	defer server.Close()
	if err := drain.Wait(t.Context()); err != nil {
		t.Errorf("waiting for nothing: %v", err)
	}
	answers := make(chan string, 2)
	for range 2 {
		go func() {
			answer, err := http.Get(server.URL + "/work")
			if err != nil {
				answers <- err.Error()
				return
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			if err != nil || !answer.Close {
				t.Errorf("answered while draining: closes %v, %v", answer.Close, err)
			}
			answers <- string(body)
		}()
	}
	until(t, "one works, one waits", func() bool { return drain.UnderWay() == 2 && l.Waiting() == 1 })
	drain.Begin()
	drain.Begin() // a second signal

	answer, err := http.Get(server.URL + "/web/a")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if code, _, _ := errorOf(t, answer.Body); answer.StatusCode != 503 || code != "draining" || !answer.Close || answer.Header.Get("Retry-After") == "" {
		t.Errorf("status %d, code %s, closes %v, %v", answer.StatusCode, code, answer.Close, answer.Header)
	}
	health, err := http.Get(server.URL + "/health")
	if err != nil {
		t.Fatal(err)
	}
	health.Body.Close()
	if health.StatusCode != 200 || !health.Close {
		t.Errorf("health: status %d, closes %v", health.StatusCode, health.Close)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := drain.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "2 requests are still under way") {
		t.Errorf("waiting for two in vain: %v", err)
	}
	close(release)
	if err := drain.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	for range 2 {
		if got := <-answers; got != "done" {
			t.Errorf("a request under way got %q", got)
		}
	}
	if !drain.Draining() || drain.UnderWay() != 0 {
		t.Errorf("draining %v, %d under way", drain.Draining(), drain.UnderWay())
	}
}

// TestDrainPanic counts a request that panics.
func TestDrainPanic(t *testing.T) {
	drain := new(Drain)
	h := New(Options{Drain: drain})(routes())
	call(h, "GET", "/panic")
	if drain.UnderWay() != 0 {
		t.Errorf("%d under way after a panic", drain.UnderWay())
	}
}
