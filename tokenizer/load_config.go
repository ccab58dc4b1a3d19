package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"

	"github.com/go-lxmert/lxmert/internal/plainfile"
)

// configJSON is what of tokenizer_config.json and special_tokens_map.json matters here.
type configJSON struct {
	LowerCase      *bool       `json:"do_lower_case"`
	StripAccents   *bool       `json:"strip_accents"`
	ChineseChars   *bool       `json:"tokenize_chinese_chars"`
	BasicTokenize  *bool       `json:"do_basic_tokenize"`
	NeverSplit     []string    `json:"never_split"`
	ModelMaxLength json.Number `json:"model_max_length"`
	TruncationSide Side        `json:"truncation_side"`
	PaddingSide    Side        `json:"padding_side"`
	specialJSON
	AddedTokens map[string]AddedToken `json:"added_tokens_decoder"`
}

type specialJSON struct {
	Unk        *namedToken  `json:"unk_token"`
	Sep        *namedToken  `json:"sep_token"`
	Pad        *namedToken  `json:"pad_token"`
	Cls        *namedToken  `json:"cls_token"`
	Mask       *namedToken  `json:"mask_token"`
	Additional []namedToken `json:"additional_special_tokens"`
}

// namedToken is a special token: its content alone, or with flags.
type namedToken AddedToken

func (n *namedToken) UnmarshalJSON(content []byte) error {
	if len(content) > 0 && content[0] == '"' {
		n.Special = true
		return json.Unmarshal(content, &n.Content)
	}
	if err := json.Unmarshal(content, (*AddedToken)(n)); err != nil {
		return err
	}
	n.Special = true
	return nil
}

// config is all that the files beside the vocabulary say.
type config struct {
	dir     plainfile.Dir
	main    configJSON
	special specialJSON
	added   map[string]int32
}

// readConfig reads the files beside the vocabulary; those that are missing say nothing.
func readConfig(dir plainfile.Dir) (config, error) {
	c := config{dir: dir}
	for name, into := range map[string]any{configFile: &c.main, specialFile: &c.special, addedFile: &c.added} {
		content, err := dir.Read(name, maxFile)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return config{}, err
		}
		if err := unmarshal(content, into); err != nil {
			return config{}, fmt.Errorf("%s: %w", dir.Path(name), err)
		}
	}
	return c, nil
}

// configure applies the files to a tokenizer that is not built yet.
func (t *Tokenizer) configure(c config) error {
	m := &c.main
	set(&t.lower, m.LowerCase)
	set(&t.chinese, m.ChineseChars)
	set(&t.basic, m.BasicTokenize)
	if m.StripAccents != nil {
		t.strip = m.StripAccents
	}
	t.neverSplit = m.NeverSplit
	var err error
	if t.truncationSide, err = side("truncation_side", m.TruncationSide, t.truncationSide); err == nil {
		t.paddingSide, err = side("padding_side", m.PaddingSide, t.paddingSide)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.dir.Path(configFile), err)
	}
	// Python writes 10^30 for "no limit"; it reads every limit above 10^20 so.
	if n, err := strconv.Atoi(m.ModelMaxLength.String()); err == nil && n > 0 {
		t.modelMaxLength = n
	}
	for _, s := range []specialJSON{c.special, m.specialJSON} {
		setName(&t.names.unk, s.Unk)
		setName(&t.names.sep, s.Sep)
		setName(&t.names.pad, s.Pad)
		setName(&t.names.cls, s.Cls)
		setName(&t.names.mask, s.Mask)
	}
	return t.configureAdded(c)
}

func set[T any](into *T, value *T) {
	if value != nil {
		*into = *value
	}
}

func setName(into *string, token *namedToken) {
	if token != nil && token.Content != "" {
		*into = token.Content
	}
}

// configureAdded takes over the added tokens. Where tokenizer_config.json lists them with
// their flags, added_tokens.json repeats less of the same, and is only checked.
func (t *Tokenizer) configureAdded(c config) error {
	byID := map[int32]AddedToken{}
	for key, a := range c.main.AddedTokens {
		id, err := strconv.ParseInt(key, 10, 32)
		if err != nil || id < 0 {
			return fmt.Errorf("%s: added_tokens_decoder: %q is not an id", c.dir.Path(configFile), key)
		}
		byID[int32(id)] = a
	}
	special := map[string]AddedToken{}
	for _, s := range []specialJSON{c.special, c.main.specialJSON} {
		for _, n := range s.Additional {
			special[n.Content] = AddedToken(n)
		}
		for _, n := range []*namedToken{s.Unk, s.Sep, s.Pad, s.Cls, s.Mask} {
			if n != nil {
				special[n.Content] = AddedToken(*n)
			}
		}
	}
	for content, id := range c.added {
		if a, ok := byID[id]; ok {
			if a.Content != content {
				return fmt.Errorf("%s: id %d is %q, but %q in %s", c.dir.Path(addedFile), id, content, a.Content, configFile)
			}
			continue
		}
		a, ok := special[content]
		if !ok {
			a = AddedToken{Content: content, Normalized: true}
		}
		byID[id] = a
	}
	ids := map[string]int32{} // as they will come out
	next := int32(len(t.vocab.tokens))
	assign := func(content string) int32 {
		id, ok := ids[content]
		if !ok {
			if id, ok = t.vocab.ids[content]; !ok {
				id = next
				next++
			}
			ids[content] = id
		}
		return id
	}
	for _, a := range t.history {
		assign(a.Content)
	}
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		a := byID[id]
		if got := assign(a.Content); got != id {
			return fmt.Errorf("%s: added token %q has the id %d, but the vocabulary makes it %d; number added tokens from the vocabulary's end without gaps", c.dir, a.Content, id, got)
		}
		t.history = append(t.history, a)
	}
	// Additional special tokens that no list of added tokens has are added last.
	for _, s := range []specialJSON{c.special, c.main.specialJSON} {
		for _, n := range s.Additional {
			if _, ok := ids[n.Content]; !ok {
				assign(n.Content)
				t.history = append(t.history, AddedToken(n))
			}
		}
	}
	return nil
}
