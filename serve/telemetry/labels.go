package telemetry

import (
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
