package scenes

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// This file judges sentences by reading them: it takes a sentence apart word by word and looks at what scenes.json says of the picture, with nothing of the code
// that made either. What it cannot read is an error.

// A seenThing is an object as scenes.json has it.
type seenThing struct {
	kind, color, size string
	x, y              float64 // centre, in 0..1
}

// A reader goes through the words of a sentence about one picture.
type reader struct {
	words  []string
	things []seenThing
}

// unreadable is what the reader panics with; read catches it.
type unreadable struct{ error }

// read calls f for a sentence and returns what it could not read, or judge.
func read(sentence string, things []seenThing, f func(r *reader) string) (answer string, err error) {
	defer func() {
		if bad, ok := recover().(unreadable); ok {
			err = fmt.Errorf("%q: %w", sentence, bad.error)
		}
	}()
	spaced := strings.NewReplacer(",", " ,", "?", " ?").Replace(sentence)
	r := &reader{strings.Fields(spaced), things}
	answer = f(r)
	if len(r.words) > 0 {
		r.fail("left over: %q", r.words)
	}
	return answer, nil
}

func (r *reader) fail(format string, args ...any) { panic(unreadable{fmt.Errorf(format, args...)}) }

// try takes these words if they come next.
func (r *reader) try(words string) bool {
	want := strings.Fields(words)
	if len(r.words) < len(want) || !slices.Equal(r.words[:len(want)], want) {
		return false
	}
	r.words = r.words[len(want):]
	return true
}

func (r *reader) want(words string) {
	if !r.try(words) {
		r.fail("found %q, want %q", r.words, words)
	}
}

func (r *reader) next() string {
	if len(r.words) == 0 {
		r.fail("the sentence ends too early")
	}
	word := r.words[0]
	r.words = r.words[1:]
	return word
}

var (
	allKinds  = strings.Fields("car house tree ball boat fish star flower cup hat kite mushroom")
	allColors = strings.Fields("red orange yellow green blue purple pink brown")
	counts    = strings.Fields("no one two three four five six seven")
)

// noun takes adjectives and a noun and returns whom they fit.
func (r *reader) noun() func(seenThing) bool {
	var size, color string
	for {
		word := r.next()
		singular := strings.TrimSuffix(word, "s")
		switch {
		case word == "big" || word == "small":
			size = word
		case slices.Contains(allColors, word):
			color = word
		case singular == "thing" || slices.Contains(allKinds, singular):
			return func(t seenThing) bool {
				return (size == "" || t.size == size) && (color == "" || t.color == color) && (singular == "thing" || t.kind == singular)
			}
		default:
			r.fail("found %q, want an adjective or a noun", word)
		}
	}
}

func (r *reader) fitting(fits func(seenThing) bool) []int {
	var found []int
	for i, t := range r.things {
		if fits(t) {
			found = append(found, i)
		}
	}
	return found
}

// relation takes a relation, if one comes: whether it holds, and by how much.
func (r *reader) relation() func(a, b seenThing) float64 {
	switch {
	case r.try("to the left of"):
		return func(a, b seenThing) float64 { return b.x - a.x }
	case r.try("to the right of"):
		return func(a, b seenThing) float64 { return a.x - b.x }
	case r.try("above"):
		return func(a, b seenThing) float64 { return b.y - a.y }
	case r.try("below"):
		return func(a, b seenThing) float64 { return a.y - b.y }
	}
	return nil
}

// holds judges a relation, and refuses what is too close.
func (r *reader) holds(relation func(a, b seenThing) float64, a, b seenThing) bool {
	d := relation(a, b)
	if -0.05+1e-9 < d && d < 0.05-1e-9 {
		r.fail("decided by %.3f", d)
	}
	return d > 0
}

// related are those of some things that are so related to one.
func (r *reader) related(found []int, relation func(a, b seenThing) float64, to int) []int {
	var kept []int
	for _, i := range found {
		if i != to && r.holds(relation, r.things[i], r.things[to]) {
			kept = append(kept, i)
		}
	}
	return kept
}

func (r *reader) only(found []int) int {
	if len(found) != 1 {
		r.fail("%d things are meant, want one", len(found))
	}
	return found[0]
}

// the takes a reference and returns the one thing it means.
func (r *reader) the() int {
	r.want("the")
	found := r.fitting(r.noun())
	if r.try("that is") {
		relation := r.relation()
		if relation == nil {
			r.fail("found %q, want a relation", r.words)
		}
		found = r.related(found, relation, r.the())
	}
	return r.only(found)
}

// a takes "a" or "an" and returns whom the phrase fits; the article must be right.
func (r *reader) a() []int {
	article := r.next()
	vowel := len(r.words) > 0 && strings.ContainsRune("aeiou", rune(r.words[0][0]))
	if article != "a" && article != "an" || (article == "an") != vowel {
		r.fail("found article %q before %q", article, r.words)
	}
	return r.fitting(r.noun())
}

