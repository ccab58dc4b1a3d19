package hf

import (
	"errors"
	"net/http"
	"strings"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/serve/wire"
)

// filled is a word in the place of a mask.
type filled struct {
	Score    float32 `json:"score"`
	Token    int     `json:"token"`
	TokenStr string  `json:"token_str"`
	Sequence string  `json:"sequence"`
}

// fillMask fills in masked words of a text, or of a list of texts; about a picture if there is one. The answer is as transformers' pipeline gives it: a
// list of words for a text with one mask, a list of such lists for one with several; and of those a list for several texts.
func (a *api) fillMask(r *http.Request, card service.Card, in *request) (any, error) {
	texts, _, err := in.texts()
	if err != nil {
		return nil, err
	}
	if err := a.checkTexts(texts); err != nil {
		return nil, err
	}
	top, err := in.top()
	if err != nil {
		return nil, err
	}
	targets := in.targets()
	var sight *service.Sight
	if picture, err := in.picture(r.Context(), a.service, "image", nil); err != nil {
		return nil, err
	} else if picture != nil {
		if sight, err = a.service.See(r.Context(), card.ID, *picture); err != nil {
			return nil, err
		}
	}
	all, words := make([]any, len(texts)), 0
	for i, text := range texts {
		masks, err := a.fill(r, card, sight, text, top, targets)
		if err != nil {
			return nil, err
		}
		if words += len(masks) * len(masks[0]); words > service.MaxFilled {
			return nil, tooMany("inputs: the answer would have more than %d words: send fewer texts, or ask for fewer words", service.MaxFilled)
		}
		if all[i] = masks; len(masks) == 1 {
			all[i] = masks[0]
		}
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return all, nil
}

// fill fills in one text: a list for each mask.
func (a *api) fill(r *http.Request, card service.Card, sight *service.Sight, text string, top int, targets []string) ([][]filled, error) {
	var found [][]lxmert.Filled
	var err error
	if targets == nil {
		found, err = a.service.FillMask(r.Context(), card.ID, sight, text, top)
	} else {
		found, err = a.service.FillMaskWith(r.Context(), card.ID, sight, text, targets)
	}
	if errors.Is(err, lxmert.ErrNoWord) { // transformers takes the word's first piece for it, which is another word
		err = wire.Field("targets", err)
	}
	if err != nil {
		return nil, err
	}
	masks := make([][]filled, len(found))
	for i, words := range found {
		masks[i] = make([]filled, min(top, len(words)))
		for k, w := range words[:len(masks[i])] {
			masks[i][k] = filled{w.Probability, w.ID, w.Token, w.Sequence}
		}
	}
	return masks, nil
}

// targets are the words that alone may fill a mask, without the blanks around them; nil for any.
func (in *request) targets() []string {
	given := in.Parameters.Targets
	if given == nil {
		given = in.Targets
	}
	if given == nil {
		return nil
	}
	words := make([]string, len(given))
	for i, word := range given {
		words[i] = strings.TrimSpace(word)
	}
	return words
}

// checkTexts refuses none, and too many.
func (a *api) checkTexts(texts []string) error {
	if len(texts) == 0 {
		return service.Invalidf("inputs: found an empty list, want one text or more")
	}
	if most := a.service.Limits().MaxQuestions; len(texts) > most {
		return tooMany("inputs: found %d texts, want at most %d in one request", len(texts), most)
	}
	return nil
}
