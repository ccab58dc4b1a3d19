package web

import (
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/go-lxmert/lxmert/explain"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/scenes"
)

// pageStrings reads strings.js: each key's English and Chinese.
func pageStrings(t *testing.T, contents map[string]string) map[string][2]string {
	t.Helper()
	_, body, ok := strings.Cut(contents["js/strings.js"], "export const strings = {\n")
	if !ok {
		t.Fatal("strings.js: does not begin as expected")
	}
	all := map[string][2]string{}
	line := regexp.MustCompile(`^  (\w+): (\[".*"\]),$`)
	for i, l := range strings.Split(body, "\n") {
		if l == "};" {
			return all
		}
		if l == "" || strings.HasPrefix(l, "  // ") {
			continue
		}
		found := line.FindStringSubmatch(l)
		if found == nil {
			t.Fatalf("strings.js: entry line %d is not `key: [\"English\", \"中文\"],`: %s", i+1, l)
		}
		var pair []string
		if err := json.Unmarshal([]byte(found[2]), &pair); err != nil || len(pair) != 2 {
			t.Fatalf("strings.js: %s: want two strings, found %s", found[1], found[2])
		}
		if _, ok := all[found[1]]; ok {
			t.Errorf("strings.js: %s is there twice", found[1])
		}
		all[found[1]] = [2]string{pair[0], pair[1]}
	}
	t.Fatal("strings.js: does not end as expected")
	return nil
}

// TestStrings: each string is in both languages, with the same values to fill in.
func TestStrings(t *testing.T) {
	contents, _ := contentsOf(t)
	value := regexp.MustCompile(`\{\w+\}`)
	chinese := func(s string) bool {
		return strings.IndexFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) || r == '、' }) >= 0
	}
	alike := []string{"questionExample", "quoted", "size"} // the model reads English; nothing but signs
	for key, pair := range pageStrings(t, contents) {
		if strings.TrimSpace(pair[0]) == "" || strings.TrimSpace(pair[1]) == "" {
			t.Errorf("%s: a language is empty: %q", key, pair)
		}
		if chinese(pair[0]) {
			t.Errorf("%s: the English is Chinese: %s", key, pair[0])
		}
		if !chinese(pair[1]) && !slices.Contains(alike, key) {
			t.Errorf("%s: the Chinese has no Chinese: %s", key, pair[1])
		}
		values := func(s string) []string {
			all := value.FindAllString(s, -1)
			slices.Sort(all)
			return slices.Compact(all)
		}
		if en, zh := values(pair[0]), values(pair[1]); !slices.Equal(en, zh) && key != "unfamiliarWhat" { // where the server's sentence says it in English
			t.Errorf("%s: values %v in English, %v in Chinese", key, en, zh)
		}
	}
}

// TestKeys: each key that is asked for is there, and each one that is there is asked for.
func TestKeys(t *testing.T) {
	contents, _ := contentsOf(t)
	all := pageStrings(t, contents)
	used := map[string]bool{}
	inHTML := regexp.MustCompile(`data-(?:text|label|placeholder|title)="(\w+)"`)
	inJS := regexp.MustCompile(`\btext\(\s*"(\w+)"\s*[,)]`)
	literal := regexp.MustCompile(`"(\w+)"`)
	for name, content := range contents {
		pattern := map[string]*regexp.Regexp{".html": inHTML, ".js": inJS}[path.Ext(name)]
		if pattern == nil || name == "js/strings.js" {
			continue
		}
		for _, match := range pattern.FindAllStringSubmatch(content, -1) {
			if _, ok := all[match[1]]; !ok {
				t.Errorf("%s: there is no string %s", name, match[1])
			}
		}
		for _, match := range literal.FindAllStringSubmatch(content, -1) { // keys are in tables, too
			used[match[1]] = true
		}
	}
	for key := range all {
		made := regexp.MustCompile(`^(method|about|kind)[A-Z]`).MatchString(key) // of the API's names, see why.js
		if !used[key] && !made && key != "languageName" {
			t.Errorf("string %s is not used", key)
		}
	}
}

// TestMethods: for each way to explain, and each kind of attention map, there are words.
func TestMethods(t *testing.T) {
	contents, _ := contentsOf(t)
	all := pageStrings(t, contents)
	camel := func(name string) string {
		var b strings.Builder
		for word := range strings.SplitSeq(name, "_") {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
		return b.String()
	}
	list := regexp.MustCompile(`const methods = (\[.*\]);`).FindStringSubmatch(contents["js/why.js"])
	if list == nil {
		t.Fatal("why.js: no list of methods")
	}
	var methods []string
	if err := json.Unmarshal([]byte(list[1]), &methods); err != nil {
		t.Fatal(err)
	}
	for _, method := range methods {
		for _, prefix := range []string{"method", "about"} {
			if _, ok := all[prefix+camel(method)]; !ok {
				t.Errorf("method %s: no string %s", method, prefix+camel(method))
			}
		}
	}
	for _, method := range explain.Methods() {
		if method != explain.MethodAttention && !slices.Contains(methods, string(method)) { // the page shows all layers as maps
			t.Errorf("method %s is not in why.js", method)
		}
	}
	for _, kind := range []model.AttentionKind{model.LanguageAttention, model.RegionAttention, model.CrossLanguageAttention, model.CrossRegionAttention,
		model.CrossSelfLanguageAttention, model.CrossSelfRegionAttention} {
		if _, ok := all["kind"+camel(string(kind))]; !ok {
			t.Errorf("attention %s: no string %s", kind, "kind"+camel(string(kind)))
		}
	}
}

// TestFamiliarEnough: the page draws the line where the server does.
func TestFamiliarEnough(t *testing.T) {
	contents, _ := contentsOf(t)
	found := regexp.MustCompile(`familiarEnough = ([\d.]+);`).FindStringSubmatch(contents["js/notices.js"])
	if found == nil {
		t.Fatal("notices.js: no familiarEnough")
	}
	if got, err := strconv.ParseFloat(found[1], 64); err != nil || got != scenes.FamiliarEnough {
		t.Errorf("familiarEnough is %s, scenes.FamiliarEnough %v", found[1], scenes.FamiliarEnough)
	}
}

// TestHTML: what the HTML says before it is translated is what strings.js has in English.
func TestHTML(t *testing.T) {
	contents, _ := contentsOf(t)
	all := pageStrings(t, contents)
	for _, page := range []string{"index.html", "docs.html"} {
		for _, pattern := range []string{`data-text="(\w+)">([^<]*)<`, `data-label="(\w+)" aria-label="([^"]*)"`, `data-placeholder="(\w+)" placeholder="([^"]*)"`} {
			for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(contents[page], -1) {
				if match[2] != "" && match[2] != all[match[1]][0] {
					t.Errorf("%s: %s: %q, strings.js has %q", page, match[1], match[2], all[match[1]][0])
				}
			}
		}
	}
}
