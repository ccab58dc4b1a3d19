package service

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/vision/frcnn"
)

// A Kind says whose fault an error is and what a client can do, from which each protocol makes its own code.
type Kind int

const (
	Internal    Kind = iota // the server's fault
	Invalid                 // the request is wrong: HTTP 422 or 400
	NotFound                // no such model, or a picture that was forgotten: 404
	Unsupported             // what this model or this server does not do: 422
	TooLarge                // beyond a limit: 413
	Busy                    // too much to do: 429
	Draining                // the server is going down: 503
	Timeout                 // the request's time is up: 504
	Cancelled               // the client has gone
)

var kindNames = [...]string{"internal", "invalid", "not found", "unsupported", "too large", "busy", "draining", "timeout", "cancelled"}

func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("kind %d", int(k))
	}
	return kindNames[k]
}

// Error is a refusal that may be shown to the client.
type Error struct {
	Kind    Kind
	Code    string // for programs, such as "picture_unknown"
	Message string // a sentence for people, without what is the server's own
	Err     error  // the cause, for the log; may be nil
}

func (e *Error) Error() string { return e.Message }

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// Invalidf is a request that is wrong.
func Invalidf(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Error{Invalid, "invalid_request", err.Error(), errors.Unwrap(err)}
}

// AsError is any error as one that may be shown: those of other packages that speak of the request are [Invalid], those of a context Timeout or Cancelled, and
// what is not known is Internal, with a message that says nothing. Nil stays nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	var known *Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Timeout, "timeout", "the request took longer than this server allows", err}
	case errors.Is(err, context.Canceled):
		return &Error{Cancelled, "cancelled", "the request was cancelled", err}
	case errors.Is(err, model.ErrClosed), errors.Is(err, frcnn.ErrClosed):
		return &Error{Draining, "draining", "the server is going down", err}
	case errors.Is(err, model.ErrAnswersOnly):
		return &Error{Unsupported, "answers_only", "this server keeps the model in less than float32, which gives answers and no explanations", err}
	case errors.Is(err, lxmert.ErrNoHead):
		return &Error{Unsupported, "no_head", err.Error(), err}
	}
	return &Error{Internal, "internal", "something went wrong inside; the server's log says what", err}
}

// KindOf is the kind of any error.
func KindOf(err error) Kind { return AsError(err).Kind }
