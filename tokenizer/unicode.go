package tokenizer

import (
	"slices"
	"sync"
	"unicode"
	"unicode/utf8"
)

//go:generate go run ./internal/gentables

// mapping is what one character becomes.
type mapping struct {
	from rune
	to   string
}

// find returns what r becomes in a sorted table.
func find(table []mapping, r rune) (string, bool) {
	i, ok := slices.BinarySearchFunc(table, r, func(m mapping, r rune) int { return int(m.from - r) })
	if !ok {
		return "", false
	}
	return table[i].to, true
}

// class is a set of properties of a character; the bits mean other things to the fast
// tokenizer than to the Python ones, whose Unicode versions differ.
type class uint8

const (
	removed     class = 1 << iota // fast: taken out
	toSpace                       // fast: becomes a space
	chinese                       // fast: gets a space on both sides
	white                         // fast: separates words
	punctuation                   // fast: a word of its own
	mapped                        // fast: has another lower case or loses accents
	reorders                      // fast: its NFD holds a mark that is kept, so order matters
)

const (
	pyControl     class = 1 << iota // category C*
	pyPunctuation                   // category P*
	pyMark                          // category Mn
	pySeparator                     // category Zs
	pySpace                         // str.isspace
	pyIgnorable                     // case-ignorable
	pyCased                         // has case
	pyComposes                      // has a decomposition or a combining class
)

// classTable holds the class of every code point. It is flat: one load, 1.1 MB, of which
// a text touches a few cache lines.
type classTable [utf8.MaxRune + 1]class

func (t *classTable) mark(list [][2]rune, c class) {
	for _, r := range list {
		for i := r[0]; i <= r[1]; i++ {
			t[i] |= c
		}
	}
}

// Hangul syllables decompose by formula, not by table (Unicode standard, §3.12).
const (
	hangulFirst, hangulLast                = 0xAC00, 0xD7A3
	leadFirst, vowelFirst, trailFirst      = 0x1100, 0x1161, 0x11A7 // no trail at trailFirst itself
	leadCount, vowelCount, trailCount      = 19, 21, 28
	hangulPerLead                     rune = vowelCount * trailCount
)

// fastClasses are the properties the Rust library sees.
var fastClasses = sync.OnceValue(func() *classTable {
	t := new(classTable)
	t.mark(fastRemoved, removed)
	t.mark(fastToSpace, toSpace)
	t.mark(fastChinese, chinese)
	t.mark(fastWhite, white)
	t.mark(fastPunctuation, punctuation)
	t.mark([][2]rune{{hangulFirst, hangulLast}}, mapped)
	for _, m := range fastLower {
		t[m.from] |= mapped
	}
	for _, m := range fastStripped {
		t[m.from] |= mapped
	}
	// A mark that stays and has a combining class may change places with its neighbours.
	for _, r := range combiningClasses {
		for c := r[0]; c <= r[1]; c++ {
			if to, ok := find(fastStripped, c); (!ok || to != "") && fastCombiningClass(c) != 0 {
				t[c] |= reorders
			}
		}
	}
	for _, m := range fastStripped {
		for _, c := range m.to {
			t[m.from] |= t[c] & reorders
		}
	}
	return t
})

// fastCombiningClass is combiningClass as the Rust library's normaliser knows it, which is of Unicode
// 9: to it later marks have none.
func fastCombiningClass(r rune) uint8 {
	if !inRanges(fastReordered, r) {
		return 0
	}
	return combiningClass(r)
}

// inRanges looks r up in sorted, inclusive ranges.
func inRanges(list [][2]rune, r rune) bool {
	_, ok := slices.BinarySearchFunc(list, r, func(c [2]rune, r rune) int {
		switch {
		case c[1] < r:
			return -1
		case c[0] > r:
			return 1
		}
		return 0
	})
	return ok
}

// pythonClasses are the properties Python 3.11 sees (Unicode 14).
var pythonClasses = sync.OnceValue(func() *classTable {
	t := new(classTable)
	t.mark(pythonControl, pyControl)
	t.mark(pythonPunctuation, pyPunctuation)
	t.mark(pythonMark, pyMark)
	t.mark(pythonSeparator, pySeparator)
	t.mark(pythonSpace, pySpace)
	t.mark(pythonIgnorable, pyIgnorable)
	t.mark(pythonCased, pyCased)
	for _, r := range combiningClasses {
		t.mark([][2]rune{{r[0], r[1]}}, pyComposes)
	}
	for _, m := range pythonDecomposed {
		t[m.from] |= pyComposes
	}
	t.mark([][2]rune{{hangulFirst, hangulLast}}, pyComposes)
	// Jamo and a few other starters compose with what stands before them.
	t.mark([][2]rune{{vowelFirst, vowelFirst + vowelCount - 1}, {trailFirst + 1, trailFirst + trailCount - 1}}, pyComposes)
	for _, c := range compositions {
		t[c[1]] |= pyComposes
	}
	return t
})

// isWord is \w of the Rust library's regular expressions, whose Unicode is newer than Go's.
func isWord(r rune) bool {
	if r < utf8.RuneSelf {
		return r == '_' || '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z'
	}
	return inRanges(fastWord, r)
}

// isSpace is \s of Rust's regular expressions.
func isSpace(r rune) bool { return unicode.Is(unicode.White_Space, r) }
