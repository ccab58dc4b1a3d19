package vision

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParseNames(t *testing.T) {
	got, err := ParseNames([]byte("\ufeffGray,grey\r\n stop  sign ,stopsign\n\u00dcbung\n\n \n"))
	if want := []string{"gray", "stop  sign", "\u00fcbung"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, want %q, %v", got, want, err)
	}
	for text, want := range map[string]string{
		"":                               "no names",
		" \n\n":                          "no names",
		"a\n\nb":                         "line 2: there is no name",
		"a\n,b":                          "line 2: there is no name",
		"a\nb\xff":                       "line 2: found",
		"a\x1b[0m":                       "line 1: found",
		"a\n" + strings.Repeat("x", 201): "line 2: the name has 201 bytes",
		strings.Repeat("a\n", 1<<16+1):   "65537 lines",
	} {
		if _, err := ParseNames([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: got %v, want %q in it", text, err, want)
		}
	}
}

// TestReadNames: Visual Genome's vocabularies, as Hugging Face's demo reads them.
func TestReadNames(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "golden", "frcnn", "reference")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no reference data beside the repository: %v", err)
	}
	for file, want := range map[string]struct {
		n    int
		some map[int]string
	}{
		"objects_vocab.txt":    {1600, map[int]string{0: "yolk", 16: "stop sign", 43: "television"}},
		"attributes_vocab.txt": {400, map[int]string{0: "gray", 1: "multi colored", 3: "unmade", 132: "stainless steel"}},
	} {
		got, err := ReadNames(filepath.Join(dir, file))
		if err != nil || len(got) != want.n {
			t.Fatalf("%s: %d names, %v", file, len(got), err)
		}
		for id, name := range want.some {
			if got[id] != name {
				t.Errorf("%s: name %d is %q, want %q", file, id, got[id], name)
			}
		}
	}
	if _, err := ReadNames(filepath.Join(t.TempDir(), "none.txt")); err == nil || !strings.Contains(err.Error(), "none.txt") {
		t.Errorf("no file: %v", err)
	}
	path := filepath.Join(t.TempDir(), "bad.txt")
	if err := os.WriteFile(path, []byte("a\n\nb\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadNames(path); err == nil || !strings.Contains(err.Error(), path+": line 2") {
		t.Errorf("bad file: %v", err)
	}
}

func FuzzParseNames(f *testing.F) {
	f.Add([]byte("gray,grey\nred\n"))
	f.Add([]byte("a\r\n\r\nb"))
	f.Fuzz(func(t *testing.T, text []byte) {
		names, err := ParseNames(text)
		if (err == nil) != (len(names) > 0) {
			t.Fatalf("%q, %v", names, err)
		}
		for i, name := range names {
			if name == "" || strings.ContainsAny(name, ",\n\r") || strings.TrimSpace(name) != name {
				t.Fatalf("name %d is %q", i, name)
			}
		}
	})
}

func TestDescribe(t *testing.T) {
	v := Vocabulary{Objects: []string{"car", "man"}, Attributes: []string{"red", "none"}}
	r := Regions{
		Objects:    []Label{{0, 0.966}, {1, 0.5}, {7, 0.25}},
		Attributes: []Label{{0, 0.4}, {1, 0.9}, {9, 0.1}},
	}
	for i, want := range []string{"red car 0.97", "man 0.50", "attribute 9 object 7 0.25", ""} {
		if got := v.Describe(r, i); got != want {
			t.Errorf("region %d: got %q, want %q", i, got, want)
		}
	}
	if got := v.Describe(Regions{Attributes: r.Attributes}, 0); got != "red 0.40" {
		t.Errorf("without objects: %q", got)
	}
	if got := v.Describe(Regions{}, 0); got != "" {
		t.Errorf("without labels: %q", got)
	}
}

func TestRanked(t *testing.T) {
	r := Regions{Boxes: make([]float32, 16), Objects: []Label{{0, 0.5}, {0, 0.9}, {0, 0.5}, {0, 0.1}}}
	for _, test := range []struct {
		top        int
		confidence float32
		want       string
	}{{0, 0, "[1 0 2 3]"}, {2, 0, "[1 0]"}, {9, 0.5, "[1 0 2]"}, {0, 1, "[]"}} {
		if got := fmt.Sprint(r.Ranked(test.top, test.confidence)); got != test.want {
			t.Errorf("%+v: got %s", test, got)
		}
	}
	r.Objects = nil
	if got := r.Ranked(3, 0.9); !slices.Equal(got, []int{0, 1, 2}) {
		t.Errorf("without labels: %v", got)
	}
}
