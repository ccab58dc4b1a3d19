package oip

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-lxmert/lxmert/internal/jsonerror"
	"github.com/go-lxmert/lxmert/serve/service"
)

// headerLength is the header that says how many bytes of a body are JSON; the rest is tensors in binary.
const headerLength = "Inference-Header-Content-Length"

// maxTensors is how many inputs or outputs a request may list; no model here has more than six.
const maxTensors = 32

// maxParameters is how many parameters a request, an input or an output may have.
const maxParameters = 64

// jsonRequest is a request for inference. Lists and parameters are read one by one, so that a request of nothing but braces does not become a hundred
// times as large in memory.
type jsonRequest struct {
	Model      string          `json:"model_name"` // KServe's client repeats here what the path says
	Version    string          `json:"model_version"`
	ID         string          `json:"id"`
	Parameters json.RawMessage `json:"parameters"`
	Inputs     json.RawMessage `json:"inputs"`
	Outputs    json.RawMessage `json:"outputs"`
}

type jsonInput struct {
	Name       string          `json:"name"`
	Shape      json.RawMessage `json:"shape"`
	Datatype   string          `json:"datatype"`
	Parameters json.RawMessage `json:"parameters"`
	Data       json.RawMessage `json:"data"`
}

type jsonWanted struct {
	Name       string          `json:"name"`
	Parameters json.RawMessage `json:"parameters"`
}

// form says which outputs are wanted in binary.
type form struct {
	binary bool            // all but those that say otherwise
	of     map[string]bool // those that say so
}

func (f form) wants(output string) bool {
	if binary, ok := f.of[output]; ok {
		return binary
	}
	return f.binary
}

// readRequest reads the body of a request. The model's name is not in it.
func (a *API) readRequest(w http.ResponseWriter, r *http.Request) (*request, form, error) {
	if coding := r.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		return nil, form{}, service.Invalidf("Content-Encoding: found %.40q, want none: send the body as it is", coding)
	}
	limit := a.options.MaxBytes
	reader, size := http.MaxBytesReader(w, r.Body, limit), r.ContentLength
	text := r.Header.Get(headerLength)
	if text == "" {
		data, err := body(reader, size, limit)
		if err != nil {
			return nil, form{}, err
		}
		return parseRequest(data, nil, limit)
	}
	header, err := strconv.ParseInt(text, 10, 64)
	if err != nil || header < 2 || size >= 0 && header > size {
		return nil, form{}, service.Invalidf("%s: found %.40q, want the number of bytes of JSON that the body begins with", headerLength, text)
	}
	// JSON and tensors in memory of their own: so the first tensor is aligned, and is read where it is.
	data, err := body(io.LimitReader(reader, header), header, limit)
	if err != nil {
		return nil, form{}, err
	}
	if int64(len(data)) < header {
		return nil, form{}, service.Invalidf("%s: found %d, but the body has %d bytes", headerLength, header, len(data))
	}
	if size >= 0 {
		size -= header
	}
	raw, err := body(reader, size, limit-header)
	if err != nil {
		return nil, form{}, err
	}
	return parseRequest(data, raw, limit)
}

