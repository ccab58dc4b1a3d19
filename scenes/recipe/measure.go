// Package recipe trains and measures LXMERT on the drawn world: how the shipped model was made, and what each part of the paper is worth there.
package recipe

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/internal/padding"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/tokenizer"
	"github.com/go-lxmert/lxmert/train"
	"github.com/go-lxmert/lxmert/vision"
)

// Reading is a pre-trained model with what it reads.
type Reading struct {
	Model    *model.LxmertForPreTraining
	Words    *tokenizer.Tokenizer
	Features data.Source
	Captions []questions.Question
}

// batchSize is how many captions are read at once.
const batchSize = 64

// Matching is how often the model can tell a picture's caption from another's, a share of 1: each picture is shown with its own
// caption and with one that was made for another picture.
func (r Reading) Matching(ctx context.Context) (float64, error) {
	if len(r.Captions) < 2 {
		return 0, errors.New("matching wants captions of at least two pictures")
	}
	random := train.NewRandom(1, "mismatched captions")
	right, all := 0, 0
	for chunk := range slices.Chunk(r.Captions, batchSize) {
		for _, own := range []bool{true, false} {
			sentences := make([]string, len(chunk))
			for i, q := range chunk {
				for sentences[i] == "" {
					other := r.Captions[random.IntN(len(r.Captions))]
					if own {
						other = q
					}
					if own || other.Image != q.Image {
						sentences[i] = other.Sentence
					}
				}
			}
			out, err := r.read(ctx, chunk, sentences, nil)
			if err != nil {
				return 0, err
			}
			probabilities, err := model.MatchProbability(out.CrossRelationshipScore)
			if err != nil {
				return 0, err
			}
			for _, p := range probabilities {
				if all++; (p > 0.5) == own {
					right++
				}
			}
		}
	}
	return float64(right) / float64(all), nil
}

// ColorWords is how often the model finds the word for a colour that is hidden in a caption, a share of 1: of all words for colours the right one is the likeliest. (Another word may
// be as true: "a hidden car" may be a red one and a big one.) The captions are made so that the picture tells it.
func (r Reading) ColorWords(ctx context.Context) (float64, error) {
	mask, ok := r.Words.TokenToID("[MASK]")
	if !ok {
		return 0, errors.New("the vocabulary has no [MASK]")
	}
	colors := map[int32]bool{} // by token
	for _, c := range scenes.Colors() {
		if id, ok := r.Words.TokenToID(c.String()); ok {
			colors[id] = true
		}
	}
	random := train.NewRandom(1, "hidden colours")
	right, all := 0, 0
	for chunk := range slices.Chunk(r.Captions, batchSize) {
		var asked []questions.Question
		var sentences []string
		var hidden []int // which colour word of each sentence
		for _, q := range chunk {
			ids, err := r.Words.AppendIDs(nil, q.Sentence, 0)
			if err != nil {
				return 0, err
			}
			var places []int
			for i, id := range ids {
				if colors[id] {
					places = append(places, i)
				}
			}
			if places != nil {
				asked, sentences = append(asked, q), append(sentences, q.Sentence)
				hidden = append(hidden, places[random.IntN(len(places))])
			}
		}
		if asked == nil {
			continue
		}
		wanted := make([]int32, len(asked))
		out, err := r.read(ctx, asked, sentences, func(i int, ids []int32) {
			wanted[i] = ids[hidden[i]]
			ids[hidden[i]] = mask
		})
		if err != nil {
			return 0, err
		}
		shape := out.PredictionLogits.Shape().Dimensions // [batch, tokens, vocab]
		logits, err := tensors.CopyFlatData[float32](out.PredictionLogits)
		if err != nil {
			return 0, err
		}
		for i, want := range wanted {
			row := logits[(i*shape[1]+hidden[i])*shape[2]:][:shape[2]]
			best := want
			for color := range colors {
				if row[color] > row[best] {
					best = color
				}
			}
			if all++; best == want {
				right++
			}
		}
	}
	if all == 0 {
		return 0, errors.New("no caption has a word for a colour")
	}
	return float64(right) / float64(all), nil
}

// read shows each question's picture with a sentence, whose tokens change may change.
func (r Reading) read(ctx context.Context, qs []questions.Question, sentences []string, change func(i int, ids []int32)) (*model.PreTrainingOutput[*tensors.Tensor], error) {
	rows, pictures := make([][]int32, len(qs)), make([]vision.Regions, len(qs))
	for i, q := range qs {
		var err error
		if rows[i], err = r.Words.AppendIDs(nil, sentences[i], 0); err != nil {
			return nil, err
		}
		if change != nil {
			change(i, rows[i])
		}
		if pictures[i], err = r.Features.Get(q.Image); err != nil {
			return nil, fmt.Errorf("caption %q: %w", q.Sentence, err)
		}
	}
	in := &model.Batch{}
	in.InputIDs, in.AttentionMask = padding.Tokens(rows, padding.Longest(rows))
	in.VisualFeats, in.VisualPos, in.VisualAttentionMask = padding.Pictures(pictures, padding.Most(pictures), len(pictures))
	return r.Model.Forward(ctx, in, model.Options{})
}
