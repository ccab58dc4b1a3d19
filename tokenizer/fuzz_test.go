package tokenizer

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-lxmert/lxmert/internal/plainfile"
)

// checkEncoding tells what no encoding may be.
func checkEncoding(t *testing.T, tok *Tokenizer, e *Encoding) {
	t.Helper()
	n := len(e.IDs)
	if len(e.TypeIDs) != n || len(e.AttentionMask) != n || len(e.SpecialTokensMask) != n || len(e.Tokens()) != n {
		t.Fatalf("lengths differ: %d ids, %d types, %d masks, %d special", n, len(e.TypeIDs), len(e.AttentionMask), len(e.SpecialTokensMask))
	}
	for i, id := range e.IDs {
		if _, ok := tok.IDToToken(id); !ok {
			t.Fatalf("token %d has the id %d, which no token has", i, id)
		}
	}
	if tok.mode != Fast {
		return
	}
	if len(e.Offsets) != n || len(e.WordIDs) != n || len(e.SequenceIDs) != n || len(e.CharOffsets()) != n {
		t.Fatalf("lengths differ: %d ids, %d offsets, %d words, %d sequences", n, len(e.Offsets), len(e.WordIDs), len(e.SequenceIDs))
	}
	last := [2]Span{}
	for i, s := range e.Offsets {
		if e.SequenceIDs[i] < 0 {
			if s != (Span{}) || e.WordIDs[i] != -1 {
				t.Fatalf("special token %d has offsets %v, word %d", i, s, e.WordIDs[i])
			}
			continue
		}
		q := e.SequenceIDs[i]
		text := []string{e.text, e.pair}[q]
		if s.Start < 0 || s.End < s.Start || int(s.End) > len(text) {
			t.Fatalf("token %d has offsets %v of %d bytes", i, s, len(text))
		}
		if utf8.ValidString(text) && (!boundary(text, s.Start) || !boundary(text, s.End)) {
			t.Fatalf("token %d: offsets %v cut a character of %q", i, s, text)
		}
		if s.Start < last[q].Start {
			t.Fatalf("token %d begins at %d, the one before at %d", i, s.Start, last[q].Start)
		}
		last[q] = s
	}
}

func boundary(s string, at int32) bool { return int(at) == len(s) || utf8.RuneStart(s[at]) }

func FuzzEncode(f *testing.F) {
	f.Add("The unboxed café!", "red\x00 \xff 中", uint8(0), 9, 2)
	f.Add("[MASK] <x>  box", "e\u0301\u302e", uint8(0xff), 6, 1)
	f.Add("", "", uint8(3), 0, 0)
	f.Add("Σ ΑΣ İ ﬁ", "한국", uint8(0x5a), 4, 3)
	f.Fuzz(func(t *testing.T, text, pair string, flags uint8, length, stride int) {
		flag := func(i int) bool { return flags>>i&1 != 0 }
		call := Call{
			NoSpecialTokens: flag(0), MaxLength: length % 64, Stride: stride % 64,
			Truncation:        []Truncation{LongestFirst, OnlyFirst, OnlySecond, DoNotTruncate}[flags>>1&3],
			Padding:           []Padding{DoNotPad, PadLongest, PadMaxLength, DoNotPad}[flags>>3&3],
			PaddingSide:       []Side{Right, Left}[flags>>5&1],
			TruncationSide:    []Side{Right, Left}[flags>>6&1],
			ReturnOverflowing: flag(7),
		}
		if len(text)+len(pair) > 1<<12 {
			return // enough to find what there is
		}
		var simple [2][]int32
		for i, mode := range []Mode{Fast, Slow} {
			tok := add(t, small(t, WithMode(mode)), AddedToken{Content: "<x>", LStrip: flag(2), RStrip: flag(3)},
				AddedToken{Content: "box", SingleWord: true, Normalized: flag(4)})
			e, err := tok.EncodePair(text, pair, call)
			if err == nil {
				checkEncoding(t, tok, &e)
				for i := range e.Overflowing {
					checkEncoding(t, tok, &e.Overflowing[i])
				}
				batch, err := tok.EncodeBatch(context.Background(), []Input{{text, pair, true}}, call)
				if len(e.IDs) > 0 && (err != nil || !reflect.DeepEqual(batch[0], e)) {
					t.Fatalf("%v: as a batch it is another thing (%v)", mode, err)
				}
				tok.Decode(e.IDs, DecodeOptions{SkipSpecialTokens: flag(1)})
			}
			if simple[i], err = small(t, WithMode(mode)).AppendIDs(nil, text, 0); err != nil {
				t.Fatal(err)
			}
		}
		if isASCII(text) && !slices.Equal(simple[0], simple[1]) {
			t.Fatalf("%q is %v in fast mode, %v in slow mode", text, simple[0], simple[1])
		}
		if _, err := small(t, WithMode(Original)).Encode(text, Call{}); err != nil {
			t.Fatal(err)
		}
	})
}

