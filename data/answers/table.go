package answers

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/jsonerror"
	"github.com/go-lxmert/lxmert/internal/plainfile"
)

const maxTable = 64 << 20 // bytes of a file; LXMERT's own has 1 million

// An Entry is an answer of pre-training's table and the data sets it occurs in.
type Entry struct {
	Answer   string   `json:"ans"`
	DataSets []string `json:"dsets"`
}

// A Table is the list of answers of pre-training; an answer's id is its place, from 0.
type Table struct {
	entries []Entry
	ids     map[string]int
}

// NewTable makes a table of entries, each answer once.
func NewTable(entries []Entry) (*Table, error) {
	t := &Table{entries: entries, ids: make(map[string]int, len(entries))}
	for i, e := range entries {
		if first, ok := t.ids[e.Answer]; ok {
			return nil, fmt.Errorf("entry %d: answer %q is entry %d already, want each once", i, e.Answer, first)
		}
		t.ids[e.Answer] = i
	}
	return t, nil
}

// ReadTable reads all_ans.json: [{"ans": "cat", "dsets": ["vqa", "gqa"]}, …]. The error names file and entry.
func ReadTable(path string) (*Table, error) {
	content, err := plainfile.Read(path, maxTable)
	if err != nil {
		return nil, err
	}
	t, err := parseTable(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

func parseTable(content []byte) (*Table, error) {
	var raw []struct {
		Answer   *string  `json:"ans"`
		DataSets []string `json:"dsets"`
	}
	if err := json.Unmarshal(content, &raw); err != nil {
		return nil, jsonerror.Explain(err)
	}
	entries := make([]Entry, len(raw))
	for i, e := range raw {
		if e.Answer == nil {
			return nil, fmt.Errorf("entry %d: ans is missing", i)
		}
		entries[i] = Entry{*e.Answer, e.DataSets}
	}
	return NewTable(entries)
}

// Of is the table of those answers that occur in one of the data sets, with ids of its own.
func (t *Table) Of(dataSets ...string) *Table {
	var kept []Entry
	for _, e := range t.entries {
		if slices.ContainsFunc(e.DataSets, func(d string) bool { return slices.Contains(dataSets, d) }) {
			kept = append(kept, e)
		}
	}
	of, _ := NewTable(kept) // no answer was twice
	return of
}

// Len is the number of answers.
func (t *Table) Len() int { return len(t.entries) }

// Entries are the answers in order of their ids.
func (t *Table) Entries() []Entry { return slices.Clone(t.entries) }

// ID finds an answer in the form that Convert gives; it is false if the table does not have it.
func (t *Table) ID(answer string) (int, bool) {
	id, ok := t.ids[answer]
	return id, ok
}

// Match finds for each answer the id of the one it is converted to, -1 for those that the table does not have: the rows
// of the pre-trained answer head that a fine-tuned one takes over (load_lxmert_qa).
func (t *Table) Match(labels []string) []int {
	out := make([]int, len(labels))
	for i, label := range labels {
		id, ok := t.ids[Pretraining(label)]
		if !ok {
			id = -1
		}
		out[i] = id
	}
	return out
}

// Write writes all_ans.json.
func (t *Table) Write(path string) error {
	return writeJSON(path, t.entries)
}

func writeJSON(path string, value any) error {
	return atomicfile.Write(path, 0o644, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(value)
	})
}

// MatchLabels finds for each label its row in a table of answers, -1 if it is none of them; see [Table.Match].
func MatchLabels(table, labels []string) ([]int, error) {
	entries := make([]Entry, len(table))
	for i, label := range table {
		entries[i].Answer = label
	}
	t, err := NewTable(entries)
	if err != nil {
		return nil, err
	}
	return t.Match(labels), nil
}
