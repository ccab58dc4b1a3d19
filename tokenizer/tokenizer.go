package tokenizer

import (
	"fmt"
	"slices"
)

// Mode says which reference a tokenizer follows where they differ.
type Mode int

const (
	Fast     Mode = iota // LxmertTokenizerFast: the Rust library tokenizers 0.23
	Slow                 // LxmertTokenizer: Python, transformers 4.40
	Original             // airsplay/lxmert: src/lxrt/tokenization.py and entry.py
)

func (m Mode) String() string {
	switch m {
	case Fast:
		return "fast"
	case Slow:
		return "slow"
	case Original:
		return "original"
	}
	return fmt.Sprintf("Mode(%d)", int(m))
}

// ParseMode is the inverse of Mode.String.
func ParseMode(s string) (Mode, error) {
	for m := Fast; m <= Original; m++ {
		if s == m.String() {
			return m, nil
		}
	}
	return 0, fmt.Errorf("tokenizer mode %q is unknown, want %v, %v or %v", s, Fast, Slow, Original)
}

// Special are the ids of the special tokens; -1 where the vocabulary has none.
type Special struct{ Unk, Sep, Pad, Cls, Mask int32 }

// specialNames are their spellings.
type specialNames struct{ unk, sep, pad, cls, mask string }

var bertNames = specialNames{"[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"}

// all lists the special tokens in the order in which Python adds them.
func (n specialNames) all() []string { return []string{n.unk, n.sep, n.pad, n.cls, n.mask} }

// settings are what a constructor of the reference can be told.
type settings struct {
	mode           Mode
	lower          bool
	strip          *bool // nil: as lower
	chinese        bool
	clean          bool // fast only
	basic          bool // slow only: do_basic_tokenize
	neverSplit     []string
	names          specialNames
	truncationSide Side
	paddingSide    Side
	modelMaxLength int // 0: not known
	padTypeID      int32
}

func defaultSettings() settings {
	return settings{lower: true, chinese: true, clean: true, basic: true, names: bertNames}
}

// stripAccents says whether accents go, as the Rust library resolves it.
func (s *settings) stripAccents() bool {
	if s.strip != nil {
		return *s.strip
	}
	return s.lower
}

// An Option sets what a constructor of the reference can be told.
type Option func(*settings)

// WithMode chooses the reference to follow; Fast is the default.
func WithMode(m Mode) Option { return func(s *settings) { s.mode = m } }

// WithLowerCase is do_lower_case; true is the default.
func WithLowerCase(on bool) Option { return func(s *settings) { s.lower = on } }

// WithStripAccents is strip_accents. Without it, accents go where text is lower-cased.
func WithStripAccents(on bool) Option { return func(s *settings) { s.strip = &on } }

// WithChineseChars is tokenize_chinese_chars: every Chinese character is a word; true is
// the default.
func WithChineseChars(on bool) Option { return func(s *settings) { s.chinese = on } }

// WithNeverSplit is never_split: words that are kept as they are. Only in slow mode.
func WithNeverSplit(words ...string) Option {
	return func(s *settings) { s.neverSplit = slices.Clone(words) }
}

// WithBasicTokenize is do_basic_tokenize: without it, text is split at white space only.
// It can be turned off only in slow mode.
func WithBasicTokenize(on bool) Option { return func(s *settings) { s.basic = on } }

// check refuses what the mode's reference does not have.
func (s *settings) check() error {
	if s.mode < Fast || s.mode > Original {
		return fmt.Errorf("tokenizer mode is %v, want %v, %v or %v", s.mode, Fast, Slow, Original)
	}
	if s.mode != Slow && len(s.neverSplit) > 0 {
		return fmt.Errorf("never_split is set, but %v mode has none; use slow mode", s.mode)
	}
	if s.mode != Slow && !s.basic {
		return fmt.Errorf("do_basic_tokenize is off, but %v mode always does it; use slow mode", s.mode)
	}
	if s.mode == Original && (s.strip != nil || !s.chinese) {
		return fmt.Errorf("strip_accents or tokenize_chinese_chars is set, but the original repository has no such options; use slow or fast mode")
	}
	return nil
}

// Tokenizer turns text into ids and back. It does not change once made: AddTokens and With
// return another one, which shares its vocabulary.
type Tokenizer struct {
	settings
	vocab    *vocab
	template template
	decoder  decoder
	history  []AddedToken // every token added, in order, the special ones first
	added    addedTokens
	special  Special

	normalizer normalizer // fast mode
	slow       *slow      // slow and original mode
}

// build completes a tokenizer from its vocabulary, settings and history.
func (t *Tokenizer) build() error {
	if err := t.check(); err != nil {
		return err
	}
	if t.mode != Fast {
		t.history = t.withSpecials()
	}
	if t.mode == Fast {
		t.normalizer = newNormalizer(t.clean, t.chinese, t.stripAccents(), t.lower)
	}
	if err := t.addAll(); err != nil {
		return err
	}
	id := func(name string) int32 {
		if id, ok := t.TokenToID(name); ok {
			return id
		}
		return -1
	}
	t.special = Special{id(t.names.unk), id(t.names.sep), id(t.names.pad), id(t.names.cls), id(t.names.mask)}
	if t.mode != Fast {
		if t.special.Cls < 0 || t.special.Sep < 0 {
			return fmt.Errorf("the vocabulary has no %q or no %q, which %v mode puts around every text", t.names.cls, t.names.sep, t.mode)
		}
		t.slow = newSlow(t)
		return nil
	}
	for _, p := range slices.Concat(t.template.single, t.template.pair) {
		if _, ok := t.IDToToken(p.id); p.sequence < 0 && !ok {
			return fmt.Errorf("post_processor: puts in the id %d, which no token has", p.id)
		}
	}
	return nil
}

// withSpecials is the history with all special tokens of the vocabulary: Python adds them
// whether a file lists them or not.
func (t *Tokenizer) withSpecials() []AddedToken {
	history := slices.Clone(t.history)
	for _, name := range t.names.all() {
		_, known := t.vocab.ids[name]
		if known && !slices.ContainsFunc(history, func(a AddedToken) bool { return a.Content == name }) {
			history = append(history, AddedToken{Content: name, Special: true})
		}
	}
	return history
}

// With returns a tokenizer with the same vocabulary and added tokens, and other options.
func (t *Tokenizer) With(opts ...Option) (*Tokenizer, error) {
	other := *t
	for _, o := range opts {
		o(&other.settings)
	}
	if err := other.build(); err != nil {
		return nil, err
	}
	return &other, nil
}

// Mode returns the reference this tokenizer follows.
func (t *Tokenizer) Mode() Mode { return t.mode }

// Special returns the ids of the special tokens.
func (t *Tokenizer) Special() Special { return t.special }

// VocabSize returns the number of tokens, the added ones included: the rows a model's word
// embeddings need, if the vocabulary leaves no holes.
func (t *Tokenizer) VocabSize() int { return len(t.vocab.ids) + t.added.beyond }

// TokenToID returns the id of a token of the vocabulary or an added one.
func (t *Tokenizer) TokenToID(token string) (int32, bool) {
	if id, ok := t.added.ids[token]; ok {
		return id, true
	}
	id, ok := t.vocab.ids[token]
	return id, ok
}

// IDToToken returns the token with this id. In fast mode an added token is shown in its
// normal form, as the reference shows it.
func (t *Tokenizer) IDToToken(id int32) (string, bool) {
	if i, ok := t.added.byID[id]; ok {
		return t.added.tokens[i].shown, true
	}
	token := t.vocab.token(id)
	return token, token != ""
}
