package tokenizer

import "fmt"

// AppendIDs appends the ids of one question, with the special tokens around them and cut
// to maxLength tokens if that is above 0: Encode without offsets, masks and padding, which
// for a single text are what IDs alone imply. It allocates nothing if dst has room.
func (t *Tokenizer) AppendIDs(dst []int32, text string, maxLength int) ([]int32, error) {
	if err := checkText(text); err != nil {
		return dst, err
	}
	pieces := t.template.single
	if t.mode != Fast {
		pieces = t.slow.template.single
	}
	room := maxLength - specials(pieces)
	if maxLength != 0 && room < 0 {
		return dst, fmt.Errorf("max_length is %d, want 0 for no limit, or at least %d for the special tokens", maxLength, specials(pieces))
	}
	s := scratches.Get().(*scratch)
	defer s.free()
	q := &s.sequences[0]
	switch t.mode {
	case Fast:
		t.split(s, q, text)
	case Slow:
		q.reset()
		q.ids = t.tokenizeSlow(q.ids, text)
	case Original:
		q.reset()
		q.ids = t.tokenizeOriginal(q.ids, text)
	}
	ids := q.ids
	if maxLength != 0 && len(ids) > room {
		ids = ids[:room]
		if t.truncationSide == Left && t.mode != Original {
			ids = q.ids[len(q.ids)-room:]
		}
	}
	for _, p := range pieces {
		if p.sequence < 0 {
			dst = append(dst, p.id)
		} else {
			dst = append(dst, ids...)
		}
	}
	return dst, nil
}
