package scenes

// A fact is one thing that a caption says of its picture.
type fact struct {
	op       operation
	a        phrase
	n        int      // exactly
	relation relation // related
	b        phrase   // related
	at       place    // placed
}

// An operation is what sort of fact.
type operation int

const (
	some    operation = iota // there is an a
	exactly                  // there are n of a
	related                  // an a is so related to a b
	placed                   // an a is there
)

// of says whether the fact is true of a scene; unclear where that depends on what is too close to tell.
func (f fact) of(s *Scene) opinion {
	switch f.op {
	case some:
		return opinionOf(f.a.count(s) > 0)
	case exactly:
		return opinionOf(f.a.count(s) == f.n)
	case placed:
		answer := no
		for _, i := range f.a.in(s) {
			switch at, ok := placeOf(s.Objects[i]); {
			case ok && at == f.at:
				return yes
			case !ok:
				answer = unclear
			}
		}
		return answer
	}
	answer := no
	for _, i := range f.a.in(s) {
		for _, j := range f.b.in(s) {
			if i != j {
				answer = max(answer, f.relation.holds(s.Objects[i], s.Objects[j]))
			}
		}
	}
	return answer
}

func opinionOf(b bool) opinion {
	if b {
		return yes
	}
	return no
}

// A caption is a sentence and the facts in it, all of them true of its picture.
type caption struct {
	template string
	sentence string
	facts    []fact
}

// of says whether the caption is true of a scene, which may be another than its own.
func (c caption) of(s *Scene) opinion {
	answer := yes
	for _, f := range c.facts {
		answer = min(answer, f.of(s))
	}
	return answer
}
