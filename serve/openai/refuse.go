package openai

import (
	"errors"
	"net/http"

	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/serve/wire"
)

// fault is an error with the parameter that it is about.
type fault struct {
	param string
	error
}

func (f *fault) Unwrap() error { return f.error }

// of is an error about a parameter; nil stays nil.
func of(param string, err error) error {
	if err == nil {
		return nil
	}
	return &fault{param, err}
}

// invalid is a request whose parameter is wrong.
func invalid(param, format string, args ...any) error {
	return of(param, service.Invalidf(format, args...))
}

// failure is the body of an error.
type failure struct {
	Error struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    *string `json:"code"`
	} `json:"error"`
}

// refuse answers with an error.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	wire.Note(r, err)
	e := service.AsError(wire.Explain(err))
	var body failure
	body.Error.Message, body.Error.Code = e.Message, &e.Code
	var about *fault
	if errors.As(err, &about) {
		body.Error.Param = &about.param
	}
	status := wire.Status(e.Kind)
	if status == http.StatusUnprocessableEntity {
		status = http.StatusBadRequest
	}
	switch {
	case e.Kind == service.Busy:
		body.Error.Type = "rate_limit_error"
	case status >= 500:
		body.Error.Type = "server_error"
	default:
		body.Error.Type = "invalid_request_error"
	}
	wire.Refuse(w, status, e.Kind, body)
}
