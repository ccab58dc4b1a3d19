package tokenizer

import (
	"fmt"
)

// Truncation says which text is cut when the whole is longer than Call.MaxLength.
type Truncation string

const (
	// TruncateAuto is LongestFirst if a MaxLength is given and no padding is asked for,
	// else DoNotTruncate: what Python does when truncation is left out.
	TruncateAuto  Truncation = ""
	DoNotTruncate Truncation = "do_not_truncate"
	LongestFirst  Truncation = "longest_first" // the longer text of a pair, then both
	OnlyFirst     Truncation = "only_first"
	OnlySecond    Truncation = "only_second"
)

// Padding says to which length an encoding is filled up with padding tokens.
type Padding string

const (
	DoNotPad     Padding = ""
	PadLongest   Padding = "longest"    // to the longest encoding of the batch
	PadMaxLength Padding = "max_length" // to Call.MaxLength
)

// Side is an end of a text.
type Side string

const (
	DefaultSide Side = "" // as the tokenizer's files say; Right if they say nothing
	Right       Side = "right"
	Left        Side = "left"
)

// Call holds what a single call may choose: the keyword arguments of the Python
// tokenizers' __call__. The zero value adds the special tokens and neither cuts nor pads.
type Call struct {
	NoSpecialTokens bool // leave out [CLS] and [SEP]

	Truncation     Truncation
	MaxLength      int  // in tokens, the special ones included; 0: the model's own, if its files name one
	Stride         int  // how many tokens a part that was cut off repeats of the part before
	TruncationSide Side // the end that is cut

	Padding         Padding
	PadToMultipleOf int  // 0: any length
	PaddingSide     Side // the end that is filled

	// ReturnOverflowing asks for what truncation cuts off: Encoding.Overflowing in fast
	// mode, Encoding.OverflowingIDs in slow mode.
	ReturnOverflowing bool
}

// The longest padding and the most overflow one call may ask for, in tokens: a wrong
// max_length or stride must not take the machine's memory.
const (
	maxPadded      = 1 << 20
	maxBatchPadded = 1 << 26
	maxOverflow    = 1 << 24
)

// RefusedError is a call that the reference refuses as well. Reference is its message,
// word for word, for programs that compare; Error says what to do about it.
type RefusedError struct {
	Reference string
	detail    string
}

func (e *RefusedError) Error() string { return e.detail }

func refuse(reference, format string, args ...any) error {
	return &RefusedError{Reference: reference, detail: fmt.Sprintf(format, args...)}
}

// resolved is a Call with every default filled in.
type resolved struct {
	Call
	truncate bool
}

// resolve checks a call and fills in what the tokenizer's files say.
func (t *Tokenizer) resolve(c Call) (resolved, error) {
	if c.MaxLength < 0 {
		return resolved{}, fmt.Errorf("max_length is %d, want a number of tokens above 0, or 0 for none", c.MaxLength)
	}
	if c.Stride < 0 {
		return resolved{}, fmt.Errorf("stride is %d, want 0 or more tokens", c.Stride)
	}
	if c.PadToMultipleOf < 0 {
		return resolved{}, fmt.Errorf("pad_to_multiple_of is %d, want 0 or more tokens", c.PadToMultipleOf)
	}
	switch c.Padding {
	case DoNotPad, PadLongest, PadMaxLength:
	default:
		return resolved{}, fmt.Errorf("padding is %q, want %q, %q or nothing", c.Padding, PadLongest, PadMaxLength)
	}
	var err error
	if c.TruncationSide, err = side("truncation_side", c.TruncationSide, t.truncationSide); err != nil {
		return resolved{}, err
	}
	if c.PaddingSide, err = side("padding_side", c.PaddingSide, t.paddingSide); err != nil {
		return resolved{}, err
	}
	switch c.Truncation {
	case TruncateAuto:
		c.Truncation = DoNotTruncate
		if c.MaxLength > 0 && c.Padding == DoNotPad {
			c.Truncation = LongestFirst
		}
	case DoNotTruncate, LongestFirst, OnlyFirst, OnlySecond:
	default:
		return resolved{}, fmt.Errorf("truncation is %q, want %q, %q, %q or %q", c.Truncation, LongestFirst, OnlyFirst, OnlySecond, DoNotTruncate)
	}
	if c.MaxLength == 0 && (c.Truncation != DoNotTruncate || c.Padding == PadMaxLength) {
		// Without a limit of the model's own, the reference neither cuts nor pads.
		if c.MaxLength = t.modelMaxLength; c.MaxLength == 0 {
			c.Truncation = DoNotTruncate
			if c.Padding == PadMaxLength {
				c.Padding = DoNotPad
			}
		}
	}
	if c.Padding != DoNotPad && t.special.Pad < 0 {
		return resolved{}, fmt.Errorf("padding is asked for, but the vocabulary has no padding token %q", t.names.pad)
	}
	return resolved{c, c.Truncation != DoNotTruncate}, nil
}

func side(name string, s, otherwise Side) (Side, error) {
	switch s {
	case Left, Right:
		return s, nil
	case DefaultSide:
		if otherwise == DefaultSide {
			return Right, nil
		}
		return otherwise, nil
	}
	return "", fmt.Errorf("%s is %q, want %q or %q", name, s, Left, Right)
}

// paddedLength returns the length to which encodings are filled, the longest of which has
// the given length; 0 if they stay as they are.
func (c resolved) paddedLength(longest int) (int, error) {
	target := longest
	switch c.Padding {
	case DoNotPad:
		return 0, nil
	case PadMaxLength:
		target = c.MaxLength
	}
	limit := max(maxPadded, longest)
	if target > limit || c.PadToMultipleOf > limit {
		return 0, fmt.Errorf("padding to max_length %d and a multiple of %d is too long, want at most %d", target, c.PadToMultipleOf, limit)
	}
	if m := c.PadToMultipleOf; m > 0 && target%m > 0 {
		target += m - target%m
	}
	return target, nil
}
