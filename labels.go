package lxmert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/plainfile"
)

// maxLabelBytes bounds a label file; the largest known, 9,500 answers with their sources, has 1 MB.
const maxLabelBytes = 8 << 20

// ReadLabels reads an answer table: the answer of each id, from 0. The file is a JSON list of
// answers, a JSON object from answer to id (0..n-1, each once), or text with one answer a line, where the line
// number less one is the id. Errors name the file and the entry.
func ReadLabels(path string) ([]string, error) {
	data, err := plainfile.Read(path, maxLabelBytes)
	if err != nil {
		return nil, err
	}
	return namedLabels(path, data)
}

// readLabels reads a model directory's labels.json.
func readLabels(dir plainfile.Dir) ([]string, error) {
	data, err := dir.Read(LabelsName, maxLabelBytes)
	if err != nil {
		return nil, err
	}
	return namedLabels(dir.Path(LabelsName), data)
}

// namedLabels is [ParseLabels] with the file's name in its error.
func namedLabels(path string, data []byte) ([]string, error) {
	labels, err := ParseLabels(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return labels, nil
}

// WriteLabels writes an answer table as [ReadLabels] reads it: a JSON list, where an answer's place is its id.
func WriteLabels(path string, labels []string) error {
	return atomicfile.Write(path, 0o644, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(labels)
	})
}

// ParseLabels is [ReadLabels] for content in memory.
func ParseLabels(data []byte) ([]string, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return nil, errors.New("not UTF-8 text")
	}
	var labels []string
	var err error
	switch trimmed := bytes.TrimSpace(data); {
	case len(trimmed) == 0:
		err = errors.New("empty; want a JSON list, a JSON object answer → id, or one answer a line")
	case trimmed[0] == '[':
		labels, err = labelList(trimmed)
	case trimmed[0] == '{':
		labels, err = labelTable(trimmed)
	default:
		labels = labelLines(string(data))
	}
	if err != nil {
		return nil, err
	}
	if len(labels) == 0 {
		return nil, errors.New("no answers")
	}
	return labels, nil
}

// labelList reads a JSON list; the pre-training table's entries {"ans": ...} will do too.
func labelList(data []byte) ([]string, error) {
	var entries []json.RawMessage
	if err := json.Unmarshal(data, &entries); err != nil {
		return nil, err
	}
	labels := make([]string, len(entries))
	for i, entry := range entries {
		var record struct {
			Ans *string `json:"ans"`
		}
		if entry[0] == '"' {
			if err := json.Unmarshal(entry, &labels[i]); err != nil {
				return nil, fmt.Errorf("entry %d: %w", i, err)
			}
		} else if err := json.Unmarshal(entry, &record); err == nil && record.Ans != nil {
			labels[i] = *record.Ans
		} else {
			return nil, fmt.Errorf("entry %d: found %.40s, want a string", i, entry)
		}
	}
	return labels, nil
}

// labelTable reads a JSON object from answer to id, or from id to answer as config.json's id2label.
func labelTable(data []byte) ([]string, error) {
	var ids map[string]int
	if err := json.Unmarshal(data, &ids); err != nil {
		var answers map[int]string
		if json.Unmarshal(data, &answers) != nil {
			return nil, fmt.Errorf("want an object answer → id: %w", err)
		}
		return labelsByID(answers)
	}
	answers := make(map[int]string, len(ids))
	for answer, id := range ids {
		if other, taken := answers[id]; taken {
			return nil, fmt.Errorf("id %d belongs to %q and to %q", id, min(answer, other), max(answer, other))
		}
		answers[id] = answer
	}
	return labelsByID(answers)
}

// labelsByID makes a list of a table whose ids must be 0..n-1.
func labelsByID(answers map[int]string) ([]string, error) {
	labels := make([]string, len(answers))
	for id := range labels {
		answer, ok := answers[id]
		if !ok {
			return nil, fmt.Errorf("%d answers, but none has id %d: ids must be 0..%d", len(answers), id, len(answers)-1)
		}
		labels[id] = answer
	}
	return labels, nil
}

// labelLines takes one answer a line; an empty line in the middle is an empty answer, for ids are positions.
func labelLines(text string) []string {
	lines := strings.Split(strings.TrimRight(text, "\r\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, "\r")
	}
	return lines
}
