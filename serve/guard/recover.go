package guard

import (
	"log/slog"
	"net/http"
	"runtime/debug"
)

// recovered turns a panic into an answer, so that it hurts one request only. The log has the stack; the client learns nothing of
// it. Where part of an answer has left already, the connection is cut: the client must not take it for the whole.
func (g *guard) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := exchangeOf(r.Context())
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler { // the handler's way to cut the connection
				panic(cause)
			}
			g.Log.LogAttrs(r.Context(), slog.LevelError, "panic",
				slog.String("id", e.id), slog.String("route", e.route), slog.Any("cause", cause), slog.String("stack", string(debug.Stack())))
			if e.status != 0 {
				panic(http.ErrAbortHandler)
			}
			g.Errors.Write(w, r, Refusal{
				Status: http.StatusInternalServerError, Code: "internal", Message: "Something went wrong on the server; its log has more under this request's id.",
			})
		}()
		next.ServeHTTP(w, r)
	})
}
