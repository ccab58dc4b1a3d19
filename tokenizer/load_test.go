package tokenizer

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const fiveSpecials = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n"

func TestVocabErrors(t *testing.T) {
	for name, c := range map[string]struct{ content, want string }{
		"empty":            {"", "is empty"},
		"one empty line":   {"\n", "line 1 is empty"},
		"repeated":         {fiveSpecials + "red\nred\n", `line 7: token "red" stands in line 6 already`},
		"hole":             {fiveSpecials + "\nred\n", "line 6 is empty"},
		"blank end":        {fiveSpecials + "red\n\n", "line 7 is empty"},
		"no unknown token": {"[PAD]\n[CLS]\n[SEP]\n[MASK]\nred\n", `not the special tokens "[UNK]"`},
		"no special":       {"red\nblue\n", `"[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"`},
		"not UTF-8":        {fiveSpecials + "r\xffd\n", "line 6:"},
		"byte order mark":  {"\ufeff" + fiveSpecials, "byte order mark"},
		"many mistakes":    {fiveSpecials + strings.Repeat("\n", 30), "20 more lines"},
	} {
		file := filepath.Join(t.TempDir(), vocabFile)
		if err := os.WriteFile(file, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadVocab(file); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: got error %v, want one with the file and %q", name, err, c.want)
		}
	}
	if _, err := LoadVocab(filepath.Join(t.TempDir(), "nothing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file gave %v", err)
	}
	if _, err := Load(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty directory gave %v", err)
	}
}

func TestVocabLineEnds(t *testing.T) {
	for _, content := range []string{fiveSpecials + "red", fiveSpecials + "red\n", strings.ReplaceAll(fiveSpecials+"red\n", "\n", "\r\n"), "[PAD] \n" + fiveSpecials[6:] + "red\t\n"} {
		tok, err := parseVocab([]byte(content))
		if err != nil {
			t.Errorf("%q: %v", content, err)
			continue
		}
		if id := tok.vocab.ids["red"]; id != 5 {
			t.Errorf("%q: red has the id %d, want 5", content, id)
		}
	}
}

// smallJSON is a tokenizer.json, with some of its fields replaced.
func smallJSON(t testing.TB, change map[string]any) []byte {
	t.Helper()
	content, err := small(t).modelJSON()
	if err != nil {
		t.Fatal(err)
	}
	var whole map[string]any
	if err := json.Unmarshal(content, &whole); err != nil {
		t.Fatal(err)
	}
	for path, value := range change {
		at := whole
		names := strings.Split(path, ".")
		for _, n := range names[:len(names)-1] {
			at = at[n].(map[string]any)
		}
		if last := names[len(names)-1]; value == nil {
			delete(at, last)
		} else {
			at[last] = value
		}
	}
	if content, err = json.Marshal(whole); err != nil {
		t.Fatal(err)
	}
	return content
}

func TestJSONErrors(t *testing.T) {
	type m = map[string]any
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"empty":              {nil, "byte 0"},
		"not JSON":           {[]byte("{]"), "byte"},
		"a list":             {[]byte("[]"), "not the JSON that is wanted"},
		"more after it":      {append(smallJSON(t, nil), '{'), "something follows"},
		"version":            {smallJSON(t, m{"version": "2.0"}), `version is "2.0"`},
		"no model":           {smallJSON(t, m{"model": nil}), "model: is missing"},
		"another model":      {smallJSON(t, m{"model.type": "BPE"}), `model: type "BPE" is not supported, want WordPiece`},
		"no vocabulary":      {smallJSON(t, m{"model.vocab": nil}), "lacks a field"},
		"vocabulary list":    {smallJSON(t, m{"model.vocab": []int{1}}), "want an object"},
		"empty vocabulary":   {smallJSON(t, m{"model.vocab": m{}}), `"[UNK]" is not in the vocabulary`},
		"repeated token":     {smallJSON(t, m{"model.vocab": raw(`{"a":0,"a":1}`)}), `"a" stands twice`},
		"shared id":          {smallJSON(t, m{"model.vocab": raw(`{"a":0,"b":0}`)}), "id 0 belongs to"},
		"negative id":        {smallJSON(t, m{"model.vocab": m{"a": -1}}), "has the id -1"},
		"huge id":            {smallJSON(t, m{"model.vocab": m{"a": 1 << 40}}), "want a number from 0 to"},
		"id is text":         {smallJSON(t, m{"model.vocab": m{"a": "b"}}), "want a number"},
		"id is an object":    {smallJSON(t, m{"model.vocab": m{"a": m{}}}), "want a number"},
		"negative length":    {smallJSON(t, m{"model.max_input_chars_per_word": -1}), "max_input_chars_per_word is -1"},
		"another normalizer": {smallJSON(t, m{"normalizer.type": "NFC"}), `normalizer: type "NFC" is not supported`},
		"no pre-tokenizer":   {smallJSON(t, m{"pre_tokenizer": nil}), "pre_tokenizer: is missing"},
		"another processor":  {smallJSON(t, m{"post_processor.type": "ByteLevel"}), "post_processor: type"},
		"A is not there":     {smallJSON(t, m{"post_processor.single": []m{}}), "A 0 times"},
		"unknown sequence":   {smallJSON(t, m{"post_processor.single": []m{{"Sequence": m{"id": "C"}}}}), `sequence is "C"`},
		"unknown special":    {smallJSON(t, m{"post_processor.special_tokens": m{}}), "not among special_tokens"},
		"special is no id":   {smallJSON(t, m{"post_processor": raw(`{"type":"BertProcessing","sep":["[SEP]",9999],"cls":["[CLS]",2]}`)}), "id 9999, which no token has"},
		"half a processor":   {smallJSON(t, m{"post_processor": raw(`{"type":"BertProcessing","sep":["[SEP]"],"cls":[]}`)}), "want a token and its id"},
		"another decoder":    {smallJSON(t, m{"decoder.type": "BPEDecoder"}), "decoder: type"},
		"wrong added id":     {smallJSON(t, m{"added_tokens": []m{{"id": 7, "content": "<x>"}}}), `"<x>", has the id 7`},
		"direction":          {smallJSON(t, m{"padding": m{"direction": "Up"}}), "direction"},
	} {
		file := filepath.Join(t.TempDir(), jsonFile)
		if err := os.WriteFile(file, c.content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadJSON(file); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: got error %v, want one with the file and %q", name, err, c.want)
		}
	}
}

