package hf

import (
	"math"
	"net/http"

	"github.com/go-lxmert/lxmert/serve/service"
)

// featureExtraction turns texts into vectors; together with a picture if there is one.
//
// The published schema, and what clients make of it, is one vector for each text, [texts][hidden]: here the pooled output, as it is, or of length one if
// normalize is true. What transformers' pipeline of the same name gives, a vector for each token, [texts][tokens][hidden], is there with the parameter
// pooling "none".
func (a *api) featureExtraction(r *http.Request, card service.Card, in *request) (any, error) {
	texts, _, err := in.texts()
	if err != nil {
		return nil, err
	}
	if err := a.checkTexts(texts); err != nil {
		return nil, err
	}
	o, err := in.vectors(card)
	if err != nil {
		return nil, err
	}
	var sight *service.Sight
	if picture, err := in.picture(r.Context(), a.service, "image", nil); err != nil {
		return nil, err
	} else if picture != nil {
		sight, err = a.service.See(r.Context(), card.ID, *picture)
		if err != nil {
			return nil, err
		}
	} else if sight, err = a.service.NoPicture(card.ID); err != nil {
		return nil, err
	}
	if !o.tokens {
		vectors, err := a.service.Embed(r.Context(), card.ID, sight, texts)
		if err != nil {
			return nil, err
		}
		if o.normalize {
			normalize(vectors)
		}
		return vectors, nil
	}
	if err := a.checkNumbers(card, texts); err != nil {
		return nil, err
	}
	all := make([][][]float32, len(texts))
	for i, text := range texts {
		if all[i], err = a.service.HiddenStates(r.Context(), card.ID, sight, text); err != nil {
			return nil, err
		}
		if o.normalize {
			normalize(all[i])
		}
	}
	return all, nil
}

// mostNumbers of an answer, which are 12 bytes each.
const mostNumbers = 2 << 20

// checkNumbers refuses texts whose tokens' vectors are too many numbers.
func (a *api) checkNumbers(card service.Card, texts []string) error {
	tokens := 0
	for _, text := range texts {
		n, err := a.service.CountTokens(card.ID, text)
		if err != nil {
			return err
		}
		tokens += n
	}
	if most := mostNumbers / card.Hidden; tokens > most {
		return tooMany("inputs: the texts have %d tokens, want at most %d in one request: send fewer", tokens, most)
	}
	return nil
}

// vectorOptions are of which kind vectors are.
type vectorOptions struct{ tokens, normalize bool }

// vectors are the parameters, of which clients have more than there is a meaning for.
func (in *request) vectors(card service.Card) (o vectorOptions, err error) {
	if n := first(in.Parameters.Normalize, in.Normalize); n != nil {
		o.normalize = *n
	}
	if p := first(in.Parameters.Pooling, in.Pooling); p != nil {
		switch *p {
		case "cls":
		case "none":
			o.tokens = true
		default:
			return o, service.Invalidf(`pooling: found %.40q, want "cls" or "none"`, *p)
		}
	}
	if n := first(in.Parameters.Dimensions, in.Dimensions); n != nil && *n != card.Hidden {
		return o, unsupported("dimensions: found %d, but vectors of model %s have %d", *n, card.ID, card.Hidden)
	}
	if f := first(in.Parameters.EncodingFormat, in.EncodingFormat); f != nil && *f != "float" {
		return o, unsupported(`encoding_format: found %.40q, want "float"`, *f)
	}
	if p := first(in.Parameters.PromptName, in.PromptName); p != nil {
		return o, unsupported("prompt_name: model %s has no prompts", card.ID)
	}
	return o, nil
}

// normalize makes each vector's length one; that of zeros stays.
func normalize(vectors [][]float32) {
	for _, v := range vectors {
		var sum float64
		for _, x := range v {
			sum += float64(x) * float64(x)
		}
		if sum == 0 {
			continue
		}
		scale := 1 / math.Sqrt(sum)
		for i, x := range v {
			v[i] = float32(float64(x) * scale)
		}
	}
}
