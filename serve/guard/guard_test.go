package guard

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const goodToken = "a-token-of-some-length"

// seen is an Observer that remembers.
type seen struct {
	mu                 sync.Mutex
	requests, rejected []string
	waits, inflight    int
}

func (s *seen) Request(route, method string, code int, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, fmt.Sprintf("%s %s %d", route, method, code))
}

func (s *seen) Queue(time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waits++
}

func (s *seen) Rejected(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rejected = append(s.rejected, reason)
}

func (s *seen) Inflight(change int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inflight += change
}

// routes is a mux with a handler of every temper.
func routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/echo/{name}", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
		_, _ = w.Write(body)
	})
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, r *http.Request) {})
	mux.HandleFunc("GET /web/{file...}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		fmt.Fprint(w, "a file")
	})
	mux.HandleFunc("GET /panic", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		w.Header().Set("Content-Length", "7")
		panic("secret/path.go: broken")
	})
	mux.HandleFunc("GET /panic/late", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, strings.Repeat("half of it ", 1000))
		_ = http.NewResponseController(w).Flush()
		panic("late")
	})
	mux.HandleFunc("GET /abort", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("GET /teapot", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) })
	mux.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	return mux
}

// errorOf is the code and message of an error body of ours.
func errorOf(t *testing.T, body io.Reader) (code, message, id string) {
	t.Helper()
	var answer struct {
		Error struct {
			Code, Message string
			RequestID     string `json:"request_id"`
		}
	}
	data, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		t.Fatalf("%v in %q", err, data)
	}
	return answer.Error.Code, answer.Error.Message, answer.Error.RequestID
}

// call lets a handler answer a request without a network.
func call(h http.Handler, method, target string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestLog(t *testing.T) {
	var text bytes.Buffer
	observer := new(seen)
	tokens, err := NewTokens(goodToken)
	if err != nil {
		t.Fatal(err)
	}
	h := New(Options{
		Log:      slog.New(slog.NewJSONHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug})),
		LogAttrs: func(*http.Request) []slog.Attr { return []slog.Attr{slog.String("trace", "abc")} },
		Observer: observer, Tokens: tokens, Light: Paths{"/health"}, Public: Paths{"/health"}, Timeout: 50 * time.Millisecond,
	})(routes())
	bearer := "Bearer " + goodToken
	for _, c := range []struct {
		method, target string
		token          string
		level, route   string
		status, bytes  int
		more           string
	}{
		{"GET", "/health", "", "DEBUG", "GET /health", 200, 0, ""},
		{"POST", "/v1/echo/me?question=private", bearer, "INFO", "POST /v1/echo/{name}", 200, 0, ""},
		{"GET", "/web/a", bearer, "INFO", "GET /web/{file...}", 200, 6, ""},
		{"GET", "/nothing?question=private", bearer, "WARN", "", 404, 19, `"path":"/nothing"`},
		{"POST", "/teapot", bearer, "WARN", "", 405, 19, `"path":"/teapot"`},
		{"GET", "/teapot", bearer, "WARN", "GET /teapot", 418, 0, ""},
		{"GET", "/teapot", "", "WARN", "", 401, -1, `"rejected":"token"`},
		{"GET", "/slow", bearer, "ERROR", "GET /slow", 504, -1, ""},
		{"GET", "/panic", bearer, "ERROR", "GET /panic", 500, -1, ""},
	} {
		text.Reset()
		answer := call(h, c.method, c.target, "Authorization", c.token, "X-Request-Id", "id-1")
		if answer.StatusCode != c.status {
			t.Errorf("%s %s: status %d, want %d", c.method, c.target, answer.StatusCode, c.status)
		}
		if strings.Contains(text.String(), "private") || strings.Contains(text.String(), goodToken) {
			t.Errorf("%s %s: the log says too much: %s", c.method, c.target, text.String())
		}
		lines := strings.Split(strings.TrimSpace(text.String()), "\n")
		var line struct {
			Level, Msg, ID, Method, Route, Remote, Trace string
			Status, Bytes                                int
			Took                                         float64 `json:"took_ms"`
		}
		last := lines[len(lines)-1]
		if err := json.Unmarshal([]byte(last), &line); err != nil {
			t.Fatal(err)
		}
		if line.Level != c.level || line.Msg != "request" || line.ID != "id-1" || line.Method != c.method || line.Route != c.route ||
			line.Status != c.status || c.bytes >= 0 && line.Bytes != c.bytes || line.Took <= 0 || line.Remote != "192.0.2.1" || line.Trace != "abc" {
			t.Errorf("%s %s: logged %s", c.method, c.target, last)
		}
		if !strings.Contains(last, c.more) {
			t.Errorf("%s %s: logged %s without %s", c.method, c.target, last, c.more)
		}
	}
	want := []string{
		"GET /health GET 200", "POST /v1/echo/{name} POST 200", "GET /web/{file...} GET 200", " GET 404", " POST 405", "GET /teapot GET 418", " GET 401",
		"GET /slow GET 504", "GET /panic GET 500",
	}
	if !slices.Equal(observer.requests, want) {
		t.Errorf("observed %q, want %q", observer.requests, want)
	}
	if !slices.Equal(observer.rejected, []string{"token"}) || observer.inflight != 0 || observer.waits != 7 {
		t.Errorf("observed rejections %v, %d under way, %d waits", observer.rejected, observer.inflight, observer.waits)
	}
}

