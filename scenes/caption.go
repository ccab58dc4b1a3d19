package scenes

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// captionsEach is how many captions a picture gets, and captionTries how often each is tried before it is left out.
const (
	captionsEach = 4
	captionTries = 40
)

// A caption must be false of nearly all other pictures, or whether sentence and picture match could not be learned. It is held against a panel of
// scenes, of which it may be true of one.
const (
	panelSize    = 160
	panelAllowed = 1
)

// A teller says things about one scene.
type teller struct {
	*Scene
	chance *rand.Rand
}

// captionTemplates make captions, or none where there is nothing of the sort to say.
var captionTemplates = []struct {
	name string
	say  func(t teller) (string, []fact)
}{
	{"related", teller.sayRelated},
	{"list", teller.sayList},
	{"colors", teller.sayColors},
	{"kinds", teller.sayKinds},
	{"placed", teller.sayPlaced},
	{"twice related", teller.sayTwiceRelated},
	{"among", teller.sayAmong},
	{"none", teller.sayNone},
}

// captions are a few sentences of different templates that are true of a scene and of hardly any other.
func captions(s *Scene, panel []*Scene, chance *rand.Rand) []caption {
	if len(s.Objects) < 2 {
		return nil
	}
	t := teller{s, chance}
	var all []caption
	for _, i := range chance.Perm(len(captionTemplates)) {
		if len(all) == captionsEach {
			break
		}
		for range captionTries {
			sentence, facts := captionTemplates[i].say(t)
			c := caption{captionTemplates[i].name, sentence, facts}
			if facts != nil && length(sentence) <= longestSentence && c.of(s) == yes && c.rare(panel) {
				all = append(all, c)
				break
			}
		}
	}
	return all
}

// rare says that the caption could be said of hardly any scene of the panel.
func (c caption) rare(panel []*Scene) bool {
	n := 0
	for _, s := range panel {
		if c.of(s) != no {
			if n++; n > panelAllowed {
				return false
			}
		}
	}
	return true
}

// describe is a phrase for thing i, with its size and colour at times: only where a reader who sees the picture and all other words could tell
// them.
func (t teller) describe(i int) phrase {
	o := t.Objects[i]
	p := ofKind(o.Kind)
	if t.chance.IntN(100) < 40 {
		p.size = o.Size
	}
	if t.chance.IntN(100) < 75 {
		p.color = o.Color
	}
	if p.colored() && !t.alike(phrase{p.size, -1, p.kind}, func(a, b Object) bool { return a.Color == b.Color }) {
		p.color = -1
	}
	if p.size >= 0 && !t.alike(phrase{-1, p.color, p.kind}, func(a, b Object) bool { return a.Size == b.Size }) {
		p.size = -1
		if p.colored() && !t.alike(ofKind(p.kind), func(a, b Object) bool { return a.Color == b.Color }) {
			p.color = -1
		}
	}
	return p
}

// alike says that all of a phrase's things are the same in something.
func (t teller) alike(p phrase, same func(a, b Object) bool) bool {
	found := p.in(t.Scene)
	for _, i := range found {
		if !same(t.Objects[found[0]], t.Objects[i]) {
			return false
		}
	}
	return true
}

// some are n different things.
func (t teller) some(n int) []int { return t.chance.Perm(len(t.Objects))[:min(n, len(t.Objects))] }

// relate finds words for where one thing is from another, "" where that is too close to tell.
func (t teller) relate(between string) (string, fact) {
	at := t.some(2)
	f := fact{op: related, a: t.describe(at[0]), b: t.describe(at[1]), relation: relation(t.chance.IntN(int(relations)))}
	if f.relation.holds(t.Objects[at[0]], t.Objects[at[1]]) != yes {
		return "", f
	}
	return f.a.a() + between + f.relation.String() + " " + f.b.a(), f
}

func (t teller) sayRelated() (string, []fact) {
	words, f := t.relate(oneOf(t.chance.IntN(2) == 0, " ", " is "))
	if words == "" {
		return "", nil
	}
	return words, []fact{f}
}

func (t teller) sayTwiceRelated() (string, []fact) {
	one, f := t.relate(" is ")
	two, g := t.relate(" is ")
	if one == "" || two == "" || f == g || f.a == g.b && f.b == g.a {
		return "", nil
	}
	return one + " and " + two, []fact{f, g}
}

