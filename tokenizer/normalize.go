package tokenizer

import (
	"slices"
	"unicode/utf8"
)

// normalizer is BertNormalizer of the Rust library: what happens to a text before it is
// split into words.
type normalizer struct {
	clean   bool // take out control characters, make white space plain
	chinese bool // put spaces around Chinese characters
	strip   bool // take accents off
	lower   bool

	ascii   [utf8.RuneSelf]int16 // what an ASCII character becomes; -1: nothing
	classes *classTable
}

func newNormalizer(clean, chinese, strip, lower bool) normalizer {
	n := normalizer{clean: clean, chinese: chinese, strip: strip, lower: lower, classes: fastClasses()}
	for i := range n.ascii {
		c := int16(i)
		switch class := n.classes[i]; {
		case clean && class&removed != 0:
			c = -1
		case clean && class&toSpace != 0:
			c = ' '
		case lower && 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		n.ascii[i] = c
	}
	return n
}

// normalized is a normalised text: each of its bytes knows the bytes of the original that
// it came from. A normal character covers itself; so does what it is mapped to.
type normalized struct {
	text  []byte
	spans []Span // by byte of text
}

func (n *normalized) reset() { n.text, n.spans = n.text[:0], n.spans[:0] }

func (n *normalized) add(r rune, s Span) {
	size := len(n.text)
	n.text = utf8.AppendRune(n.text, r)
	for range len(n.text) - size {
		n.spans = append(n.spans, s)
	}
}

// apply appends the normal form of text, whose first byte is byte base of the original.
func (n *normalizer) apply(dst *normalized, text string, base int) {
	kept := len(dst.text)
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			if to := n.ascii[c]; to >= 0 {
				dst.text = append(dst.text, byte(to))
				dst.spans = append(dst.spans, Span{int32(base + i), int32(base + i + 1)})
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		span := Span{int32(base + i), int32(base + i + size)}
		i += size
		switch class := n.classes[r]; {
		case n.clean && class&removed != 0:
		case n.clean && class&toSpace != 0:
			dst.add(' ', span)
		case n.strip && class&reorders != 0:
			// Which marks stand where depends on their neighbours: leave it to the plain version.
			dst.text, dst.spans = dst.text[:kept], dst.spans[:kept]
			n.plain(dst, text, base)
			return
		default:
			spaced := n.chinese && class&chinese != 0
			if spaced {
				dst.add(' ', span)
			}
			n.fold(dst, r, class, span)
			if spaced {
				dst.add(' ', span)
			}
		}
	}
}

// fold adds r without accents and in lower case, as far as is asked for.
func (n *normalizer) fold(dst *normalized, r rune, class class, span Span) {
	if class&mapped == 0 {
		dst.add(r, span)
		return
	}
	if !n.strip {
		n.addLower(dst, r, span)
		return
	}
	if hangulFirst <= r && r <= hangulLast {
		var jamo [3]rune
		for _, r := range appendDecomposed(jamo[:0], r) {
			n.addLower(dst, r, span)
		}
		return
	}
	to, ok := find(fastStripped, r)
	if !ok {
		n.addLower(dst, r, span)
		return
	}
	for _, r := range to {
		n.addLower(dst, r, span)
	}
}

func (n *normalizer) addLower(dst *normalized, r rune, span Span) {
	if n.lower {
		if to, ok := find(fastLower, r); ok {
			for _, r := range to {
				dst.add(r, span)
			}
			return
		}
	}
	dst.add(r, span)
}

// placed is a character and the bytes of the original it covers.
type placed struct {
	r    rune
	span Span
}

// plain is apply, one step of the reference after the other, each over the whole text. It
// is what apply must equal, and what does the work where marks change places.
func (n *normalizer) plain(dst *normalized, text string, base int) {
	chars := make([]placed, 0, len(text))
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		chars = append(chars, placed{r, Span{int32(base + i), int32(base + i + size)}})
		i += size
	}
	if n.clean {
		chars = slices.DeleteFunc(chars, func(c placed) bool { return n.classes[c.r]&removed != 0 })
		for i, c := range chars {
			if n.classes[c.r]&toSpace != 0 {
				chars[i].r = ' '
			}
		}
	}
	if n.chinese {
		chars = spaceChinese(chars, n.classes)
	}
	if n.strip {
		chars = stripAccents(chars)
	}
	for _, c := range chars {
		n.addLower(dst, c.r, c.span)
	}
}

func spaceChinese(chars []placed, classes *classTable) []placed {
	out := make([]placed, 0, len(chars))
	for _, c := range chars {
		if classes[c.r]&chinese == 0 {
			out = append(out, c)
			continue
		}
		out = append(out, placed{' ', c.span}, c, placed{' ', c.span})
	}
	return out
}

// stripAccents decomposes chars, orders their marks and takes out those that are accents.
//
// The reference hands out places after the marks were ordered: the next character that is
// not an extra one of some decomposition gets the next place, an extra one the place
// before. So marks that changed places leave their places where they were.
func stripAccents(chars []placed) []placed {
	parts := make([]marked, 0, len(chars))
	var decomposed []rune
	for _, c := range chars {
		decomposed = append(decomposed[:0], c.r)
		if _, ok := find(fastStripped, c.r); ok || hangulFirst <= c.r && c.r <= hangulLast {
			decomposed = appendDecomposed(decomposed[:0], c.r)
		}
		for i, r := range decomposed {
			parts = append(parts, marked{r, fastCombiningClass(r), i > 0})
		}
	}
	order(parts)
	out := make([]placed, 0, len(parts))
	next := 0
	for _, p := range parts {
		var span Span
		if !p.extra {
			next++
		}
		if next > 0 {
			span = chars[next-1].span
		}
		if to, ok := find(fastStripped, p.r); ok && to == "" {
			continue
		}
		out = append(out, placed{p.r, span})
	}
	return out
}
