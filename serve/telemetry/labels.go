package telemetry

import (
	"slices"
	"strings"
	"sync"
)

// other is the label of values that are not known.
const other = "other"

// mostValues is how many values a label may take whose values the code does not list: each is a set of time series on each server.
const mostValues = 64

// bounded is the values that a label has taken. The zero value has taken none.
type bounded struct {
	mu   sync.Mutex
	seen map[string]bool
}

// value is v, or other where v is empty, too long or one too many.
func (b *bounded) value(v string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.seen[v] {
		return v
	}
	if v == "" || len(v) > 100 || len(b.seen) >= mostValues {
		return other
	}
	if b.seen == nil {
		b.seen = make(map[string]bool)
	}
	v = strings.ToValidUTF8(v, "?")
	b.seen[v] = true
	return v
}

// routePath is a pattern of http.ServeMux without its method.
func routePath(pattern string) string {
	if _, path, ok := strings.Cut(pattern, " "); ok {
		return strings.TrimLeft(path, " \t")
	}
	return pattern
}

// methodLabel is a method, or other: clients may invent their own.
func methodLabel(method string) string {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return method
	}
	return other
}

// A Stage is a part of the work on a request.
type Stage string

// The stages of a picture's and a question's way.
const (
	Decode   Stage = "decode"   // a picture's file to pixels
	Regions  Stage = "regions"  // pixels to regions, altogether
	Resize   Stage = "resize"   // of which: scaling
	Backbone Stage = "backbone" // of which: the detector's convolutions
	RPN      Stage = "rpn"      // of which: proposals
	RoI      Stage = "roi"      // of which: what each proposal shows
	Tokenize Stage = "tokenize" // text to ids
	Encode   Stage = "encode"   // ids and regions to scores
	Explain  Stage = "explain"  // scores to relevance
)

func (s Stage) label() string {
	switch s {
	case Decode, Regions, Resize, Backbone, RPN, RoI, Tokenize, Encode, Explain:
		return string(s)
	}
	return other
}

// kinds are the kinds of errors that are counted apart.
var kinds = []string{"invalid", "not_found", "unsupported", "too_large", "busy", "draining", "timeout", "canceled", "internal"}

func kindLabel(kind string) string {
	if slices.Contains(kinds, kind) {
		return kind
	}
	return other
}
