package tokenizer

import "fmt"

// piece is a place in a template: one of the texts, or a special token.
type piece struct {
	sequence int // 0 or 1; -1 for a special token
	id       int32
	typeID   int32
}

// template says where the special tokens go (TemplateProcessing of the Rust library).
type template struct {
	single, pair []piece
}

// bertTemplate is [CLS] A [SEP], and [CLS] A [SEP] B [SEP] with B and its [SEP] of type 1.
func bertTemplate(cls, sep int32) template {
	return template{
		single: []piece{{-1, cls, 0}, {0, 0, 0}, {-1, sep, 0}},
		pair:   []piece{{-1, cls, 0}, {0, 0, 0}, {-1, sep, 0}, {1, 0, 1}, {-1, sep, 1}},
	}
}

// plainTemplate puts nothing in.
func plainTemplate() template {
	return template{single: []piece{{0, 0, 0}}, pair: []piece{{0, 0, 0}, {1, 0, 1}}}
}

// check makes sure that each text stands in its template once.
func (t template) check() error {
	for i, pieces := range [][]piece{t.single, t.pair} {
		var seen [2]int
		for _, p := range pieces {
			if p.sequence >= 0 {
				seen[p.sequence]++
			}
		}
		if seen != [2]int{1, i} {
			return fmt.Errorf("the template for %d texts holds A %d times and B %d times, want once each that is there", i+1, seen[0], seen[1])
		}
	}
	return nil
}

// of returns the pieces for a single text or a pair.
func (t template) of(pair, specials bool) []piece {
	pieces := t.single
	if pair {
		pieces = t.pair
	}
	if specials {
		return pieces
	}
	// Without special tokens, only the texts. The slices are short, the case is rare.
	var texts []piece
	for _, p := range pieces {
		if p.sequence >= 0 {
			texts = append(texts, p)
		}
	}
	return texts
}

// specials counts the special tokens among pieces.
func specials(pieces []piece) int {
	n := 0
	for _, p := range pieces {
		if p.sequence < 0 {
			n++
		}
	}
	return n
}
