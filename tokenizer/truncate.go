package tokenizer

import "fmt"

// part is a range of a sequence's tokens.
type part struct{ start, end int }

func (p part) len() int { return p.end - p.start }

// cuts are the parts truncation makes of a sequence: the first stays, the others overflow.
type cuts []part

// cut divides n tokens into parts of at most max, each of which repeats stride tokens of
// the one before, from the side that stays (Encoding::truncate of the Rust library). With
// overflow off, only the first part is made.
func cut(n, max, stride int, side Side, overflow bool) (cuts, error) {
	switch {
	case max >= n:
		return cuts{{0, n}}, nil
	case max == 0:
		if !overflow {
			return cuts{{0, 0}}, nil
		}
		return cuts{{0, 0}, {0, n}}, nil
	case stride >= max:
		return nil, refuse(
			fmt.Sprintf("panic: `stride` must be strictly less than `max_len=%d` (note that `max_len` may be shorter than the max length of the original model, as it subtracts the number of special characters", max),
			"stride %d must be below %d, the tokens max_length leaves to the text that is cut", stride, max)
	}
	step := max - stride
	if overflow {
		if parts := (n-max+step-1)/step + 1; parts > maxOverflow/max {
			return nil, fmt.Errorf("%d tokens cut into %d parts of %d are too much, want at most %d tokens in all; lower stride or raise max_length", n, parts, max, maxOverflow)
		}
	}
	var parts cuts
	if side == Left {
		for end := n; ; end -= step {
			p := part{end - max, end}
			if p.start < 0 {
				p.start = 0
			}
			if parts = append(parts, p); p.start == 0 || !overflow {
				return parts, nil
			}
		}
	}
	for start := 0; ; start += step {
		p := part{start, min(start+max, n)}
		if parts = append(parts, p); p.end == n || !overflow {
			return parts, nil
		}
	}
}

// cutTexts finds the parts of one text, or of both (truncate_encodings of the Rust
// library). a and b are their lengths, b is -1 without a pair; room is what max_length
// leaves beside the special tokens.
func (c resolved) cutTexts(a, b, room int) (cuts, cuts, error) {
	total := a + max(b, 0)
	toA, toB := a, max(b, 0) // the lengths to cut to
	if c.truncate && total > room {
		remove := total - room
		switch {
		case room == 0:
			toA, toB = 0, 0
		case c.Truncation == LongestFirst && b < 0:
			toA = room
		case c.Truncation == LongestFirst:
			toA, toB = longestFirst(a, b, room)
		case c.Truncation == OnlySecond && b < 0:
			return nil, nil, refuse("Truncation error: Second sequence not provided",
				"truncation %q, but there is no second text; use %q or %q", c.Truncation, OnlyFirst, LongestFirst)
		case c.Truncation == OnlyFirst && a > remove:
			toA -= remove
		case c.Truncation == OnlySecond && b > remove:
			toB -= remove
		default:
			n := a
			if c.Truncation == OnlySecond {
				n = b
			}
			return nil, nil, refuse("Truncation error: Sequence to truncate too short to respect the provided max_length",
				"max_length %d takes %d tokens away, but the text that %q cuts has only %d; use %q", c.MaxLength, remove, c.Truncation, n, LongestFirst)
		}
	}
	partsA, err := cut(a, toA, c.Stride, c.TruncationSide, c.ReturnOverflowing)
	if err != nil || b < 0 {
		return partsA, nil, err
	}
	partsB, err := cut(b, toB, c.Stride, c.TruncationSide, c.ReturnOverflowing)
	return partsA, partsB, err
}

// longestFirst returns to which lengths two texts are cut: the longer one first, then
// both to halves, of which the longer text gets the odd token.
func longestFirst(a, b, room int) (int, int) {
	short := min(a, b)
	long := room - short
	if long < short { // to shorten the longer one is not enough
		short = room / 2
		long = short + room%2
	}
	if a > b {
		return long, short
	}
	return short, long
}
