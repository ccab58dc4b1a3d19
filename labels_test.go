package lxmert

import (
	"errors"
	"os"
	"path/filepath"
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

// TestWriteLabels writes tables that are read as they were, whatever is in them.
func TestWriteLabels(t *testing.T) {
	for _, labels := range [][]string{{"yes"}, {"no", "", "yes", "<b> & \"c\"\n", "0", "ü"}, {"1", "0"}} {
		path := filepath.Join(t.TempDir(), LabelsName)
		if err := WriteLabels(path, labels); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadLabels(path); err != nil || !slices.Equal(got, labels) {
			t.Errorf("got %q, %v; want %q", got, err, labels)
		}
	}
	if err := WriteLabels(filepath.Join(t.TempDir(), "none", LabelsName), []string{"yes"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestDirectoryLabels: labels.json wins over a configuration that names less, must agree with one that names as much, and without both there are none.
func TestDirectoryLabels(t *testing.T) {
	for name, c := range map[string]struct {
		labels []string // nil: no file
		named  string   // id2label
		want   []string
		err    string
	}{
		"file":          {[]string{"yes", "no"}, `{}`, []string{"yes", "no"}, ""},
		"configuration": {nil, `{"1": "no", "0": "yes"}`, []string{"yes", "no"}, ""},
		"both":          {[]string{"yes", "no"}, `{"1": "no", "0": "yes"}`, []string{"yes", "no"}, ""},
		"disagree":      {[]string{"no", "yes"}, `{"1": "no", "0": "yes"}`, nil, "disagree about the answers"},
		"gaps":          {nil, `{"0": "no", "2": "yes"}`, nil, "id2label: 2 answers, but none has id 1"},
		"fewer named":   {[]string{"yes", "no"}, `{"0": "LABEL_0"}`, []string{"yes", "no"}, ""},
		"none":          {nil, `{}`, nil, "neither labels.json nor an id2label"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"num_qa_labels": 2, "id2label": `+c.named+`}`), 0o644); err != nil {
			t.Fatal(err)
		}
		if c.labels != nil {
			if err := WriteLabels(filepath.Join(dir, LabelsName), c.labels); err != nil {
				t.Fatal(err)
			}
		}
		got, err := DirectoryLabels(dir)
		if !slices.Equal(got, c.want) || (c.err == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: got %q, %v; want %q, %s", name, got, err, c.want, c.err)
		}
		if errors.Is(err, ErrNoLabels) != (name == "none") {
			t.Errorf("%s: %v is said to be ErrNoLabels, or not to be", name, err)
		}
	}
	if _, err := DirectoryLabels(t.TempDir()); !errors.Is(err, os.ErrNotExist) || errors.Is(err, ErrNoLabels) {
		t.Errorf("no model: %v", err)
	}
}
