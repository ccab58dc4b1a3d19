package lxmert

import (
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// BestAnswer, as the answer to explain, is the one that the model gives.
const BestAnswer = model.BestAnswer

// Token is a piece of a question as the model reads it.
type Token struct {
	Text       string // of the vocabulary: "##s" goes on with the word before it
	Start, End int    // bytes of the question; 0 and 0 of special tokens, and where the tokenizer does not tell (its slow modes)
	Special    bool   // [CLS] or [SEP], which every question has
}

// Attended is how the model came to an answer: every attention of the network, and how far each counts for that answer. Package explain makes of it what
// people can read.
type Attended struct {
	Question string
	Tokens   []Token
	Regions  int      // how many
	Answers  []Answer // as [Model.Ask]'s
	Target   Answer   // the one that is explained
	// Output has the attentions, [1, heads, queries, keys] each, and their gradients of the target's score.
	Output *model.AttentionOutput[*tensors.Tensor]
}

// Attend answers a question as [Model.Ask] does, and returns every attention of the network with its gradient of the score of an answer: its id, or
// [BestAnswer]. The pass takes about three times as long as an answer. It is refused what Ask is refused; an id that no answer has; and
// a model that is not float32 ([model.ErrAnswersOnly]).
func (m *Model) Attend(ctx context.Context, regions Regions, question string, answer int) (*Attended, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if answer < BestAnswer || answer >= len(m.labels) {
		return nil, fmt.Errorf("answer %d: want an id in 0..%d, or %d for the best", answer, len(m.labels)-1, BestAnswer)
	}
	queries := []Query{{regions, question}}
	encoding, err := m.encode(queries[0])
	if err != nil {
		return nil, err
	}
	out, err := wait(ctx, m.reader, func() (*model.AttentionOutput[*tensors.Tensor], error) {
		if m.closed {
			return nil, model.ErrClosed
		}
		return m.network.Attend(context.Background(), m.batchOf(queries, []tokenizer.Encoding{encoding}, []int{0}, false), []int{answer})
	})
	if err != nil {
		return nil, err
	}
	logits, err := tensors.CopyFlatData[float32](out.QuestionAnsweringScore)
	if err != nil {
		return nil, err
	}
	a := &Attended{Question: question, Tokens: tokensOf(&encoding), Regions: regions.Len(), Output: out}
	if a.Answers, err = m.rank(logits); err != nil {
		return nil, err
	}
	target, err := tensors.CopyFlatData[int32](out.Target)
	if err != nil {
		return nil, err
	}
	a.Target = a.Answers[slices.IndexFunc(a.Answers, func(b Answer) bool { return b.ID == int(target[0]) })]
	return a, nil
}

// tokensOf are the tokens of a question.
func tokensOf(e *tokenizer.Encoding) []Token {
	tokens := make([]Token, e.Len())
	for i, text := range e.Tokens() {
		tokens[i] = Token{Text: text, Special: e.SpecialTokensMask[i] != 0}
		if e.Offsets != nil {
			tokens[i].Start, tokens[i].End = int(e.Offsets[i].Start), int(e.Offsets[i].End)
		}
	}
	return tokens
}
