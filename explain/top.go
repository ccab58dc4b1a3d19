package explain

import (
	"slices"

	"github.com/go-lxmert/lxmert/internal/descending"
)

// TopRegions are the numbers of the n regions that counted most, the first first; equal ones by number. Regions that counted for nothing are left out.
func (e *Explanation) TopRegions(n int) []int { return top(e.RegionScores, n) }

// TopTokens are the places of the n tokens that counted most, special ones left out; otherwise as [Explanation.TopRegions].
func (e *Explanation) TopTokens(n int) []int {
	scores := slices.Clone(e.TokenScores)
	for i := range scores {
		if e.Tokens[i].Special {
			scores[i] = 0
		}
	}
	return top(scores, n)
}

// top are the indices of the n highest of the scores above 0.
func top(scores []float32, n int) []int {
	var keys []uint64
	for i, score := range scores {
		if score > 0 {
			keys = append(keys, descending.Key(score, i))
		}
	}
	slices.Sort(keys)
	var places []int
	for _, key := range keys[:max(0, min(n, len(keys)))] {
		places = append(places, descending.Index(key))
	}
	return places
}
