package tokenizer

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The reference data lies beside the repository; what it needs cannot be copied into it.
const (
	goldenDir = "../../shared/golden/tokenizer"
	bertDir   = "../../shared/data/bert-base-uncased"
)

// golden reads a file of reference cases, or skips the test if there is none.
func golden[T any](t testing.TB, name string) []T {
	t.Helper()
	f, err := os.Open(filepath.Join(goldenDir, name))
	if err != nil {
		t.Skipf("no reference data beside the repository: %v", err)
	}
	defer f.Close()
	var cases []T
	for d := json.NewDecoder(bufio.NewReader(f)); d.More(); {
		var c T
		if err := d.Decode(&c); err != nil {
			t.Fatalf("%s: case %d: %v", name, len(cases)+1, err)
		}
		cases = append(cases, c)
	}
	if len(cases) == 0 {
		t.Fatalf("%s: holds no cases", name)
	}
	return cases
}

// bert loads BERT's vocabulary, or skips.
func bert(t testing.TB, opts ...Option) *Tokenizer {
	t.Helper()
	if _, err := os.Stat(bertDir); err != nil {
		t.Skipf("no vocabulary beside the repository: %v", err)
	}
	tok, err := Load(bertDir, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

type goldenEncoding struct {
	Error             string           `json:"error"`
	Tokens            []string         `json:"tokens"`
	IDs               []int32          `json:"ids"`
	TypeIDs           []int32          `json:"type_ids"`
	AttentionMask     []int32          `json:"attention_mask"`
	SpecialTokensMask []int32          `json:"special_tokens_mask"`
	CharOffsets       [][2]int32       `json:"char_offsets"`
	ByteOffsets       [][2]int32       `json:"byte_offsets"`
	WordIDs           []*int32         `json:"word_ids"`
	SequenceIDs       []*int32         `json:"sequence_ids"`
	Overflowing       []goldenEncoding `json:"overflowing"`
}

type goldenCase struct {
	ID, Group, Text string
	Pair            *string
	Ctor            goldenCtor
	AddedTokens     []AddedToken `json:"added_tokens"`
	Call            goldenCall
	Texts           []json.RawMessage
	IDs             []int32
	Fast, Slow      json.RawMessage
	SlowOverflow    *struct {
		IDs []int32 `json:"overflowing_token_ids"`
		N   int     `json:"num_truncated_tokens"`
	} `json:"slow_overflow"`

	SkipSpecial  bool    `json:"skip_special_tokens"`
	CleanUp      bool    `json:"clean_up_tokenization_spaces"`
	WithoutClean *string `json:"fast_decoder_without_cleanup"`

	MaxSeqLength int     `json:"max_seq_length"`
	InputIDs     []int32 `json:"input_ids"`
	InputMask    []int32 `json:"input_mask"`
	SegmentIDs   []int32 `json:"segment_ids"`
}

type goldenCtor struct {
	DoLowerCase   *bool    `json:"do_lower_case"`
	StripAccents  *bool    `json:"strip_accents"`
	ChineseChars  *bool    `json:"tokenize_chinese_chars"`
	NeverSplit    []string `json:"never_split"`
	BasicTokenize *bool    `json:"do_basic_tokenize"`
}

func (c goldenCtor) options() []Option {
	var opts []Option
	if c.DoLowerCase != nil {
		opts = append(opts, WithLowerCase(*c.DoLowerCase))
	}
	if c.StripAccents != nil {
		opts = append(opts, WithStripAccents(*c.StripAccents))
	}
	if c.ChineseChars != nil {
		opts = append(opts, WithChineseChars(*c.ChineseChars))
	}
	if c.NeverSplit != nil {
		opts = append(opts, WithNeverSplit(c.NeverSplit...))
	}
	if c.BasicTokenize != nil {
		opts = append(opts, WithBasicTokenize(*c.BasicTokenize))
	}
	return opts
}

type goldenCall struct {
	AddSpecialTokens  *bool `json:"add_special_tokens"`
	Truncation        any   `json:"truncation"`
	MaxLength         int   `json:"max_length"`
	Stride            int   `json:"stride"`
	TruncationSide    Side  `json:"truncation_side"`
	Padding           any   `json:"padding"`
	PadToMultipleOf   int   `json:"pad_to_multiple_of"`
	PaddingSide       Side  `json:"padding_side"`
	ReturnOverflowing bool  `json:"return_overflowing_tokens"`
}

func (c goldenCall) call() Call {
	call := Call{
		NoSpecialTokens: c.AddSpecialTokens != nil && !*c.AddSpecialTokens,
		MaxLength:       c.MaxLength, Stride: c.Stride, TruncationSide: c.TruncationSide,
		PadToMultipleOf: c.PadToMultipleOf, PaddingSide: c.PaddingSide, ReturnOverflowing: c.ReturnOverflowing,
	}
	switch v := c.Truncation.(type) {
	case bool:
		call.Truncation = map[bool]Truncation{true: LongestFirst, false: DoNotTruncate}[v]
	case string:
		call.Truncation = Truncation(v)
	}
	switch v := c.Padding.(type) {
	case bool:
		call.Padding = map[bool]Padding{true: PadLongest, false: DoNotPad}[v]
	case string:
		call.Padding = Padding(v)
	}
	return call
}

// compare returns what differs between an encoding and the reference's, "" if nothing.
func compare(got *Encoding, want *goldenEncoding) string {
	var diffs []string
	check := func(name string, got, want any) {
		if !reflect.DeepEqual(got, want) {
			diffs = append(diffs, fmt.Sprintf("%s\n got %v\nwant %v", name, got, want))
		}
	}
	spans := func(list []Span) [][2]int32 {
		pairs := make([][2]int32, len(list))
		for i, s := range list {
			pairs[i] = [2]int32{s.Start, s.End}
		}
		return pairs
	}
	plain := func(list []*int32) []int32 {
		out := make([]int32, len(list))
		for i, p := range list {
			if out[i] = -1; p != nil {
				out[i] = *p
			}
		}
		return out
	}
	check("tokens", got.Tokens(), want.Tokens)
	check("ids", got.IDs, want.IDs)
	check("type_ids", got.TypeIDs, want.TypeIDs)
	check("attention_mask", got.AttentionMask, want.AttentionMask)
	check("special_tokens_mask", got.SpecialTokensMask, want.SpecialTokensMask)
	if got.tokenizer.mode == Fast && want.ByteOffsets != nil {
		check("byte_offsets", spans(got.Offsets), want.ByteOffsets)
		check("char_offsets", spans(got.CharOffsets()), want.CharOffsets)
		check("word_ids", got.WordIDs, plain(want.WordIDs))
		check("sequence_ids", got.SequenceIDs, plain(want.SequenceIDs))
		check("overflowing", len(got.Overflowing), len(want.Overflowing))
		for i := range min(len(got.Overflowing), len(want.Overflowing)) {
			if d := compare(&got.Overflowing[i], &want.Overflowing[i]); d != "" {
				diffs = append(diffs, fmt.Sprintf("overflowing %d: %s", i, d))
			}
		}
	}
	return strings.Join(diffs, "\n")
}

// of returns the tokenizer a case asks for.
func (c *goldenCase) of(base *Tokenizer) (*Tokenizer, error) {
	tok, err := base.With(c.Ctor.options()...)
	for _, a := range c.AddedTokens {
		if err == nil {
			tok, err = tok.AddTokens(a)
		}
	}
	return tok, err
}

func (c *goldenCase) encode(base *Tokenizer, call Call) (Encoding, error) {
	tok, err := c.of(base)
	if err != nil {
		return Encoding{}, err
	}
	if c.Pair != nil {
		return tok.EncodePair(c.Text, *c.Pair, call)
	}
	return tok.Encode(c.Text, call)
}

func decodeJSON[T any](t *testing.T, raw json.RawMessage) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestGoldenFast(t *testing.T) {
	base := bert(t)
	vocabOnly, err := LoadVocab(filepath.Join(bertDir, vocabFile))
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, c := range golden[goldenCase](t, "cases.jsonl") {
		if c.Fast == nil {
			if _, err := c.of(base); err == nil {
				t.Errorf("%s (%s): fast mode took options it does not have", c.ID, c.Group)
			}
			continue
		}
		ran++
		want := decodeJSON[goldenEncoding](t, c.Fast)
		call := c.Call.call()
		call.ReturnOverflowing = true // the reference always does
		for _, tok := range []*Tokenizer{base, vocabOnly} {
			got, err := c.encode(tok, call)
			checkCase(t, &c, &got, err, &want)
		}
	}
	t.Logf("%d cases", ran)
}

func checkCase(t *testing.T, c *goldenCase, got *Encoding, err error, want *goldenEncoding) {
	t.Helper()
	if want.Error != "" || err != nil {
		refused, ok := err.(*RefusedError)
		if !ok || refused.Reference != want.Error {
			t.Errorf("%s (%s): got error %v, want one that refers to %q", c.ID, c.Group, err, want.Error)
		}
		return
	}
	if d := compare(got, want); d != "" {
		t.Errorf("%s (%s) %q: %s", c.ID, c.Group, c.Text, d)
	}
}

func TestGoldenSlow(t *testing.T) {
	base := bert(t, WithMode(Slow))
	ran := 0
	for _, c := range golden[goldenCase](t, "cases.jsonl") {
		ran++
		reference := c.Fast
		if c.Slow != nil {
			reference = c.Slow
		}
		want := decodeJSON[goldenEncoding](t, reference)
		got, err := c.encode(base, c.Call.call())
		checkCase(t, &c, &got, err, &want)
		if o := c.SlowOverflow; o != nil && (!slices.Equal(got.OverflowingIDs, o.IDs) || got.NumTruncated != o.N) {
			t.Errorf("%s: got overflow %v and %d, want %v and %d", c.ID, got.OverflowingIDs, got.NumTruncated, o.IDs, o.N)
		}
	}
	t.Logf("%d cases", ran)
}

func TestGoldenOriginal(t *testing.T) {
	base := bert(t, WithMode(Original))
	cases := golden[goldenCase](t, "original_cases.jsonl")
	for _, c := range cases {
		got, err := base.Encode(c.Text, Call{MaxLength: c.MaxSeqLength})
		if err != nil || !slices.Equal(got.IDs, c.InputIDs) || !slices.Equal(got.AttentionMask, c.InputMask) || !slices.Equal(got.TypeIDs, c.SegmentIDs) {
			t.Errorf("%s (%s) %q: %v\n got %v\nwant %v", c.ID, c.Group, c.Text, err, got.IDs, c.InputIDs)
		}
	}
	t.Logf("%d cases", len(cases))
}

func TestGoldenBatch(t *testing.T) {
	for _, mode := range []Mode{Fast, Slow} {
		base := bert(t, WithMode(mode))
		cases := golden[goldenCase](t, "batch_cases.jsonl")
		for _, c := range cases {
			tok, err := c.of(base)
			if err != nil {
				t.Fatal(err)
			}
			reference := c.Fast
			if mode == Slow && c.Slow != nil {
				reference = c.Slow
			}
			want := decodeJSON[[]goldenEncoding](t, reference)
			var inputs []Input
			for _, raw := range c.Texts {
				var pair [2]string
				if json.Unmarshal(raw, &pair) == nil {
					inputs = append(inputs, Input{pair[0], pair[1], true})
				} else {
					inputs = append(inputs, Input{Text: decodeJSON[string](t, raw)})
				}
			}
			call := c.Call.call()
			call.ReturnOverflowing = mode == Fast
			got, err := tok.EncodeBatch(context.Background(), inputs, call)
			if err != nil || len(got) != len(want) {
				t.Errorf("%v %s: got %d encodings and %v, want %d", mode, c.ID, len(got), err, len(want))
				continue
			}
			for i := range got {
				if d := compare(&got[i], &want[i]); d != "" {
					t.Errorf("%v %s, text %d: %s", mode, c.ID, i, d)
				}
			}
		}
		t.Logf("%v: %d cases", mode, len(cases))
	}
}

func TestGoldenDecode(t *testing.T) {
	cases := golden[goldenCase](t, "decode_cases.jsonl")
	for _, mode := range []Mode{Fast, Slow} {
		base := bert(t, WithMode(mode))
		for _, c := range cases {
			tok, err := c.of(base)
			if err != nil {
				t.Fatal(err)
			}
			o := DecodeOptions{SkipSpecialTokens: c.SkipSpecial}
			if !c.CleanUp {
				o.Cleanup = CleanDecoder
			}
			reference := c.Fast
			if mode == Slow {
				reference = c.Slow
			}
			if got, want := tok.Decode(c.IDs, o), decodeJSON[string](t, reference); got != want {
				t.Errorf("%v %s: got %q, want %q", mode, c.ID, got, want)
			}
			o.Cleanup = CleanNothing
			if mode == Fast && c.WithoutClean != nil && tok.Decode(c.IDs, o) != *c.WithoutClean {
				t.Errorf("%s without cleanup: got %q, want %q", c.ID, tok.Decode(c.IDs, o), *c.WithoutClean)
			}
		}
	}
	t.Logf("%d cases", len(cases))
}
