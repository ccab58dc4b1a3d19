package hf

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/serve/wire"
)

// request is what any task may be asked. Clients put parameters into an object of that name, or beside inputs.
type request struct {
	Inputs     json.RawMessage `json:"inputs"` // a picture, a text, a list of texts, or an object with picture and question
	Image      *string         `json:"image"`
	Question   *string         `json:"question"`
	Parameters parameters      `json:"parameters"`
	parameters

	file []byte // a picture that came as it is
}

// parameters are those of all tasks.
type parameters struct {
	TopK      *int     `json:"top_k"`
	Threshold *float64 `json:"threshold"`
	Targets   []string `json:"targets"`
	Pooling   *string  `json:"pooling"`
	Normalize *bool    `json:"normalize"`

	// Those that are known only to be refused, but for the one value that is what happens.
	Dimensions     *int    `json:"dimensions"`
	EncodingFormat *string `json:"encoding_format"`
	PromptName     *string `json:"prompt_name"`
}

// read reads a request in any of the forms that clients send: JSON, a form, or a picture's file with the rest in the URL's query. Where the Content-Type
// does not say which (browsers and curl have defaults of their own) the first byte does.
func read(r *http.Request) (*request, error) {
	in := &request{}
	kind := wire.ContentType(r)
	if kind == "multipart/form-data" {
		return in, in.readForm(r)
	}
	if kind == "application/json" {
		return in, wire.ReadJSON(r, in)
	}
	body, err := wire.ReadBody(r)
	if err != nil {
		return nil, err
	}
	text := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case len(text) == 0:
		return nil, service.Invalidf("the body is empty, want JSON, a form (multipart/form-data) or a picture's file")
	case text[0] == '{' && !strings.HasPrefix(kind, "image/"):
		return in, wire.Parse(body, in)
	}
	in.file = body
	return in, in.readTexts(r.URL.Query())
}

// readForm reads a form: the picture is field image, or inputs.
func (in *request) readForm(r *http.Request) error {
	form, err := wire.ReadForm(r)
	if err != nil {
		return err
	}
	for _, name := range []string{"inputs", "image"} {
		if content, ok := form.Files[name]; ok {
			in.file = content
		}
	}
	if texts := form.Values["image"]; texts != nil {
		in.Image = &texts[0]
	}
	if texts := form.Values["inputs"]; texts != nil {
		if in.Inputs, err = json.Marshal(texts[0]); err != nil {
			return err
		}
	}
	return in.readTexts(form.Values)
}

// readTexts reads what a form's fields or a URL's query say.
func (in *request) readTexts(values map[string][]string) error {
	if texts := values["question"]; len(texts) > 0 {
		in.Question = &texts[0]
	}
	if texts := values["top_k"]; len(texts) > 0 {
		n, err := strconv.Atoi(strings.TrimSpace(texts[0]))
		if err != nil {
			return service.Invalidf("top_k: found %.40q, want a whole number", texts[0])
		}
		in.TopK = &n
	}
	if texts := values["threshold"]; len(texts) > 0 {
		x, err := strconv.ParseFloat(strings.TrimSpace(texts[0]), 64)
		if err != nil {
			return service.Invalidf("threshold: found %.40q, want a number", texts[0])
		}
		in.Threshold = &x
	}
	return nil
}

// top is how many of the best are asked for.
func (in *request) top() (int, error) {
	const usual = 5
	switch n := first(in.Parameters.TopK, in.TopK); {
	case n == nil:
		return usual, nil
	case *n < 1:
		return 0, service.Invalidf("top_k: found %d, want 1 or more", *n)
	default:
		return *n, nil
	}
}

// first is the first that is there.
func first[T any](values ...*T) *T {
	for _, v := range values {
		if v != nil {
			return v
		}
	}
	return nil
}

// picture is the request's: a file, field image, or the text that a task takes for one and the name of its field. Nil, and no error, if there is none.
func (in *request) picture(ctx context.Context, s *service.Service, name string, text *string) (*service.Picture, error) {
	if in.file != nil {
		return &service.Picture{Content: in.file}, nil
	}
	if in.Image != nil {
		name, text = "image", in.Image
	}
	if text == nil {
		return nil, nil
	}
	p, err := wire.Picture(ctx, s, *text)
	return &p, wire.Field(name, err)
}

// given reports whether there are inputs.
func (in *request) given() bool { return len(in.Inputs) > 0 && string(in.Inputs) != "null" }

// texts are the inputs of a task about texts: one, or a list.
func (in *request) texts() (texts []string, list bool, err error) {
	if !in.given() {
		return nil, false, service.Invalidf("inputs: missing, want a text or a list of texts")
	}
	switch in.Inputs[0] {
	case '"':
		texts = make([]string, 1)
		err = wire.Parse(in.Inputs, &texts[0])
	case '[':
		list = true
		err = wire.Parse(in.Inputs, &texts)
	default:
		err = service.Invalidf("found %.20s, want a text or a list of texts", in.Inputs)
	}
	return texts, list, wire.Field("inputs", err)
}

func unsupported(format string, args ...any) error {
	return &service.Error{Kind: service.Unsupported, Code: "not_supported", Message: fmt.Sprintf(format, args...)}
}

func tooMany(format string, args ...any) error {
	return &service.Error{Kind: service.TooLarge, Code: "too_many", Message: fmt.Sprintf(format, args...)}
}
