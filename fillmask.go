package lxmert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/internal/descending"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// ErrNoHead is what errors.Is finds where a model has no head for what is asked of it.
var ErrNoHead = errors.New("the model has no such head")

// ErrNoMask is what errors.Is finds where a text has no [MASK] to fill.
var ErrNoMask = errors.New("the text has no mask token")

// ErrNoWord is what errors.Is finds where a word is to fill a mask that is no token of the vocabulary.
var ErrNoWord = errors.New("it is no word of the model's vocabulary")

// Filled is a word in the place of a mask.
type Filled struct {
	ID          int     // of the vocabulary
	Token       string  // its text
	Probability float32 // among all words
	Sequence    string  // the text with the word in its place; other masks stay
}

// HasMaskedLanguageHead reports whether [Model.FillMask] works: the checkpoint has the heads of pre-training, and the model was opened with [WithAllHeads].
func (m *Model) HasMaskedLanguageHead() bool { return m.network.Head() == model.HeadPreTraining }

// FillMask says which words may stand in the place of each [MASK] of a text about a picture, the likeliest top of them (masked cross-modality language
// modelling, §3.1.1 of the paper): a list for each mask, in the text's order. Without a picture take [vision.NoPicture]. The error is [ErrNoHead],
// [ErrNoMask], or as [Model.Ask]'s.
func (m *Model) FillMask(ctx context.Context, regions Regions, text string, top int) ([][]Filled, error) {
	if top < 1 {
		return nil, fmt.Errorf("top: found %d, want 1 or more", top)
	}
	return m.fillMask(ctx, regions, text, func(row []float32) []int { return likeliest(row, top) })
}

// FillMaskWith is [Model.FillMask] with these words alone, each once, the likeliest first; probabilities are among all words as ever. A word must be one
// token of the vocabulary, as it is or in lower case: else the error is [ErrNoWord].
func (m *Model) FillMaskWith(ctx context.Context, regions Regions, text string, words []string) ([][]Filled, error) {
	ids := make([]int, 0, len(words))
	for _, word := range words {
		id, ok := m.tokenizer.TokenToID(word)
		if !ok {
			id, ok = m.tokenizer.TokenToID(strings.ToLower(word))
		}
		if !ok || int(id) >= m.tokenizer.VocabSize() {
			return nil, fmt.Errorf("%.80q: %w", word, ErrNoWord)
		}
		ids = append(ids, int(id))
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return m.fillMask(ctx, regions, text, func(row []float32) []int {
		best := slices.Clone(ids)
		slices.SortStableFunc(best, func(a, b int) int { return cmp.Compare(row[b], row[a]) })
		return best
	})
}

// fillMask fills each mask with the words that choose takes of the logits of all.
func (m *Model) fillMask(ctx context.Context, regions Regions, text string, choose func(row []float32) []int) ([][]Filled, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !m.HasMaskedLanguageHead() {
		return nil, fmt.Errorf("%w: masked words want a pre-training checkpoint, opened with all its heads", ErrNoHead)
	}
	mask := m.tokenizer.Special().Mask
	encoding, err := m.encodeMasked(Query{regions, text}, mask)
	if err != nil {
		return nil, err
	}
	queries, encodings := []Query{{regions, text}}, []tokenizer.Encoding{encoding}
	return wait(ctx, m.reader, func() ([][]Filled, error) {
		if m.closed {
			return nil, model.ErrClosed
		}
		out, err := (&model.LxmertForPreTraining{Network: m.network}).Forward(context.Background(), m.batch(queries, encodings, []int{0}), model.Options{})
		if err != nil {
			return nil, err
		}
		return m.fill(encoding.IDs, mask, out.PredictionLogits, choose)
	})
}

// encodeMasked is encode for a text that may be nothing but masks.
func (m *Model) encodeMasked(q Query, mask int32) (tokenizer.Encoding, error) {
	encoding, err := m.encode(q)
	if err == nil && !slices.Contains(encoding.IDs, mask) {
		name, _ := m.tokenizer.IDToToken(mask)
		err = fmt.Errorf("%w: write %s where a word is to be found", ErrNoMask, cmp.Or(name, "the mask token"))
	}
	return encoding, err
}

// fill reads the head's logits, [1, tokens, vocab], at the masks.
func (m *Model) fill(ids []int32, mask int32, logits *tensors.Tensor, choose func(row []float32) []int) ([][]Filled, error) {
	flat, err := tensors.CopyFlatData[float32](logits)
	if err != nil {
		return nil, err
	}
	words := m.tokenizer.VocabSize() // the model's table may be longer than the vocabulary
	var filled [][]Filled
	for i, id := range ids {
		if id != mask {
			continue
		}
		row := flat[i*m.config.VocabSize:][:words]
		highest, sum, err := softmax(row)
		if err != nil {
			return nil, err
		}
		chosen := choose(row)
		list := make([]Filled, len(chosen))
		for k, word := range chosen {
			list[k] = m.filled(ids, i, word, probability(row[word], highest, sum))
		}
		filled = append(filled, list)
	}
	return filled, nil
}

// likeliest are the words of the highest logits, top of them.
func likeliest(row []float32, top int) []int {
	keys := make([]uint64, len(row))
	for word, logit := range row {
		keys[word] = descending.Key(logit, word)
	}
	slices.Sort(keys)
	best := make([]int, min(top, len(row)))
	for k := range best {
		best[k] = descending.Index(keys[k])
	}
	return best
}

// filled is one word in the place of token i.
func (m *Model) filled(ids []int32, i, word int, p float32) Filled {
	whole := slices.Clone(ids)
	whole[i] = int32(word)
	special := m.tokenizer.Special()
	whole = slices.DeleteFunc(whole, func(id int32) bool { return id == special.Cls || id == special.Sep || id == special.Pad })
	token, _ := m.tokenizer.IDToToken(int32(word))
	return Filled{ID: word, Token: token, Probability: p, Sequence: m.tokenizer.Decode(whole, tokenizer.DecodeOptions{})}
}