// parseRequest reads JSON, and the tensors in binary behind it. Tensors keep raw.
func parseRequest(data, raw []byte, limit int64) (r *request, f form, err error) {
	var j jsonRequest
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&j); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("it ends early")
		}
		return nil, f, badJSON("the request", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, f, service.Invalidf("the request's JSON ends at byte %d of %d: send tensors in binary behind it with the header %s",
			decoder.InputOffset(), len(data), headerLength)
	}
	r = &request{id: j.ID}
	if r.parameters, err = parseParameters("parameters", j.Parameters); err != nil {
		return nil, f, err
	}
	if f.binary, err = r.parameters.flag("binary_data_output", false); err != nil {
		return nil, f, err
	}
	f.of = map[string]bool{}
	err = eachOf(j.Outputs, "outputs", '[', maxTensors, func(_ string, d *json.Decoder) error {
		var o jsonWanted
		if err := d.Decode(&o); err != nil {
			return badJSON("outputs", err)
		}
		p, err := parseParameters("output "+o.Name, o.Parameters)
		if err != nil {
			return err
		}
		if err := p.check([]string{"binary_data"}); err != nil {
			return err
		}
		r.outputs = append(r.outputs, o.Name)
		f.of[o.Name], err = p.flag("binary_data", f.binary)
		return err
	})
	if err != nil {
		return nil, f, err
	}
	err = eachOf(j.Inputs, "inputs", '[', maxTensors, func(_ string, d *json.Decoder) error {
		var in jsonInput
		if err := d.Decode(&in); err != nil {
			return badJSON("inputs", err)
		}
		t, rest, err := in.tensor(raw, limit)
		r.inputs, raw = append(r.inputs, t), rest
		return err
	})
	if err != nil {
		return nil, f, err
	}
	if len(raw) > 0 {
		return nil, f, service.Invalidf("%d bytes are left behind the last tensor in binary", len(raw))
	}
	return r, f, nil
}

// eachOf visits the elements of a JSON list ('[') or the entries of an object ('{'), at most so many. Their names are those of an object; fields that a
// struct has not are refused.
func eachOf(data json.RawMessage, what string, open json.Delim, most int, visit func(name string, d *json.Decoder) error) error {
	if len(data) == 0 || string(data) == "null" {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if token, err := d.Token(); err != nil || token != open {
		kind := "a list"
		if open == '{' {
			kind = "an object"
		}
		return service.Invalidf("%.80s: found %.20s, want %s", what, data, kind)
	}
	for n := 0; d.More(); n++ {
		if n == most {
			return tooLarge("too_many", "%.80s: found more than %d", what, most)
		}
		name := ""
		if open == '{' {
			token, err := d.Token()
			if err != nil {
				return badJSON(what, err)
			}
			name, _ = token.(string)
		}
		if err := visit(name, d); err != nil {
			return err
		}
	}
	return nil
}

func badJSON(what string, err error) error {
	return service.Invalidf("%.80s: its JSON: %s", what, strings.TrimPrefix(jsonerror.Explain(err).Error(), "json: "))
}

// maxShape is how many characters the shape of a tensor may have.
const maxShape = 256

// tensor is the input as a tensor; what it leaves of what is in binary is returned.
func (in *jsonInput) tensor(raw []byte, limit int64) (t tensor, rest []byte, err error) {
	if len(in.Shape) > maxShape {
		return t, nil, service.Invalidf("input %.80s: shape: found %d characters, want a list of 1 to %d numbers", in.Name, len(in.Shape), maxRank)
	}
	var shape []int64
	if len(in.Shape) > 0 {
		if err := json.Unmarshal(in.Shape, &shape); err != nil {
			return t, nil, badJSON("input "+in.Name+": shape", err)
		}
	}
	t, elements, err := newTensor(in.Name, in.Datatype, shape, limit)
	if err != nil {
		return t, nil, err
	}
	p, err := parseParameters("input "+in.Name, in.Parameters)
	if err != nil {
		return t, nil, err
	}
	rest, err = t.setContents(p, in.Data, raw, elements)
	return t, rest, err
}

// setContents takes an input's contents from its data, or from what is in binary; the rest of that is returned. Texts in JSON are base64 where they are
// pictures, for JSON has no bytes.
func (t *tensor) setContents(p parameters, data json.RawMessage, raw []byte, elements int) (rest []byte, err error) {
	if err := p.check([]string{"content_type", "binary_data_size"}); err != nil {
		return nil, t.bad("%v", err)
	}
	_, binary := p["binary_data_size"]
	size, err := p.integer("binary_data_size", 0, 0)
	switch {
	case err != nil:
		return nil, t.bad("%v", err)
	case binary && data != nil:
		return nil, t.bad("found data and binary_data_size, want one of them")
	case binary && size > int64(len(raw)):
		return nil, t.bad("binary_data_size is %d, but %d bytes are left behind the JSON", size, len(raw))
	case binary:
		t.base64 = p["content_type"] == "base64"
		return raw[size:], t.setRaw(raw[:size:size], elements)
	case data == nil:
		return nil, t.bad("found neither data nor binary_data_size, want one of them")
	}
	t.base64 = true
	return raw, t.setJSON(string(data), elements)
}

// parseParameters reads parameters, which are plain values.
func parseParameters(where string, data json.RawMessage) (p parameters, err error) {
	err = eachOf(data, where, '{', maxParameters, func(name string, d *json.Decoder) error {
		var text json.RawMessage
		if err := d.Decode(&text); err != nil {
			return badJSON(where, err)
		}
		if p == nil {
			p = parameters{}
		}
		if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			p[name] = n
			return nil
		}
		switch text[0] {
		case '{', '[', 'n':
			return service.Invalidf("%.80s: %.80s: found %.20s, want a number, a string, or true or false", where, name, text)
		}
		var value any // a plain one
		err := json.Unmarshal(text, &value)
		p[name] = value
		if err != nil {
			return badJSON(where, err)
		}
		return nil
	})
	return p, err
}

