package guard

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	other := "another+token/of.~40_characters0123456=="
	if err := os.WriteFile(path, []byte("# of the page\n"+goodToken+"\r\n\n  "+other+" \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tokens, err := ReadTokens(path)
	if err != nil {
		t.Fatal(err)
	}
	h := New(Options{Tokens: tokens, Public: Paths{"/health"}})(routes())
	for _, c := range []struct {
		path, sent string
		want       int
		challenge  string
	}{
		{"/web/a", "Bearer " + goodToken, 200, ""},
		{"/web/a", "bearer  " + other, 200, ""},
		{"/health", "", 200, ""},
		{"/health", "Bearer wrong", 200, ""},
		{"/web/a", "", 401, `Bearer realm="lxmert"`},
		{"/web/a", "Bearer " + goodToken + "x", 401, `Bearer realm="lxmert", error="invalid_token"`},
		{"/web/a", "Bearer " + goodToken[1:], 401, `Bearer realm="lxmert", error="invalid_token"`},
		{"/web/a", "Basic " + goodToken, 401, `Bearer realm="lxmert", error="invalid_token"`},
		{"/web/a", goodToken, 401, `Bearer realm="lxmert", error="invalid_token"`},
		{"/web/a", "Bearer # of the page", 401, `Bearer realm="lxmert", error="invalid_token"`},
		{"/health/../web/a", "", 401, `Bearer realm="lxmert"`},
		{"/nothing", "", 401, `Bearer realm="lxmert"`}, // what exists is nobody's business either
	} {
		headers := []string{"Authorization", c.sent}
		if c.sent == "" {
			headers = nil
		}
		answer := call(h, "GET", c.path, headers...)
		if answer.StatusCode != c.want || answer.Header.Get("WWW-Authenticate") != c.challenge {
			t.Errorf("%s with %q: status %d, %q", c.path, c.sent, answer.StatusCode, answer.Header.Get("WWW-Authenticate"))
		}
		if c.want == 401 {
			if code, _, _ := errorOf(t, answer.Body); code != "unauthorized" {
				t.Errorf("%s with %q: code %s", c.path, c.sent, code)
			}
		}
	}
	if answer := call(h, "GET", "/web/a", "Authorization", "Bearer "+goodToken, "Authorization", "Bearer "+goodToken); answer.StatusCode != 401 {
		t.Errorf("two tokens: status %d, want 401", answer.StatusCode)
	}
}

func TestTokenErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "found no tokens",
		"# nothing\n":                      "found no tokens",
		"# one\n\nshort\n":                 "line 3: the token has 5 characters, want 16 or more",
		goodToken + "\nspaces within it x": "line 2: the token has a character at place 7",
		strings.Repeat("x", 70000):         "token too long",
	} {
		_, err := readTokens(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "spaces within") {
			t.Errorf("the error shows the token: %v", err)
		}
	}
	if _, err := NewTokens(goodToken, "short"); err == nil || !strings.HasPrefix(err.Error(), "token 2 has 5 characters") {
		t.Error(err)
	}
	if _, err := NewTokens(); err == nil {
		t.Error("no tokens are no error")
	}
	if _, err := ReadTokens(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no file is no error")
	}
}

// FuzzTokens: a file of tokens lets in what stands in it on a line, and nothing else; what is wrong with it is said without it.
func FuzzTokens(f *testing.F) {
	for _, seed := range []string{goodToken, "# a\n" + goodToken + "\n", "short", goodToken + "\r\n" + goodToken + "2", "\xff\xfe", "a b c d e f g h i j"} {
		f.Add(seed, goodToken)
	}
	f.Fuzz(func(t *testing.T, text, sent string) {
		tokens, err := readTokens(strings.NewReader(text))
		if err != nil {
			return
		}
		there := false
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			there = there || line == strings.TrimSpace(sent) && line != "" && line[0] != '#'
		}
		if got := tokens.Allow("Bearer " + sent); got != there {
			t.Errorf("%q in %q: %v, want %v", sent, text, got, there)
		}
	})
}
