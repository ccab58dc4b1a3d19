package tokenizer

import (
	"encoding/json"
	"fmt"
)

type templateJSON struct {
	Single        []pieceJSON                 `json:"single"`
	Pair          []pieceJSON                 `json:"pair"`
	SpecialTokens map[string]specialTokenJSON `json:"special_tokens"`
}

// pieceJSON is {"Sequence": …} or {"SpecialToken": …}.
type pieceJSON struct {
	Sequence     *placeJSON `json:"Sequence,omitempty"`
	SpecialToken *placeJSON `json:"SpecialToken,omitempty"`
}

type placeJSON struct {
	ID     string `json:"id"`
	TypeID int32  `json:"type_id"`
}

type specialTokenJSON struct {
	ID     string   `json:"id"`
	IDs    []int32  `json:"ids"`
	Tokens []string `json:"tokens"`
}

// parseTemplate reads a post_processor: where the special tokens go.
func parseTemplate(raw json.RawMessage, v *vocab) (template, error) {
	name, err := typeOf(raw)
	switch {
	case err != nil:
		return template{}, err
	case isNull(raw):
		return plainTemplate(), nil
	case name == "BertProcessing":
		return parseBertProcessing(raw)
	case name != "TemplateProcessing":
		return template{}, unsupported(name, nil, "TemplateProcessing or BertProcessing")
	}
	var file templateJSON
	if err := unmarshal(raw, &file); err != nil {
		return template{}, err
	}
	var t template
	if t.single, err = file.pieces(file.Single); err != nil {
		return template{}, fmt.Errorf("single: %w", err)
	}
	if t.pair, err = file.pieces(file.Pair); err != nil {
		return template{}, fmt.Errorf("pair: %w", err)
	}
	return t, t.check()
}

func (file *templateJSON) pieces(list []pieceJSON) ([]piece, error) {
	var pieces []piece
	for i, p := range list {
		switch {
		case p.Sequence != nil && p.SpecialToken == nil:
			sequence := map[string]int{"A": 0, "B": 1}
			n, ok := sequence[p.Sequence.ID]
			if !ok {
				return nil, fmt.Errorf("piece %d: sequence is %q, want A or B", i+1, p.Sequence.ID)
			}
			pieces = append(pieces, piece{n, 0, p.Sequence.TypeID})
		case p.SpecialToken != nil && p.Sequence == nil:
			token, ok := file.SpecialTokens[p.SpecialToken.ID]
			if !ok {
				return nil, fmt.Errorf("piece %d: %q is not among special_tokens", i+1, p.SpecialToken.ID)
			}
			for _, id := range token.IDs {
				if id < 0 {
					return nil, fmt.Errorf("special token %q has the id %d, want 0 or more", p.SpecialToken.ID, id)
				}
				pieces = append(pieces, piece{-1, id, p.SpecialToken.TypeID})
			}
		default:
			return nil, fmt.Errorf("piece %d is neither a Sequence nor a SpecialToken", i+1)
		}
	}
	return pieces, nil
}

// parseBertProcessing reads {"sep": ["[SEP]", 102], "cls": ["[CLS]", 101]}.
func parseBertProcessing(raw json.RawMessage) (template, error) {
	var file struct{ Sep, Cls []json.RawMessage }
	if err := unmarshal(raw, &file); err != nil {
		return template{}, err
	}
	id := func(name string, pair []json.RawMessage) (int32, error) {
		var n int32
		if len(pair) != 2 {
			return 0, fmt.Errorf("%s has %d elements, want a token and its id", name, len(pair))
		}
		if err := unmarshal(pair[1], &n); err != nil || n < 0 {
			return 0, fmt.Errorf("%s: id is %s, want a number from 0 on", name, pair[1])
		}
		return n, nil
	}
	sep, err := id("sep", file.Sep)
	if err != nil {
		return template{}, err
	}
	cls, err := id("cls", file.Cls)
	return bertTemplate(cls, sep), err
}
