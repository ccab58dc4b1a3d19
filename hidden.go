package lxmert

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// HiddenStates are what the model makes of each token of a text about a picture: language_output, the last hidden states of the language stream, [tokens,
// hidden], from [CLS] to [SEP]. [Model.Embed] is one vector for the whole. A text that is refused, as [Model.Ask] refuses it, is a [QueryError].
func (m *Model) HiddenStates(ctx context.Context, q Query) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	encoding, err := m.encode(q)
	if err != nil {
		return nil, &QueryError{0, err}
	}
	return wait(ctx, m.reader, func() ([][]float32, error) {
		if m.closed {
			return nil, model.ErrClosed
		}
		out, err := m.network.Encode(context.Background(), m.batch([]Query{q}, []tokenizer.Encoding{encoding}, []int{0}), model.Options{})
		if err != nil {
			return nil, err
		}
		flat, err := tensors.CopyFlatData[float32](out.LanguageOutput)
		if err != nil {
			return nil, err
		}
		states, width := make([][]float32, encoding.Len()), m.config.HiddenSize
		if len(flat) < len(states)*width {
			return nil, fmt.Errorf("language_output has %d numbers, want %d tokens × %d, or more where they are padded", len(flat), len(states), width)
		}
		for i := range states {
			states[i] = flat[i*width : (i+1)*width]
		}
		return states, nil
	})
}

// CountTokens is how many tokens the model reads of a text, [CLS] and [SEP] among them. A text is refused as [Model.Ask] refuses it.
func (m *Model) CountTokens(text string) (int, error) {
	encoding, err := m.tokenize(text)
	return encoding.Len(), err
}
