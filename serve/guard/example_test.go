package guard_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/go-lxmert/lxmert/serve/guard"
)

// A mux behind limits and a token, with health checks for everybody.
func ExampleNew() {
	tokens, err := guard.NewTokens("a-secret-of-16-characters-or-more")
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "well") })
	mux.HandleFunc("POST /echo", func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	handler := guard.New(guard.Options{
		Log:    slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Tokens: tokens, Public: guard.Paths{"/health"}, Light: guard.Paths{"/health"},
		MaxBody: 1 << 20, Timeout: 10 * time.Second, Limiter: guard.NewLimiter(4, 16, 5*time.Second),
	})(mux)

	call := func(method, path, token string) {
		r := httptest.NewRequest(method, path, strings.NewReader("hello"))
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		r.Header.Set("X-Request-Id", "example")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code, strings.TrimSpace(w.Body.String()))
	}
	call("GET", "/health", "")
	call("POST", "/echo", "a-secret-of-16-characters-or-more")
	call("POST", "/echo", "a guess")
	// Output:
	// 200 well
	// 200 hello
	// 401 {"error":{"code":"unauthorized","message":"The token in the Authorization header is not one that this server knows.","request_id":"example"}}
}

// A server that ends without losing a request.
func ExampleDrain() {
	drain := new(guard.Drain)
	server := &http.Server{Handler: guard.New(guard.Options{Drain: drain})(http.NewServeMux()), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.ListenAndServe() }()

	// On SIGTERM:
	drain.Begin() // new requests are told to go elsewhere
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := drain.Wait(ctx); err != nil { // those under way end
		fmt.Println(err)
	}
	if err := server.Shutdown(ctx); err != nil {
		fmt.Println(err)
	}
}
