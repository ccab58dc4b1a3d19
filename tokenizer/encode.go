package tokenizer

import (
	"fmt"
)

// Encode turns a text into tokens (__call__ of the reference's class).
//
// The error says which option of the call cannot be met; it is a *RefusedError if the
// reference refuses the call too. In original mode the encoding is what
// convert_sents_to_features makes: always truncated and padded to call.MaxLength, 20 if
// that is 0; other options are refused.
func (t *Tokenizer) Encode(text string, call Call) (Encoding, error) {
	return t.encode(text, "", false, call)
}

// EncodePair turns two texts into one sequence of tokens. See Encode.
func (t *Tokenizer) EncodePair(text, pair string, call Call) (Encoding, error) {
	return t.encode(text, pair, true, call)
}

func (t *Tokenizer) encode(text, pair string, isPair bool, call Call) (Encoding, error) {
	if err := checkText(text); err != nil {
		return Encoding{}, err
	}
	if err := checkText(pair); err != nil {
		return Encoding{}, err
	}
	if t.mode == Original {
		return t.encodeOriginal(text, isPair, call)
	}
	c, err := t.resolve(call)
	if err != nil {
		return Encoding{}, err
	}
	if t.mode == Slow {
		return t.encodeSlow(text, pair, isPair, c)
	}
	return t.encodeFast(text, pair, isPair, c)
}

func (t *Tokenizer) encodeFast(text, pair string, isPair bool, c resolved) (Encoding, error) {
	pieces := t.template.of(isPair, !c.NoSpecialTokens)
	room := c.MaxLength - specials(pieces)
	if c.truncate {
		if room < 0 {
			return Encoding{}, fmt.Errorf("max_length %d has no room for the %d special tokens; raise it or leave them out", c.MaxLength, specials(pieces))
		}
		// The reference looks at the stride before it sees a text, as if that were no pair.
		if single := c.MaxLength - specials(t.template.single); single >= 0 && c.Stride > single {
			return Encoding{}, refuse(
				fmt.Sprintf("tokenizer stride set to %d, which is greater than or equal to its effective max length of %d (= %d original max length - %d added special tokens), ",
					c.Stride, single, c.MaxLength, c.MaxLength-single),
				"stride %d must be below %d, which is what max_length %d leaves beside the special tokens", c.Stride, single, c.MaxLength)
		}
	}
	s := scratches.Get().(*scratch)
	defer s.free()
	a, b := &s.sequences[0], &s.sequences[1]
	t.split(s, a, text)
	lenB := -1
	if isPair {
		t.split(s, b, pair)
		lenB = len(b.ids)
	}

	if !c.truncate || len(a.ids)+max(lenB, 0) <= room { // no parts to be made, nothing to be allocated
		return t.whole(s, pieces, c, text, pair, lenB)
	}
	partsA, partsB, err := c.cutTexts(len(a.ids), lenB, room)
	if err != nil {
		return Encoding{}, err
	}
	if err := checkOverflow(partsA, partsB); err != nil {
		return Encoding{}, err
	}
	return t.combine(s, pieces, c, text, pair, partsA, partsB)
}

// whole makes the encoding of texts that are not cut.
func (t *Tokenizer) whole(s *scratch, pieces []piece, c resolved, text, pair string, lenB int) (Encoding, error) {
	parts := [2]part{{0, len(s.sequences[0].ids)}, {0, max(lenB, 0)}}
	target, err := c.paddedLength(parts[0].len() + parts[1].len() + specials(pieces))
	if err != nil {
		return Encoding{}, err
	}
	return t.assemble(s, pieces, c, parts, target, text, pair), nil
}

