package scenes

// A reference names one thing, by what it is and perhaps by where it is: "the tree that is above the blue boat".
type reference struct {
	phrase
	relation relation
	of       *reference // nil where the place is not said
}

// find is the thing referred to; false unless there is exactly one, and that is clear.
func (r reference) find(s *Scene) (int, bool) {
	found, ok := r.all(s)
	if !ok || len(found) != 1 {
		return 0, false
	}
	return found[0], true
}

// all are the things that are as described. It is false where that cannot be told: what they are seen from is not exactly one, or one of them is
// too close to it in that direction.
func (r reference) all(s *Scene) ([]int, bool) {
	found := r.phrase.in(s)
	if r.of == nil {
		return found, true
	}
	from, ok := r.of.find(s)
	if !ok {
		return nil, false
	}
	kept := found[:0]
	for _, i := range found {
		if i == from {
			continue
		}
		switch r.relation.holds(s.Objects[i], s.Objects[from]) {
		case unclear:
			return nil, false
		case yes:
			kept = append(kept, i)
		}
	}
	return kept, true
}

// String is the reference with its article.
func (r reference) String() string {
	if r.of == nil {
		return r.the()
	}
	return r.the() + " that is " + r.relation.String() + " " + r.of.String()
}

// names are the phrases by which thing i of a scene can be told from all others: the shortest, and those with a colour. Its colour is not
// said where the colour is what is asked for, nor its kind where that is.
func names(s *Scene, i int, sayColor, sayKind bool) []phrase {
	o := s.Objects[i]
	var all []phrase
	add := func(p phrase) bool {
		unique := p.count(s) == 1
		if unique {
			all = append(all, p)
		}
		return unique
	}
	if sayKind && !add(ofKind(o.Kind)) {
		add(sized(o.Size, o.Kind))
	}
	if sayColor && sayKind {
		add(painted(o.Color, o.Kind))
	}
	if sayColor && !add(ofColor(o.Color)) {
		add(phrase{o.Size, o.Color, -1})
	}
	return all
}
