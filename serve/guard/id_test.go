package guard

import (
	"net/http"
	"strings"
	"testing"
	"unicode"
)

func TestRequestID(t *testing.T) {
	var inside string
	h := New(Options{})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { inside = RequestID(r.Context()) }))
	for sent, kept := range map[string]bool{
		"7b0c9f4e-1": true, "Root=1-67891233-abcdef012345678912345678": true, "a/b+c=": true, strings.Repeat("x", 128): true,
		"": false, "a b": false, "a\"b": false, "ü": false, strings.Repeat("x", 129): false, "<script>": false, "a,b": false,
	} {
		got := call(h, "GET", "/", "X-Request-Id", sent).Header.Get("X-Request-Id")
		if (got == sent) != kept || got == "" || got != inside {
			t.Errorf("sent %q, came back %q, inside %q", sent, got, inside)
		}
	}
	if got := call(h, "GET", "/", "X-Request-Id", "a", "X-Request-Id", "b").Header.Values("X-Request-Id"); len(got) != 1 || len(got[0]) != 26 {
		t.Errorf("two ids became %q, want a new one", got)
	}
	if got := RequestID(t.Context()); got != "" {
		t.Errorf("an id without a request: %q", got)
	}
}

func FuzzRequestID(f *testing.F) {
	for _, seed := range []string{"", "7b0c9f4e", "a b", "\r\nSet-Cookie: a=b", "Root=1-6", strings.Repeat("x", 130), "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sent string) {
		got := requestID(http.Header{requestIDHeader: {sent}})
		if len(got) == 0 || len(got) > 128 || strings.ContainsFunc(got, func(c rune) bool { return c > unicode.MaxASCII || c <= ' ' || c == '"' || c == '\\' }) {
			t.Errorf("%q became %q", sent, got)
		}
		if saneID(sent) != (got == sent) {
			t.Errorf("%q became %q", sent, got)
		}
	})
}
