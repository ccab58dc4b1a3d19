package scenes

import "fmt"

// gqaQuotas are the questions that take more than one step, as GQA's do.
var gqaQuotas = []quota{
	{"related kind", 1, askRelatedKind, nil},
	{"related color", 1, askRelatedColor, nil},
	{"verify", 1, askVerify, yesOrNo},
	{"exists related", 1, askExistsRelated, yesOrNo},
	{"same color", 1, askSameColor, yesOrNo},
	{"which color", 1, askWhichColor, nil},
	{"choose", 1, askChoose, directions},
	{"two steps", 1, askTwoSteps, nil},
}

// A named is one name of a thing.
type named struct {
	i int
	phrase
}

// allNames are the names of all things.
func allNames(s *Scene) []named {
	var all []named
	for i := range s.Objects {
		for _, p := range names(s, i, true, true) {
			all = append(all, named{i, p})
		}
	}
	return all
}

// twoNames calls f for the names of any two things, in both orders.
func twoNames(s *Scene, f func(p, q named, a, b Object)) {
	all := allNames(s)
	for _, p := range all {
		for _, q := range all {
			if p.i != q.i {
				f(p, q, s.Objects[p.i], s.Objects[q.i])
			}
		}
	}
}

// seen calls f for what is the only thing of a phrase on one side of another.
func seen(s *Scene, what phrase, f func(r reference, found Object)) {
	for _, p := range allNames(s) {
		for rel := range relations {
			r := reference{what, rel, &reference{phrase: p.phrase}}
			if i, ok := r.find(s); ok {
				f(r, s.Objects[i])
			}
		}
	}
}

func askRelatedKind(s *Scene, add adder) {
	seen(s, thing, func(r reference, found Object) {
		add(fmt.Sprintf("what is %s %s?", r.relation, r.of), found.Kind.String())
	})
}

func askRelatedColor(s *Scene, add adder) {
	seen(s, thing, func(r reference, found Object) {
		add(fmt.Sprintf("what color is the thing %s %s?", r.relation, r.of), found.Color.String())
	})
}

// askWhichColor tells things of a kind apart by their place; where there is one only, a person would not say the place.
func askWhichColor(s *Scene, add adder) {
	for _, k := range Kinds() {
		if p := ofKind(k); p.count(s) > 1 {
			seen(s, p, func(r reference, found Object) { add(fmt.Sprintf("what color is %s?", r), found.Color.String()) })
		}
	}
	for _, z := range [...]Size{Small, Big} {
		if p := (phrase{z, -1, -1}); p.count(s) > 1 {
			seen(s, p, func(r reference, found Object) { add(fmt.Sprintf("what color is %s?", r), found.Color.String()) })
		}
	}
}

func askVerify(s *Scene, add adder) {
	twoNames(s, func(p, q named, a, b Object) {
		for rel := range relations {
			if h := rel.holds(a, b); h != unclear {
				add("is "+p.the()+" "+rel.String()+" "+q.the()+"?", yesNo(h == yes))
			}
		}
	})
}

// askExistsRelated asks for kinds and colours that there are, on this side or not.
func askExistsRelated(s *Scene, add adder) {
	asked := map[phrase]bool{}
	all := allNames(s)
	for _, o := range s.Objects {
		for _, what := range [...]phrase{ofKind(o.Kind), ofColor(o.Color)} {
			if asked[what] {
				continue
			}
			asked[what] = true
			for _, p := range all {
				if what.fits(s.Objects[p.i]) && what.count(s) == 1 {
					continue // nobody asks whether a thing is beside itself
				}
				for rel := range relations {
					r := reference{what, rel, &reference{phrase: p.phrase}}
					if found, ok := r.all(s); ok {
						add("is there "+what.a()+" "+rel.String()+" "+p.the()+"?", yesNo(len(found) > 0))
					}
				}
			}
		}
	}
}

// askSameColor names things by their kinds and sizes.
func askSameColor(s *Scene, add adder) {
	for i, a := range s.Objects {
		for j, b := range s.Objects {
			if i == j {
				continue
			}
			for _, p := range names(s, i, false, true) {
				for _, q := range names(s, j, false, true) {
					add(fmt.Sprintf("do %s and %s have the same color?", p.the(), q.the()), yesNo(a.Color == b.Color))
				}
			}
		}
	}
}

func askChoose(s *Scene, add adder) {
	twoNames(s, func(p, q named, a, b Object) {
		if h := leftOf.holds(a, b); h != unclear {
			add("is "+p.the()+" to the left or to the right of "+q.the()+"?", oneOf(h == yes, "left", "right"))
		}
		if h := above.holds(a, b); h != unclear {
			add("is "+p.the()+" above or below "+q.the()+"?", oneOf(h == yes, "above", "below"))
		}
	})
}

// askTwoSteps goes from one thing to a second, which must be found by its place, and from there to a third.
func askTwoSteps(s *Scene, add adder) {
	middles := []phrase{thing}
	for _, k := range Kinds() {
		if p := ofKind(k); p.count(s) > 1 {
			middles = append(middles, p)
		}
	}
	for _, middle := range middles {
		seen(s, middle, func(second reference, _ Object) {
			for rel := range relations {
				i, ok := (reference{thing, rel, &second}).find(s)
				if !ok || second.of.phrase.fits(s.Objects[i]) {
					continue // the way back is no second step
				}
				add(fmt.Sprintf("what is %s %s?", rel, second), s.Objects[i].Kind.String())
				add(fmt.Sprintf("what color is the thing %s %s?", rel, second), s.Objects[i].Color.String())
			}
		})
	}
}
