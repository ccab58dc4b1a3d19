package tokenizer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// tokenizerJSON is the file of the Rust library. Parts that differ by type stay raw.
type tokenizerJSON struct {
	Version       *string         `json:"version"`
	Truncation    *truncationJSON `json:"truncation"`
	Padding       *paddingJSON    `json:"padding"`
	AddedTokens   []addedJSON     `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Decoder       json.RawMessage `json:"decoder"`
	Model         json.RawMessage `json:"model"`
}

type truncationJSON struct {
	Direction string `json:"direction"`
}

type paddingJSON struct {
	Direction string `json:"direction"`
	PadID     int32  `json:"pad_id"`
	PadTypeID int32  `json:"pad_type_id"`
	PadToken  string `json:"pad_token"`
}

type addedJSON struct {
	ID int32 `json:"id"`
	AddedToken
}

type normalizerJSON struct {
	Type         string `json:"type"`
	CleanText    bool   `json:"clean_text"`
	ChineseChars bool   `json:"handle_chinese_chars"`
	StripAccents *bool  `json:"strip_accents"`
	Lowercase    bool   `json:"lowercase"`
}

type decoderJSON struct {
	Type    string `json:"type"`
	Prefix  string `json:"prefix"`
	Cleanup bool   `json:"cleanup"`
}

// parseJSON reads the content of a tokenizer.json.
func parseJSON(content []byte) (*Tokenizer, error) {
	var file tokenizerJSON
	if err := unmarshal(content, &file); err != nil {
		return nil, err
	}
	if file.Version != nil && *file.Version != "1.0" {
		return nil, fmt.Errorf("version is %q, want %q", *file.Version, "1.0")
	}
	t := &Tokenizer{settings: defaultSettings()}
	var err error
	if t.vocab, err = parseModel(file.Model); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if err := t.parseNormalizer(file.Normalizer); err != nil {
		return nil, fmt.Errorf("normalizer: %w", err)
	}
	if name, err := typeOf(file.PreTokenizer); err != nil || name != "BertPreTokenizer" {
		return nil, fmt.Errorf("pre_tokenizer: %w", unsupported(name, err, "BertPreTokenizer"))
	}
	if t.template, err = parseTemplate(file.PostProcessor, t.vocab); err != nil {
		return nil, fmt.Errorf("post_processor: %w", err)
	}
	if err := t.parseDecoder(file.Decoder); err != nil {
		return nil, fmt.Errorf("decoder: %w", err)
	}
	if err := t.parseDirections(file); err != nil {
		return nil, err
	}
	t.names.unk = t.vocab.unkToken
	return t, t.parseAdded(file.AddedTokens)
}

// parseAdded takes over the added tokens, whose ids must be those they get here too.
func (t *Tokenizer) parseAdded(list []addedJSON) error {
	next := int32(len(t.vocab.tokens))
	for i, a := range list {
		id, ok := t.vocab.ids[a.Content]
		if !ok {
			id = next
			next++
		}
		if a.ID != id {
			return fmt.Errorf("added_tokens: token %d, %q, has the id %d, but the vocabulary makes it %d; number added tokens from the vocabulary's end without gaps", i+1, a.Content, a.ID, id)
		}
		t.history = append(t.history, a.AddedToken)
	}
	return nil
}

func (t *Tokenizer) parseNormalizer(raw json.RawMessage) error {
	if isNull(raw) {
		no := false
		t.clean, t.chinese, t.strip, t.lower = false, false, &no, false
		return nil
	}
	if name, err := typeOf(raw); err != nil || name != "BertNormalizer" {
		return unsupported(name, err, "BertNormalizer")
	}
	var n normalizerJSON
	if err := unmarshal(raw, &n); err != nil {
		return err
	}
	t.clean, t.chinese, t.strip, t.lower = n.CleanText, n.ChineseChars, n.StripAccents, n.Lowercase
	return nil
}

func (t *Tokenizer) parseDecoder(raw json.RawMessage) error {
	if isNull(raw) {
		return nil
	}
	if name, err := typeOf(raw); err != nil || name != "WordPiece" {
		return unsupported(name, err, "WordPiece")
	}
	var d decoderJSON
	if err := unmarshal(raw, &d); err != nil {
		return err
	}
	t.decoder = decoder{words: true, prefix: d.Prefix, cleanup: d.Cleanup}
	return nil
}

// parseDirections takes over the sides and the padding token. Whether to cut and pad, and
// to what length, is the call's to say, as in transformers.
func (t *Tokenizer) parseDirections(file tokenizerJSON) error {
	direction := func(name, s string) (Side, error) {
		switch s {
		case "", "Right", "right":
			return Right, nil
		case "Left", "left":
			return Left, nil
		}
		return "", fmt.Errorf("%s: direction is %q, want Left or Right", name, s)
	}
	var err error
	if file.Truncation != nil {
		if t.truncationSide, err = direction("truncation", file.Truncation.Direction); err != nil {
			return err
		}
	}
	if p := file.Padding; p != nil {
		if t.paddingSide, err = direction("padding", p.Direction); err != nil {
			return err
		}
		if p.PadToken != "" {
			t.names.pad = p.PadToken
		}
		t.padTypeID = p.PadTypeID
	}
	return nil
}

// parseModel reads a WordPiece model. Its "type" may be missing, as in old files.
func parseModel(raw json.RawMessage) (*vocab, error) {
	var m struct {
		Type     *string         `json:"type"`
		UnkToken *string         `json:"unk_token"`
		Prefix   *string         `json:"continuing_subword_prefix"`
		MaxChars *int            `json:"max_input_chars_per_word"`
		Vocab    json.RawMessage `json:"vocab"`
	}
	if isNull(raw) {
		return nil, fmt.Errorf("is missing, want a WordPiece model")
	}
	if err := unmarshal(raw, &m); err != nil {
		return nil, err
	}
	if m.Type != nil && *m.Type != "WordPiece" {
		return nil, unsupported(*m.Type, nil, "WordPiece")
	}
	if m.UnkToken == nil || m.Prefix == nil || m.MaxChars == nil || isNull(m.Vocab) {
		return nil, fmt.Errorf("lacks a field, want unk_token, continuing_subword_prefix, max_input_chars_per_word and vocab")
	}
	if *m.MaxChars < 0 {
		return nil, fmt.Errorf("max_input_chars_per_word is %d, want 0 or more", *m.MaxChars)
	}
	tokens, err := parseVocabObject(m.Vocab)
	if err != nil {
		return nil, fmt.Errorf("vocab: %w", err)
	}
	return newVocab(tokens, *m.UnkToken, *m.Prefix, *m.MaxChars)
}

// parseVocabObject reads {"token": id, …} entry by entry, so that repeated tokens, which
// a map would swallow, are seen.
func parseVocabObject(raw json.RawMessage) ([]string, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, fmt.Errorf("is %v, want an object of tokens and ids", open)
	}
	var tokens []string
	seen := map[string]bool{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		token, _ := key.(string)
		value, err := d.Token()
		if err != nil {
			return nil, err
		}
		number, ok := value.(json.Number)
		id, err := number.Int64()
		if !ok || err != nil || id < 0 || id > maxID {
			return nil, fmt.Errorf("token %q has the id %v, want a number from 0 to %d", token, value, maxID)
		}
		if token == "" {
			return nil, fmt.Errorf("id %d belongs to the empty token; take it out", id)
		}
		if seen[token] {
			return nil, fmt.Errorf("token %q stands twice; a token has one id", token)
		}
		seen[token] = true
		for int64(len(tokens)) <= id {
			tokens = append(tokens, make([]string, id+1-int64(len(tokens)))...)
		}
		if tokens[id] != "" {
			return nil, fmt.Errorf("id %d belongs to %q and to %q; an id has one token", id, tokens[id], token)
		}
		tokens[id] = token
	}
	return tokens, nil
}

func unsupported(name string, err error, want string) error {
	if err != nil {
		return err
	}
	if name == "" {
		return fmt.Errorf("is missing, want %s, which is what BERT has", want)
	}
	return fmt.Errorf("type %q is not supported, want %s, which is what BERT has", name, want)
}

// typeOf returns the "type" of a tagged object, "" for null.
func typeOf(raw json.RawMessage) (string, error) {
	if isNull(raw) {
		return "", nil
	}
	var tagged struct {
		Type string `json:"type"`
	}
	return tagged.Type, unmarshal(raw, &tagged)
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || bytes.Equal(raw, []byte("null")) }

// unmarshal is json.Unmarshal that says at which byte it stopped.
func unmarshal(content []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(content))
	if err := d.Decode(into); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("not the JSON that is wanted, at byte %d: %w", d.InputOffset(), err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("something follows the JSON, at byte %d", d.InputOffset())
	}
	return nil
}

func sortByID(list []addedJSON) {
	slices.SortFunc(list, func(a, b addedJSON) int { return cmp.Compare(a.ID, b.ID) })
}
