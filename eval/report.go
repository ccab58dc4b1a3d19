package eval

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Group is the accuracy over the questions of one kind, in the unit of the score it is part of.
type Group struct {
	Score float64 `json:"score"`
	Count int     `json:"count"` // questions of this kind
}

// tally sums up scores of questions, each 0..1.
type tally struct {
	sum   float64
	count int
}

func (t *tally) add(score float64) {
	t.sum += score
	t.count++
}

// mean is the mean score; of no questions it is 0.
func (t tally) mean() float64 {
	if t.count == 0 {
		return 0
	}
	return t.sum / float64(t.count)
}

// percent is the mean in percent, nil if there was nothing to score.
func (t tally) percent() *float64 {
	if t.count == 0 {
		return nil
	}
	p := t.mean() * 100
	return &p
}

// tallies are those of each kind of question.
type tallies[K comparable] map[K]tally

func (t tallies[K]) add(kind K, score float64) {
	kinds := t[kind]
	kinds.add(score)
	t[kind] = kinds
}

// groups turns each tally into its share of questions, by way of value, which turns a tally into a score.
func (t tallies[K]) groups(value func(tally) float64) map[K]Group {
	groups := make(map[K]Group, len(t))
	for kind, sum := range t {
		groups[kind] = Group{value(sum), sum.count}
	}
	return groups
}

// report writes scores as GQA's official script prints them, which does for all.
type report struct{ strings.Builder }

// percent writes a line of a score in percent, none if there is no score.
func (r *report) percent(title string, score *float64) {
	if score != nil {
		fmt.Fprintf(r, "%s: %.2f%%\n", title, *score)
	}
}

// reportGroups writes a table of kinds of questions in their order.
func reportGroups[K cmp.Ordered](r *report, title string, groups map[K]Group) {
	if len(groups) == 0 {
		return
	}
	fmt.Fprintf(r, "\n%s:\n", title)
	for _, kind := range slices.Sorted(maps.Keys(groups)) {
		fmt.Fprintf(r, "  %v: %.2f%% (%d questions)\n", kind, groups[kind].Score, groups[kind].Count)
	}
}

// withUnit is a score's JSON with the unit its numbers are in.
func withUnit(unit string, score any) ([]byte, error) {
	content, err := json.Marshal(score)
	if err != nil {
		return nil, err
	}
	return append([]byte(`{"unit":"`+unit+`",`), content[1:]...), nil
}
