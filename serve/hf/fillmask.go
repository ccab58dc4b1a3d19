package hf

import (
	"net/http"
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/serve/service"
)

// mostWords that may be asked for in place of a mask.
const mostWords = 1000

// filled is a word in the place of a mask.
type filled struct {
	Score    float32 `json:"score"`
	Token    int     `json:"token"`
	TokenStr string  `json:"token_str"`
	Sequence string  `json:"sequence"`
}

// fillMask fills in masked words of a text, or of a list of texts; about a picture if there is one. The answer is as transformers' pipeline gives it: a list of words for a
// text with one mask, a list of such lists for one with several; and of those a list for several texts.
func (a *api) fillMask(r *http.Request, card service.Card, in *request) (any, error) {
	texts, _, err := in.texts()
	if err != nil {
		return nil, err
	}
	if err := a.checkTexts(texts); err != nil {
		return nil, err
	}
	top, err := in.top(mostWords)
	if err != nil {
		return nil, err
	}
	targets := in.Parameters.Targets
	if targets == nil {
		targets = in.Targets
	}
	var sight *service.Sight
	if picture, err := in.picture(r.Context(), a.service, "image", nil); err != nil {
		return nil, err
	} else if picture != nil {
		if sight, err = a.service.See(r.Context(), card.ID, *picture); err != nil {
			return nil, err
		}
	}
	all := make([]any, len(texts))
	for i, text := range texts {
		masks, err := a.fill(r, card, sight, text, top, targets)
		if err != nil {
			return nil, err
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
	ask := top
	if targets != nil {
		ask = card.Vocabulary
	}
	found, err := a.service.FillMask(r.Context(), card.ID, sight, text, ask)
	if err != nil {
		return nil, err
	}
	masks := make([][]filled, len(found))
	for i, words := range found {
		if targets != nil {
			if words, err = only(words, targets); err != nil {
				return nil, err
			}
		}
		masks[i] = make([]filled, min(top, len(words)))
		for k, w := range words[:len(masks[i])] {
			masks[i][k] = filled{w.Probability, w.ID, w.Token, w.Sequence}
		}
	}
	return masks, nil
}

// only are the words that are among the targets. A target that is no word of the vocabulary is refused: transformers takes its first piece for it, which is another word.
func only(words []lxmert.Filled, targets []string) ([]lxmert.Filled, error) {
	wanted := map[string]bool{}
	for _, target := range targets {
		target = strings.TrimSpace(target)
		if !slices.ContainsFunc(words, func(w lxmert.Filled) bool { return w.Token == target }) {
			lower := strings.ToLower(target)
			if !slices.ContainsFunc(words, func(w lxmert.Filled) bool { return w.Token == lower }) {
				return nil, service.Invalidf("targets: %.60q is no word of the model's vocabulary", target)
			}
			target = lower
		}
		wanted[target] = true
	}
	return slices.DeleteFunc(words, func(w lxmert.Filled) bool { return !wanted[w.Token] }), nil
}

// checkTexts refuses none, and too many.
func (a *api) checkTexts(texts []string) error {
	if len(texts) == 0 {
		return service.Invalidf("inputs: found an empty list, want one text or more")
	}
	if most := a.service.Limits().MaxQuestions; len(texts) > most {
		return &service.Error{Kind: service.TooLarge, Code: "too_many", Message: "inputs: too many texts in one request"}
	}
	return nil
}
