package eval

// gqaDistribution counts, in each group of questions, how often an answer is right and how often it is given. Everything
// keeps the order in which it came, so that sums do not depend on a map's.
type gqaDistribution struct {
	groups []*gqaGroup
	byName map[string]*gqaGroup
}

type gqaGroup struct {
	answers []string // the right ones
	right   map[string]int
	given   map[string]int
}

func (d *gqaDistribution) add(group, right, given string) {
	if d.byName == nil {
		d.byName = map[string]*gqaGroup{}
	}
	g := d.byName[group]
	if g == nil {
		g = &gqaGroup{right: map[string]int{}, given: map[string]int{}}
		d.byName[group] = g
		d.groups = append(d.groups, g)
	}
	if g.right[right] == 0 {
		g.answers = append(g.answers, right)
	}
	g.right[right]++
	g.given[given]++
}

// chiSquare is the mean over all groups, by their number of questions, of Σ (given - right)² / right, divided by 100; nil if no question is
// in a group. An answer that is never right adds nothing.
func (d *gqaDistribution) chiSquare() *float64 {
	sum, questions := 0.0, 0
	for _, g := range d.groups {
		score, count := 0.0, 0
		for _, answer := range g.answers {
			expected := g.right[answer]
			difference := float64(g.given[answer] - expected)
			score += difference * difference / float64(expected)
			count += expected
		}
		sum += float64(score * float64(count)) // rounded before it is added, on every kind of CPU
		questions += count
	}
	if questions == 0 {
		return nil
	}
	mean := sum / float64(questions) / 100
	return &mean
}