// TestTrace follows a span through the guard.
func TestTrace(t *testing.T) {
	type key struct{}
	var ended []string
	mux := routes()
	mux.HandleFunc("GET /inside", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Context().Value(key{})) })
	h := New(Options{Light: Paths{"/health"}, Trace: func(r *http.Request) (context.Context, func(string, int)) {
		return context.WithValue(r.Context(), key{}, "the span"), func(route string, status int) { ended = append(ended, fmt.Sprint(route, " ", status)) }
	}})(mux)
	if body, err := io.ReadAll(call(h, "GET", "/inside").Body); err != nil || string(body) != "the span" {
		t.Errorf("inside is %q, %v", body, err)
	}
	call(h, "GET", "/health")
	call(h, "GET", "/nothing")
	call(h, "GET", "/panic")
	func() {
		defer func() {
			if recover() != http.ErrAbortHandler {
				t.Error("an aborting handler does not abort")
			}
		}()
		call(h, "GET", "/abort")
	}()
	if want := []string{"GET /inside 200", " 404", "GET /panic 500", "GET /abort 499"}; !slices.Equal(ended, want) {
		t.Errorf("ended %q, want %q", ended, want)
	}
}

// TestPattern looks at what stands around the guard: it learns the route as if it stood around the mux.
func TestPattern(t *testing.T) {
	r := httptest.NewRequest("GET", "/web/a", nil)
	New(Options{})(routes()).ServeHTTP(httptest.NewRecorder(), r)
	if r.Pattern != "GET /web/{file...}" {
		t.Errorf("pattern %q", r.Pattern)
	}
}

func TestPanic(t *testing.T) {
	var text bytes.Buffer
	server := httptest.NewServer(New(Options{Log: slog.New(slog.NewTextHandler(&text, nil))})(routes()))
	defer server.Close()
	answer, err := http.Get(server.URL + "/panic")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != 500 || answer.Header.Get("Content-Type") != "application/json" || strings.Contains(string(body), "secret") {
		t.Errorf("status %d, %s, %s", answer.StatusCode, answer.Header, body)
	}
	code, _, id := errorOf(t, bytes.NewReader(body))
	if code != "internal" || id != answer.Header.Get("X-Request-Id") || !strings.Contains(text.String(), "id="+id) {
		t.Errorf("code %s, id %s, log %s", code, id, text.String())
	}
	if !strings.Contains(text.String(), "secret/path.go") || !strings.Contains(text.String(), "guard_test.go") {
		t.Errorf("the log has no cause or no stack: %s", text.String())
	}

	// Half an answer must not look like a whole one.
	answer, err = http.Get(server.URL + "/panic/late")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.ReadAll(answer.Body); err == nil {
		t.Error("the client took half an answer for the whole")
	}
	if _, err := http.Get(server.URL + "/abort"); err == nil {
		t.Error("the client got an answer from an aborting handler")
	}
	// The server goes on.
	answer, err = http.Get(server.URL + "/web/a")
	if err != nil || answer.StatusCode != 200 {
		t.Error(answer, err)
	}
	answer.Body.Close()
}

func TestSecurityHeaders(t *testing.T) {
	h := New(Options{})(routes())
	answer := call(h, "GET", "/teapot")
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
		"X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store",
		"Strict-Transport-Security": "", "Access-Control-Allow-Origin": "", "Vary": "",
	} {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := call(h, "GET", "/web/a").Header.Get("Cache-Control"); got != "max-age=60" {
		t.Errorf("a handler's own Cache-Control became %q", got)
	}
	for host, want := range map[string]string{
		"lxmert.example.org": "max-age=31536000", "localhost": "", "app.localhost:8443": "", "LOCALHOST.:1": "",
	} {
		if got := call(h, "GET", "https://"+host+"/teapot").Header.Get("Strict-Transport-Security"); got != want {
			t.Errorf("over TLS at %s: Strict-Transport-Security %q, want %q", host, got, want)
		}
	}
}

