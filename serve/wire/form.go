package wire

import (
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-lxmert/lxmert/serve/service"
)

// maxParts of one form.
const maxParts = 256

// A Form is a body of multipart/form-data: files, one of a name, and texts. All of it is in memory, and nothing on disk.
type Form struct {
	Files  map[string][]byte
	Values map[string][]string
}

// IsForm reports whether a request's body says that it is a [Form].
func IsForm(r *http.Request) bool { return ContentType(r) == "multipart/form-data" }

// ReadForm reads a form. Parts with a file name are files.
func ReadForm(r *http.Request) (*Form, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, service.Invalidf("the form: want Content-Type multipart/form-data with a boundary")
	}
	f := &Form{Files: map[string][]byte{}, Values: map[string][]string{}}
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		if err == io.EOF {
			return f, nil
		}
		if err != nil {
			return nil, formError(r, err)
		}
		if n == maxParts {
			return nil, &service.Error{Kind: service.TooLarge, Code: "too_many", Message: "the form: more than " + strconv.Itoa(maxParts) + " fields"}
		}
		if err := f.add(r, part); err != nil {
			return nil, err
		}
	}
}

// add reads one part.
func (f *Form) add(r *http.Request, part *multipart.Part) error {
	defer part.Close()
	name := part.FormName()
	content, err := io.ReadAll(part)
	if err != nil {
		return formError(r, err)
	}
	if part.FileName() == "" {
		f.Values[name] = append(f.Values[name], string(content))
		return nil
	}
	if _, twice := f.Files[name]; twice {
		return service.Invalidf("the form: field %.60q has two files, want one", name)
	}
	f.Files[name] = content
	return nil
}

func formError(r *http.Request, err error) error {
	e := service.AsError(bodyError(r, err))
	if e.Code == "body_unreadable" {
		return service.Invalidf("the form: it is not as multipart/form-data is, or its end is missing")
	}
	return e
}

// Text is the first text of a name, "" if there is none.
func (f *Form) Text(name string) string {
	if texts := f.Values[name]; len(texts) > 0 {
		return texts[0]
	}
	return ""
}

// Int is a text as a whole number; nil if there is none.
func (f *Form) Int(name string) (*int, error) {
	text := strings.TrimSpace(f.Text(name))
	if text == "" {
		return nil, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return nil, service.Invalidf("%s: found %.40q, want a whole number", name, text)
	}
	return &n, nil
}

// Picture is the file of a name, or a text as [Picture] reads it.
func (f *Form) Picture(ctx context.Context, s *service.Service, name string) (service.Picture, error) {
	if content, ok := f.Files[name]; ok {
		p, err := whole(content)
		return p, Field(name, err)
	}
	p, err := Picture(ctx, s, f.Text(name))
	return p, Field(name, err)
}
