package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-lxmert/lxmert/internal/jsonerror"
	"github.com/go-lxmert/lxmert/serve/service"
)

// ReadJSON reads a request's body, which is one value of JSON, into v. Fields that v has not are passed over: clients send many. The error says which field
// is wrong, what was found and what is wanted, or where the text is no JSON; or is [ReadBody]'s.
func ReadJSON(r *http.Request, v any) error { return readJSON(r, v, Parse) }

// ReadStrictJSON is [ReadJSON] for a protocol of our own: fields that v has not are an error, for they are misspelt.
func ReadStrictJSON(r *http.Request, v any) error { return readJSON(r, v, ParseStrict) }

func readJSON(r *http.Request, v any, parse func([]byte, any) error) error {
	body, err := ReadBody(r)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return service.Invalidf("the body is empty, want an object of JSON")
	}
	return parse(body, v)
}

// Parse is [ReadJSON] of a body, or a part of one, that was read already.
func Parse(data []byte, v any) error { return jsonFault(data, json.Unmarshal(data, v)) }

// ParseStrict is [ReadStrictJSON] of a body that was read already.
func ParseStrict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, err = d.Token(); err == io.EOF {
			return nil
		}
		return service.Invalidf("the body: there is more after the first value of JSON")
	}
	return jsonFault(data, err)
}

// jsonFault is what is wrong with a text of JSON, in words for who wrote it.
func jsonFault(data []byte, err error) error {
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF):
		return service.Invalidf("the body is not JSON: it ends too early")
	case errors.As(err, &syntax):
		return service.Invalidf("the body is not JSON: at byte %d: %s", min(syntax.Offset, int64(len(data))), strings.TrimPrefix(syntax.Error(), "json: "))
	}
	text := jsonerror.Explain(err).Error()
	if name, unknown := strings.CutPrefix(text, "json: unknown field "); unknown {
		if plain, err := strconv.Unquote(name); err == nil {
			name = plain
		}
		text = fmt.Sprintf("%.80q: there is no such field", name)
	}
	return service.Invalidf("%s", text)
}

// WriteJSON answers with v as JSON. What cannot be written as JSON, such as a NaN, is answered with status 500.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		status = http.StatusInternalServerError
		body.Reset()
		body.WriteString(`{"error":"the answer cannot be written as JSON"}` + "\n")
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	w.Write(body.Bytes()) // an error is the client's going
}
