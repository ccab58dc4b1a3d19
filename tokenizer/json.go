package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/go-lxmert/lxmert/internal/jsonerror"
)

// The names of the Python tokenizers' keyword arguments, for calls that come as JSON.

// strict is json.Unmarshal that refuses names it does not know: a misspelt option would
// else be passed over in silence.
func strict(content []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	return jsonerror.Explain(d.Decode(into))
}

// UnmarshalJSON reads the keyword arguments of __call__: truncation and padding may be
// true, false or a name, and whatever is null is as if it were not there.
func (c *Call) UnmarshalJSON(content []byte) error {
	var from struct {
		AddSpecialTokens  *bool           `json:"add_special_tokens"`
		Truncation        json.RawMessage `json:"truncation"`
		MaxLength         *int            `json:"max_length"`
		Stride            *int            `json:"stride"`
		TruncationSide    *Side           `json:"truncation_side"`
		Padding           json.RawMessage `json:"padding"`
		PadToMultipleOf   *int            `json:"pad_to_multiple_of"`
		PaddingSide       *Side           `json:"padding_side"`
		ReturnOverflowing *bool           `json:"return_overflowing_tokens"`
	}
	if err := strict(content, &from); err != nil {
		return err
	}
	if n := from.MaxLength; n != nil && *n == 0 {
		return fmt.Errorf("max_length is 0, want a number of tokens above 0, or null for none")
	}
	*c = Call{NoSpecialTokens: from.AddSpecialTokens != nil && !*from.AddSpecialTokens}
	set(&c.MaxLength, from.MaxLength)
	set(&c.Stride, from.Stride)
	set(&c.TruncationSide, from.TruncationSide)
	set(&c.PadToMultipleOf, from.PadToMultipleOf)
	set(&c.PaddingSide, from.PaddingSide)
	set(&c.ReturnOverflowing, from.ReturnOverflowing)
	truncation, err := strategy("truncation", from.Truncation, string(LongestFirst), string(DoNotTruncate))
	if err != nil {
		return err
	}
	padding, err := strategy("padding", from.Padding, string(PadLongest), string(DoNotPad))
	if padding == "do_not_pad" {
		padding = string(DoNotPad)
	}
	c.Truncation, c.Padding = Truncation(truncation), Padding(padding)
	return err
}

// strategy reads true, false, null or a name.
func strategy(name string, raw json.RawMessage, whenTrue, whenFalse string) (string, error) {
	switch string(raw) {
	case "", "null":
		return "", nil
	case "true":
		return whenTrue, nil
	case "false":
		return whenFalse, nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", fmt.Errorf("%s is %s, want true, false or a name", name, raw)
	}
	return s, nil
}

// ParseOptions reads the keyword arguments of the tokenizers' constructors from a JSON
// object: do_lower_case, strip_accents, tokenize_chinese_chars, never_split and
// do_basic_tokenize. Whatever is null is as if it were not there.
func ParseOptions(content []byte) ([]Option, error) {
	var from struct {
		LowerCase     *bool    `json:"do_lower_case"`
		StripAccents  *bool    `json:"strip_accents"`
		ChineseChars  *bool    `json:"tokenize_chinese_chars"`
		NeverSplit    []string `json:"never_split"`
		BasicTokenize *bool    `json:"do_basic_tokenize"`
	}
	if err := strict(content, &from); err != nil {
		return nil, err
	}
	return []Option{func(s *settings) {
		set(&s.lower, from.LowerCase)
		set(&s.chinese, from.ChineseChars)
		set(&s.basic, from.BasicTokenize)
		if from.StripAccents != nil {
			s.strip = from.StripAccents
		}
		if from.NeverSplit != nil {
			s.neverSplit = from.NeverSplit
		}
	}}, nil
}

// MarshalJSON renders the encoding as WriteJSON does.
func (e *Encoding) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	err := e.WriteJSON(&b)
	return b.Bytes(), err
}

