package wire

import (
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

// Explain is an error as it may be shown. If it is the server's own fault, the log has its cause, with the request's id if the answer has one already.
func Explain(s *service.Service, w http.ResponseWriter, r *http.Request, err error) *service.Error {
	e := service.AsError(err)
	if e != nil && e.Kind == service.Internal && e.Err != nil {
		s.Log().ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "request_id", w.Header().Get("X-Request-Id"), "error", e.Err)
	}
	return e
}
