// Package explain says why the model answers as it does: how far each word of the question and each region of the picture has counted for an answer.
//
//	e, err := explain.Relevance(ctx, m, regions, "What color is the car?", explain.Options{})
//	for i, region := range e.TopRegions(3) {
//		fmt.Println(i+1, region, e.RegionScores[region])
//	}
//
// The method is that of Chefer, Gur and Wolf, "Generic Attention-model Explainability for Interpreting Bi-Modal and Encoder-Decoder Transformers" (ICCV
// 2021), whose example LXMERT is: attentions, weighed by their gradients, are followed through all layers. What the paper compares it with is here too
// ([Methods]), and every attention of the network by name ([Options].Maps). Package show draws explanations.
package explain

import (
	"context"
	"errors"

	"github.com/go-lxmert/lxmert"
)

// Token is a piece of the question, with the bytes of the question that it stands for.
type Token struct {
	Text    string `json:"text"` // of the vocabulary: "##s" goes on with the word before it
	Start   int    `json:"start"`
	End     int    `json:"end"`
	Special bool   `json:"special"` // [CLS] or [SEP], whose Start and End are 0
}

// Answer is an answer of the model's.
type Answer struct {
	ID          int     `json:"id"`
	Text        string  `json:"answer"`
	Score       float32 `json:"score"`       // the logit
	Probability float32 `json:"probability"` // the softmax over all answers
}

// Explanation is why the model gives an answer, or how near it came to give it. It is plain data: its JSON is that of the server's API.
type Explanation struct {
	Question string `json:"question"`
	Method   Method `json:"method"`
	Layer    *int   `json:"layer,omitempty"` // of MethodAttention: which cross-modality layer it is of
	Head     *int   `json:"head,omitempty"`  // of MethodAttention: which head; nil: their mean
	Answer   Answer `json:"answer"`          // the one that is explained

	Tokens []Token `json:"tokens"`
	// TokenScores [tokens] and RegionScores [regions] are how far each has counted, 0 or more: what the first token, from which the answer is
	// read, draws on. That token itself has 0. Of different methods they are not comparable, nor of different questions.
	TokenScores  []float32 `json:"token_scores"`
	RegionScores []float32 `json:"region_scores"`
	// TokenShades and RegionShades are the same for the eye, in 0..1: each less the lowest, divided by the highest less the lowest; all 0 where
	// none is higher. [CLS] and [SEP] have 0, and of the tokens' lowest that counts as one: a least word is not nothing.
	TokenShades  []float32 `json:"token_shades"`
	RegionShades []float32 `json:"region_shades"`
	Matrices     Matrices  `json:"matrices"`
	Maps         []Map     `json:"maps,omitempty"`

	// Answers are all of them, the best first; not in JSON.
	Answers []Answer `json:"-"`
}

// Matrices say what each token and each region draws on: a row each. With relevance they hold the 1 with which each begins as itself.
type Matrices struct {
	TokenToken   [][]float32 `json:"token_token"`   // [tokens][tokens]
	TokenRegion  [][]float32 `json:"token_region"`  // [tokens][regions]
	RegionToken  [][]float32 `json:"region_token"`  // [regions][tokens]; nil where the method has none
	RegionRegion [][]float32 `json:"region_region"` // [regions][regions]; nil where the method has none
}

// Relevance asks the question and explains the answer, or the one that the options name. The error is [lxmert.Model.Attend]'s, or says which option is wrong.
func Relevance(ctx context.Context, m *lxmert.Model, regions lxmert.Regions, question string, o Options) (*Explanation, error) {
	if m == nil {
		return nil, errors.New("explain.Relevance: want a model, found nil")
	}
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	if o.Method == MethodAttention {
		config := m.Config()
		if _, _, err := o.raw(config.CrossLayers, config.NumAttentionHeads); err != nil {
			return nil, err
		}
	}
	answer := lxmert.BestAnswer
	if o.Answer != nil {
		answer = *o.Answer
	}
	attended, err := m.Attend(ctx, regions, question, answer)
	if err != nil {
		return nil, err
	}
	return Of(attended, o)
}

// Of explains what the model has attended to; several methods can be had of one pass. The option Answer means nothing here: it was chosen
// at [lxmert.Model.Attend].
func Of(a *lxmert.Attended, o Options) (*Explanation, error) {
	if a == nil || a.Output == nil {
		return nil, errors.New("explain.Of: want what Attend gives, found nil")
	}
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	n, err := readNetwork(a.Output, len(a.Tokens), a.Regions)
	if err != nil {
		return nil, err
	}
	e := &Explanation{Question: a.Question, Method: o.Method, Answer: Answer(a.Target)}
	for _, answer := range a.Answers {
		e.Answers = append(e.Answers, Answer(answer))
	}
	for _, token := range a.Tokens {
		e.Tokens = append(e.Tokens, Token(token))
	}
	var s state
	switch o.Method {
	case MethodUnnormalised:
		s = n.relevance(unnormalised, nil)
	case MethodNoSelf:
		s = n.relevance(withoutSelf, nil)
	case MethodRawAttention:
		s = n.rawAttention(len(n.cross)-1, -1)
	case MethodRollout:
		s = n.rollout()
	case MethodGradCAM:
		s = n.attentionGradCAM()
	case MethodAttention:
		layer, head, err := o.raw(len(n.cross), n.heads())
		if err != nil {
			return nil, err
		}
		s = n.rawAttention(layer, head)
		e.Layer, e.Head = &layer, o.Head
	default:
		s = n.relevance(normalised, nil)
	}
	e.read(s)
	e.Maps = n.maps(o.Maps)
	return e, nil
}

// read takes scores and matrices from the end of the method: the answer is read from the first token, which is no reason for itself.
func (e *Explanation) read(s state) {
	s.tt = s.tt.clone()
	s.tt.v[0] = 0
	e.Matrices = Matrices{s.tt.floats(), s.ti.floats(), s.it.floats(), s.ii.floats()}
	e.TokenScores, e.RegionScores = float32s(s.tt.row(0)), float32s(s.ti.row(0))
	words := make([]float64, len(e.Tokens)) // special tokens stay 0
	for i, token := range e.Tokens {
		if !token.Special {
			words[i] = s.tt.row(0)[i]
		}
	}
	e.TokenShades, e.RegionShades = float32s(minMax(words)), float32s(minMax(s.ti.row(0)))
}

// minMax stretches values to 0..1; they are all 0 where none is higher than another. There may be none.
func minMax(values []float64) []float64 {
	shades := make([]float64, len(values))
	lowest, highest := values[0], values[0]
	for _, x := range values {
		lowest, highest = min(lowest, x), max(highest, x)
	}
	if highest == lowest {
		return shades
	}
	for i, x := range values {
		shades[i] = (x - lowest) / (highest - lowest)
	}
	return shades
}
