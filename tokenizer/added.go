package tokenizer

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// AddedToken is a token beside the vocabulary's pieces: it is found in the text as it
// stands, before words are split (tokenizers.AddedToken).
type AddedToken struct {
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"` // not inside a word
	LStrip     bool   `json:"lstrip"`      // takes the white space to its left along
	RStrip     bool   `json:"rstrip"`      // and to its right
	Normalized bool   `json:"normalized"`  // is looked for in the normalised text, in its normal form
	Special    bool   `json:"special"`     // left out by Decode's SkipSpecialTokens
}

// addedToken is an AddedToken that has got its id.
type addedToken struct {
	AddedToken
	id    int32
	shown string // what IDToToken gives
}

// addedTokens are all added tokens of a tokenizer, as its mode sees them.
type addedTokens struct {
	tokens  []addedToken // in the order in which their ids were first used
	byID    map[int32]int
	ids     map[string]int32
	special map[string]bool // contents that were ever added as special
	beyond  int             // how many have ids the vocabulary does not have
	raw     *matcher        // fast mode: those found in the text as given; nil if none
	normal  *matcher        // fast mode: those found in the normalised text; nil if none
}

// AddTokens returns a tokenizer that knows these tokens as well. A content the vocabulary
// has keeps its id; others get the ids after the last, in order. A token that was added
// before takes the new flags.
func (t *Tokenizer) AddTokens(tokens ...AddedToken) (*Tokenizer, error) {
	if t.mode == Original && len(tokens) > 0 {
		return nil, fmt.Errorf("added token %q: the original repository has no added tokens; use slow or fast mode", tokens[0].Content)
	}
	other := *t
	other.history = slices.Concat(t.history, tokens)
	if err := other.build(); err != nil {
		return nil, err
	}
	return &other, nil
}

// addAll gives the tokens of the history their ids.
func (t *Tokenizer) addAll() error {
	a := addedTokens{byID: map[int32]int{}, ids: map[string]int32{}, special: map[string]bool{}}
	next := int32(len(t.vocab.tokens))
	for _, token := range t.history {
		if token.Content == "" {
			return fmt.Errorf("an added token is empty; give it a content")
		}
		if !utf8.ValidString(token.Content) {
			return fmt.Errorf("added token %q is not valid UTF-8", token.Content)
		}
		if t.mode != Fast && !token.Special && token.Normalized && t.lower && t.basic {
			token.Content = lowerPython(token.Content)
		}
		id, ok := a.ids[token.Content]
		if !ok {
			id, ok = t.vocab.ids[token.Content]
		}
		if !ok {
			if id = next; id > maxID {
				return fmt.Errorf("added token %q would get the id %d, want at most %d", token.Content, id, maxID)
			}
			next++
			a.beyond++
		}
		shown := token.Content
		if t.mode == Fast && token.Normalized {
			shown = t.normalForm(token.Content)
			if shown == "" {
				return fmt.Errorf("added token %q is empty after normalisation; set normalized to false", token.Content)
			}
		}
		a.ids[token.Content] = id
		if token.Special {
			a.special[token.Content] = true
		}
		at, ok := a.byID[id]
		if !ok {
			at = len(a.tokens)
			a.byID[id] = at
			a.tokens = append(a.tokens, addedToken{})
		}
		a.tokens[at] = addedToken{token, id, shown}
	}
	if t.mode == Fast {
		var err error
		if a.raw, err = newMatcher(a.tokens, false); err != nil {
			return err
		}
		if a.normal, err = newMatcher(a.tokens, true); err != nil {
			return err
		}
	}
	t.added = a
	return nil
}

func (t *Tokenizer) normalForm(text string) string {
	var n normalized
	t.normalizer.apply(&n, text, 0)
	return string(n.text)
}

// matcher finds added tokens: the leftmost first, of those the longest.
type matcher struct {
	tokens []addedToken
	trie   trie // to the index in tokens
	first  [256]bool
}

// newMatcher returns a matcher of the tokens that are, or are not, to be found in the
// normalised text; nil if there are none.
func newMatcher(all []addedToken, normalized bool) (*matcher, error) {
	m := new(matcher)
	size := 0
	for _, a := range all {
		if a.Normalized == normalized {
			m.tokens = append(m.tokens, a)
			size += len(a.shown)
		}
	}
	if len(m.tokens) == 0 {
		return nil, nil
	}
	if size > maxText {
		return nil, fmt.Errorf("the added tokens hold %d bytes, want at most %d", size, maxText)
	}
	m.trie.grow(2 * size)
	m.trie.root()
	root := m.trie.root()
	for i, a := range m.tokens {
		if at, _ := m.trie.longest(root, []byte(a.shown), 0); at >= 0 && m.tokens[at].shown == a.shown {
			return nil, fmt.Errorf("added tokens %q and %q are both %q after normalisation; keep one", m.tokens[at].Content, a.Content, a.shown)
		}
		m.trie.add(root, a.shown, int32(i))
		m.first[a.shown[0]] = true
	}
	return m, nil
}

// match is a place where an added token was found: bytes, stripped white space included.
type match struct {
	token      *addedToken
	start, end int
}

// next returns the first match at or after from, and where to look for the one after it.
// done is where the last match ended: white space to the left is not taken twice.
func (m *matcher) next(text []byte, from, done int) (match, int, bool) {
	for at := from; at < len(text); at++ {
		if !m.first[text[at]] {
			continue
		}
		i, end := m.trie.longest(1, text, at)
		if i < 0 {
			continue
		}
		found := match{&m.tokens[i], at, end}
		if found.token.SingleWord && insideWord(text, at, end) {
			at = end - 1 // a shorter token that fits here is not tried
			continue
		}
		if found.token.LStrip {
			if found.start = spaceBefore(text, at, done); found.start >= end {
				at = end - 1 // the last match has taken all of it as white space
				continue
			}
		}
		if found.token.RStrip {
			found.end = spaceAfter(text, end)
		}
		return found, end, true
	}
	return match{}, 0, false
}

// insideWord reports whether a word goes on before start or after end.
func insideWord(text []byte, start, end int) bool {
	before, n := utf8.DecodeLastRune(text[:start])
	after, m := utf8.DecodeRune(text[end:])
	return n > 0 && isWord(before) || m > 0 && isWord(after)
}

// spaceBefore goes back over white space, but not beyond limit.
func spaceBefore(text []byte, at, limit int) int {
	for at > limit {
		r, size := utf8.DecodeLastRune(text[limit:at])
		if !isSpace(r) {
			break
		}
		at -= size
	}
	return max(at, limit)
}

func spaceAfter(text []byte, at int) int {
	for at < len(text) {
		r, size := utf8.DecodeRune(text[at:])
		if !isSpace(r) {
			break
		}
		at += size
	}
	return at
}

// quote lists names for an error.
func quote(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(quoted, ", ")
}
