package vision

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-lxmert/lxmert/internal/plainfile"
)

// A Vocabulary has the names of a detector's labels, each at its id; nil where they are unknown.
type Vocabulary struct{ Objects, Attributes []string }

// VocabularyOf is that of an extractor's labels.
func VocabularyOf(e Extractor) Vocabulary {
	objects, attributes := e.Vocabulary()
	return Vocabulary{objects, attributes}
}

// Object is the name of an object, or "object 17" where it has none.
func (v Vocabulary) Object(id int) string { return nameOf(v.Objects, "object", id) }

// Attribute is the name of an attribute, or "attribute 17" where it has none.
func (v Vocabulary) Attribute(id int) string { return nameOf(v.Attributes, "attribute", id) }

func nameOf(names []string, what string, id int) string {
	if id < 0 || id >= len(names) || names[id] == "" {
		return fmt.Sprintf("%s %d", what, id)
	}
	return names[id]
}

// noAttribute is what detectors call having no attribute, the drawn world's among them.
const noAttribute = "none"

// IsNone reports whether an attribute means that there is none.
func (v Vocabulary) IsNone(attribute int) bool { return v.Attribute(attribute) == noAttribute }

// Name says in words what region i is taken for, such as "red car": attribute, object. It is "" where regions have no labels.
func (v Vocabulary) Name(r Regions, i int) string {
	var words []string
	if i >= 0 && i < len(r.Attributes) && !v.IsNone(r.Attributes[i].ID) {
		words = append(words, v.Attribute(r.Attributes[i].ID))
	}
	if i >= 0 && i < len(r.Objects) {
		words = append(words, v.Object(r.Objects[i].ID))
	}
	return strings.Join(words, " ")
}

// Describe is [Vocabulary.Name] and how sure that is, such as "red car 0.97": the object's confidence, or else the attribute's.
func (v Vocabulary) Describe(r Regions, i int) string {
	var confidence float32
	switch {
	case i >= 0 && i < len(r.Objects):
		confidence = r.Objects[i].Confidence
	case i >= 0 && i < len(r.Attributes):
		confidence = r.Attributes[i].Confidence
	default:
		return ""
	}
	return strings.TrimPrefix(fmt.Sprintf("%s %.2f", v.Name(r, i), confidence), " ")
}

// What a file of names may have at most. Visual Genome's has 1,600 names in 13 kB.
const (
	maxNamesFile = 4 << 20
	maxNames     = 1 << 16
	maxName      = 200 // bytes
)

// ReadNames reads a vocabulary's names from a file with one a line, such as objects_vocab.txt; see [ParseNames]. Errors name the file.
func ReadNames(path string) ([]string, error) {
	text, err := plainfile.Read(path, maxNamesFile)
	if err != nil {
		return nil, err
	}
	names, err := ParseNames(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return names, nil
}

// ParseNames reads a vocabulary's names, one a line: the line's number from 0 is the id, what is before the first comma the name, trimmed and
// in lower case ("Stop sign,stopsign" is "stop sign"). Empty lines may only come last: elsewhere the ids after one would be in doubt. The
// error names the line, counted from 1.
func ParseNames(text []byte) ([]string, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	text = bytes.TrimRightFunc(text, unicode.IsSpace)
	if len(text) == 0 {
		return nil, errors.New("there are no names, want one a line")
	}
	if n := bytes.Count(text, []byte{'\n'}) + 1; n > maxNames {
		return nil, fmt.Errorf("%d lines, want at most %d names, one a line", n, maxNames)
	}
	var names []string
	for line := range bytes.Lines(text) {
		name, _, _ := bytes.Cut(line, []byte{','})
		name = bytes.TrimSpace(name)
		switch number := len(names) + 1; {
		case len(name) == 0:
			return nil, fmt.Errorf("line %d: there is no name before the first comma, want one a line: its number is the id", number)
		case len(name) > maxName:
			return nil, fmt.Errorf("line %d: the name has %d bytes, want at most %d", number, len(name), maxName)
		case !utf8.Valid(name):
			return nil, fmt.Errorf("line %d: found %q, want UTF-8 text", number, name)
		case bytes.ContainsFunc(name, unicode.IsControl):
			return nil, fmt.Errorf("line %d: found %q, want a name without control characters", number, name)
		}
		names = append(names, strings.ToLower(string(name)))
	}
	return names, nil
}