func said(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// question answers a question.
func (r *reader) question() string {
	answer := r.asked()
	r.want("?")
	return answer
}

func (r *reader) asked() string {
	switch {
	case r.try("what color is"):
		if before := r.words; r.try("the thing") { // "the thing above the boat"
			if relation := r.relation(); relation != nil {
				return r.things[r.only(r.related(r.fitting(func(seenThing) bool { return true }), relation, r.the()))].color
			}
			r.words = before
		}
		return r.things[r.the()].color
	case r.try("what is bigger ,"):
		i := r.the()
		r.want("or")
		j := r.the()
		return r.things[r.bigger(i, j)].kind
	case r.try("what is"):
		if relation := r.relation(); relation != nil {
			return r.things[r.only(r.related(r.fitting(func(seenThing) bool { return true }), relation, r.the()))].kind
		}
		return r.things[r.the()].kind
	case r.try("how many"):
		n := len(r.fitting(r.noun()))
		r.want("are there")
		return strconv.Itoa(n)
	case r.try("where is"):
		return r.place(r.things[r.the()])
	case r.try("are there more"):
		n := len(r.fitting(r.noun()))
		r.want("than")
		return said(n > len(r.fitting(r.noun())))
	case r.try("is there"):
		found := r.a()
		if relation := r.relation(); relation != nil {
			return said(len(r.related(found, relation, r.the())) > 0)
		}
		return said(len(found) > 0)
	case r.try("do"):
		i := r.the()
		r.want("and")
		j := r.the()
		r.want("have the same color")
		if i == j {
			r.fail("one thing compared with itself")
		}
		return said(r.things[i].color == r.things[j].color)
	case r.try("is"):
		return r.is(r.the())
	}
	r.fail("found %q, want a question", r.words)
	return ""
}

// is takes what is asked of a thing.
func (r *reader) is(i int) string {
	switch {
	case r.try("big or small"):
		return r.things[i].size
	case r.try("bigger than"):
		return said(r.bigger(i, r.the()) == i)
	case r.try("to the left or to the right of"):
		if r.holds(func(a, b seenThing) float64 { return b.x - a.x }, r.things[i], r.things[r.the()]) {
			return "left"
		}
		return "right"
	case r.try("above or below"):
		if r.holds(func(a, b seenThing) float64 { return b.y - a.y }, r.things[i], r.things[r.the()]) {
			return "above"
		}
		return "below"
	}
	relation := r.relation()
	if relation == nil {
		r.fail("found %q, want a relation", r.words)
	}
	return said(r.holds(relation, r.things[i], r.things[r.the()]))
}

func (r *reader) bigger(i, j int) int {
	switch a, b := r.things[i].size, r.things[j].size; {
	case a == b:
		r.fail("both are %s", a)
	case a == "big":
		return i
	}
	return j
}

// place is where a thing is; it must be clear.
func (r *reader) place(t seenThing) string {
	for _, v := range [...]float64{t.x, t.y} {
		for _, border := range [...]float64{1. / 3, 2. / 3} {
			if border-0.03+1e-9 < v && v < border+0.03-1e-9 {
				r.fail("a place at %.3f", v)
			}
		}
	}
	column, row := "", ""
	switch {
	case t.x < 1./3:
		column = "left"
	case t.x > 2./3:
		column = "right"
	}
	switch {
	case t.y < 1./3:
		row = "top"
	case t.y > 2./3:
		row = "bottom"
	}
	if where := strings.TrimSpace(row + " " + column); where != "" {
		return where
	}
	return "middle"
}

// number takes a number in words, if one comes; -1 is none.
func (r *reader) number() int {
	if len(r.words) > 0 {
		if n := slices.Index(counts, r.words[0]); n >= 0 {
			r.words = r.words[1:]
			return n
		}
	}
	return -1
}

// mention takes "a red car" or "three fish": whom it fits, and whether that is true.
func (r *reader) mention() ([]int, bool) {
	if n := r.number(); n >= 0 {
		found := r.fitting(r.noun())
		return found, len(found) == n
	}
	found := r.a()
	return found, len(found) > 0
}

// mentions takes a list of them.
func (r *reader) mentions() bool {
	_, all := r.mention()
	for r.try(",") {
		_, ok := r.mention()
		all = all && ok
	}
	if r.try("and") {
		_, ok := r.mention()
		all = all && ok
	}
	return all
}

// caption judges a caption: "yes", "no", or "unclear" where that hangs on what is too close to tell.
func (r *reader) caption() string {
	before := r.words
	switch {
	case r.try("there is no"):
		none := len(r.fitting(r.noun())) == 0
		r.want(", but")
		return said(r.mentions() && none)
	case r.try("there are"), r.try("there is"):
		if n := r.number(); n >= 0 && r.try("things ,") {
			all := len(r.things) == n
			rest := r.words
			if m := r.number(); m >= 0 && r.try("of them") {
				return said(r.share(m) && all)
			}
			r.words = rest
			all = r.mentions() && all
			r.want("among them")
			return said(all)
		}
		r.words = before[2:]
		return said(r.mentions())
	}
	if n := r.number(); n >= 0 {
		if r.try("of the things") {
			return said(r.share(n))
		}
		r.words = before
	}
	return r.scattered()
}

// share takes "are pink", "is a car" or "cars", and perhaps what else there is.
func (r *reader) share(n int) bool {
	ok := false
	if r.try("are") || r.try("is") {
		color := r.next()
		if !slices.Contains(allColors, color) {
			r.fail("found %q, want a colour", color)
		}
		ok = len(r.fitting(func(t seenThing) bool { return t.color == color })) == n
	} else {
		ok = len(r.fitting(r.noun())) == n
	}
	r.try(",")
	if r.try("and there is") || r.try("and there are") || r.try("and") {
		ok = r.mentions() && ok
	}
	return ok
}

var placeWords = map[string]string{"in the top left": "top left", "at the top": "top", "in the top right": "top right", "on the left": "left", "in the middle": "middle",
	"on the right": "right", "in the bottom left": "bottom left", "at the bottom": "bottom", "in the bottom right": "bottom right"}

// scattered takes mentions each of which may have a place or a relation.
func (r *reader) scattered() string {
	answer := "yes"
	both := func(other string) {
		if answer == "no" || other == "no" {
			answer = "no"
		} else if other != "yes" {
			answer = other
		}
	}
	for {
		found, ok := r.mention()
		both(said(ok))
		for words, place := range placeWords {
			if r.try(words) {
				both(r.somewhere(found, place))
			}
		}
		r.try("is")
		if relation := r.relation(); relation != nil {
			to, _ := r.mention()
			both(r.somehow(found, relation, to))
		}
		if !r.try("and") && !r.try(",") {
			return answer
		}
	}
}

// somewhere judges whether one of some things is at a place.
func (r *reader) somewhere(found []int, place string) string {
	answer := "no"
	for _, i := range found {
		switch at, err := read("", r.things, func(q *reader) string { return q.place(q.things[i]) }); {
		case err != nil && answer == "no":
			answer = "unclear"
		case err == nil && at == place:
			return "yes"
		}
	}
	return answer
}

// somehow judges whether one of some things is so related to one of others.
func (r *reader) somehow(found []int, relation func(a, b seenThing) float64, to []int) string {
	answer := "no"
	for _, i := range found {
		for _, j := range to {
			switch d := relation(r.things[i], r.things[j]); {
			case i == j || d <= -0.05+1e-9:
			case d >= 0.05-1e-9:
				return "yes"
			default:
				answer = "unclear"
			}
		}
	}
	return answer
}

// statement judges a statement about two pictures.
func statement(sentence string, left, right []seenThing) (string, error) {
	return read(sentence, left, func(l *reader) string {
		// in both pictures the same words are read, each with its own things
		r := &reader{things: right}
		twice := func(f func(q *reader) int) (int, int) {
			r.words = l.words
			n, m := f(l), f(r)
			return n, m
		}
		count := func(q *reader) int { return len(q.fitting(q.noun())) }
		exists := func(q *reader) int { return len(q.a()) }
		compare := func(more bool) string {
			side := l.next()
			l.want("picture than in the")
			if other := l.next(); side == other || other != "left" && other != "right" || side != "left" && side != "right" {
				l.fail("sides %q and %q", side, other)
			}
			l.want("one")
			return said((side == "left") == more)
		}
		switch {
		case l.try("both pictures have"):
			n, m := twice(exists)
			return said(n > 0 && m > 0)
		case l.try("only one picture has exactly"):
			want := l.number()
			n, m := twice(count)
			return said((n == want) != (m == want))
		case l.try("only one picture has"):
			n, m := twice(exists)
			return said((n > 0) != (m > 0))
		case l.try("no picture has"):
			n, m := twice(exists)
			return said(n+m == 0)
		case l.try("the left picture has more things than the right one"):
			return said(len(left) > len(right))
		case l.try("the right picture has more things than the left one"):
			return said(len(right) > len(left))
		case l.try("the left picture has"):
			n, _ := twice(exists)
			return said(n > 0)
		case l.try("the right picture has"):
			_, m := twice(exists)
			return said(m > 0)
		case l.try("there are more"), l.try("there are fewer"):
			fewer := strings.HasPrefix(sentence, "there are fewer")
			n, m := twice(count)
			l.want("in the")
			if (compare(true) == "yes") != fewer {
				return said(n > m)
			}
			return said(m > n)
		case l.try("the same number of"):
			n, m := twice(count)
			l.want("is in both pictures")
			return said(n == m)
		case l.try("the pictures have"):
			want := l.number()
			n, m := twice(count)
			l.want("in all")
			return said(n+m == want)
		case l.try("in the left picture"):
			return l.standing()
		case l.try("in the right picture"):
			l.things = right
			return l.standing()
		}
		l.fail("found %q, want a statement", l.words)
		return ""
	})
}

// standing takes a relation between two things, which must be clear.
func (r *reader) standing() string {
	answer := r.scattered()
	if answer == "unclear" {
		r.fail("too close to tell")
	}
	return answer
}
