package tokenizer

import "fmt"

// encodeSlow is prepare_for_model: what Python does with the ids of one text or two.
func (t *Tokenizer) encodeSlow(text, pair string, isPair bool, c resolved) (Encoding, error) {
	if err := c.checkSlow(isPair); err != nil {
		return Encoding{}, err
	}
	e := t.prepareSlow(text, pair, isPair, c)
	if len(e.IDs) == 0 {
		return e, nil // pad() returns early when there is nothing at all
	}
	target, err := c.paddedLength(len(e.IDs))
	if err != nil {
		return Encoding{}, err
	}
	e.pad(target, c.PaddingSide)
	return e, nil
}

// checkSlow refuses what Python refuses, before it sees a text.
func (c resolved) checkSlow(isPair bool) error {
	if c.truncate && c.Padding != DoNotPad && c.PadToMultipleOf > 0 && c.MaxLength%c.PadToMultipleOf != 0 {
		return refuse(
			fmt.Sprintf("ValueError: Truncation and padding are both activated but truncation length (%d) is not a multiple of pad_to_multiple_of (%d).", c.MaxLength, c.PadToMultipleOf),
			"max_length %d is not a multiple of pad_to_multiple_of %d, which slow mode wants where it cuts and pads", c.MaxLength, c.PadToMultipleOf)
	}
	if c.ReturnOverflowing && c.Truncation == LongestFirst && isPair {
		return refuse(
			"ValueError: Not possible to return overflowing tokens for pair of sequences with the `longest_first`. Please select another truncation strategy than `longest_first`, for instance `only_second` or `only_first`.",
			"slow mode cannot return what truncation %q cuts from a pair; use %q or %q", LongestFirst, OnlyFirst, OnlySecond)
	}
	if c.ReturnOverflowing && c.MaxLength == 0 {
		return fmt.Errorf("return_overflowing_tokens without max_length: slow mode wants the length to be above")
	}
	return nil
}

// prepareSlow is encodeSlow without the padding.
func (t *Tokenizer) prepareSlow(text, pair string, isPair bool, c resolved) Encoding {
	a := t.tokenizeSlow(nil, text)
	var b []int32
	if isPair {
		b = t.tokenizeSlow([]int32{}, pair)
	}
	pieces := t.slow.template.of(isPair, !c.NoSpecialTokens)
	total := len(a) + len(b) + specials(pieces)
	e := Encoding{tokenizer: t, text: text, pair: pair}
	if c.truncate && total > c.MaxLength {
		a, b, e.OverflowingIDs = c.truncateSlow(a, b, isPair, total-c.MaxLength)
	}
	if c.ReturnOverflowing {
		e.NumTruncated = total - c.MaxLength
		e.OverflowingIDs = append([]int32{}, e.OverflowingIDs...) // its own, and not nil
	} else {
		e.OverflowingIDs = nil
	}
	n := len(a) + len(b) + specials(pieces)
	numbers := make([]int32, 4*n)
	cut := func(i int) []int32 { return numbers[i*n : (i+1)*n : (i+1)*n] }
	e.IDs, e.TypeIDs, e.AttentionMask, e.SpecialTokensMask = cut(0), cut(1), cut(2), cut(3)
	at := 0
	for _, p := range pieces {
		ids := []int32{p.id}
		switch p.sequence {
		case 0:
			ids = a
		case 1:
			ids = b
		}
		for _, id := range ids {
			e.IDs[at], e.AttentionMask[at] = id, 1
			if !c.NoSpecialTokens { // without them, Python counts a pair as one text
				e.TypeIDs[at] = p.typeID
			}
			if p.sequence < 0 {
				e.SpecialTokensMask[at] = 1
			}
			at++
		}
	}
	return e
}

// truncateSlow is truncate_sequences: it takes remove ids from a and b. What cannot be
// done, it leaves undone. It returns what is left and what overflows.
func (c resolved) truncateSlow(a, b []int32, isPair bool, remove int) (_, _, overflow []int32) {
	cutOne := func(ids []int32) (kept, overflow []int32) {
		if len(ids) <= remove {
			return ids, nil
		}
		window := min(len(ids), c.Stride+remove)
		if c.TruncationSide == Left {
			return ids[remove:], ids[:window]
		}
		return ids[:len(ids)-remove], ids[len(ids)-window:]
	}
	cutBy := func(ids []int32, n int) []int32 {
		n = min(n, len(ids))
		if c.TruncationSide == Left {
			return ids[n:]
		}
		return ids[:len(ids)-n]
	}
	switch {
	case c.Truncation == OnlyFirst || c.Truncation == LongestFirst && !isPair:
		a, overflow = cutOne(a)
	case c.Truncation == LongestFirst:
		// First the longer one down to the other, then both by halves; the odd token stays in
		// the first.
		apart := min(max(len(a)-len(b), len(b)-len(a)), remove)
		both := remove - apart
		fromA, fromB := both/2, apart+both-both/2
		if len(a) > len(b) {
			fromA, fromB = apart+both/2, both-both/2
		}
		a, b = cutBy(a, fromA), cutBy(b, fromB)
	case c.Truncation == OnlySecond && isPair:
		b, overflow = cutOne(b)
	}
	return a, b, overflow
}

// pad fills an encoding up to target tokens.
func (e *Encoding) pad(target int, side Side) {
	for i := range e.Overflowing {
		e.Overflowing[i].pad(target, side)
	}
	n := len(e.IDs)
	if n >= target {
		return
	}
	at := 0
	if side == Left {
		at = target - n
	}
	old := *e
	*e = e.tokenizer.newEncoding(target, e.text, e.pair)
	e.Overflowing, e.OverflowingIDs, e.NumTruncated = old.Overflowing, old.OverflowingIDs, old.NumTruncated
	if old.WordIDs == nil {
		e.WordIDs, e.SequenceIDs, e.Offsets = nil, nil, nil
	}
	if old.surface != nil {
		e.surface = make([]string, target)
	}
	copy(e.IDs[at:], old.IDs)
	copy(e.TypeIDs[at:], old.TypeIDs)
	copy(e.AttentionMask[at:], old.AttentionMask)
	copy(e.SpecialTokensMask[at:], old.SpecialTokensMask)
	if old.WordIDs != nil {
		copy(e.WordIDs[at:], old.WordIDs)
		copy(e.SequenceIDs[at:], old.SequenceIDs)
		copy(e.Offsets[at:], old.Offsets)
	}
	copy(e.surface[min(at, len(e.surface)):], old.surface)
	e.tokenizer.fill(e, 0, at)
	e.tokenizer.fill(e, at+n, target)
}