func TestJSONVariants(t *testing.T) {
	for name, change := range map[string]map[string]any{
		"no type":         {"model.type": nil},
		"no version":      {"version": nil},
		"bert processing": {"post_processor": json.RawMessage(`{"type":"BertProcessing","sep":["[SEP]",3],"cls":["[CLS]",2]}`)},
	} {
		tok, err := parseJSON(smallJSON(t, change))
		if err == nil {
			tok, err = tok.finish(name, nil)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		e, err := tok.EncodePair("red", "ball", Call{})
		if got := strings.Join(e.Tokens(), " "); err != nil || got != "[CLS] red [SEP] ball [SEP]" {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	plain, err := parseJSON(smallJSON(t, map[string]any{"normalizer": nil, "post_processor": nil, "decoder": nil}))
	if err == nil {
		plain, err = plain.finish("plain", nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	e, err := plain.EncodePair("red Red", "a\x00", Call{})
	if got := strings.Join(e.Tokens(), " "); err != nil || got != "red [UNK] [UNK]" {
		t.Errorf("without normalizer and template: got %q, %v", got, err)
	}
	if got := plain.Decode([]int32{6, 13}, DecodeOptions{}); got != plain.vocab.token(6)+" "+plain.vocab.token(13) {
		t.Errorf("without decoder: got %q", got)
	}
}

func TestConfigFiles(t *testing.T) {
	n := len(smallVocab)
	write := func(files map[string]string) string {
		dir := t.TempDir()
		for name, content := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	id := func(i int) string { return string(rune('0'+i/10)) + string(rune('0'+i%10)) }
	dir := write(map[string]string{
		vocabFile:   smallLines(),
		configFile:  `{"do_lower_case": false, "model_max_length": 4, "padding_side": "left", "truncation_side": "left", "unknown": 1}`,
		specialFile: `{"mask_token": {"content": "[MASK]", "lstrip": true}, "additional_special_tokens": ["<a>", {"content": "<b>"}]}`,
		addedFile:   `{"<a>": ` + id(n) + `, "<c>": ` + id(n+1) + `}`,
	})
	for _, mode := range []Mode{Fast, Slow} {
		tok, err := Load(dir, WithMode(mode))
		if err != nil {
			t.Fatal(err)
		}
		for content, want := range map[string]int32{"<a>": int32(n), "<c>": int32(n + 1), "<b>": int32(n + 2)} {
			if got, ok := tok.TokenToID(content); !ok || got != want {
				t.Errorf("%v: %s has the id %d, want %d", mode, content, got, want)
			}
		}
		e, err := tok.Encode("Red red <a>", Call{Truncation: LongestFirst, Padding: PadMaxLength})
		if got := strings.Join(e.Tokens(), " "); err != nil || got != "[CLS] red <a> [SEP]" {
			t.Errorf("%v: got %q, %v", mode, got, err)
		}
		e, err = tok.Encode("red", Call{Padding: PadMaxLength})
		if got := strings.Join(e.Tokens(), " "); err != nil || got != "[PAD] [CLS] red [SEP]" {
			t.Errorf("%v: got %q, %v", mode, got, err)
		}
	}
	if _, err := Load(dir, WithMode(Original)); err == nil {
		t.Error("the original took added tokens from the files")
	}
	for name, files := range map[string]map[string]string{
		"not JSON":      {configFile: "{"},
		"wrong type":    {configFile: `{"do_lower_case": "yes"}`},
		"side":          {configFile: `{"padding_side": "up"}`},
		"gap":           {addedFile: `{"<a>": 900}`},
		"other id":      {addedFile: `{"red": 900}`},
		"not a list":    {addedFile: `["<a>"]`},
		"key":           {configFile: `{"added_tokens_decoder": {"x": {"content": "<a>"}}}`},
		"contradiction": {configFile: `{"added_tokens_decoder": {"` + id(n) + `": {"content": "<a>"}}}`, addedFile: `{"<b>": ` + id(n) + `}`},
		"never_split":   {configFile: `{"never_split": ["red"]}`},
	} {
		files[vocabFile] = smallLines()
		if _, err := Load(write(files)); err == nil {
			t.Errorf("%s: was loaded", name)
		}
	}
}
