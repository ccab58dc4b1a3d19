package scenes

import (
	"math/rand/v2"
	"strings"
)

// A balance chooses questions so that their answers cannot be guessed from their words. It counts, over all that it has chosen, how often
// each answer was right: in the template, in sentences of the same form (kinds and colours left open), in the very same sentence, and
// with each word in its place. What is chosen next is what these counts need most.
//
// It sees pictures in their order and keeps the counts alone, so the same pictures give the same questions, however many follow.
type balance struct {
	chance *rand.Rand
	counts map[under]int
	totals map[string]int // by context
	sides  map[string]int // by context: how many different ones
}

// An under is what a choice is counted under.
type under struct{ context, side string }

func newBalance(chance *rand.Rand) *balance {
	return &balance{chance, map[under]int{}, map[string]int{}, map[string]int{}}
}

// choose takes up to times of the candidates, all different. Where the template has sides, it takes the one that has come least, or
// nothing: so they stay even.
func (b *balance) choose(template string, sides []string, times int, candidates []asked) []asked {
	var chosen []asked
	for range times {
		best, contexts := b.best(template, sides, candidates, chosen)
		if best < 0 {
			break
		}
		b.count(contexts, candidates[best].side)
		chosen = append(chosen, candidates[best])
	}
	return chosen
}

// best is the candidate that evens out the counts most, -1 if there is none to take, and what it is counted under.
func (b *balance) best(template string, sides []string, candidates, chosen []asked) (int, []string) {
	wanted := ""
	if sides != nil {
		wanted = b.least(template, sides)
	}
	best, lowest := -1, 0.0
	var bestContexts []string
	for i, c := range candidates {
		if wanted != "" && c.side != wanted || repeats(chosen, c, sides) {
			continue
		}
		contexts := contextsOf(template, c.sentence)
		cost := b.chance.Float64() * 0.01
		for _, context := range contexts {
			cost += b.excess(context, c.side, len(sides))
		}
		if cost < lowest || best < 0 {
			best, lowest, bestContexts = i, cost, contexts
		}
	}
	if best >= 0 && sides == nil && b.frequent(template, candidates[best].side) {
		return -1, nil
	}
	return best, bestContexts
}

// least is the side that has come least; of equals chance takes one.
func (b *balance) least(template string, sides []string) string {
	least, n := "", 0
	for _, i := range b.chance.Perm(len(sides)) {
		if m := b.counts[under{template, sides[i]}]; least == "" || m < n {
			least, n = sides[i], m
		}
	}
	return least
}

// excess is how much more often a side has come in a context than it would if all were even: of few sides a difference of counts, which are
// brought down to 0, of many a share, which is the lower the rarer it is.
func (b *balance) excess(context, side string, sides int) float64 {
	n, total := float64(b.counts[under{context, side}]), float64(b.totals[context])
	if sides > 0 {
		return n - total/float64(sides) + 0.001*total
	}
	return (n + 0.1) / (total + 1)
}

// frequent says that an answer has come half as often again as the average answer of the template: better nothing than that.
func (b *balance) frequent(template, answer string) bool {
	n := b.counts[under{template, answer}]
	return b.totals[template] >= 20 && float64(n*b.sides[template]) > 1.5*float64(b.totals[template])
}

func (b *balance) count(contexts []string, side string) {
	for _, context := range contexts {
		key := under{context, side}
		if b.counts[key] == 0 {
			b.sides[context]++
		}
		b.counts[key]++
		b.totals[context]++
	}
}

// repeats says that a picture has been asked this already; where there are many answers, one in other words would have the same.
func repeats(chosen []asked, c asked, sides []string) bool {
	for _, other := range chosen {
		if other.sentence == c.sentence || sides == nil && other.answer == c.answer {
			return true
		}
	}
	return false
}

// contextsOf are the names under which a sentence's answers are counted: the template first.
func contextsOf(template, sentence string) []string {
	contexts := []string{template, template + ": " + sentence}
	words := strings.Fields(sentence)
	form := make([]string, len(words))
	for i, word := range words {
		bare := strings.TrimRight(word, "?,")
		if open := wordClass[bare]; open != "" {
			form[i] = open
			contexts = append(contexts, template+" "+string(rune('a'+i))+" "+bare)
		} else {
			form[i] = word
		}
	}
	return append(contexts, template+"| "+strings.Join(form, " "))
}

// wordClass are the words that come in a sentence's open places.
var wordClass = func() map[string]string {
	class := map[string]string{}
	for _, k := range Kinds() {
		class[k.String()], class[plural(k.String())] = "KIND", "KIND"
	}
	for _, c := range Colors() {
		class[c.String()] = "COLOR"
	}
	for _, z := range [...]Size{Small, Big} {
		class[z.String()] = "SIZE"
	}
	return class
}()