// The quick normaliser is the plain one.
func FuzzNormalize(f *testing.F) {
	f.Add("Où e\u0301\u302e 中 İ \x00", uint8(15))
	f.Add("\u1b06\u1b44\u0301 \u0344 \xff", uint8(4))
	f.Fuzz(func(t *testing.T, text string, options uint8) {
		n := newNormalizer(options&1 != 0, options&2 != 0, options&4 != 0, options&8 != 0)
		var quick, plain normalized
		n.apply(&quick, text, 3)
		n.plain(&plain, text, 3)
		if string(quick.text) != string(plain.text) || !slices.Equal(quick.spans, plain.spans) {
			t.Fatalf("%+q is quickly %+q %v, plainly %+q %v", text, quick.text, quick.spans, plain.text, plain.spans)
		}
	})
}

// whatever a file holds, it is refused or makes a tokenizer that works.
func mustWork(t *testing.T, tok *Tokenizer, err error) {
	t.Helper()
	if err == nil {
		tok, err = tok.finish("fuzz", nil)
	}
	if err != nil {
		if err.Error() == "" {
			t.Fatal("an error without words")
		}
		return
	}
	e, err := tok.EncodePair("The [MASK] café un\x00boxed", "中 red", Call{})
	if err != nil {
		t.Fatal(err)
	}
	checkEncoding(t, tok, &e)
	tok.Decode(e.IDs, DecodeOptions{})
	if _, err := tok.files(); err != nil && !strings.Contains(err.Error(), "has no token") {
		t.Fatal(err)
	}
}

func FuzzVocab(f *testing.F) {
	f.Add([]byte(smallLines()))
	f.Add([]byte(fiveSpecials + "a\r\n##b\r\n"))
	f.Add([]byte("\ufeff[PAD]\n\n\xff"))
	f.Fuzz(func(t *testing.T, content []byte) {
		tok, err := parseVocab(content)
		mustWork(t, tok, err)
	})
}

func FuzzJSON(f *testing.F) {
	f.Add(smallJSON(f, nil))
	f.Add(smallJSON(f, map[string]any{"normalizer": nil, "decoder": nil, "post_processor": nil, "model.type": nil}))
	f.Add([]byte(`{"model":{"unk_token":"a","continuing_subword_prefix":"","max_input_chars_per_word":1,"vocab":{"a":3}},"pre_tokenizer":{"type":"BertPreTokenizer"}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		tok, err := parseJSON(content)
		mustWork(t, tok, err)
	})
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"do_lower_case":false,"never_split":null,"model_max_length":1e30}`), []byte(`{"unk_token":{"content":"[UNK]"},"additional_special_tokens":["<a>"]}`), []byte(`{"<a>":42}`))
	f.Add([]byte(`{"added_tokens_decoder":{"5":{"content":"the","special":true}}}`), []byte(`{}`), []byte(`{}`))
	f.Fuzz(func(t *testing.T, main, special, added []byte) {
		dir := t.TempDir()
		for name, content := range map[string][]byte{configFile: main, specialFile: special, addedFile: added} {
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		tok, err := parseVocab([]byte(smallLines()))
		if err != nil {
			t.Fatal(err)
		}
		c, err := readConfig(plainfile.OnDisk(dir))
		if err == nil {
			err = tok.configure(c)
		}
		mustWork(t, tok, err)
	})
}

func FuzzCall(f *testing.F) {
	f.Add([]byte(`{"truncation":true,"max_length":6,"padding":"max_length"}`))
	f.Add([]byte(`{"truncation":"only_first","stride":1,"add_special_tokens":false,"padding":null}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		var c Call
		if json.Unmarshal(content, &c) != nil {
			return
		}
		e, err := small(t).Encode("the red unboxed ball", c)
		if err != nil {
			return
		}
		rendered, err := json.Marshal(&e)
		if err != nil || !json.Valid(rendered) {
			t.Fatalf("%v: %s", err, rendered)
		}
	})
}
