package scenes

import "fmt"

// A pairQuota is how often a template of statements about two pictures is used, against the others.
type pairQuota struct {
	template string
	say      func(left, right *Scene, add adder) // all that could be said, "true" or "false"
}

// nlvr2Quotas are the statements about a left and a right picture.
var nlvr2Quotas = []pairQuota{
	{"both have", sayBothHave},
	{"one has", sayOneHas},
	{"no picture has", sayNoPictureHas},
	{"side has", saySideHas},
	{"more in side", sayMoreInSide},
	{"exactly in one", sayExactlyInOne},
	{"same number", saySameNumber},
	{"in all", sayInAll},
	{"related in side", sayRelatedInSide},
	{"more things", sayMoreThings},
}

func truth(b bool) string { return oneOf(b, "true", "false") }

// mentioned calls f for the kinds, colours and painted kinds of both pictures' things, each once; painted kinds also where a picture has
// only the kind or only the colour.
func mentioned(left, right *Scene, f func(p phrase)) {
	done := map[phrase]bool{}
	once := func(p phrase) {
		if !done[p] {
			done[p] = true
			f(p)
		}
	}
	for _, s := range [...]*Scene{left, right} {
		for _, o := range s.Objects {
			once(ofKind(o.Kind))
			once(ofColor(o.Color))
			once(painted(o.Color, o.Kind))
		}
	}
	for i := range left.Objects {
		for j := range right.Objects {
			once(painted(left.Objects[i].Color, right.Objects[j].Kind))
			once(painted(right.Objects[j].Color, left.Objects[i].Kind))
		}
	}
}

func sayBothHave(left, right *Scene, add adder) {
	mentioned(left, right, func(p phrase) {
		if n, m := p.count(left), p.count(right); n+m > 0 { // false ones are nearly true
			add("both pictures have "+p.a(), truth(n > 0 && m > 0))
		}
	})
}

func sayOneHas(left, right *Scene, add adder) {
	mentioned(left, right, func(p phrase) {
		add("only one picture has "+p.a(), truth((p.count(left) > 0) != (p.count(right) > 0)))
	})
}

func sayNoPictureHas(left, right *Scene, add adder) {
	say := func(p phrase) { add("no picture has "+p.a(), truth(p.count(left)+p.count(right) == 0)) }
	for _, k := range Kinds() {
		say(ofKind(k))
	}
	for _, c := range Colors() {
		say(ofColor(c))
	}
	mentioned(left, right, func(p phrase) {
		if p.colored() && p.kind >= 0 {
			say(p)
		}
	})
}

func saySideHas(left, right *Scene, add adder) {
	mentioned(left, right, func(p phrase) {
		add("the left picture has "+p.a(), truth(p.count(left) > 0))
		add("the right picture has "+p.a(), truth(p.count(right) > 0))
	})
}

func sayMoreInSide(left, right *Scene, add adder) {
	mentioned(left, right, func(p phrase) {
		n, m := p.count(left), p.count(right)
		add(fmt.Sprintf("there are more %s in the left picture than in the right one", p.many()), truth(n > m))
		add(fmt.Sprintf("there are more %s in the right picture than in the left one", p.many()), truth(m > n))
	})
}

// sayExactlyInOne is false where both have that many, or none.
func sayExactlyInOne(left, right *Scene, add adder) {
	mentioned(left, right, func(p phrase) {
		if p.kind >= 0 && p.colored() {
			return
		}
		for n := 1; n <= 3; n++ {
			add(fmt.Sprintf("only one picture has exactly %s", p.counted(n)), truth((p.count(left) == n) != (p.count(right) == n)))
		}
	})
}

func saySameNumber(left, right *Scene, add adder) {
	say := func(p phrase) {
		add(fmt.Sprintf("the same number of %s is in both pictures", p.many()), truth(p.count(left) == p.count(right)))
	}
	say(thing)
	mentioned(left, right, func(p phrase) {
		if p.kind < 0 || !p.colored() {
			say(p)
		}
	})
}

func sayInAll(left, right *Scene, add adder) {
	mentioned(left, right, func(p phrase) {
		if p.kind >= 0 && p.colored() {
			return
		}
		n := p.count(left) + p.count(right)
		for m := max(n-1, 1); m <= min(n+1, len(numbers)-1); m++ {
			add("the pictures have "+p.counted(m)+" in all", truth(m == n))
		}
	})
}

// sayRelatedInSide speaks of kinds that the picture has, or that the other has so.
func sayRelatedInSide(left, right *Scene, add adder) {
	sides := [...]*Scene{left, right}
	for i, name := range [...]string{"left", "right"} {
		done := map[string]bool{}
		for _, from := range sides {
			for _, a := range from.Objects {
				for _, b := range from.Objects {
					for rel := range relations {
						f := fact{op: related, a: ofKind(a.Kind), relation: rel, b: ofKind(b.Kind)}
						sentence := fmt.Sprintf("in the %s picture %s is %s %s", name, f.a.a(), rel, f.b.a())
						if h := f.of(sides[i]); a.Kind != b.Kind && h != unclear && !done[sentence] {
							done[sentence] = true
							add(sentence, truth(h == yes))
						}
					}
				}
			}
		}
	}
}

func sayMoreThings(left, right *Scene, add adder) {
	n, m := len(left.Objects), len(right.Objects)
	add("the left picture has more things than the right one", truth(n > m))
	add("the right picture has more things than the left one", truth(m > n))
	add("there are fewer things in the left picture than in the right one", truth(n < m))
	add("there are fewer things in the right picture than in the left one", truth(m < n))
}
