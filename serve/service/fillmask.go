package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// MaxFilled is how many words an answer of [Service.FillMask] may have, of all masks together. Each comes with the whole text, and a text may be nothing
// but masks.
const MaxFilled = 4096

// FillMask says which words may stand in the place of each mask token of a text, top of them for each. A nil sight is no picture. The error is
// [Unsupported] if the model has no head for it, [TooLarge] if that is more than [MaxFilled] words.
func (s *Service) FillMask(ctx context.Context, model string, sight *Sight, text string, top int) ([][]lxmert.Filled, error) {
	if top < 1 {
		return nil, Invalidf("found %d words asked for, want 1 or more", top)
	}
	return s.fillMask(ctx, model, sight, text, top, func(m *lxmert.Model, sight *Sight) ([][]lxmert.Filled, error) {
		return m.FillMask(ctx, sight.Regions, text, top)
	})
}

// FillMaskWith is [Service.FillMask] with these words alone, the likeliest first.
func (s *Service) FillMaskWith(ctx context.Context, model string, sight *Sight, text string, words []string) ([][]lxmert.Filled, error) {
	if len(words) == 0 {
		return nil, Invalidf("there are no words to fill in, want one or more")
	}
	return s.fillMask(ctx, model, sight, text, len(words), func(m *lxmert.Model, sight *Sight) ([][]lxmert.Filled, error) {
		return m.FillMaskWith(ctx, sight.Regions, text, words)
	})
}

// filler fills in a text.
type filler func(*lxmert.Model, *Sight) ([][]lxmert.Filled, error)

// fillMask lets fill find the words, so many for each mask.
func (s *Service) fillMask(ctx context.Context, model string, sight *Sight, text string, words int, fill filler) (filled [][]lxmert.Filled, err error) {
	if err := s.checkTexts("text", []string{text}); err != nil {
		return nil, err
	}
	if sight == nil {
		if sight, err = s.NoPicture(model); err != nil {
			return nil, err
		}
	}
	l, err := s.use(model)
	if err != nil {
		return nil, err
	}
	defer l.release()
	if n := min(words, l.card.Vocabulary); n > MaxFilled/max(1, masks(l.model, text)) {
		return nil, &Error{TooLarge, "too_many", fmt.Sprintf("%d words for each of %d masks, want at most %d in all", n, masks(l.model, text), MaxFilled), nil}
	}
	start := time.Now()
	err = guarded(s.options.Log, "fill mask", func() (err error) {
		filled, err = fill(l.model, sight)
		return err
	})
	switch e := AsError(err); {
	case e == nil:
	case errors.Is(err, lxmert.ErrNoHead):
		message := fmt.Sprintf("model %s has no masked-language head: serve a pre-training checkpoint (LxmertForPreTraining) to fill masks", l.card.ID)
		return nil, &Error{Unsupported, "no_head", message, err}
	case e.Kind == Internal && e.Err != nil: // not a panic, which guarded has logged
		return nil, &Error{Invalid, "text_refused", err.Error(), err}
	default:
		return nil, e
	}
	s.options.Observer.Stage("fill_mask", time.Since(start))
	return filled, nil
}

// masks is how many a text has; 0 for one that is refused.
func masks(m *lxmert.Model, text string) (n int) {
	encoding, err := m.Tokenizer().Encode(text, tokenizer.Call{})
	if err != nil {
		return 0
	}
	for _, id := range encoding.IDs {
		if id == m.Tokenizer().Special().Mask {
			n++
		}
	}
	return n
}