// combine makes the encoding of texts that were cut: the first parts, and every other
// combination of parts as overflow, in the reference's order.
func (t *Tokenizer) combine(s *scratch, pieces []piece, c resolved, text, pair string, partsA, partsB cuts) (Encoding, error) {
	all := [2]cuts{partsA, partsB}
	if partsB == nil {
		all[1] = cuts{{}}
	}
	first := [2]part{all[0][0], all[1][0]}
	target, err := c.paddedLength(first[0].len() + first[1].len() + specials(pieces))
	if err != nil {
		return Encoding{}, err
	}
	e := t.assemble(s, pieces, c, first, target, text, pair)
	overflow := len(all[0])*len(all[1]) - 1
	if overflow == 0 {
		return e, nil
	}
	if longest := first[0].len() + first[1].len() + specials(pieces); overflow > maxOverflow/max(1, max(target, longest)) {
		return Encoding{}, fmt.Errorf("%d overflowing parts of %d tokens are too much, want at most %d tokens in all; lower stride or the padding", overflow, target, maxOverflow)
	}
	// Overflowing parts keep the type ids they had before the template.
	kept := make([]piece, len(pieces))
	outer := 0 // the text that stands first in the template
	for i, p := range pieces {
		if p.sequence >= 0 {
			p.typeID = int32(p.sequence)
		}
		kept[i] = p
	}
	for _, p := range pieces {
		if p.sequence >= 0 {
			outer = p.sequence
			break
		}
	}
	e.Overflowing = make([]Encoding, 0, overflow)
	// The order in which merging leaves them: the later parts of the outer text with each
	// part of the inner one, then its first part with the inner one's later parts.
	add := func(i, j int) {
		var parts [2]part
		parts[outer], parts[1-outer] = all[outer][i], all[1-outer][j]
		e.Overflowing = append(e.Overflowing, t.assemble(s, kept, c, parts, target, text, pair))
	}
	for i := 1; i < len(all[outer]); i++ {
		for j := range all[1-outer] {
			add(i, j)
		}
	}
	for j := 1; j < len(all[1-outer]); j++ {
		add(0, j)
	}
	return e, nil
}

// checkOverflow refuses combinations of parts that would take the machine's memory.
func checkOverflow(a, b cuts) error {
	if len(b) > 1 && len(a) > maxOverflow/len(b)/8 {
		return fmt.Errorf("%d parts of one text with %d of the other are too many overflowing combinations; lower stride or raise max_length", len(a), len(b))
	}
	return nil
}

// assemble puts parts of the texts into the template and fills up to target tokens.
func (t *Tokenizer) assemble(s *scratch, pieces []piece, c resolved, parts [2]part, target int, text, pair string) Encoding {
	n := specials(pieces) + parts[0].len() + parts[1].len()
	target = max(target, n)
	e := t.newEncoding(target, text, pair)
	for i := range parts {
		if parts[i].len() > 0 && s.sequences[i].surface != nil {
			e.surface = make([]string, target)
		}
	}
	at := 0
	if c.PaddingSide == Left {
		at = target - n
		t.fill(&e, 0, at)
	} else {
		t.fill(&e, n, target)
	}
	for _, p := range pieces {
		if p.sequence < 0 {
			e.IDs[at], e.TypeIDs[at], e.AttentionMask[at], e.SpecialTokensMask[at] = p.id, p.typeID, 1, 1
			e.WordIDs[at], e.SequenceIDs[at] = -1, -1
			at++
			continue
		}
		q, r := &s.sequences[p.sequence], parts[p.sequence]
		copy(e.IDs[at:], q.ids[r.start:r.end])
		copy(e.Offsets[at:], q.spans[r.start:r.end])
		copy(e.WordIDs[at:], q.words[r.start:r.end])
		if r.len() > 0 && q.surface != nil {
			copy(e.surface[at:], q.surface[r.start:r.end])
		}
		for range r.len() {
			e.TypeIDs[at], e.AttentionMask[at], e.SequenceIDs[at] = p.typeID, 1, int32(p.sequence)
			at++
		}
	}
	return e
}

// fill makes padding of the tokens from start to end, whose numbers are all 0.
func (t *Tokenizer) fill(e *Encoding, start, end int) {
	for i := start; i < end; i++ {
		e.IDs[i], e.TypeIDs[i], e.SpecialTokensMask[i] = t.special.Pad, t.padTypeID, 1
		if e.WordIDs != nil {
			e.WordIDs[i], e.SequenceIDs[i] = -1, -1
		}
	}
}