// writeResponse sends a response: JSON, and the outputs that are wanted so in binary behind it.
func writeResponse(w http.ResponseWriter, r *response, f form) error {
	head := make([]byte, 0, 1024)
	head = append(appendString(append(head, `{"model_name":`...), r.model), `,"model_version":`...)
	head = appendString(head, r.version)
	if r.id != "" {
		head = appendString(append(head, `,"id":`...), r.id)
	}
	if len(r.parameters) > 0 {
		p, err := json.Marshal(r.parameters)
		if err != nil {
			return err
		}
		head = append(append(head, `,"parameters":`...), p...)
	}
	head = append(head, `,"outputs":[`...)
	tail := 0
	for i := range r.outputs {
		o := &r.outputs[i]
		if i > 0 {
			head = append(head, ',')
		}
		m, err := json.Marshal(o.signature)
		if err != nil {
			return err
		}
		head = append(head, m[:len(m)-1]...) // without the brace
		if f.wants(o.Name) {
			n := o.rawLen()
			head = append(strconv.AppendInt(append(head, `,"parameters":{"binary_data_size":`...), int64(n), 10), "}}"...)
			tail += n
			continue
		}
		if head, err = o.appendJSON(append(head, `,"data":`...)); err != nil {
			return err
		}
		head = append(head, '}')
	}
	head = append(head, "]}"...)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if tail > 0 {
		h.Set("Content-Type", "application/octet-stream")
		h.Set(headerLength, strconv.Itoa(len(head)))
	}
	h.Set("Content-Length", strconv.Itoa(len(head)+tail))
	w.WriteHeader(http.StatusOK)
	if _, err := w.Write(head); err != nil {
		return nil // the client has gone
	}
	for i := range r.outputs {
		if o := &r.outputs[i]; f.wants(o.Name) {
			if _, err := w.Write(o.appendRaw(nil)); err != nil {
				return nil
			}
		}
	}
	return nil
}

func appendString(data []byte, s string) []byte {
	text, _ := json.Marshal(s) // strings can always be
	return append(data, text...)
}

// appendJSON appends the contents as a flat list.
func (o *output) appendJSON(data []byte) ([]byte, error) {
	data = append(data, '[')
	for _, v := range o.floats {
		if v-v != 0 { // true of NaN and the infinities only
			return nil, &service.Error{Kind: service.Internal, Code: "internal",
				Message: "output " + o.Name + " has a number that is not finite, which JSON cannot say: ask for it in binary"}
		}
		format := byte('g')
		if abs := math.Abs(float64(v)); abs >= 1e-4 && abs < 1e7 {
			format = 'f'
		}
		data = append(strconv.AppendFloat(data, float64(v), format, -1, 32), ',')
	}
	for _, v := range o.integers {
		data = append(strconv.AppendInt(data, v, 10), ',')
	}
	for _, v := range o.texts {
		data = append(appendString(data, v), ',')
	}
	data[len(data)-1] = ']' // in place of the last comma: no output is empty
	return data, nil
}
