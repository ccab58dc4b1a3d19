package tokenizer

import (
	"context"
	"strings"
	"testing"
)

// The figures these give are in doc.go.
const tenWords = "What color is the small cat on the wooden table?"

func BenchmarkEncode(b *testing.B) {
	for _, c := range []struct {
		name, text string
		opts       []Option
	}{
		{"fast/10words", tenWords, nil},
		{"fast/accents", "Où est le château, s'il vous plaît, près du café?", nil},
		{"slow/10words", tenWords, []Option{WithMode(Slow)}},
		{"original/10words", tenWords, []Option{WithMode(Original)}},
	} {
		b.Run(c.name, func(b *testing.B) {
			t := bert(b, c.opts...)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := t.Encode(c.text, Call{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendIDs(b *testing.B) {
	t := bert(b)
	b.ReportAllocs()
	var ids []int32
	for b.Loop() {
		ids, _ = t.AppendIDs(ids[:0], tenWords, 20)
	}
}

func BenchmarkEncodeBatch(b *testing.B) {
	t := bert(b)
	inputs := make([]Input, 256)
	for i := range inputs {
		inputs[i].Text = tenWords
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := t.EncodeBatch(context.Background(), inputs, Call{Padding: PadMaxLength, MaxLength: 20, Truncation: LongestFirst}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLong(b *testing.B) {
	t := bert(b)
	for _, c := range []struct{ name, unit string }{
		{"words", tenWords + " "},
		{"letters", "abcdefghij"}, // one word without end
		{"pieces", strings.Repeat("zq", 49) + " "},
		{"marks", "e\u0301\u302e "}, // the plain normaliser
	} {
		text := strings.Repeat(c.unit, 1<<20/len(c.unit))
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := t.Encode(text, Call{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	bert(b)
	for b.Loop() {
		if _, err := Load(bertDir); err != nil {
			b.Fatal(err)
		}
	}
}