// WriteJSON writes the encoding as an object with the field names of the reference data,
// in pieces of some kilobytes: tokens, ids, type_ids, attention_mask, special_tokens_mask;
// in fast mode char_offsets, byte_offsets, word_ids and sequence_ids, null where there is
// none, and overflowing if there is any; in original mode input_ids, input_mask and
// segment_ids alone.
func (e *Encoding) WriteJSON(w io.Writer) error {
	j := jsonWriter{w: w, chars: [2]charCounter{{text: e.text}, {text: e.pair}}}
	j.encoding(e)
	j.flush()
	return j.err
}

// jsonWriter gathers what is written, and keeps the first error.
type jsonWriter struct {
	w   io.Writer
	buf []byte
	err error

	// Overflowing parts are of the same texts: to count from the start for each would take
	// time quadratic in the text.
	chars [2]charCounter
}

func (j *jsonWriter) flush() {
	if j.err == nil {
		_, j.err = j.w.Write(j.buf)
	}
	j.buf = j.buf[:0]
}

func (j *jsonWriter) encoding(e *Encoding) {
	if e.tokenizer.mode == Original {
		j.numbers(`{"input_ids":`, e.IDs)
		j.numbers(`,"input_mask":`, e.AttentionMask)
		j.numbers(`,"segment_ids":`, e.TypeIDs)
		j.buf = append(j.buf, '}')
		return
	}
	tokens := e.Tokens()
	j.list(`{"tokens":`, len(tokens), func(i int) { j.string(tokens[i]) })
	j.numbers(`,"ids":`, e.IDs)
	j.numbers(`,"type_ids":`, e.TypeIDs)
	j.numbers(`,"attention_mask":`, e.AttentionMask)
	j.numbers(`,"special_tokens_mask":`, e.SpecialTokensMask)
	if e.tokenizer.mode == Fast {
		j.spans(`,"char_offsets":`, e.charOffsets(&j.chars))
		j.spans(`,"byte_offsets":`, e.Offsets)
		j.numbers(`,"word_ids":`, e.WordIDs)
		j.numbers(`,"sequence_ids":`, e.SequenceIDs)
	}
	if len(e.Overflowing) > 0 {
		j.list(`,"overflowing":`, len(e.Overflowing), func(i int) { j.encoding(&e.Overflowing[i]) })
	}
	if e.OverflowingIDs != nil {
		j.numbers(`,"overflowing_token_ids":`, e.OverflowingIDs)
		j.buf = strconv.AppendInt(append(j.buf, `,"num_truncated_tokens":`...), int64(e.NumTruncated), 10)
	}
	j.buf = append(j.buf, '}')
}

func (j *jsonWriter) list(name string, n int, element func(i int)) {
	j.buf = append(append(j.buf, name...), '[')
	for i := range n {
		if i > 0 {
			j.buf = append(j.buf, ',')
		}
		if element(i); len(j.buf) > 1<<14 {
			j.flush()
		}
	}
	j.buf = append(j.buf, ']')
}

// string writes s quoted; most tokens need no escapes.
func (j *jsonWriter) string(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			j.buf = append(j.buf, quoteJSON(s)...)
			return
		}
	}
	j.buf = append(append(append(j.buf, '"'), s...), '"')
}

// numbers writes null for -1, which stands for none.
func (j *jsonWriter) numbers(name string, list []int32) {
	j.list(name, len(list), func(i int) {
		if list[i] == -1 {
			j.buf = append(j.buf, "null"...)
			return
		}
		j.buf = strconv.AppendInt(j.buf, int64(list[i]), 10)
	})
}

func (j *jsonWriter) spans(name string, list []Span) {
	j.list(name, len(list), func(i int) {
		j.buf = strconv.AppendInt(append(j.buf, '['), int64(list[i].Start), 10)
		j.buf = strconv.AppendInt(append(j.buf, ','), int64(list[i].End), 10)
		j.buf = append(j.buf, ']')
	})
}
