// Package similar finds the name that was meant among those that there are.
package similar

import (
	"cmp"
	"slices"
)

// A Search looks for names like one.
type Search struct {
	name  string
	worst int
	found []candidate
}

type candidate struct {
	name     string
	distance int
}

// Among begins a search for names that differ from name in at most worst letters.
func Among(name string, worst int) *Search { return &Search{name: name, worst: worst} }

// Consider compares a name; as is what it is called in the result.
func (s *Search) Consider(name, as string) {
	if d := distance(s.name, name, s.worst); d <= s.worst {
		s.found = append(s.found, candidate{as, d})
	}
}

// Nearest are at most n of the names, the nearest first; of equally near ones those that were considered first.
func (s *Search) Nearest(n int) []string {
	slices.SortStableFunc(s.found, func(a, b candidate) int { return cmp.Compare(a.distance, b.distance) })
	var out []string
	for _, c := range s.found[:min(len(s.found), n)] {
		out = append(out, c.name)
	}
	return out
}

// distance is how many bytes must be added, removed or changed to make b of a
// (Levenshtein's distance), or any number above limit if it is above limit.
func distance(a, b string, limit int) int {
	const longest = 200
	if len(a) > longest || len(b) > longest || len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	row := make([]int, len(b)+1) // row[j]: from a[:i] to b[:j]
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal, best := row[0], i+1
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
			best = min(best, row[j+1])
		}
		if best > limit {
			return limit + 1
		}
	}
	return row[len(b)]
}
