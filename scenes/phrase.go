package scenes

import "strings"

// A phrase is a noun with what is said of it: "big red car", "blue thing". What is not said is -1; the zero phrase is none, see thing.
type phrase struct {
	size  Size
	color Color
	kind  Kind
}

// thing is the phrase of which everything is one.
var thing = phrase{size: -1, color: -1, kind: -1}

func ofKind(k Kind) phrase           { return phrase{-1, -1, k} }
func ofColor(c Color) phrase         { return phrase{-1, c, -1} }
func painted(c Color, k Kind) phrase { return phrase{-1, c, k} }
func sized(z Size, k Kind) phrase    { return phrase{z, -1, k} }
func (p phrase) colored() bool       { return p.color >= 0 }
func (p phrase) fits(o Object) bool {
	return (p.size < 0 || p.size == o.Size) && (p.color < 0 || p.color == o.Color) && (p.kind < 0 || p.kind == o.Kind)
}

// in are the numbers of the objects that the phrase fits.
func (p phrase) in(s *Scene) []int {
	var found []int
	for i, o := range s.Objects {
		if p.fits(o) {
			found = append(found, i)
		}
	}
	return found
}

// count is how many objects the phrase fits.
func (p phrase) count(s *Scene) int {
	n := 0
	for _, o := range s.Objects {
		if p.fits(o) {
			n++
		}
	}
	return n
}

// one is the phrase for one of its things.
func (p phrase) one() string { return p.before(p.noun()) }

// many is the phrase for several.
func (p phrase) many() string { return p.before(plural(p.noun())) }

// the is the phrase for the only one.
func (p phrase) the() string { return "the " + p.one() }

// a is the phrase for any one.
func (p phrase) a() string { return article(p.one()) }

func (p phrase) noun() string {
	if p.kind < 0 {
		return "thing"
	}
	return p.kind.String()
}

func (p phrase) before(noun string) string {
	var words []string
	if p.size >= 0 {
		words = append(words, p.size.String())
	}
	if p.color >= 0 {
		words = append(words, p.color.String())
	}
	return strings.Join(append(words, noun), " ")
}

// article puts "a" or "an" before words.
func article(words string) string {
	if strings.ContainsRune("aeiou", rune(words[0])) {
		return "an " + words
	}
	return "a " + words
}

func plural(noun string) string {
	if noun == Fish.String() {
		return noun
	}
	return noun + "s"
}

// numbers are the words for how many; nobody is asked about more.
var numbers = [...]string{"no", "one", "two", "three", "four", "five", "six", "seven"}

// counted says how many there are: "three fish", "one red car", "no stars".
func (p phrase) counted(n int) string {
	if n == 1 {
		return numbers[1] + " " + p.one()
	}
	return numbers[n] + " " + p.many()
}
