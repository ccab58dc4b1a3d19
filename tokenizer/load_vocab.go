package tokenizer

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxErrors is how many mistakes of one file are told; the rest are counted.
const maxErrors = 10

// parseVocab reads the content of a vocab.txt.
func parseVocab(content []byte) (*Tokenizer, error) {
	tokens, err := vocabLines(content)
	if err != nil {
		return nil, err
	}
	t := &Tokenizer{settings: defaultSettings(), decoder: decoder{words: true, prefix: "##", cleanup: true}}
	at := make(map[string]int32, len(tokens))
	for i, token := range tokens {
		at[token] = int32(i)
	}
	var missing []string
	for _, name := range t.names.all() {
		if _, ok := at[name]; !ok {
			missing = append(missing, name)
		}
		t.history = append(t.history, AddedToken{Content: name, Special: true})
	}
	if missing != nil {
		return nil, fmt.Errorf("%d tokens, but not the special tokens %s; want each on a line of its own", len(tokens), quote(missing))
	}
	if t.vocab, err = newVocab(tokens, t.names.unk, "##", 100); err != nil {
		return nil, err
	}
	t.template = bertTemplate(at[t.names.cls], at[t.names.sep])
	return t, nil
}

// vocabLines splits a vocabulary into its tokens, and tells every line that is wrong.
func vocabLines(content []byte) ([]string, error) {
	if bytes.HasPrefix(content, []byte("\ufeff")) {
		return nil, fmt.Errorf("begins with a byte order mark; save it as UTF-8 without one")
	}
	if len(content) == 0 {
		return nil, fmt.Errorf("is empty, want one token a line")
	}
	var tokens []string
	var errs []error
	bad := 0
	lines := make(map[string]int)
	text := strings.TrimSuffix(string(content), "\n")
	for line := range strings.SplitSeq(text, "\n") {
		number := len(tokens) + 1
		if number > maxID {
			return nil, fmt.Errorf("has more than %d lines, want a vocabulary", maxID)
		}
		token := strings.TrimRight(line, " \t\r")
		tokens = append(tokens, token)
		var err error
		switch first, again := lines[token], lines[token] > 0; {
		case token == "":
			err = fmt.Errorf("line %d is empty, want a token; take the line out", number)
		case !utf8.ValidString(token):
			err = fmt.Errorf("line %d: %q is not valid UTF-8", number, token)
		case again:
			err = fmt.Errorf("line %d: token %q stands in line %d already; a token has one id", number, token, first)
		}
		lines[token] = number
		if err != nil {
			if bad++; bad <= maxErrors {
				errs = append(errs, err)
			}
		}
	}
	if bad > maxErrors {
		errs = append(errs, fmt.Errorf("and %d more lines", bad-maxErrors))
	}
	return tokens, errors.Join(errs...)
}
