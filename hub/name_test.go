package hub

import (
	"strings"
	"testing"
)

func TestParseName(t *testing.T) {
	for text, want := range map[string]modelName{
		"unc-nlp/lxmert-vqa-uncased": {"unc-nlp/lxmert-vqa-uncased", ""}, "a/b": {"a/b", ""}, "_a/b_": {"_a/b_", ""}, "a.b/c.d_e-f": {"a.b/c.d_e-f", ""},
		"a/b@v1.0": {"a/b", "v1.0"}, "a/b@refs/pr/1": {"a/b", "refs/pr/1"}, "a/b@" + oldCommit: {"a/b", oldCommit},
	} {
		if got, err := parseName(text); err != nil || got != want {
			t.Errorf("%s: found %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "a", "a/", "/a", "a/b/c", "-a/b", "a/b-", ".a/b", "a/b.", "a--b/c", "a/b--c", "a/..", "a/b..c", "a b/c", "a/b.git", "a/é", "a/b@", "a/b@../x",
		"a/b@/x", "a/b@x y", `a/b@x\y`, "a/b@x:y", "a/b@" + strings.Repeat("x", 201), "a/" + strings.Repeat("b", 95), "a/b\n", "a/b?x", "a/b%2e"} {
		if got, err := parseName(text); err == nil {
			t.Errorf("%q: found %+v, want an error", text, got)
		}
	}
}

// FuzzParseName: whatever is taken for a name cannot leave the cache, nor the model's place on the hub.
func FuzzParseName(f *testing.F) {
	for _, seed := range []string{"a/b", "a/b@c", "../..", "a/b@../../c", "a@b/c", "C:/x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := parseName(text)
		if err != nil {
			return
		}
		if strings.Count(n.repo, "/") != 1 || strings.Contains(n.repo, "..") || n.revision != "" && safePath(n.revision) != nil {
			t.Errorf("%q is taken for %+v", text, n)
		}
	})
}

func TestSafePath(t *testing.T) {
	for _, path := range []string{"a", "a/b.c", "onnx/model.onnx", ".gitattributes", "a..b", "...x", "naïve.txt", "with space.txt"} {
		if err := safePath(path); err != nil {
			t.Error(err)
		}
	}
	for _, path := range []string{"", ".", "..", "a/..", "../a", "/a", "a//b", "a/", `a\b`, "C:a", "a/b:stream", "a\x00b", "a\nb", "a.", "a ", strings.Repeat("a/", 300) + "a"} {
		if safePath(path) == nil {
			t.Errorf("%q is taken for safe", path)
		}
	}
}
