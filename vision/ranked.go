package vision

import (
	"cmp"
	"slices"
)

// Ranked are the numbers of the regions whose object is at least that sure, the surest first, and at most top of them; 0 means all. Regions
// without object labels are all equally sure, and keep their order.
func (r Regions) Ranked(top int, confidence float32) []int {
	order := make([]int, 0, max(len(r.Boxes)/r.posWidth(), 0))
	for i := range cap(order) {
		if i >= len(r.Objects) || r.Objects[i].Confidence >= confidence {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(r.sure(b), r.sure(a)) })
	if top > 0 {
		order = order[:min(top, len(order))]
	}
	return order
}

func (r Regions) sure(i int) float32 {
	if i < len(r.Objects) {
		return r.Objects[i].Confidence
	}
	return 0
}
