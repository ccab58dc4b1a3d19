package lxmert

import (
	"slices"
	"strings"
	"testing"
)

func TestParseLabels(t *testing.T) {
	for content, want := range map[string][]string{
		`["yes", "", "no"]`:                  {"yes", "", "no"},
		`{"yes": 1, "no": 0}`:                {"no", "yes"},
		`{"0": "no", "1": "yes"}`:            {"no", "yes"},
		`[{"ans": "yes", "dsets": ["vqa"]}]`: {"yes"},
		"yes\nno\n":                          {"yes", "no"},
		"yes\r\n\r\nno":                      {"yes", "", "no"},
		"\ufeffyes\nno\n":                    {"yes", "no"},
		"  \n{\"a\": 0}":                     {"a"},
	} {
		got, err := ParseLabels([]byte(content))
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %q, %v; want %q", content, got, err, want)
		}
	}
	for content, want := range map[string]string{
		``:                    "empty",
		` `:                   "empty",
		`[]`:                  "no answers",
		`{}`:                  "no answers",
		`["yes", 1]`:          "entry 1: found 1, want a string",
		`["yes", null]`:       "entry 1",
		`["yes"`:              "unexpected end",
		`{"yes": 0, "no": 0}`: `id 0 belongs to "no" and to "yes"`,
		`{"yes": 0, "no": 2}`: "none has id 1",
		`{"yes": -1}`:         "none has id 0",
		`{"yes": "no"}`:       "answer → id",
		"yes\n\xff\n":         "UTF-8",
	} {
		if got, err := ParseLabels([]byte(content)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %q, %v; want an error with %q", content, got, err, want)
		}
	}
}

func FuzzParseLabels(f *testing.F) {
	for _, seed := range []string{`["a","b"]`, `{"a":0}`, `{"0":"a"}`, "a\nb", `[{"ans":"x"}]`, `{"a":1e9}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		labels, err := ParseLabels(content)
		if err == nil && (len(labels) == 0 || len(labels) > len(content)) {
			t.Errorf("%d labels from %d bytes", len(labels), len(content))
		}
	})
}
