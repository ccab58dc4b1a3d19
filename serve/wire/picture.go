package wire

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-lxmert/lxmert/serve/service"
)

// Picture is a picture as requests write it: the file in base64, a data URL of it, "sha256:" and the hash of one that the server has seen lately, or the
// http or https URL of one, which is then read from the network if the server does that. The file is not looked into. The error does not say in which field
// the text was: see [Field].
func Picture(ctx context.Context, s *service.Service, text string) (service.Picture, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return service.Picture{}, service.Invalidf("it is empty, want a picture: its file in base64, a data URL, or sha256: and the hash of one that was sent before")
	}
	scheme, rest, found := strings.Cut(text[:min(len(text), longestScheme)], ":")
	if !found {
		scheme = "" // what is no URL may still begin as one: "data" is base64
	}
	switch strings.ToLower(scheme) {
	case "sha256":
		return service.Picture{SHA256: strings.ToLower(text[len("sha256:"):])}, nil
	case "http", "https":
		if strings.HasPrefix(rest, "//") {
			content, err := s.Fetch(ctx, text)
			return service.Picture{Content: content}, err
		}
	case "data":
		content, err := dataURL(text[len("data:"):])
		return service.Picture{Content: content}, err
	}
	content, err := DecodeBase64(text)
	if err != nil {
		return service.Picture{}, service.Invalidf("found neither base64, nor a data URL, nor sha256: and a hash, nor a URL: %v", err)
	}
	return whole(content)
}

// longestScheme is of the schemes that pictures may have, and what follows to know them by.
const longestScheme = len("sha256://")

// dataURL reads what follows "data:" (RFC 2397). What type it says matters little, for a picture's file says that better; but one that says it is no
// picture is refused.
func dataURL(text string) ([]byte, error) {
	const longest = 200 // of what comes before the data
	head, data, found := strings.Cut(text, ",")
	if !found || len(head) > longest {
		return nil, service.Invalidf("the data URL: there is no comma before its data, want data:image/...;base64,...")
	}
	kind, parameters, _ := strings.Cut(head, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	if !strings.HasPrefix(kind, "image/") && kind != "" && kind != "application/octet-stream" {
		return nil, service.Invalidf("the data URL: found type %.60q, want an image", kind)
	}
	if p := strings.ToLower(parameters); p != "base64" && !strings.HasSuffix(p, ";base64") {
		return nil, service.Invalidf("the data URL: its data is not in base64, want data:image/...;base64,...")
	}
	content, err := DecodeBase64(data)
	if err != nil {
		return nil, service.Invalidf("the data URL: %v", err)
	}
	p, err := whole(content)
	return p.Content, err
}

func whole(content []byte) (service.Picture, error) {
	if len(content) == 0 {
		return service.Picture{}, service.Invalidf("there is nothing in it, want a picture's file")
	}
	return service.Picture{Content: content}, nil
}

// Field says in which field an error is, before what it says. Errors that are not about the request stay as they are.
func Field(name string, err error) error {
	var e *service.Error
	if !errors.As(err, &e) || e.Kind == service.Internal || e.Kind == service.Timeout || e.Kind == service.Cancelled {
		return err
	}
	return &service.Error{Kind: e.Kind, Code: e.Code, Message: fmt.Sprintf("%s: %s", name, e.Message), Err: e}
}
