package tokenizer

import (
	"unicode/utf8"
)

// Span is a half-open range of bytes or characters.
type Span struct{ Start, End int32 }

// Encoding is one text, or a pair, as tokens. All slices have one element per token,
// those that are not nil.
type Encoding struct {
	IDs               []int32
	TypeIDs           []int32 // which text of a pair: token_type_ids, segment ids
	AttentionMask     []int32 // 1 for a token, 0 for padding
	SpecialTokensMask []int32 // 1 for [CLS], [SEP] and padding that the tokenizer put in

	// Only in fast mode. For special and padding tokens a span is empty and an id is -1.
	Offsets     []Span  // bytes of the text, or of its pair where SequenceIDs is 1
	WordIDs     []int32 // which word of the text the token is in
	SequenceIDs []int32 // 0 for the text, 1 for its pair

	// Overflowing holds the parts that truncation cut off, if Call.ReturnOverflowing asked
	// for them; of a pair, every combination of parts. Only in fast mode.
	Overflowing []Encoding

	// OverflowingIDs and NumTruncated are what slow mode has in its place: the ids that
	// were cut off, with Call.Stride ids before them; and how many tokens the whole was
	// longer than Call.MaxLength, below 0 if it was shorter. Without
	// Call.ReturnOverflowing they are nil and 0.
	OverflowingIDs []int32
	NumTruncated   int

	tokenizer  *Tokenizer
	surface    []string // where a token's text is not IDToToken's; nil if nowhere
	text, pair string
}

// Len returns the number of tokens, padding included.
func (e *Encoding) Len() int { return len(e.IDs) }

// Tokens returns the tokens as text. In fast mode an added token is the text that was
// matched, after normalisation, with the spaces it stripped.
func (e *Encoding) Tokens() []string {
	tokens := make([]string, len(e.IDs))
	for i, id := range e.IDs {
		if e.surface != nil && e.surface[i] != "" {
			tokens[i] = e.surface[i]
			continue
		}
		tokens[i], _ = e.tokenizer.IDToToken(id)
	}
	return tokens
}

// CharOffsets returns Offsets in characters (Unicode code points) instead of bytes; nil
// if there are no offsets. Its time is linear in the text, however many tokens there are.
func (e *Encoding) CharOffsets() []Span {
	if e.Offsets == nil {
		return nil
	}
	return e.charOffsets(&[2]charCounter{{text: e.text}, {text: e.pair}})
}

// charOffsets goes on counting from where the counters stand.
func (e *Encoding) charOffsets(counters *[2]charCounter) []Span {
	spans := make([]Span, len(e.Offsets))
	for i, s := range e.Offsets {
		if q := e.SequenceIDs[i]; q >= 0 {
			spans[i] = Span{counters[q].at(s.Start), counters[q].at(s.End)}
		}
	}
	return spans
}

// charCounter counts characters up to places that mostly ascend.
type charCounter struct {
	text        string
	byte, chars int32
}

func (c *charCounter) at(place int32) int32 {
	if place < c.byte {
		// Tokens overlap by a few characters at most, so going back stays cheap.
		c.chars -= int32(utf8.RuneCountInString(c.text[place:c.byte]))
	} else {
		c.chars += int32(utf8.RuneCountInString(c.text[c.byte:place]))
	}
	c.byte = place
	return c.chars
}

// newEncoding returns an encoding of n tokens. The numbers share one allocation; appending
// to one slice cannot run into the next.
func (t *Tokenizer) newEncoding(n int, text, pair string) Encoding {
	numbers := make([]int32, 6*n)
	cut := func(i int) []int32 { return numbers[i*n : (i+1)*n : (i+1)*n] }
	return Encoding{
		IDs: cut(0), TypeIDs: cut(1), AttentionMask: cut(2), SpecialTokensMask: cut(3), WordIDs: cut(4), SequenceIDs: cut(5),
		Offsets:   make([]Span, n),
		tokenizer: t, text: text, pair: pair,
	}
}
