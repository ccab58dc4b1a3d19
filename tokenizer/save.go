package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
)

// Save writes the tokenizer into dir as transformers' save_pretrained does: vocab.txt,
// tokenizer.json, tokenizer_config.json, special_tokens_map.json and, if tokens were
// added, added_tokens.json. Load reads the same tokenizer back, in any mode; so does
// LxmertTokenizerFast or LxmertTokenizer. Each file is replaced whole or not at all.
//
// A vocabulary with holes cannot be written as lines, and is an error.
func (t *Tokenizer) Save(dir string) error {
	files, err := t.files()
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if f.content == nil {
			// An old list of added tokens would give this tokenizer tokens it does not have.
			if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
				return err
			}
			continue
		}
		if err := atomicfile.WriteBytes(path, 0o666, f.content); err != nil {
			return err
		}
	}
	return nil
}

type file struct {
	name    string
	content []byte // nil: there must be no such file
}

// files renders every file. The configuration comes last, so that a reader that finds it
// finds what it speaks of.
func (t *Tokenizer) files() ([]file, error) {
	var lines bytes.Buffer
	for id, token := range t.vocab.tokens {
		if token == "" {
			return nil, fmt.Errorf("id %d has no token, which a vocab.txt cannot say; give it one", id)
		}
		lines.WriteString(token)
		lines.WriteByte('\n')
	}
	model, err := t.modelJSON()
	if err != nil {
		return nil, err
	}
	added, err := t.addedJSON()
	if err != nil {
		return nil, err
	}
	special, err := indented(t.specialMap())
	if err != nil {
		return nil, err
	}
	config, err := indented(t.configMap())
	if err != nil {
		return nil, err
	}
	return []file{{vocabFile, lines.Bytes()}, {jsonFile, model}, {addedFile, added}, {specialFile, special}, {configFile, config}}, nil
}

// plainJSON renders v without escaping what HTML would need escaped.
func plainJSON(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	err := e.Encode(v)
	return b.Bytes(), err
}

func indented(v any) ([]byte, error) { return plainJSON(v, "  ") }

// modelJSON renders tokenizer.json.
func (t *Tokenizer) modelJSON() ([]byte, error) {
	var vocab bytes.Buffer // by id, as the reference orders it
	vocab.WriteByte('{')
	for id, token := range t.vocab.tokens {
		name, err := plainJSON(token, "")
		if err != nil {
			return nil, err
		}
		if id > 0 {
			vocab.WriteByte(',')
		}
		fmt.Fprintf(&vocab, "%s:%d", bytes.TrimSpace(name), id)
	}
	vocab.WriteByte('}')
	added := make([]addedJSON, len(t.added.tokens))
	for i, a := range t.added.tokens {
		added[i] = addedJSON{a.id, a.AddedToken}
	}
	sortByID(added)
	var decoder any
	if t.decoder.words {
		decoder = decoderJSON{"WordPiece", t.decoder.prefix, t.decoder.cleanup}
	}
	return indented(struct {
		Version       string          `json:"version"`
		Truncation    any             `json:"truncation"`
		Padding       any             `json:"padding"`
		AddedTokens   []addedJSON     `json:"added_tokens"`
		Normalizer    normalizerJSON  `json:"normalizer"`
		PreTokenizer  any             `json:"pre_tokenizer"`
		PostProcessor any             `json:"post_processor"`
		Decoder       any             `json:"decoder"`
		Model         json.RawMessage `json:"model"`
	}{
		Version: "1.0", AddedTokens: added,
		Normalizer:    normalizerJSON{"BertNormalizer", t.clean, t.chinese, t.strip, t.lower},
		PreTokenizer:  map[string]string{"type": "BertPreTokenizer"},
		PostProcessor: t.templateJSON(),
		Decoder:       decoder,
		Model: fmt.Appendf(nil, `{"type":"WordPiece","unk_token":%s,"continuing_subword_prefix":%s,"max_input_chars_per_word":%d,"vocab":%s}`,
			quoteJSON(t.vocab.unkToken), quoteJSON(t.vocab.prefix), t.vocab.maxChars, vocab.Bytes()),
	})
}

func quoteJSON(s string) []byte {
	quoted, _ := plainJSON(s, "") // a string always has a JSON form
	return bytes.TrimSpace(quoted)
}

func (t *Tokenizer) templateJSON() any {
	special := map[string]specialTokenJSON{}
	render := func(pieces []piece) []pieceJSON {
		out := make([]pieceJSON, len(pieces))
		for i, p := range pieces {
			if p.sequence >= 0 {
				out[i].Sequence = &placeJSON{string(rune('A' + p.sequence)), p.typeID}
				continue
			}
			token, _ := t.IDToToken(p.id)
			special[token] = specialTokenJSON{token, []int32{p.id}, []string{token}}
			out[i].SpecialToken = &placeJSON{token, p.typeID}
		}
		return out
	}
	single, pair := render(t.template.single), render(t.template.pair)
	return struct {
		Type string `json:"type"`
		templateJSON
	}{"TemplateProcessing", templateJSON{single, pair, special}}
}

// addedJSON renders added_tokens.json: the tokens whose ids come after the vocabulary's.
func (t *Tokenizer) addedJSON() ([]byte, error) {
	added := map[string]int32{}
	for _, a := range t.added.tokens {
		if int(a.id) >= len(t.vocab.tokens) {
			added[a.Content] = a.id
		}
	}
	if len(added) == 0 {
		return nil, nil
	}
	return indented(added)
}

// specialMap is the content of special_tokens_map.json.
func (t *Tokenizer) specialMap() map[string]any {
	m := map[string]any{}
	var additional []string
	named := map[string]bool{}
	for key, name := range map[string]string{
		"unk_token": t.names.unk, "sep_token": t.names.sep, "pad_token": t.names.pad,
		"cls_token": t.names.cls, "mask_token": t.names.mask,
	} {
		if _, ok := t.TokenToID(name); ok {
			m[key], named[name] = name, true
		}
	}
	for _, a := range t.added.tokens {
		if a.Special && !named[a.Content] {
			additional = append(additional, a.Content)
		}
	}
	if additional != nil {
		m["additional_special_tokens"] = additional
	}
	return m
}

// configMap is the content of tokenizer_config.json.
func (t *Tokenizer) configMap() map[string]any {
	m := t.specialMap()
	m["tokenizer_class"] = "LxmertTokenizer"
	m["do_lower_case"] = t.lower
	m["strip_accents"] = t.strip
	m["tokenize_chinese_chars"] = t.chinese
	m["clean_up_tokenization_spaces"] = true
	if !t.basic {
		m["do_basic_tokenize"] = false
	}
	if len(t.neverSplit) > 0 {
		m["never_split"] = t.neverSplit
	}
	if t.modelMaxLength > 0 {
		m["model_max_length"] = t.modelMaxLength
	}
	if t.truncationSide == Left {
		m["truncation_side"] = Left
	}
	if t.paddingSide == Left {
		m["padding_side"] = Left
	}
	added := map[string]AddedToken{}
	for _, a := range t.added.tokens {
		added[strconv.Itoa(int(a.id))] = a.AddedToken
	}
	m["added_tokens_decoder"] = added
	return m
}
