package tokenizer

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestCallFromJSON(t *testing.T) {
	for content, want := range map[string]Call{
		`{}`: {},
		`{"truncation":null,"padding":null,"max_length":null,"stride":null}`:                   {},
		`{"truncation":true,"padding":true,"max_length":7}`:                                    {Truncation: LongestFirst, Padding: PadLongest, MaxLength: 7},
		`{"truncation":false,"padding":false}`:                                                 {Truncation: DoNotTruncate},
		`{"truncation":"only_second","padding":"max_length"}`:                                  {Truncation: OnlySecond, Padding: PadMaxLength},
		`{"padding":"do_not_pad","add_special_tokens":false,"return_overflowing_tokens":true}`: {NoSpecialTokens: true, ReturnOverflowing: true},
		`{"truncation_side":"left","padding_side":"left","pad_to_multiple_of":8,"stride":2}`:   {TruncationSide: Left, PaddingSide: Left, PadToMultipleOf: 8, Stride: 2},
		`{"add_special_tokens":true,"truncation":"do_not_truncate","padding":"longest"}`:       {Truncation: DoNotTruncate, Padding: PadLongest},
	} {
		got := Call{Stride: 99} // must not shine through
		if err := json.Unmarshal([]byte(content), &got); err != nil || got != want {
			t.Errorf("%s is %+v, want %+v (%v)", content, got, want, err)
		}
	}
	for _, content := range []string{`{"max_len":3}`, `{"max_length":0}`, `{"max_length":"3"}`, `{"truncation":3}`, `{"padding":[]}`, `[]`} {
		if err := json.Unmarshal([]byte(content), new(Call)); err == nil {
			t.Errorf("%s was taken", content)
		}
	}
}

func TestOptionsFromJSON(t *testing.T) {
	opts, err := ParseOptions([]byte(`{"do_lower_case":false,"strip_accents":true,"tokenize_chinese_chars":null,"never_split":["Red-ball"]}`))
	if err != nil {
		t.Fatal(err)
	}
	e, err := small(t, append(opts, WithMode(Slow))...).Encode("Red-ball café Red", Call{})
	if got := strings.Join(e.Tokens(), " "); err != nil || got != "[CLS] [UNK] cafe [UNK] [SEP]" {
		t.Errorf("got %q, %v", got, err)
	}
	for _, content := range []string{`{"lower":true}`, `{"do_lower_case":1}`, `[]`} {
		if _, err := ParseOptions([]byte(content)); err == nil {
			t.Errorf("%s was taken", content)
		}
	}
}

func TestEncodingToJSON(t *testing.T) {
	tok := add(t, small(t), AddedToken{Content: "\"é\\\x01"})
	e, err := tok.EncodePair("\"é\\\x01 a", "b", Call{Truncation: LongestFirst, MaxLength: 4, ReturnOverflowing: true})
	if err != nil {
		t.Fatal(err)
	}
	content, err := json.Marshal(&e)
	if err != nil {
		t.Fatal(err)
	}
	var got goldenEncoding
	if err := json.Unmarshal(content, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Overflowing) != len(e.Overflowing) || len(e.Overflowing) == 0 {
		t.Errorf("%d overflowing parts in %s, want %d", len(got.Overflowing), content, len(e.Overflowing))
	}
	if d := compare(&e, &got); d != "" {
		t.Error(d)
	}
	if err := e.WriteJSON(failing{}); err == nil || err.Error() != "gone" {
		t.Errorf("a failing writer gave %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("gone") }

func TestAccessors(t *testing.T) {
	for m := Fast; m <= Original; m++ {
		parsed, err := ParseMode(m.String())
		if tok := small(t, WithMode(parsed)); err != nil || tok.Mode() != m || tok.Special() != (Special{1, 3, 0, 2, 4}) {
			t.Errorf("%v: %v, special %+v", m, err, tok.Special())
		}
	}
	if _, err := ParseMode("quick"); err == nil || !strings.Contains(err.Error(), "quick") {
		t.Errorf("an unknown mode gave %v", err)
	}
	if token, ok := small(t).IDToToken(-1); ok {
		t.Errorf("-1 is the id of %q", token)
	}
}

// Slow mode leaves undone what it cannot do, and refuses what Python refuses.
func TestSlowTruncation(t *testing.T) {
	tok := small(t, WithMode(Slow))
	for _, c := range []struct {
		call Call
		want string
	}{
		{Call{Truncation: OnlyFirst, MaxLength: 4}, "[CLS] 1 2 3 [SEP] a b c 1 [SEP]"},
		{Call{Truncation: OnlySecond, MaxLength: 8}, "[CLS] 1 2 3 [SEP] a b [SEP]"},
		{Call{Truncation: OnlyFirst, MaxLength: 9, TruncationSide: Left}, "[CLS] 2 3 [SEP] a b c 1 [SEP]"},
		{Call{Truncation: LongestFirst, MaxLength: 8}, "[CLS] 1 2 3 [SEP] a b [SEP]"},
		{Call{Truncation: LongestFirst, MaxLength: 7, TruncationSide: Left}, "[CLS] 2 3 [SEP] c 1 [SEP]"},
		{Call{Truncation: LongestFirst, MaxLength: 6, NoSpecialTokens: true}, "1 2 3 a b c"},
		{Call{Truncation: LongestFirst, MaxLength: 1}, "[CLS] [SEP] [SEP]"},
	} {
		e, err := tok.EncodePair("1 2 3", "a b c 1", c.call)
		if got := strings.Join(e.Tokens(), " "); err != nil || got != c.want {
			t.Errorf("%+v: got %q, want %q (%v)", c.call, got, c.want, err)
		}
	}
	for _, call := range []Call{
		{Truncation: LongestFirst, MaxLength: 6, ReturnOverflowing: true},
		{Truncation: LongestFirst, MaxLength: 6, Padding: PadLongest, PadToMultipleOf: 4},
	} {
		_, err := tok.EncodePair("1 2", "3", call)
		if refused, ok := errors.AsType[*RefusedError](err); !ok || !strings.HasPrefix(refused.Reference, "ValueError: ") {
			t.Errorf("%+v: got %v, want what Python says", call, err)
		}
	}
	if _, err := tok.Encode("1", Call{ReturnOverflowing: true}); err == nil {
		t.Error("overflow without a length was counted")
	}
}
