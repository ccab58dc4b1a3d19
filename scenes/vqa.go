package scenes

import (
	"fmt"
	"strconv"
)

// vqaQuotas are the questions about what is where in a picture, as VQA has them.
var vqaQuotas = []quota{
	{"color", 2, askColor, nil},
	{"kind", 1, askKind, nil},
	{"size", 1, askSize, bigOrSmall},
	{"count kind", 1, askCountKind, nil},
	{"count color", 1, askCountColor, nil},
	{"count all", 1, askCountAll, nil},
	{"exists", 2, askExists, yesOrNo},
	{"where", 2, askWhere, nil},
	{"more", 1, askMore, yesOrNo},
	{"bigger", 1, askBigger, yesOrNo},
	{"what is bigger", 1, askWhatIsBigger, firstOrSecond},
}

func askColor(s *Scene, add adder) {
	for i, o := range s.Objects {
		for _, p := range names(s, i, false, true) {
			add("what color is "+p.the()+"?", o.Color.String())
		}
	}
}

func askKind(s *Scene, add adder) {
	for i, o := range s.Objects {
		for _, p := range names(s, i, true, false) {
			add("what is "+p.the()+"?", o.Kind.String())
		}
	}
}

func askSize(s *Scene, add adder) {
	for i, o := range s.Objects {
		for _, p := range names(s, i, true, true) {
			if p.size < 0 {
				add("is "+p.the()+" big or small?", o.Size.String())
			}
		}
	}
}

func askCount(s *Scene, p phrase, add adder) {
	if n := p.count(s); n < len(numbers) {
		add("how many "+p.many()+" are there?", strconv.Itoa(n))
	}
}

func askCountKind(s *Scene, add adder) {
	for _, k := range Kinds() {
		askCount(s, ofKind(k), add)
	}
}

func askCountColor(s *Scene, add adder) {
	for _, c := range Colors() {
		askCount(s, ofColor(c), add)
	}
}

func askCountAll(s *Scene, add adder) { askCount(s, thing, add) }

// askExists asks for what is there and for what nearly is: something of that kind or of that colour.
func askExists(s *Scene, add adder) {
	ask := func(p phrase) { add("is there "+p.a()+"?", yesNo(p.count(s) > 0)) }
	for _, k := range Kinds() {
		ask(ofKind(k))
		for _, c := range Colors() {
			if ofKind(k).count(s) > 0 || ofColor(c).count(s) > 0 {
				ask(painted(c, k))
			}
		}
	}
	for _, c := range Colors() {
		ask(ofColor(c))
	}
}

func askWhere(s *Scene, add adder) {
	for i, o := range s.Objects {
		at, ok := placeOf(o)
		if !ok {
			continue
		}
		for _, p := range names(s, i, true, true) {
			add("where is "+p.the()+"?", at.String())
		}
	}
}

// askMore compares numbers of which one at least is not 0.
func askMore(s *Scene, add adder) {
	var all []phrase
	var counts []int
	for _, k := range Kinds() {
		all = append(all, ofKind(k))
	}
	for _, c := range Colors() {
		all = append(all, ofColor(c))
	}
	for _, p := range all {
		counts = append(counts, p.count(s))
	}
	for i, p := range all {
		for j, q := range all {
			if i != j && (p.kind < 0) == (q.kind < 0) && counts[i]+counts[j] > 0 {
				add("are there more "+p.many()+" than "+q.many()+"?", yesNo(counts[i] > counts[j]))
			}
		}
	}
}

// pairs calls f for the names of two things whose sizes differ, in both orders.
func pairs(s *Scene, f func(p, q phrase, bigger bool)) {
	twoNames(s, func(p, q named, a, b Object) {
		if a.Size != b.Size && p.size < 0 && q.size < 0 && p.kind >= 0 && q.kind >= 0 && p.colored() == q.colored() {
			f(p.phrase, q.phrase, a.Size > b.Size)
		}
	})
}

func askBigger(s *Scene, add adder) {
	pairs(s, func(p, q phrase, bigger bool) {
		add(fmt.Sprintf("is %s bigger than %s?", p.the(), q.the()), yesNo(bigger))
	})
}

// askWhatIsBigger is for two kinds, for the answer is one.
func askWhatIsBigger(s *Scene, add adder) {
	pairs(s, func(p, q phrase, bigger bool) {
		if p.kind == q.kind {
			return
		}
		answer := oneOf(bigger, p.kind.String(), q.kind.String())
		add(fmt.Sprintf("what is bigger, %s or %s?", p.the(), q.the()), answer, oneOf(bigger, "first", "second"))
	})
}
