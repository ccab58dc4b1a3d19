package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/go-lxmert/lxmert/serve/service"
)

// StatusClientGone is the status of a request whose client has gone: nobody reads it but logs. It is nginx's.
const StatusClientGone = 499

// retryAfter is when a client that was refused for want of room may ask again.
const retryAfter = time.Second

// Status is the HTTP status of a kind of refusal. A request that is wrong is 422: protocols that say 400 have their own table before this one.
func Status(kind service.Kind) int {
	switch kind {
	case service.Invalid, service.Unsupported:
		return http.StatusUnprocessableEntity
	case service.NotFound:
		return http.StatusNotFound
	case service.TooLarge:
		return http.StatusRequestEntityTooLarge
	case service.Busy:
		return http.StatusTooManyRequests
	case service.Draining:
		return http.StatusServiceUnavailable
	case service.Timeout:
		return http.StatusGatewayTimeout
	case service.Cancelled:
		return StatusClientGone
	}
	return http.StatusInternalServerError
}

// Refuse answers with a refusal: body is it in the protocol's own words. Who may come again is told when.
func Refuse(w http.ResponseWriter, status int, kind service.Kind, body any) {
	if kind == service.Busy || kind == service.Draining {
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
	}
	WriteJSON(w, status, body)
}

// Explain is an error as it may be shown: those of reading a body as what they say of it, others as [service.AsError] has them. Nil stays nil.
func Explain(err error) error {
	var large *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &large):
		message := fmt.Sprintf("the body has more than %d bytes, which is what this server reads", large.Limit)
		return &service.Error{Kind: service.TooLarge, Code: "body_too_large", Message: message, Err: err}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &service.Error{Kind: service.Invalid, Code: "body_cut", Message: "the body ends before its length", Err: err}
	}
	return service.AsError(err)
}

type logKey struct{}

// Logged lets [Note] write to a log.
func Logged(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), logKey{}, &noting{log, w})))
	})
}

// noting is the log of one request, and its answer, which has the request's id.
type noting struct {
	log    *slog.Logger
	answer http.ResponseWriter
}

// Note writes the cause of an error that is the server's own fault to the log, for clients are not told; other errors are no news. It does nothing without
// [Logged].
func Note(r *http.Request, err error) {
	e := service.AsError(err)
	n, ok := r.Context().Value(logKey{}).(*noting)
	if !ok || e == nil || e.Kind != service.Internal || e.Err == nil {
		return
	}
	n.log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "request_id", n.answer.Header().Get("X-Request-Id"), "error", e.Err)
}
