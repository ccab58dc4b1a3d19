package guard

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestParseOrigins(t *testing.T) {
	for text, want := range map[string]string{
		"https://app.example.org":     "https://app.example.org",
		"HTTPS://App.Example.org:443": "https://app.example.org", "http://x:80": "http://x",
		"http://x:443": "http://x:443", "http://localhost:5173": "http://localhost:5173", "http://[::1]:8080": "http://[::1]:8080", "*": "*",
	} {
		if got, err := ParseOrigins(text); err != nil || got[0] != want {
			t.Errorf("%s: %v %v, want %s", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"app.example.org": "scheme", "file:///x": "scheme", "https://": "no host",
		"https://x/": "slash", "https://x?": "nothing after", "https://x#": "nothing after",
		"https://u@x": "nothing after", "https://*.x": "other characters", "https://münchen.de": "xn--", "https://x:0": "1 to 65535", "https://x:70000": "1 to 65535",
		"https://x:": "no port", "null": "scheme", "": "scheme", "https://x y": "not a URL",
	} {
		if got, err := ParseOrigins(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v %v, want an error with %q", text, got, err, want)
		}
	}
}

func TestCrossOrigin(t *testing.T) {
	const page, foreign = "https://app.example.org", "https://evil.example"
	origins, err := ParseOrigins(page)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := NewTokens(goodToken)
	if err != nil {
		t.Fatal(err)
	}
	bearer := "Bearer " + goodToken
	preflight := []string{"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type"}
	for _, c := range []struct {
		name    string
		origins Origins
		method  string
		headers []string
		status  int
		allowed string
	}{
		{"a program", origins, "POST", nil, 200, ""},
		{"the allowed page", origins, "POST", []string{"Origin", page, "Sec-Fetch-Site", "cross-site"}, 200, page},
		{"another page", origins, "POST", []string{"Origin", foreign, "Sec-Fetch-Site", "cross-site"}, 403, ""},
		{"another page in an old browser", origins, "POST", []string{"Origin", foreign}, 403, ""},
		{"a page without an origin", origins, "POST", []string{"Origin", "null"}, 403, ""},
		{"another page that only reads", origins, "GET", []string{"Origin", foreign, "Sec-Fetch-Site", "cross-site"}, 405, ""},
		{"our own page", nil, "POST", []string{"Origin", "http://example.com", "Sec-Fetch-Site", "same-origin"}, 200, ""},
		{"another page, none allowed", nil, "POST", []string{"Origin", foreign, "Sec-Fetch-Site", "cross-site"}, 403, ""},
		{"any page", Origins{"*"}, "POST", []string{"Origin", foreign, "Sec-Fetch-Site", "cross-site"}, 200, "*"},
	} {
		answer := call(New(Options{Origins: c.origins, Tokens: tokens})(routes()), c.method, "/v1/echo/x", append(c.headers, "Authorization", bearer)...)
		if answer.StatusCode != c.status || answer.Header.Get("Access-Control-Allow-Origin") != c.allowed {
			t.Errorf("%s: status %d, allowed %q", c.name, answer.StatusCode, answer.Header.Get("Access-Control-Allow-Origin"))
		}
		if answer.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: cookies are allowed", c.name)
		}
	}

	h := New(Options{Origins: origins, Tokens: tokens})(routes())
	answer := call(h, "OPTIONS", "/v1/echo/x", append(preflight, "Origin", page)...)
	if h := answer.Header; answer.StatusCode != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != page || h.Get("Vary") != "Origin" ||
		!strings.Contains(h.Get("Access-Control-Allow-Headers"), "Authorization") || !strings.Contains(h.Get("Access-Control-Allow-Methods"), "POST") {
		t.Errorf("preflight: status %d, %v", answer.StatusCode, h)
	}
	answer = call(h, "OPTIONS", "/v1/echo/x", append(preflight, "Origin", foreign)...)
	if answer.StatusCode == http.StatusNoContent ||
		answer.Header.Get("Access-Control-Allow-Origin") != "" || answer.Header.Get("Access-Control-Allow-Methods") != "" {
		t.Errorf("another page's preflight: status %d, %v", answer.StatusCode, answer.Header)
	}
}

func FuzzOrigin(f *testing.F) {
	for _, seed := range []string{
		"https://app.example.org", "http://[::1]:80", "HTTP://X:080", "*", "https://x/", "//", "https://x:99999", "http://a\x00b", "http://[::1%25en0]",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		origin, err := parseOrigin(text)
		if err != nil || origin == "*" {
			return
		}
		again, err := parseOrigin(origin)
		if err != nil || again != origin {
			t.Errorf("%q became %q, and that %q: %v", text, origin, again, err)
		}
		u, err := url.Parse(origin)
		if err != nil || u.Scheme+"://"+u.Host != origin || strings.ContainsAny(origin, " \r\n,\"") {
			t.Errorf("%q became %q: %v", text, origin, err)
		}
		if err := http.NewCrossOriginProtection().AddTrustedOrigin(origin); err != nil {
			t.Errorf("%q became %q, which net/http does not take: %v", text, origin, err)
		}
	})
}
