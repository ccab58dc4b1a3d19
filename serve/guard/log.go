package guard

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// statusGone is what is logged and counted where the client has gone before there was an answer; it is never sent.
const statusGone = 499

// logged writes a line for each request and tells the observer. Neither learns a token, a header, a query or a body.
func (g *guard) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := exchangeOf(r.Context())
		finished := false
		defer func() { // also while a panic passes by
			took := time.Since(e.began)
			status := e.status
			switch {
			case status == 0 && (!finished || r.Context().Err() != nil):
				status = statusGone
			case status == 0:
				status = http.StatusOK // as the server would say for a handler that has said nothing
				e.WriteHeader(status)
			}
			g.Observer.Request(e.route, r.Method, status, took)
			level := levelOf(status, g.Light.Match(r))
			if !finished {
				level = max(level, slog.LevelWarn)
			}
			if !g.Log.Enabled(r.Context(), level) {
				return
			}
			attrs := []slog.Attr{
				slog.String("id", e.id),
				slog.String("method", shorten(r.Method, 16)),
				slog.String("route", e.route),
				slog.Int("status", status),
				slog.Int64("bytes", e.bytes),
				slog.Float64("took_ms", float64(took.Microseconds())/1000),
				slog.String("remote", remote(r)),
			}
			if e.route == "" || status == http.StatusNotFound || status == http.StatusMethodNotAllowed { // the only trace of what was asked for
				attrs = append(attrs, slog.String("path", shorten(r.URL.Path, 128)))
			}
			if e.rejected != "" {
				attrs = append(attrs, slog.String("rejected", e.rejected))
			}
			if !finished {
				attrs = append(attrs, slog.Bool("aborted", true))
			}
			if g.LogAttrs != nil {
				attrs = append(attrs, g.LogAttrs(r)...)
			}
			g.Log.LogAttrs(context.WithoutCancel(r.Context()), level, "request", attrs...)
		}()
		next.ServeHTTP(w, r)
		finished = true
	})
}

// levelOf is how much a request matters: our faults are errors, the clients' and full queues warnings, probes and a page's files debugging.
func levelOf(status int, light bool) slog.Level {
	switch {
	case status == http.StatusServiceUnavailable, 400 <= status && status < 500 && status != statusGone:
		return slog.LevelWarn
	case status >= 500:
		return slog.LevelError
	case light:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// remote is the address of who is connected, a proxy's if there is one: what a proxy says of its client, anyone can say.
func remote(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// shorten keeps a foreign text's first bytes.
func shorten(text string, most int) string {
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
