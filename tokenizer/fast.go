package tokenizer

import (
	"fmt"
	"math"
	"sync"
	"unicode/utf8"
	"unsafe"
)

// sequence is one text as tokens, before it is cut and special tokens are put in.
type sequence struct {
	ids     []int32
	spans   []Span
	words   []int32
	surface []string // of added tokens that look otherwise than their content; nil or as long as ids
	word    int32    // the number of the next word
}

func (q *sequence) reset() {
	q.ids, q.spans, q.words, q.surface, q.word = q.ids[:0], q.spans[:0], q.words[:0], nil, 0
}

// scratch is the memory one call of Encode works in.
type scratch struct {
	norm      normalized
	ends      []int32 // where the pieces of a word end
	sequences [2]sequence
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// keepScratch is the size, in bytes of text, above which the memory is not kept.
const keepScratch = 1 << 16

func (s *scratch) free() {
	if cap(s.norm.text) <= keepScratch && cap(s.sequences[0].ids) <= keepScratch && cap(s.sequences[1].ids) <= keepScratch {
		scratches.Put(s)
	}
}

// bytesOf views a string as bytes, which nobody may write to.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// checkText refuses a text whose offsets would not fit.
func checkText(text string) error {
	if len(text) > math.MaxInt32 {
		return fmt.Errorf("the text has %d bytes, want at most %d; split it", len(text), math.MaxInt32)
	}
	return nil
}

// split tokenizes a text as the Rust library does: added tokens are found in the text as
// it stands; what is between them is normalised; more added tokens are found in that; the
// rest is split into words and words into pieces.
func (t *Tokenizer) split(s *scratch, q *sequence, text string) {
	q.reset()
	if t.added.raw == nil {
		t.splitNormal(s, q, text, 0)
		return
	}
	raw := bytesOf(text)
	done := 0
	for at := 0; ; {
		m, after, ok := t.added.raw.next(raw, at, done)
		if !ok {
			break
		}
		if done < m.start {
			t.splitNormal(s, q, text[done:m.start], done)
		}
		q.addToken(m.token, raw[m.start:m.end], Span{int32(m.start), int32(m.end)})
		at, done = after, m.end
	}
	if done < len(text) {
		t.splitNormal(s, q, text[done:], done)
	}
}

// splitNormal goes on with a stretch of text that holds no token to be found as it stands.
func (t *Tokenizer) splitNormal(s *scratch, q *sequence, text string, base int) {
	n := &s.norm
	n.reset()
	t.normalizer.apply(n, text, base)
	if t.added.normal == nil {
		t.splitWords(s, q, 0, len(n.text))
		return
	}
	done := 0
	for at := 0; ; {
		m, after, ok := t.added.normal.next(n.text, at, done)
		if !ok {
			break
		}
		if done < m.start {
			t.splitWords(s, q, done, m.start)
		}
		q.addToken(m.token, n.text[m.start:m.end], Span{n.spans[m.start].Start, n.spans[m.end-1].End})
		at, done = after, m.end
	}
	if done < len(n.text) {
		t.splitWords(s, q, done, len(n.text))
	}
}

// splitWords cuts normal text at white space and around punctuation (BertPreTokenizer),
// and each word into pieces.
func (t *Tokenizer) splitWords(s *scratch, q *sequence, from, to int) {
	text, classes := s.norm.text[:to], t.normalizer.classes
	start := from // of the word
	for at := from; at < to; {
		r, size := rune(text[at]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(text[at:])
		}
		if class := classes[r]; class&(white|punctuation) != 0 {
			t.addWord(s, q, start, at)
			if class&white == 0 {
				t.addWord(s, q, at, at+size)
			}
			start = at + size
		}
		at += size
	}
	t.addWord(s, q, start, to)
}

func (t *Tokenizer) addWord(s *scratch, q *sequence, from, to int) {
	if from == to {
		return
	}
	first := len(q.ids)
	q.ids, s.ends = t.vocab.pieces(q.ids, s.ends[:0], s.norm.text[from:to])
	spans := s.norm.spans[from:to]
	begin := int32(0)
	for _, end := range s.ends {
		q.spans = append(q.spans, Span{spans[begin].Start, spans[end-1].End})
		q.words = append(q.words, q.word)
		begin = end
	}
	if q.surface != nil {
		q.surface = append(q.surface, make([]string, len(q.ids)-first)...)
	}
	q.word++
}

// addToken adds an added token that was found as text; an empty match is none.
func (q *sequence) addToken(token *addedToken, text []byte, span Span) {
	if len(text) == 0 {
		return
	}
	if q.surface == nil && string(text) != token.shown {
		q.surface = make([]string, len(q.ids), len(q.ids)+8)
	}
	if q.surface != nil {
		q.surface = append(q.surface, string(text))
	}
	q.ids = append(q.ids, token.id)
	q.spans = append(q.spans, span)
	q.words = append(q.words, q.word)
	q.word++
}
