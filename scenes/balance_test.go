package scenes

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/data/questions"
)

// A guesser answers by the words of a question alone.
type guesser struct {
	counts map[string]map[string]int
}

func (g *guesser) learn(context, answer string) {
	if g.counts == nil {
		g.counts = map[string]map[string]int{}
	}
	if g.counts[context] == nil {
		g.counts[context] = map[string]int{}
	}
	g.counts[context][answer]++
}

// guess is the commonest answer in the first of the contexts that it knows.
func (g *guesser) guess(contexts ...string) string {
	for _, context := range contexts {
		if counts := g.counts[context]; counts != nil {
			return slices.MaxFunc(slices.Sorted(maps.Keys(counts)), func(a, b string) int { return cmp.Compare(counts[a], counts[b]) })
		}
	}
	return ""
}

func answerOf(q questions.Question) string {
	if q.Truth != nil {
		return said(*q.Truth)
	}
	best, _ := q.Best()
	return best
}

// guessable is the share of questions that one learns to answer from others by words alone, in the best of several ways: the same
// sentence, the same form, one word in its place, the template.
func guessable(learn, judge []questions.Question) float64 {
	var g guesser
	contexts := func(q questions.Question) []string { return contextsOf(q.QuestionType, q.Sentence) }
	for _, q := range learn {
		for _, context := range contexts(q) {
			g.learn(context, answerOf(q))
		}
	}
	var right [4]int // by sentence, form, first open word, template
	for _, q := range judge {
		c := contexts(q)
		sentence, form, template := c[1], c[len(c)-1], c[0]
		for i, known := range [...][]string{{sentence, form, template}, {form, template}, {c[min(2, len(c)-1)], form}, {template}} {
			if g.guess(known...) == answerOf(q) {
				right[i]++
			}
		}
	}
	return float64(slices.Max(right[:])) / float64(len(judge))
}

// Who sees the questions alone learns little from 4,000 pictures for 1,000 others, and every template with few answers is exactly even.
func TestBalance(t *testing.T) {
	train, judged := 4000, 1000
	if testing.Short() {
		train, judged = 1500, 500
	}
	learn, _ := wordsOnly(train, 1)
	judge, _ := wordsOnly(judged, 2)
	check := func(name string, learn, judge []questions.Question, limit float64) {
		all := guessable(learn, judge)
		t.Logf("%s: %d questions, by words alone %.1f %%", name, len(judge), 100*all)
		if all > limit {
			t.Errorf("%s: by words alone %.1f %% are answered, want at most %.0f %%", name, 100*all, 100*limit)
		}
		types := map[string]bool{}
		for _, q := range judge {
			types[q.QuestionType] = true
		}
		for _, template := range slices.Sorted(maps.Keys(types)) {
			of := func(all []questions.Question) []questions.Question {
				return slices.DeleteFunc(slices.Clone(all), func(q questions.Question) bool { return q.QuestionType != template })
			}
			ours := of(judge)
			share := guessable(of(learn), ours)
			t.Logf("    %-18s %5d questions, %4.1f %%", template, len(ours), 100*share)
			if share > 0.60 {
				t.Errorf("%s: by words alone %.1f %% are answered", template, 100*share)
			}
		}
	}
	check("vqa", learn.vqa, judge.vqa, 0.45)
	check("gqa", learn.gqa, judge.gqa, 0.45)
	check("vqa and gqa", slices.Concat(learn.vqa, learn.gqa), slices.Concat(judge.vqa, judge.gqa), 0.50)
	check("nlvr2", learn.nlvr2, judge.nlvr2, 0.55)

	for _, quotas := range []struct {
		name string
		of   []quota
	}{{"vqa ", vqaQuotas}, {"gqa ", gqaQuotas}} {
		for _, q := range quotas.of {
			counts := learn.report.Templates[quotas.name+q.template]
			t.Logf("%s%s: %v", quotas.name, q.template, counts)
			n := slices.Sorted(maps.Values(counts))
			if len(n) == 0 || q.sides != nil && len(counts) == len(q.sides) && n[len(n)-1]-n[0] > 1 || q.sides != nil && len(counts) < len(q.sides) {
				t.Errorf("%s%s: answers %v", quotas.name, q.template, counts)
			}
			// No answer is half as frequent again as the average, but for the first twenty.
			if most := float64(n[len(n)-1]); q.sides == nil && most > 1.5*float64(learn.balance.totals[quotas.name+q.template])/float64(len(n))+20 {
				t.Errorf("%s%s: answers %v", quotas.name, q.template, counts)
			}
			// Numbers above three are rare in the pictures; all else can be even.
			if q.sides == nil && !strings.HasPrefix(q.template, "count") && float64(n[len(n)-1]) > 1.5*float64(n[0]) {
				t.Errorf("%s%s: answers %v", quotas.name, q.template, counts)
			}
		}
	}
	for _, q := range nlvr2Quotas {
		if counts := learn.report.Templates[q.name()]; counts["true"]-counts["false"] > 1 || counts["false"]-counts["true"] > 1 || counts["true"] < train/25 {
			t.Errorf("%s: %v", q.name(), counts)
		}
	}
}

