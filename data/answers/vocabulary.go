package answers

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// A Counter counts in how many questions an answer was the one most people gave, by data set.
type Counter struct {
	counts map[string]int
	in     map[string][]string // data sets, in the order of AddQuestion
}

// NewCounter begins to count.
func NewCounter() *Counter { return &Counter{map[string]int{}, map[string][]string{}} }

// Add counts an answer, in the form in which it will stand in the table.
func (c *Counter) Add(dataSet, answer string) {
	c.counts[answer]++
	if !slices.Contains(c.in[answer], dataSet) {
		c.in[answer] = append(c.in[answer], dataSet)
	}
}

// Len is the number of different answers.
func (c *Counter) Len() int { return len(c.counts) }

// AtLeast are the answers that were counted so often, sorted: the list of a fine-tuned model. The 3,129 of VQA
// are those with 9 questions or more in train and val, in the form that VQALabel gives.
func (c *Counter) AtLeast(times int) []string {
	var out []string
	for answer, n := range c.counts {
		if n >= times {
			out = append(out, answer)
		}
	}
	slices.Sort(out)
	return out
}

// Table are the size most frequent answers, sorted, with their data sets: pre-training's table. Of those that are
// equally frequent the first by alphabet are taken.
func (c *Counter) Table(size int) *Table {
	all := slices.SortedFunc(maps.Keys(c.counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(c.counts[b], c.counts[a]), strings.Compare(a, b))
	})
	kept := slices.Sorted(slices.Values(all[:min(size, len(all))]))
	entries := make([]Entry, len(kept))
	for i, answer := range kept {
		entries[i] = Entry{answer, c.in[answer]}
	}
	t, _ := NewTable(entries) // keys of a map come once
	return t
}

// Covered is the share of what was counted that the answers have.
func (c *Counter) Covered(list []string) float64 {
	all, covered := 0, 0
	for _, n := range c.counts {
		all += n
	}
	for _, answer := range list {
		covered += c.counts[answer]
	}
	return float64(covered) / float64(max(all, 1))
}

// VQALabel is the form in which an answer stands in VQA's list of 3,129: Official, without what commas are left.
func VQALabel(answer string) string {
	return strings.ReplaceAll(official(answer), ",", "")
}

// WriteList writes a list of answers as LXMERT's training wants it, DIR/NAME_label2ans.json and
// DIR/NAME_ans2label.json.
func WriteList(dir, name string, list []string) error {
	ids := make(map[string]int, len(list))
	for i, answer := range list {
		if _, ok := ids[answer]; ok {
			return fmt.Errorf("answer %q comes twice, want each once", answer)
		}
		ids[answer] = i
	}
	if err := writeJSON(filepath.Join(dir, name+"_label2ans.json"), list); err != nil {
		return err
	}
	return writeJSON(filepath.Join(dir, name+"_ans2label.json"), ids)
}
