package tokenizer

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// slow is what the Python tokenizers need beside the vocabulary.
type slow struct {
	template template
	basic    basic
	never    map[string]bool // never_split: words that are not cut into pieces either
	trie     *splitTrie
	keep     []string // not lower-cased, the first that fits wins
	keepAt   [256]bool
	hide     map[int32]bool  // ids of special tokens
	legacy   map[string]bool // added tokens that decoding does not join to their neighbours
}

func newSlow(t *Tokenizer) *slow {
	s := &slow{
		template: bertTemplate(t.special.Cls, t.special.Sep),
		never:    map[string]bool{},
		trie:     newSplitTrie(),
		hide:     map[int32]bool{},
		legacy:   map[string]bool{},
		basic: basic{
			lower:   t.lower,
			strip:   t.strip != nil && *t.strip || t.strip == nil && t.lower,
			chinese: t.chinese,
			nfc:     t.mode == Slow,
			never:   map[string]bool{},
		},
	}
	for _, word := range t.neverSplit {
		s.never[word], s.basic.never[word] = true, true
	}
	names := t.names.all()
	special := slices.Clone(names)
	for _, a := range t.history {
		if a.Special && !slices.Contains(special, a.Content) {
			special = append(special, a.Content)
		}
	}
	isSpecial := map[string]bool{}
	for _, name := range special {
		isSpecial[name], s.basic.never[name] = true, true
		s.keep = append(s.keep, name)
		if id, ok := t.TokenToID(name); ok {
			s.hide[id] = true
		}
	}
	for _, a := range t.added.tokens {
		s.trie.add(a.Content)
		if !a.Special && a.Normalized {
			s.keep = append(s.keep, a.Content)
		}
		if !isSpecial[a.Content] || !slices.Contains(names, a.Content) && int(a.id) >= len(t.vocab.ids) {
			s.legacy[a.Content] = true
		}
	}
	for _, k := range s.keep {
		s.keepAt[k[0]] = true
	}
	return s
}

// tokenizeSlow is PreTrainedTokenizer.tokenize and convert_tokens_to_ids.
func (t *Tokenizer) tokenizeSlow(ids []int32, text string) []int32 {
	if t.lower && t.basic {
		text = t.slow.lowerAround(text)
	}
	parts := t.slow.trie.split(text)
	t.settle(parts)
	for _, p := range parts {
		if p == "" {
			continue
		}
		if id, ok := t.added.ids[p]; ok {
			ids = append(ids, id)
			continue
		}
		ids = t.tokenizePlain(ids, p)
	}
	return ids
}

// lowerAround puts text in lower case, one character at a time and so without final
// sigmas, but for the tokens that must be found as they are.
func (s *slow) lowerAround(text string) string {
	var b strings.Builder
	b.Grow(len(text))
next:
	for i := 0; i < len(text); {
		if s.keepAt[text[i]] {
			for _, k := range s.keep {
				if strings.HasPrefix(text[i:], k) {
					b.WriteString(k)
					i += len(k)
					continue next
				}
			}
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		writeLower(&b, r)
		i += size
	}
	return b.String()
}

// settle lets the added tokens among parts take white space from their neighbours, or
// give up where they would stand inside a word. It changes parts in place, from left to
// right, so that a token sees what the one before has done.
func (t *Tokenizer) settle(parts []string) {
	for i := range parts {
		id, ok := t.added.ids[parts[i]]
		if !ok {
			continue
		}
		token := &t.added.tokens[t.added.byID[id]]
		left, right := "", "" // as they are before this token takes their spaces
		if i > 0 {
			left = parts[i-1]
		}
		if i < len(parts)-1 {
			right = parts[i+1]
		}
		if token.RStrip && right != "" {
			parts[i+1] = strings.TrimLeftFunc(right, isSpacePython)
		}
		if token.LStrip && left != "" {
			parts[i-1] = strings.TrimRightFunc(left, isSpacePython)
		}
		switch {
		case !token.SingleWord:
		case left != "" && left[len(left)-1] != ' ':
			parts[i-1] += parts[i]
			parts[i] = ""
		case right != "" && right[0] != ' ':
			parts[i+1] = parts[i] + parts[i+1]
			parts[i] = ""
		}
	}
}

// tokenizePlain is BertTokenizer._tokenize: words, then pieces.
func (t *Tokenizer) tokenizePlain(ids []int32, text string) []int32 {
	if !t.settings.basic {
		for _, word := range strings.FieldsFunc(text, isSpacePython) {
			ids, _ = t.vocab.pieces(ids, nil, []byte(word))
		}
		return ids
	}
	for _, word := range t.slow.basic.words(text) {
		if t.slow.never[word] && t.mode == Slow {
			id, ok := t.TokenToID(word)
			if !ok {
				id = t.vocab.unk
			}
			ids = append(ids, id)
			continue
		}
		ids, _ = t.vocab.pieces(ids, nil, []byte(word))
	}
	return ids
}