// A caption is true of its own picture and of hardly any other.
func TestMismatch(t *testing.T) {
	_, all := wordsOnly(400, 5)
	type tally struct{ said, pairs, true, unclear int }
	counts := map[string]*tally{"all": {}}
	common := 0 // captions that are true of over 2 % of other pictures
	for i, p := range all {
		for _, c := range p.captions {
			if c.of(p.scene) != yes {
				t.Errorf("%q is not true of its picture", c.sentence)
			}
			if counts[c.template] == nil {
				counts[c.template] = &tally{}
			}
			for _, n := range []*tally{counts["all"], counts[c.template]} {
				n.said++
				for j, other := range all {
					if j == i {
						continue
					}
					n.pairs++
					switch c.of(other.scene) {
					case yes:
						n.true++
					case unclear:
						n.unclear++
					}
				}
			}
			others := 0
			for j, other := range all {
				if j != i && c.of(other.scene) == yes {
					others++
				}
			}
			if others > len(all)/50 {
				common++
			}
			// The reader of sentences agrees with the facts, on other pictures too.
			for _, other := range []picture{p, all[(i+1)%len(all)], all[(i+7)%len(all)]} {
				var things []seenThing
				for _, o := range other.scene.Objects {
					x, y := o.Center()
					things = append(things, seenThing{o.Kind.String(), o.Color.String(), o.Size.String(), x, y})
				}
				want := [...]string{no: "no", unclear: "unclear", yes: "yes"}[c.of(other.scene)]
				if got, err := read(c.sentence, things, (*reader).caption); err != nil || got != want {
					t.Errorf("%q: the facts say %s, the sentence %s (%v)", c.sentence, want, got, err)
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		n := counts[name]
		share := float64(n.true) / float64(n.pairs)
		line := fmt.Sprintf("%s: %d captions, true of %.2f %% of other pictures, unclear of %.2f %%", name, n.said, 100*share, 100*float64(n.unclear)/float64(n.pairs))
		t.Log(line)
		if share > 0.02 || n.said < 100 {
			t.Error(line)
		}
	}
	t.Logf("true of over 2 %% of other pictures: %d of %d captions", common, counts["all"].said)
	if common > counts["all"].said/50 {
		t.Errorf("%d of %d captions are true of over 2 %% of other pictures", common, counts["all"].said)
	}
	if n := counts["all"]; float64(n.true) > 0.01*float64(n.pairs) {
		t.Errorf("captions are true of %d of %d other pictures", n.true, n.pairs)
	}
}

// A colour is said only where it could be told from the picture if the word were hidden.
func TestColorsCanBeTold(t *testing.T) {
	_, all := wordsOnly(400, 6)
	told := 0
	for _, p := range all {
		for _, c := range p.captions {
			for _, f := range c.facts {
				for _, said := range []phrase{f.a, f.b} {
					if f.op != related && said == f.b || !said.colored() {
						continue
					}
					told++
					possible := 0
					for _, color := range Colors() {
						hidden := f
						if said == f.a {
							hidden.a.color = color
						} else {
							hidden.b.color = color
						}
						if hidden.of(p.scene) != no {
							possible++
						}
					}
					if possible != 1 {
						t.Errorf("%q: %d colours would be true in place of %s", c.sentence, possible, said.color)
					}
				}
			}
		}
	}
	if told < 1000 {
		t.Errorf("only %d colours were said", told)
	}
}

// An answer that nearly all pictures offer is not taken each time; and where two sides must be even, nothing is asked rather than the wrong one.
func TestBalanceRefuses(t *testing.T) {
	b := newBalance(stream(1, chanceBalance, 0))
	count := map[string]int{}
	for i := range 1000 {
		answer := oneOf(i%10 == 0, "rare", "common")
		for _, a := range b.choose("open", nil, 2, []asked{{"how many?", answer, answer}}) {
			count[a.answer]++
		}
		side := oneOf(i%10 == 0, "no", "yes")
		for _, a := range b.choose("exact", yesOrNo, 2, []asked{{"is it?", side, side}}) {
			count[a.answer]++
		}
	}
	if n := count["rare"]; n < 90 || count["common"] > 4*n || count["common"] < n {
		t.Errorf("open: %v", count)
	}
	if n := count["no"] - count["yes"]; n < -1 || n > 1 || count["no"] < 90 {
		t.Errorf("exact: %v", count)
	}
}
