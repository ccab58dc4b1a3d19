package tokenizer

import (
	"strings"
	"unicode/utf8"
)

// What Python's str does, with Python's tables.

func isSpacePython(r rune) bool { return pythonClasses()[r]&pySpace != 0 }

// lowerPython is str.lower: one character after the other, but a capital sigma at the end
// of a word becomes a final one.
func lowerPython(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	for i, r := range s {
		if r == 'Σ' && finalSigma(s, i) {
			b.WriteRune('ς')
			continue
		}
		writeLower(&b, r)
	}
	return b.String()
}

// writeLower writes r in lower case, without regard to its neighbours.
func writeLower(b *strings.Builder, r rune) {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		b.WriteByte(byte(r))
		return
	}
	if to, ok := find(pythonLower, r); ok {
		b.WriteString(to)
		return
	}
	b.WriteRune(r)
}

// finalSigma reports whether the capital sigma at byte i of s ends a word: a letter with
// case stands before it and none after it, not counting what case ignores.
func finalSigma(s string, i int) bool {
	classes := pythonClasses()
	before := false
	for rest := s[:i]; rest != ""; {
		r, size := utf8.DecodeLastRuneInString(rest)
		if rest = rest[:len(rest)-size]; classes[r]&pyIgnorable == 0 {
			before = classes[r]&pyCased != 0
			break
		}
	}
	if !before {
		return false
	}
	for _, r := range s[i+len("Σ"):] {
		if classes[r]&pyIgnorable == 0 {
			return classes[r]&pyCased == 0
		}
	}
	return true
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// basic is BasicTokenizer: words, cleaned, folded and cut at punctuation.
type basic struct {
	lower, strip bool // strip: take accents off
	chinese      bool
	nfc          bool
	never        map[string]bool // words kept as they are
}

// words splits text.
func (b *basic) words(text string) []string {
	var words []string
	for _, word := range strings.FieldsFunc(b.clean(text), isSpacePython) {
		if b.never[word] {
			words = append(words, word)
			continue
		}
		if b.lower {
			word = lowerPython(word)
		}
		if b.strip {
			word = stripPython(word)
		}
		if b.never[word] {
			words = append(words, word)
			continue
		}
		words = splitPunctuation(words, word)
	}
	return words
}

// clean takes out control characters, makes white space plain, sets Chinese characters
// apart and composes what can be composed.
func (b *basic) clean(text string) string {
	classes := pythonClasses()
	out := make([]rune, 0, len(text))
	for _, r := range text {
		class := classes[r]
		switch {
		case r == '\t' || r == '\n' || r == '\r' || class&pySeparator != 0:
			out = append(out, ' ')
		case class&pyControl != 0 || r == utf8.RuneError:
		case b.chinese && isChinesePython(r):
			out = append(out, ' ', r, ' ')
		default:
			out = append(out, r)
		}
	}
	if b.nfc {
		out = nfc(out)
	}
	return string(out)
}

func stripPython(word string) string {
	if isASCII(word) {
		return word
	}
	classes := pythonClasses()
	var b strings.Builder
	for _, m := range decompose([]rune(word)) {
		if classes[m.r]&pyMark == 0 {
			b.WriteRune(m.r)
		}
	}
	return b.String()
}

func splitPunctuation(words []string, word string) []string {
	start := 0
	for i, r := range word {
		if !isPunctuationPython(r) {
			continue
		}
		if start < i {
			words = append(words, word[start:i])
		}
		start = i + utf8.RuneLen(r)
		words = append(words, word[i:start])
	}
	if start < len(word) {
		words = append(words, word[start:])
	}
	return words
}

// isPunctuationPython is _is_punctuation: every ASCII sign counts, and category P*.
func isPunctuationPython(r rune) bool {
	return 33 <= r && r <= 47 || 58 <= r && r <= 64 || 91 <= r && r <= 96 || 123 <= r && r <= 126 ||
		pythonClasses()[r]&pyPunctuation != 0
}

// isChinesePython is _is_chinese_char: the CJK blocks.
func isChinesePython(r rune) bool {
	for _, block := range [...][2]rune{
		{0x4E00, 0x9FFF}, {0x3400, 0x4DBF}, {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F},
		{0x2B740, 0x2B81F}, {0x2B820, 0x2CEAF}, {0xF900, 0xFAFF}, {0x2F800, 0x2FA1F},
	} {
		if block[0] <= r && r <= block[1] {
			return true
		}
	}
	return false
}
