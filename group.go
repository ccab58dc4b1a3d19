package lxmert

import (
	"cmp"
	"slices"

	"github.com/go-lxmert/lxmert/tokenizer"
)

// passRows says what a forward pass costs beyond the multiplications for its rows: reading all weights and handing over work
// take as long as five more rows of either stream would. Measured with the base size: 3 to 5 ms a pass of two questions or
// more, where a token costs 0.5 and a question of 10 tokens 18.
const passRows = 5

// groups divides queries into the forward passes that cost the least, all told: one for each picture of which enough is asked,
// for it is encoded once a pass, and the rest by the questions' lengths and the numbers of regions, for
// padding is computed like everything else.
func (m *Model) groups(queries []Query, encodings []tokenizer.Encoding) [][]int {
	about, order := map[picture][]item{}, []picture(nil)
	for i, q := range queries {
		p := pictureOf(q)
		if about[p] == nil {
			order = append(order, p)
		}
		about[p] = append(about[p], item{i, len(encodings[i].IDs), q.Regions.Len()})
	}
	var groups [][]int
	var rest []item
	for _, p := range order {
		own, cost := divide(about[p], m.passCost(true))
		apart := 0 // in company of the rest, at best
		for _, it := range about[p] {
			apart += m.config.QuestionAnsweringOperations(1, 1, it.tokens, it.regions)
		}
		if cost < apart || len(order) == 1 {
			groups = append(groups, own...)
		} else {
			rest = append(rest, about[p]...)
		}
	}
	alone, _ := divide(rest, m.passCost(false))
	return append(groups, alone...)
}

// item is a query, or a statement about two pictures: its place in the batch and its size.
type item struct{ index, tokens, regions int }

// passCost says what a pass over so many items costs, padded to so many tokens and regions, in operations.
type passCost func(items, tokens, regions int) int

// divide sorts items by size and cuts them where the passes cost the least. It is exact for that order:
// the cheapest way to divide what comes before a cut does not depend on what comes after.
func divide(items []item, pass passCost) (groups [][]int, cost int) {
	bySize := func(a, b item) int { return cmp.Or(cmp.Compare(a.regions, b.regions), cmp.Compare(a.tokens, b.tokens)) }
	items = slices.Clone(items)
	slices.SortStableFunc(items, bySize)
	cuts := []int{0} // between items of different size, and at the ends
	for i := range items {
		if i == len(items)-1 || bySize(items[i], items[i+1]) != 0 {
			cuts = append(cuts, i+1)
		}
	}
	cheapest, from := make([]int, len(cuts)), make([]int, len(cuts)) // to divide all before a cut; the cut before it
	for to := 1; to < len(cuts); to++ {
		tokens := 0
		regions := items[cuts[to]-1].regions // the most, as they are sorted
		for at := to - 1; at >= 0; at-- {
			tokens = max(tokens, items[cuts[at+1]-1].tokens)
			if cost := cheapest[at] + pass(cuts[to]-cuts[at], tokens, regions); at == to-1 || cost < cheapest[to] {
				cheapest[to], from[to] = cost, at
			}
		}
	}
	for to := len(cuts) - 1; to > 0; to = from[to] {
		var group []int
		for _, it := range items[cuts[from[to]]:cuts[to]] {
			group = append(group, it.index)
		}
		groups = append(groups, group)
	}
	slices.Reverse(groups)
	return groups, cheapest[len(cuts)-1]
}

// passCost is what a pass over questions costs.
func (m *Model) passCost(onePicture bool) passCost {
	return func(questions, tokens, regions int) int {
		pictures := questions
		if onePicture {
			pictures = 1
		}
		return m.config.QuestionAnsweringOperations(questions, pictures, tokens, regions) + m.overhead()
	}
}

// overhead is what every pass costs, see passRows.
func (r *reader) overhead() int {
	return r.config.QuestionAnsweringOperations(1, 1, passRows, passRows)
}
