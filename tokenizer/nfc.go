package tokenizer

import (
	"cmp"
	"slices"
)

// Unicode normalisation with Python's tables. golang.org/x/text/unicode/norm is not used:
// its tables are of another version, and it breaks up long runs of marks (stream-safe
// format), which neither reference does.

// combiningClass returns r's canonical combining class.
func combiningClass(r rune) uint8 {
	i, ok := slices.BinarySearchFunc(combiningClasses, r, func(c [3]rune, r rune) int {
		switch {
		case c[1] < r:
			return -1
		case c[0] > r:
			return 1
		}
		return 0
	})
	if !ok {
		return 0
	}
	return uint8(combiningClasses[i][2])
}

// appendDecomposed appends the full canonical decomposition of r.
func appendDecomposed(dst []rune, r rune) []rune {
	if hangulFirst <= r && r <= hangulLast {
		s := r - hangulFirst
		dst = append(dst, leadFirst+s/hangulPerLead, vowelFirst+s%hangulPerLead/trailCount)
		if t := s % trailCount; t != 0 {
			dst = append(dst, trailFirst+t)
		}
		return dst
	}
	if to, ok := find(pythonDecomposed, r); ok {
		return append(dst, []rune(to)...)
	}
	return append(dst, r)
}

// marked is a character with its combining class, while marks are put in order.
type marked struct {
	r     rune
	class uint8
	extra bool // not the first character of a decomposition
}

// order sorts every run of marks by combining class, keeping equals as they stand.
func order(text []marked) {
	for i := 0; i < len(text); {
		if text[i].class == 0 {
			i++
			continue
		}
		start := i
		for i < len(text) && text[i].class != 0 {
			i++
		}
		slices.SortStableFunc(text[start:i], func(a, b marked) int { return cmp.Compare(a.class, b.class) })
	}
}

// decompose is NFD.
func decompose(text []rune) []marked {
	classes := pythonClasses()
	out := make([]marked, 0, len(text)+len(text)/8)
	var parts []rune
	for _, r := range text {
		if classes[r]&pyComposes == 0 {
			out = append(out, marked{r: r})
			continue
		}
		parts = appendDecomposed(parts[:0], r)
		for i, p := range parts {
			out = append(out, marked{p, combiningClass(p), i > 0})
		}
	}
	order(out)
	return out
}

// composed returns the one character that a followed by b makes, or 0.
func composed(a, b rune) rune {
	if l, v := a-leadFirst, b-vowelFirst; 0 <= l && l < leadCount && 0 <= v && v < vowelCount {
		return hangulFirst + (l*vowelCount+v)*trailCount
	}
	if s, t := a-hangulFirst, b-trailFirst; 0 <= s && a <= hangulLast && s%trailCount == 0 && 0 < t && t < trailCount {
		return a + t
	}
	i, ok := slices.BinarySearchFunc(compositions, [2]rune{a, b}, func(c [3]rune, p [2]rune) int {
		return cmp.Or(cmp.Compare(c[0], p[0]), cmp.Compare(c[1], p[1]))
	})
	if !ok {
		return 0
	}
	return compositions[i][2]
}

// nfc composes text as unicodedata.normalize("NFC", text) does.
func nfc(text []rune) []rune {
	classes := pythonClasses()
	if !slices.ContainsFunc(text, func(r rune) bool { return r >= 0x300 && classes[r]&pyComposes != 0 }) {
		return text // nothing below U+0300 decomposes for good or joins what stands before it
	}
	parts := decompose(text)
	out := make([]rune, 0, len(parts))
	starter, last := -1, uint8(0) // where the last starter is; the class of what was kept since
	for _, p := range parts {
		if starter >= 0 && (last < p.class || last == 0 && starter == len(out)-1) {
			if c := composed(out[starter], p.r); c != 0 {
				out[starter] = c
				continue
			}
		}
		if p.class == 0 {
			starter = len(out)
		}
		last = p.class
		out = append(out, p.r)
	}
	return out
}
