package own

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/serve/wire"
)

// request is everything that a request may ask for; each route reads what it knows, and refuses the rest by name.
type request struct {
	Model     string   `json:"model"`
	Image     string   `json:"image"`     // base64, a data URL, or sha256:HEX
	ImageURL  string   `json:"image_url"` // only where the server may fetch
	Question  string   `json:"question"`
	Questions []string `json:"questions"`
	Texts     []string `json:"texts"`
	TopK      *int     `json:"top_k"`
	Explain   explain  `json:"explain"`
	Answer    *choice  `json:"answer"`
	Method    string   `json:"method"`
	Maps      string   `json:"maps"`
	Layer     *int     `json:"layer"`
	Head      *int     `json:"head"`
	Features  bool     `json:"features"`

	file  []byte   // of a form
	given []string // the fields that are there
}

// fields are those that each route knows.
var fields = map[string][]string{
	"/v1/answers":      {"model", "image", "image_url", "question", "questions", "top_k", "explain", "method"},
	"/v1/regions":      {"model", "image", "image_url", "features"},
	"/v1/embeddings":   {"model", "image", "image_url", "texts", "question", "questions"},
	"/v1/explanations": {"model", "image", "image_url", "question", "answer", "method", "layer", "head", "maps", "top_k"},
}

// explain is false, true, or an object that says how.
type explain struct {
	wanted bool
	method string
}

func (e *explain) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '{' {
		var how struct {
			Method string `json:"method"`
		}
		e.wanted = true
		err := json.Unmarshal(text, &how)
		e.method = how.Method
		return err
	}
	return json.Unmarshal(text, &e.wanted)
}

// choice is an answer by its text or by its id.
type choice struct {
	text string
	id   int // -1 where there is a text
}

func (c *choice) UnmarshalJSON(text []byte) error {
	c.id = -1
	if len(text) > 0 && text[0] == '"' {
		return json.Unmarshal(text, &c.text)
	}
	return json.Unmarshal(text, &c.id)
}

// readRequest reads a JSON object or a form.
func readRequest(r *http.Request) (*request, error) {
	in := &request{}
	var err error
	switch kind := wire.ContentType(r); {
	case wire.IsForm(r):
		err = in.readForm(r)
	case kind == "application/json" || kind == "":
		err = in.readJSON(r)
	default:
		err = service.Invalidf("Content-Type: found %.80q, want application/json or multipart/form-data", kind)
	}
	if err != nil {
		return nil, err
	}
	known := fields[r.URL.Path]
	for _, name := range in.given {
		if !slices.Contains(known, name) {
			return nil, service.Invalidf("found field %.80q, want some of %s", name, strings.Join(known, ", "))
		}
	}
	if in.Method == "" {
		in.Method = in.Explain.method
	}
	return in, nil
}

// readJSON reads a JSON object.
func (in *request) readJSON(r *http.Request) error {
	var all map[string]json.RawMessage
	if err := wire.ReadJSON(r, &all); err != nil {
		return err
	}
	for name := range all {
		in.given = append(in.given, name)
	}
	slices.Sort(in.given)
	for _, f := range []struct {
		name string
		to   any
		want string
	}{
		{"model", &in.Model, "a string"}, {"image", &in.Image, "a string: base64, a data URL, or sha256: and the hash"}, {"image_url", &in.ImageURL, "a string"},
		{"question", &in.Question, "a string"}, {"questions", &in.Questions, "a list of strings"}, {"texts", &in.Texts, "a list of strings"},
		{"top_k", &in.TopK, "a whole number"}, {"explain", &in.Explain, "true, false or an object"}, {"answer", &in.Answer, "an answer's text or its id"},
		{"method", &in.Method, "a string"}, {"maps", &in.Maps, "a string"}, {"layer", &in.Layer, "a whole number"}, {"head", &in.Head, "a whole number"}, {"features", &in.Features, "true or false"},
	} {
		if value, ok := all[f.name]; ok && json.Unmarshal(value, f.to) != nil {
			return service.Invalidf("%s: found %.40s, want %s", f.name, value, f.want)
		}
	}
	return nil
}

// readForm reads the fields of a form; the picture is the file image.
func (in *request) readForm(r *http.Request) error {
	form, err := wire.ReadForm(r)
	if err != nil {
		return err
	}
	for name, values := range form.Values {
		in.given = append(in.given, name)
		last := values[len(values)-1]
		switch name {
		case "model":
			in.Model = last
		case "image":
			in.Image = last
		case "image_url":
			in.ImageURL = last
		case "question":
			in.Question = values[0] // explanations are about one
			in.Questions = append(slices.Clone(values[1:]), in.Questions...)
		case "questions":
			in.Questions = append(in.Questions, values...)
		case "texts":
			in.Texts = values
		case "top_k", "layer", "head":
			n, err := strconv.Atoi(last)
			if err != nil {
				return service.Invalidf("%s: found %.40q, want a whole number", name, last)
			}
			*map[string]**int{"top_k": &in.TopK, "layer": &in.Layer, "head": &in.Head}[name] = &n
		case "explain", "features":
			on, err := strconv.ParseBool(last)
			if err != nil {
				return service.Invalidf("%s: found %.40q, want true or false", name, last)
			}
			if name == "explain" {
				in.Explain.wanted = on
			} else {
				in.Features = on
			}
		case "answer":
			in.Answer = &choice{last, -1}
		case "method":
			in.Method = last
		case "maps":
			in.Maps = last
		}
	}
	for name, content := range form.Files {
		in.given = append(in.given, name)
		if name == "image" {
			in.file = content
		}
	}
	slices.Sort(in.given)
	in.given = slices.Compact(in.given)
	return nil
}

// picture is the one that the request shows.
func (in *request) picture(ctx context.Context, s *service.Service) (service.Picture, error) {
	n := 0
	for _, there := range []bool{in.file != nil, in.Image != "", in.ImageURL != ""} {
		if there {
			n++
		}
	}
	switch {
	case n == 0:
		return service.Picture{}, service.Invalidf("image: missing; want base64 of a picture's file, a data URL, or sha256: and the hash of one that was sent before")
	case n > 1:
		return service.Picture{}, service.Invalidf("image: there are several pictures, want one of image and image_url")
	case in.file != nil:
		return service.Picture{Content: in.file}, nil
	case in.ImageURL != "":
		content, err := s.Fetch(ctx, in.ImageURL)
		return service.Picture{Content: content}, err
	}
	p, err := wire.Picture(ctx, s, in.Image)
	return p, wire.Field("image", err)
}

// all are the questions, or the texts.
func (in *request) all() []string {
	all := in.Questions
	if in.Question != "" || len(in.Questions)+len(in.Texts) == 0 && slices.Contains(in.given, "question") {
		all = append([]string{in.Question}, all...)
	}
	return append(all, in.Texts...)
}

// top is how many answers are wanted.
func (in *request) top() (int, error) {
	const usual = 5
	if in.TopK == nil {
		return usual, nil
	}
	if *in.TopK < 1 {
		return 0, service.Invalidf("top_k: found %d, want 1 or more", *in.TopK)
	}
	return *in.TopK, nil
}