// items are n different mentions: "three fish", "a yellow star".
func (t teller) items(n int) (mentions []string, facts []fact, several bool) {
	used := map[Kind]bool{}
	for _, i := range t.some(len(t.Objects)) {
		k := t.Objects[i].Kind
		if used[k] || len(mentions) == n {
			continue
		}
		used[k] = true
		f := fact{op: some, a: t.describe(i)}
		words := f.a.a()
		if m := f.a.count(t.Scene); m > 1 && m < len(numbers) && t.chance.IntN(4) > 0 {
			f.op, f.n = exactly, m
			words = f.a.counted(m)
		}
		if len(mentions) == 0 {
			several = f.op == exactly
		}
		mentions, facts = append(mentions, words), append(facts, f)
	}
	return mentions, facts, several
}

// listed joins mentions: "a car, two stars and a fish".
func listed(mentions []string) string {
	last := len(mentions) - 1
	if last == 0 {
		return mentions[0]
	}
	return strings.Join(mentions[:last], ", ") + " and " + mentions[last]
}

func (t teller) sayList() (string, []fact) {
	mentions, facts, several := t.items(2 + t.chance.IntN(2))
	if len(facts) < 2 {
		return "", nil
	}
	if t.chance.IntN(3) == 0 {
		return listed(mentions), facts
	}
	return oneOf(several, "there are ", "there is ") + listed(mentions), facts
}

// sayColors says how many things have a colour, where no other colour has as many: else nobody could tell which is meant.
func (t teller) sayColors() (string, []fact) {
	c := t.Objects[t.chance.IntN(len(t.Objects))].Color
	n := ofColor(c).count(t.Scene)
	for _, other := range Colors() {
		if other != c && ofColor(other).count(t.Scene) == n {
			return "", nil
		}
	}
	all := len(t.Objects)
	if n >= len(numbers) || all >= len(numbers) {
		return "", nil
	}
	mentions, facts, several := t.items(1 + t.chance.IntN(2))
	facts = append([]fact{{op: exactly, a: ofColor(c), n: n}}, facts...)
	are := oneOf(n == 1, " is ", " are ")
	if t.chance.IntN(2) == 0 {
		facts = append([]fact{{op: exactly, a: thing, n: all}}, facts...)
		return fmt.Sprintf("there are %s, %s of them%s%s, and there%s%s", thing.counted(all), numbers[n], are, c, oneOf(several, " are ", " is "), listed(mentions)), facts
	}
	return fmt.Sprintf("%s of the things%s%s and there%s%s", numbers[n], are, c, oneOf(several, " are ", " is "), listed(mentions)), facts
}

// sayKinds says how many of the things are of a kind; all of them may be.
func (t teller) sayKinds() (string, []fact) {
	all := len(t.Objects)
	p := ofKind(t.Objects[t.chance.IntN(all)].Kind)
	n := p.count(t.Scene)
	if n < 2 || all >= len(numbers) {
		return "", nil
	}
	words := fmt.Sprintf("there are %s, %s of them %s", thing.counted(all), numbers[n], p.many())
	facts := []fact{{op: exactly, a: thing, n: all}, {op: exactly, a: p, n: n}}
	if mentions, more, _ := t.items(1); !p.fits(t.Objects[more[0].a.in(t.Scene)[0]]) {
		return words + ", and " + mentions[0], append(facts, more...)
	}
	return words, facts
}

// there is where something is, in words.
func (p place) there() string {
	return [...]string{"in the top left", "at the top", "in the top right", "on the left", "in the middle", "on the right",
		"in the bottom left", "at the bottom", "in the bottom right"}[p]
}

func (t teller) sayPlaced() (string, []fact) {
	var mentions []string
	var facts []fact
	for _, i := range t.some(2) {
		at, ok := placeOf(t.Objects[i])
		if !ok {
			return "", nil
		}
		f := fact{op: placed, a: t.describe(i), at: at}
		mentions, facts = append(mentions, f.a.a()+" "+at.there()), append(facts, f)
	}
	if facts[0] == facts[1] {
		return "", nil
	}
	return listed(mentions), facts
}

func (t teller) sayAmong() (string, []fact) {
	all := len(t.Objects)
	mentions, facts, _ := t.items(2)
	if all >= len(numbers) || len(facts) < 2 {
		return "", nil
	}
	return fmt.Sprintf("there are %s, %s among them", thing.counted(all), listed(mentions)), append(facts, fact{op: exactly, a: thing, n: all})
}

// sayNone says what is not there.
func (t teller) sayNone() (string, []fact) {
	missing := ofKind(Kind(t.chance.IntN(int(kinds))))
	if missing.count(t.Scene) > 0 {
		return "", nil
	}
	mentions, facts, _ := t.items(2)
	if len(facts) < 2 {
		return "", nil
	}
	return "there is no " + missing.one() + ", but " + listed(mentions), append(facts, fact{op: exactly, a: missing, n: 0})
}