func TestFormats(t *testing.T) {
	formats := Formats{"/v1/chat/": OpenAI, "/v2/": Sentence, "/v2/own": Own, "/broken": func(Refusal) any { return func() {} }}
	h := New(Options{})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := 429
		if r.Method == "POST" {
			status = 500
		}
		formats.Write(w, r, Refusal{Status: status, Code: "busy", Message: "Later.", RetryAfter: 1200 * time.Millisecond})
	}))
	for _, c := range []struct{ method, path, want string }{
		{"GET", "/v1/answers", `{"error":{"code":"busy","message":"Later.","request_id":"x"}}`},
		{"GET", "/v2/own", `{"error":{"code":"busy","message":"Later.","request_id":"x"}}`},
		{"GET", "/v1/chat/completions", `{"error":{"code":"busy","message":"Later.","param":null,"type":"rate_limit_error"}}`},
		{"POST", "/v1/chat/completions", `{"error":{"code":"busy","message":"Later.","param":null,"type":"server_error"}}`},
		{"GET", "/v2/models", `{"error":"Later."}`},
		{"GET", "/broken", `{"error":"Too Many Requests"}`},
	} {
		answer := call(h, c.method, c.path, "X-Request-Id", "x")
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(string(body)); got != c.want || answer.Header.Get("Retry-After") != "2" {
			t.Errorf("%s %s: %s with Retry-After %s, want %s with 2", c.method, c.path, got, answer.Header.Get("Retry-After"), c.want)
		}
	}
}

func TestHosts(t *testing.T) {
	h := New(Options{Hosts: []string{"localhost", "127.0.0.1", "::1", "Lxmert.Example.Org"}})(routes())
	for host, want := range map[string]int{
		"localhost": 200, "LocalHost:8080": 200, "127.0.0.1:1": 200, "[::1]:8080": 200, "[::1]": 200, "lxmert.example.org.": 200,
		"evil.example": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example:8080": 421, "": 421,
	} {
		r := httptest.NewRequest("GET", "/web/a", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("Host %q: status %d, want %d", host, w.Code, want)
		}
	}
}

func TestPaths(t *testing.T) {
	p := Paths{"/", "/metrics", "/web/"}
	for target, want := range map[string]bool{
		"/": true, "/metrics": true, "/web/": true, "/web/app.js": true, "/web/a/b": true,
		"/v1/answers": false, "/metrics/": false, "/metrics2": false, "/web": false, "/web/../v1/answers": false, "/web//a": false,
		"/web/%2e%2e/v1": false, "/web%2Fa": false, "/web/a%2Fb": false, "//metrics": false,
	} {
		r := httptest.NewRequest("GET", "http://x/", nil)
		u, err := r.URL.Parse("http://x" + target)
		if err != nil {
			t.Fatal(err)
		}
		u.Path, u.RawPath = strings.NewReplacer("%2e", ".", "%2F", "/").Replace(target), "" // Parse resolves dots, which a request's line keeps
		if strings.Contains(target, "%2F") {
			u.RawPath = target
		}
		r.URL = u
		if got := p.Match(r); got != want {
			t.Errorf("%s: %v, want %v", target, got, want)
		}
	}
}

// FuzzPaths: what the guard takes for one of its paths, the mux behind it serves as that, without a redirect.
func FuzzPaths(f *testing.F) {
	for _, seed := range []string{"/", "/web/a", "/web/../v1", "/web/%2e%2e/v1", "/web%2Fa", "//web/a", "/metrics/", "/web/./", "/web/%00", "*", ""} {
		f.Add(seed)
	}
	p := Paths{"/", "/metrics", "/web/"}
	mux := http.NewServeMux()
	for _, pattern := range []string{"/{$}", "/metrics", "/web/", "/{any}", "/{any...}"} {
		mux.Handle(pattern, http.NotFoundHandler())
	}
	f.Fuzz(func(t *testing.T, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.URL = u
		_, pattern := mux.Handler(r)
		if p.Match(r) && pattern != "/{$}" && pattern != "/metrics" && pattern != "/web/" {
			t.Errorf("%q is one of the guard's, and the mux gives it to %q", target, pattern)
		}
	})
}
