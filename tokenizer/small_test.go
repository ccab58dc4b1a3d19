package tokenizer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// A vocabulary made for these tests, so that they run without any other file.
var smallVocab = strings.Fields(`[PAD] [UNK] [CLS] [SEP] [MASK] the a red blue ball box un ##box ##es ##ed
	is in on cafe ' , . ? ! - s 1 2 3 ##4 b c ##b ##c ##a kick ##ing t n do not i m ##`)

func smallLines() string {
	return strings.Join(smallVocab, "\n") + "\n"
}

// small returns a tokenizer over smallVocab.
func small(t testing.TB, opts ...Option) *Tokenizer {
	t.Helper()
	tok, err := parseVocab([]byte(smallLines()))
	if err == nil {
		tok, err = tok.finish("small", opts)
	}
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func add(t testing.TB, tok *Tokenizer, tokens ...AddedToken) *Tokenizer {
	t.Helper()
	tok, err := tok.AddTokens(tokens...)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestEncodeSmall(t *testing.T) {
	tok := small(t)
	e, err := tok.EncodePair("The Unboxed\u0000 CAFÉ,", "on 中?", Call{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"[CLS]", "the", "un", "##box", "##ed", "cafe", ",", "[SEP]", "on", "[UNK]", "?", "[SEP]"}
	if got := e.Tokens(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	wantBytes := []Span{{}, {0, 3}, {4, 6}, {6, 9}, {9, 11}, {13, 18}, {18, 19}, {}, {0, 2}, {3, 6}, {6, 7}, {}}
	if !slices.Equal(e.Offsets, wantBytes) {
		t.Errorf("offsets %v, want %v", e.Offsets, wantBytes)
	}
	wantChars := []Span{{}, {0, 3}, {4, 6}, {6, 9}, {9, 11}, {13, 17}, {17, 18}, {}, {0, 2}, {3, 4}, {4, 5}, {}}
	if got := e.CharOffsets(); !slices.Equal(got, wantChars) {
		t.Errorf("character offsets %v, want %v", got, wantChars)
	}
	if want := []int32{-1, 0, 1, 1, 1, 2, 3, -1, 0, 1, 2, -1}; !slices.Equal(e.WordIDs, want) {
		t.Errorf("word ids %v, want %v", e.WordIDs, want)
	}
	if want := []int32{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1}; !slices.Equal(e.TypeIDs, want) {
		t.Errorf("type ids %v, want %v", e.TypeIDs, want)
	}
}

// Bytes that are not UTF-8 go, as U+FFFD does, and offsets still count them.
func TestInvalidUTF8(t *testing.T) {
	text := "red\xff ba\xe4\xb8ll \xf0 box"
	for _, mode := range []Mode{Fast, Slow, Original} {
		tok := small(t, WithMode(mode))
		e, err := tok.Encode(text, Call{})
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Tokens()[:5]; !slices.Equal(got, []string{"[CLS]", "red", "ball", "box", "[SEP]"}) {
			t.Errorf("%v: got %q", mode, got)
		}
		if want := []Span{{}, {0, 3}, {5, 11}, {14, 17}, {}}; mode == Fast && !slices.Equal(e.Offsets, want) {
			t.Errorf("offsets %v, want %v", e.Offsets, want)
		}
		if want := []Span{{}, {0, 3}, {5, 11}, {14, 17}, {}}; mode == Fast && !slices.Equal(e.CharOffsets(), want) {
			t.Errorf("character offsets %v, want %v: each stray byte is a character", e.CharOffsets(), want)
		}
	}
}

func TestAddedTokens(t *testing.T) {
	for _, c := range []struct {
		name, text string
		tokens     []AddedToken
		fast, slow []string
	}{
		{"longest of the leftmost", "xabcd ab", []AddedToken{{Content: "ab"}, {Content: "abcd"}, {Content: "bcd"}},
			[]string{"[UNK]", "abcd", "ab"}, []string{"[UNK]", "abcd", "ab"}},
		{"strips to both sides", "a  <x>  b", []AddedToken{{Content: "<x>", LStrip: true, RStrip: true}},
			[]string{"a", "  <x>  ", "b"}, []string{"a", "<x>", "b"}},
		{"white space is taken once", "<x>  <x> b", []AddedToken{{Content: "<x>", LStrip: true, RStrip: true}},
			[]string{"<x>  ", "<x> ", "b"}, []string{"<x>", "<x>", "b"}},
		{"normal form", "CAFÉ1 café1", []AddedToken{{Content: "Café1", Normalized: true}},
			[]string{"cafe1", "cafe1"}, []string{"café1", "café1"}},
		{"special before normalised", "[MASK] ball", []AddedToken{{Content: "mask", Normalized: true}},
			[]string{"[MASK]", "ball"}, []string{"[MASK]", "ball"}},
		{"a white token inside taken space", "a <r>  b", []AddedToken{{Content: "<r>", RStrip: true}, {Content: "  ", LStrip: true}},
			[]string{"a", "<r>  ", "b"}, nil},
	} {
		for mode, want := range map[Mode][]string{Fast: c.fast, Slow: c.slow} {
			if len(want) == 0 {
				continue
			}
			tok := add(t, small(t, WithMode(mode)), c.tokens...)
			e, err := tok.Encode(c.text, Call{NoSpecialTokens: true})
			if err != nil {
				t.Fatal(err)
			}
			if got := e.Tokens(); !slices.Equal(got, want) {
				t.Errorf("%s, %v: %q is %q, want %q", c.name, mode, c.text, got, want)
			}
		}
	}
}

// Rust's word boundaries, seen through whether the token is found.
func TestSingleWord(t *testing.T) {
	tok := add(t, small(t), AddedToken{Content: "<b>", SingleWord: true})
	id, _ := tok.TokenToID("<b>")
	for text, found := range map[string]bool{
		"<b>": true, "a <b> a": true, ".<b>.": true, "-<b>'": true, "中 <b>": true,
		"a<b>": false, "<b>1": false, "_<b>": false, "é<b>": false, "<b>中": false, "<b>\u0301": false, "<b>\u200d": false,
		"<b>\u200b": true, "<b>½": true, "<b>Ⅷ": false, "<b>²": true,
	} {
		e, err := tok.Encode(text, Call{})
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Contains(e.IDs, id); got != found {
			t.Errorf("%q: found %v, want %v", text, got, found)
		}
	}
}

func TestAddedTokenIDs(t *testing.T) {
	base := small(t)
	size := base.VocabSize()
	tok := add(t, base, AddedToken{Content: "<x>"}, AddedToken{Content: "ball"}, AddedToken{Content: "<y>"}, AddedToken{Content: "<x>", Special: true})
	for content, want := range map[string]int32{"<x>": int32(size), "<y>": int32(size + 1), "ball": base.vocab.ids["ball"]} {
		if got, _ := tok.TokenToID(content); got != want {
			t.Errorf("%q has the id %d, want %d", content, got, want)
		}
	}
	if tok.VocabSize() != size+2 || base.VocabSize() != size {
		t.Errorf("%d tokens from %d, want 2 more, and the base unchanged", tok.VocabSize(), base.VocabSize())
	}
	if got := tok.Decode([]int32{int32(size), 5}, DecodeOptions{SkipSpecialTokens: true}); got != "the" {
		t.Errorf("decoded %q: the new flags do not count", got)
	}
	for _, bad := range [][]AddedToken{
		{{Content: ""}}, {{Content: "\xff"}}, {{Content: "\u0301", Normalized: true}},
		{{Content: "É", Normalized: true}, {Content: "e", Normalized: true}},
	} {
		if _, err := base.AddTokens(bad...); err == nil {
			t.Errorf("%+v was added", bad)
		}
	}
	if _, err := small(t, WithMode(Original)).AddTokens(AddedToken{Content: "<x>"}); err == nil {
		t.Error("the original took an added token")
	}
}

func TestCallErrors(t *testing.T) {
	huge := 1 << 40
	for _, mode := range []Mode{Fast, Slow} {
		tok := small(t, WithMode(mode))
		for name, call := range map[string]Call{
			"negative length":   {MaxLength: -1},
			"negative stride":   {Stride: -1},
			"negative multiple": {PadToMultipleOf: -8},
			"huge padding":      {Padding: PadMaxLength, MaxLength: huge},
			"huge multiple":     {Padding: PadLongest, PadToMultipleOf: huge},
			"strategy":          {Truncation: "first", MaxLength: 5},
			"padding":           {Padding: "all"},
			"side":              {PaddingSide: "up"},
		} {
			if e, err := tok.Encode("red ball", call); err == nil {
				t.Errorf("%v, %s: got %d tokens, want an error", mode, name, e.Len())
			}
			if _, err := tok.EncodeBatch(context.Background(), []Input{{Text: "red"}, {Text: "ball"}}, call); err == nil {
				t.Errorf("%v, %s: a batch was encoded, want an error", mode, name)
			}
		}
		// A length that only bounds costs nothing.
		if _, err := tok.Encode("red ball", Call{Truncation: LongestFirst, MaxLength: huge}); err != nil {
			t.Errorf("%v: a huge max_length without padding: %v", mode, err)
		}
	}
	tok := small(t)
	if _, err := tok.Encode("red", Call{Truncation: LongestFirst, MaxLength: 1}); err == nil {
		t.Error("max_length 1 had room for two special tokens")
	}
	long := strings.Repeat("red ", 1<<14)
	_, err := tok.EncodePair(long, long, Call{Truncation: LongestFirst, MaxLength: 7, ReturnOverflowing: true})
	if err == nil {
		t.Error("the combinations of two long texts' parts were all made")
	}
	if _, err := small(t, WithMode(Original)).Encode("red", Call{MaxLength: 1}); err == nil {
		t.Error("the original encoded into one token")
	}
	if _, err := small(t, WithMode(Original)).EncodePair("red", "ball", Call{}); err == nil {
		t.Error("the original encoded a pair")
	}
	for _, o := range []Option{WithNeverSplit("red"), WithBasicTokenize(false), WithMode(7)} {
		if _, err := tok.With(o); err == nil {
			t.Error("fast mode took an option it does not have")
		}
	}
}

// The Rust library's texts for what it refuses.
func TestRefused(t *testing.T) {
	tok := small(t)
	for _, c := range []struct {
		pair string
		call Call
		want string
	}{
		{"", Call{Truncation: OnlySecond, MaxLength: 4}, "Truncation error: Second sequence not provided"},
		{"the ball", Call{Truncation: OnlyFirst, MaxLength: 4}, "Truncation error: Sequence to truncate too short to respect the provided max_length"},
		{"", Call{Truncation: LongestFirst, MaxLength: 4, Stride: 2}, "panic: `stride` must be strictly less than `max_len=2`"},
		{"", Call{Truncation: LongestFirst, MaxLength: 4, Stride: 3}, "tokenizer stride set to 3, which is greater than or equal to its effective max length of 2"},
	} {
		var err error
		if c.pair == "" {
			_, err = tok.Encode("red blue ball", c.call)
		} else {
			_, err = tok.EncodePair("red blue ball", c.pair, c.call)
		}
		refused, ok := errors.AsType[*RefusedError](err)
		if !ok || !strings.HasPrefix(refused.Reference, c.want) {
			t.Errorf("%+v: got %v, want the reference's %q", c.call, err, c.want)
		}
	}
}

func TestOverflowOrder(t *testing.T) {
	tok := small(t)
	e, err := tok.EncodePair("1 2 3", "a b c", Call{Truncation: LongestFirst, MaxLength: 5, ReturnOverflowing: true})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{strings.Join(e.Tokens(), " ")}
	for _, o := range e.Overflowing {
		got = append(got, strings.Join(o.Tokens(), " "))
	}
	var want []string
	for _, ab := range []string{"1a", "2a", "2b", "2c", "3a", "3b", "3c", "1b", "1c"} {
		want = append(want, "[CLS] "+ab[:1]+" [SEP] "+ab[1:]+" [SEP]")
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if e, err = tok.EncodePair("1 2 3", "a b c", Call{Truncation: LongestFirst, MaxLength: 5}); err != nil || e.Overflowing != nil {
		t.Errorf("%d overflowing parts nobody asked for, %v", len(e.Overflowing), err)
	}
}

// A batch is what its elements are one by one, on however many processors.
func TestBatch(t *testing.T) {
	words := []string{"the red ball", "", "unboxed boxes, kicking!", "CAFÉ 中 1234", "is it in the box?"}
	var inputs []Input
	for i := range 97 {
		inputs = append(inputs, Input{words[i%5], words[i%3], i%7 == 0})
	}
	for _, mode := range []Mode{Fast, Slow} {
		tok := small(t, WithMode(mode))
		call := Call{Padding: PadMaxLength, MaxLength: 24}
		for _, procs := range []int{1, 4} {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			got, err := tok.EncodeBatch(context.Background(), inputs, call)
			if err != nil {
				t.Fatal(err)
			}
			for i, in := range inputs {
				want, err := tok.encode(in.Text, in.Pair, in.HasPair, call)
				if err != nil || !reflect.DeepEqual(got[i], want) {
					t.Fatalf("%v: element %d differs from itself alone (%v)", mode, i, err)
				}
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := small(t).EncodeBatch(ctx, inputs, Call{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled batch gave %v", err)
	}
}

func TestAppendIDs(t *testing.T) {
	for _, mode := range []Mode{Fast, Slow, Original} {
		tok := small(t, WithMode(mode))
		for _, max := range []int{2, 5, 20} {
			e, err := tok.Encode("the red unboxed ball is in the box", Call{MaxLength: max, Truncation: map[Mode]Truncation{Fast: LongestFirst, Slow: LongestFirst}[mode]})
			if err != nil {
				t.Fatal(err)
			}
			if mode == Slow && max == 2 {
				continue // Python leaves a text whole rather than empty
			}
			n := 0
			for _, m := range e.AttentionMask {
				n += int(m)
			}
			got, err := tok.AppendIDs([]int32{-7}, "the red unboxed ball is in the box", max)
			if err != nil || !slices.Equal(got, append([]int32{-7}, e.IDs[:n]...)) {
				t.Errorf("%v, %d: got %v and %v, want %v after -7", mode, max, got, err, e.IDs[:n])
			}
		}
	}
	tok := small(t)
	ids := make([]int32, 0, 64)
	if n := testing.AllocsPerRun(100, func() { ids, _ = tok.AppendIDs(ids[:0], "the red Café box?", 20) }); n != 0 && !raceEnabled {
		t.Errorf("AppendIDs allocates %v times, want never", n)
	}
	if n := testing.AllocsPerRun(100, func() { tok.Encode("the red Café box?", Call{}) }); n > 2 && !raceEnabled {
		t.Errorf("Encode allocates %v times, want 2: the numbers and the offsets", n)
	}
}

// Time is linear in the text, whatever is in it: 8 times the text, far from 64 times the time.
func TestLongTexts(t *testing.T) {
	tok := add(t, small(t), AddedToken{Content: "<x>", LStrip: true, RStrip: true}, AddedToken{Content: "ab", Normalized: true, SingleWord: true})
	slow := add(t, small(t, WithMode(Slow)), AddedToken{Content: "ab", SingleWord: true})
	for _, unit := range []string{"the red ball ", "b", "bc", "e\u0301", "e\u0301\u302e", "中", "<x> ", "ab", " ", "\x00", "'", "Σ", "\xff", "[MASK]"} {
		text := strings.Repeat(unit, 1<<20/len(unit))
		for _, tok := range []*Tokenizer{tok, slow} {
			e, err := tok.Encode(text, Call{})
			if err != nil || e.Len() < 2 {
				t.Errorf("%q: %d tokens, %v", unit, e.Len(), err)
			}
		}
	}
}

func TestSaveAndLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "model")
	for _, mode := range []Mode{Fast, Slow} {
		tok := small(t, WithMode(mode), WithStripAccents(false), WithChineseChars(false))
		tok = add(t, tok, AddedToken{Content: "<obj>", Special: true, LStrip: true}, AddedToken{Content: "<&>x", Normalized: true}, AddedToken{Content: "red", SingleWord: true})
		if err := tok.Save(dir); err != nil {
			t.Fatal(err)
		}
		for _, again := range []Mode{Fast, Slow} {
			loaded, err := Load(dir, WithMode(again))
			if err != nil {
				t.Fatal(err)
			}
			want, err := tok.With(WithMode(again))
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{"a <obj> RED <&>X café 中文", "reded [MASK]"} {
				a, errA := loaded.Encode(text, Call{ReturnOverflowing: true, MaxLength: 6, Truncation: LongestFirst})
				b, errB := want.Encode(text, Call{ReturnOverflowing: true, MaxLength: 6, Truncation: LongestFirst})
				if errA != nil || errB != nil || !slices.Equal(a.IDs, b.IDs) || !slices.Equal(a.Tokens(), b.Tokens()) {
					t.Errorf("saved in %v, loaded in %v: %q is %q %v, want %q %v", mode, again, text, a.Tokens(), errA, b.Tokens(), errB)
				}
			}
		}
	}
	if _, err := LoadJSON(filepath.Join(dir, jsonFile)); err != nil {
		t.Error(err)
	}
	if _, err := LoadVocab(filepath.Join(dir, vocabFile)); err != nil {
		t.Error(err)
	}
	// A tokenizer without added tokens must not find the old ones again.
	if err := small(t).Save(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, addedFile)); !os.IsNotExist(err) {
		t.Errorf("the old %s is still there: %v", addedFile, err)
	}
	if loaded, err := Load(dir); err != nil || loaded.VocabSize() != small(t).VocabSize() {
		t.Errorf("loaded again: %v", err)
	}
}

func TestDecodeSmall(t *testing.T) {
	id := func(words string) []int32 {
		var ids []int32
		for _, w := range strings.Fields(words) {
			ids = append(ids, small(t).vocab.ids[w])
		}
		return ids
	}
	for _, c := range []struct {
		ids        []int32
		o          DecodeOptions
		fast, slow string
	}{
		{id("[CLS] the un ##box ##ed ball . [SEP]"), DecodeOptions{}, "[CLS] the unboxed ball. [SEP]", "[CLS] the unboxed ball. [SEP]"},
		{id("[CLS] the ball ' s box [SEP] [PAD]"), DecodeOptions{SkipSpecialTokens: true}, "the ball's box", "the ball's box"},
		{id("a , b"), DecodeOptions{Cleanup: CleanDecoder}, "a, b", "a , b"},
		{id("a , b"), DecodeOptions{Cleanup: CleanNothing}, "a , b", "a , b"},
		{[]int32{-1, 5, 99999, 1 << 30}, DecodeOptions{}, "the", "[UNK] the [UNK] [UNK]"},
		{id("##box a"), DecodeOptions{}, "##box a", "##box a"},
		{nil, DecodeOptions{}, "", ""},
	} {
		if got := small(t).Decode(c.ids, c.o); got != c.fast {
			t.Errorf("fast: %v is %q, want %q", c.ids, got, c.fast)
		}
		if got := small(t, WithMode(Slow)).Decode(c.ids, c.o); got != c.slow {
			t.Errorf("slow: %v is %q, want %q", c.ids, got, c.slow)
		}
	}
}

func TestCharOffsetsOfOverlaps(t *testing.T) {
	// White space that is a token of its own, inside what another has taken along.
	tok := add(t, small(t), AddedToken{Content: "<r>", RStrip: true}, AddedToken{Content: " é", RStrip: true})
	e, err := tok.Encode("é<r> é é", Call{})
	if err != nil {
		t.Fatal(err)
	}
	text := "é<r> é é"
	for i, s := range e.CharOffsets() {
		b := e.Offsets[i]
		if want := (Span{int32(utf8.RuneCountInString(text[:b.Start])), int32(utf8.RuneCountInString(text[:b.End]))}); s != want {
			t.Errorf("token %d: characters %v for bytes %v, want %v", i, s, b, want)
		}
	}
}
