// Package wire is what the protocols of a server have in common on the wire: reading bodies of JSON and of forms, pictures as requests write them, names of
// models as clients write them, and the statuses of refusals. Bodies come already bounded, by [http.MaxBytesReader].
package wire

import (
	"bytes"
	"errors"
	"mime"
	"net/http"

	"github.com/go-lxmert/lxmert/serve/service"
)

// firstRead is for how many bytes there is room before any of a body has come, whatever its Content-Length promises.
const firstRead = 1 << 20

// ReadBody reads a request's body. The error is [service.TooLarge] beyond the body's bound, [service.Cancelled] if the client has gone.
func ReadBody(r *http.Request) ([]byte, error) {
	var body bytes.Buffer
	if r.Body == nil {
		return nil, nil
	}
	if r.ContentLength > 0 {
		body.Grow(int(min(r.ContentLength, firstRead)) + bytes.MinRead)
	}
	if _, err := body.ReadFrom(r.Body); err != nil {
		return nil, bodyError(r, err)
	}
	return body.Bytes(), nil
}

// bodyError is why a body cannot be read.
func bodyError(r *http.Request, err error) error {
	if r.Context().Err() != nil {
		return r.Context().Err()
	}
	if e := Explain(err); service.KindOf(e) != service.Internal {
		return e
	}
	return &service.Error{Kind: service.Invalid, Code: "body_unreadable", Message: "the body cannot be read", Err: err}
}

// ContentType is the body's, in lower case and without its parameters; "" if it has none that can be read.
func ContentType(r *http.Request) string {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return ""
	}
	return kind
}
