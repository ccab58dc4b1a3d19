package answers

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Table is the answers that pre-training knows, in the order of their ids.
type Table struct {
	answers []string
	ids     map[string]int
}

// NewTable makes a table of answers in [Pretraining] form. The error names one that is there twice.
func NewTable(answers []string) (*Table, error) {
	t := &Table{answers: answers, ids: make(map[string]int, len(answers))}
	for id, answer := range answers {
		if other, twice := t.ids[answer]; twice {
			return nil, fmt.Errorf("answer %.60q has two ids, %d and %d", answer, other, id)
		}
		t.ids[answer] = id
	}
	return t, nil
}

// ParseTable reads LXMERT's all_ans.json, a list of {"ans": ANSWER, "dsets": [DATA SET...]}, and keeps the answers of the data sets that are named, or all
// if none is. The original has 9,500, of vqa, gqa and visual7w.
func ParseTable(content []byte, dataSets ...string) (*Table, error) {
	var entries []struct {
		Answer   *string  `json:"ans"`
		DataSets []string `json:"dsets"`
	}
	if err := json.Unmarshal(content, &entries); err != nil {
		return nil, err
	}
	var answers []string
	found := map[string]bool{}
	for i, e := range entries {
		if e.Answer == nil {
			return nil, fmt.Errorf("entry %d has no ans", i)
		}
		for _, set := range e.DataSets {
			found[set] = true
		}
		if len(dataSets) == 0 || slices.ContainsFunc(dataSets, func(set string) bool { return slices.Contains(e.DataSets, set) }) {
			answers = append(answers, *e.Answer)
		}
	}
	for _, set := range dataSets {
		if !found[set] {
			return nil, fmt.Errorf("no answer is from data set %q", set)
		}
	}
	if len(answers) == 0 {
		return nil, errors.New("no answers")
	}
	return NewTable(answers)
}

// Len is the number of answers.
func (t *Table) Len() int { return len(t.answers) }

// Answers are all answers by id; the caller must not change them.
func (t *Table) Answers() []string { return t.answers }

// ID finds an answer, whatever its form; -1 if pre-training does not know it.
func (t *Table) ID(answer string) int {
	if id, ok := t.ids[Pretraining(answer)]; ok {
		return id
	}
	return -1
}

// IDs finds the answers of another table, such as those that fine-tuning chooses from: their heads' weights begin as those of these ids, and as 0 where
// there is none (-1), as the original's load_lxmert_qa does.
func (t *Table) IDs(labels []string) []int {
	ids := make([]int, len(labels))
	for i, label := range labels {
		ids[i] = t.ID(label)
	}
	return ids
}
