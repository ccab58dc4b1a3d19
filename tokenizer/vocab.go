package tokenizer

import (
	"fmt"
	"math/bits"
	"strings"
	"unicode/utf8"
)

// maxID bounds the ids a vocabulary file may use, so that a broken file cannot ask for
// gigabytes. BERT has 30522.
const maxID = 1<<22 - 1

// maxText bounds the bytes of all tokens together: a trie node must fit 24 bits.
const maxText = 1<<23 - 2

// vocab is the word-piece vocabulary: what a model file holds, without added tokens. It
// does not change once built, and tokenizers with other options share it.
type vocab struct {
	tokens   []string // by id; "" where the file leaves a hole
	ids      map[string]int32
	unk      int32
	unkToken string
	prefix   string // of a piece that continues a word, "##"
	maxChars int    // a longer word is unknown
	starts   int32  // trie of the pieces that may begin a word
	nexts    int32  // trie of the pieces that may go on, without their prefix
	trie     trie
}

// newVocab indexes tokens; an empty string is a hole. unkToken must be among them.
func newVocab(tokens []string, unkToken, prefix string, maxChars int) (*vocab, error) {
	v := &vocab{tokens: tokens, ids: make(map[string]int32, len(tokens)), unkToken: unkToken, prefix: prefix, maxChars: maxChars}
	size := 0
	for _, t := range tokens {
		size += len(t)
	}
	if size > maxText {
		return nil, fmt.Errorf("the vocabulary holds %d bytes of tokens, want at most %d", size, maxText)
	}
	v.trie.grow(2*size + 2)
	v.trie.root() // node 0 stays unused, so that no edge is 0
	v.starts, v.nexts = v.trie.root(), v.trie.root()
	for i, t := range tokens {
		if t == "" {
			continue
		}
		id := int32(i)
		v.ids[t] = id
		v.trie.add(v.starts, t, id)
		if rest, ok := strings.CutPrefix(t, prefix); ok && rest != "" {
			v.trie.add(v.nexts, rest, id)
		}
	}
	v.trie.pack()
	id, ok := v.ids[unkToken]
	if !ok {
		return nil, fmt.Errorf("the unknown token %q is not in the vocabulary; every word that has no pieces becomes it", unkToken)
	}
	v.unk = id
	return v, nil
}

// token returns the piece with this id, "" if there is none.
func (v *vocab) token(id int32) string {
	if id < 0 || int(id) >= len(v.tokens) {
		return ""
	}
	return v.tokens[id]
}

// pieces appends the word pieces of a word: always the longest one that fits, or the
// unknown token if some part fits none (Wu et al. 2016; BERT's WordpieceTokenizer). ends,
// where not nil, receives the byte at which each piece ends.
func (v *vocab) pieces(ids, ends []int32, word []byte) ([]int32, []int32) {
	first := len(ids)
	unknown := len(word) > v.maxChars && utf8.RuneCount(word) > v.maxChars
	root := v.starts
	for at := 0; at < len(word) && !unknown; root = v.nexts {
		id, end := v.trie.longest(root, word, at)
		if id < 0 {
			unknown = true
			break
		}
		ids = append(ids, id)
		ends = append(ends, int32(end))
		at = end
	}
	if unknown {
		ends = append(ends[:len(ends)-(len(ids)-first)], int32(len(word)))
		ids = append(ids[:first], v.unk)
	}
	return ids, ends
}

// trie is a set of byte strings with numbers. Its edges live in one hash table, from a
// node and a byte to a node: a step is one multiplication and about one cache line, and
// the time for a word does not depend on the vocabulary.
type trie struct {
	edges []uint64 // node<<8|byte in the upper half, the next node in the lower; 0 is empty
	shift uint
	count int
	id    []int32 // by node; -1 where no string ends
}

// grow makes room for n edges; there are no edges yet.
func (t *trie) grow(n int) {
	logSize := max(4, bits.Len(uint(n)))
	t.edges = make([]uint64, 1<<logSize)
	t.shift = uint(32 - logSize)
}

// root adds a node without a way in.
func (t *trie) root() int32 {
	t.id = append(t.id, -1)
	return int32(len(t.id) - 1)
}

// slot returns where the edge is, or the free place for it.
func (t *trie) slot(node int32, c byte) (int, bool) {
	key := uint32(node)<<8 | uint32(c)
	mask := len(t.edges) - 1
	for i := int(key * 0x9E3779B1 >> t.shift); ; i = (i + 1) & mask {
		switch e := t.edges[i]; {
		case e == 0:
			return i, false
		case uint32(e>>32) == key:
			return i, true
		}
	}
}

func (t *trie) add(node int32, s string, id int32) {
	for i := range len(s) {
		at, ok := t.slot(node, s[i])
		if !ok {
			t.edges[at] = uint64(uint32(node)<<8|uint32(s[i]))<<32 | uint64(t.root())
			t.count++
		}
		node = int32(uint32(t.edges[at]))
	}
	t.id[node] = id
}

// pack gives back the memory that common prefixes have saved: the table stays at most
// half full.
func (t *trie) pack() {
	old := t.edges
	t.grow(2 * t.count)
	for _, e := range old {
		if e != 0 {
			at, _ := t.slot(int32(uint32(e>>32)>>8), byte(e>>32))
			t.edges[at] = e
		}
	}
}

// longest returns the number of the longest string that text holds at this place, and
// where it ends; -1 if there is none.
func (t *trie) longest(node int32, text []byte, at int) (id int32, end int) {
	id = -1
	mask := uint32(len(t.edges) - 1)
	edges := t.edges
	for ; at < len(text); at++ {
		key := uint32(node)<<8 | uint32(text[at])
		i := key * 0x9E3779B1 >> t.shift & mask
		for uint32(edges[i]>>32) != key {
			if edges[i] == 0 {
				return id, end
			}
			i = (i + 1) & mask
		}
		node = int32(uint32(edges[i]))
		if found := t.id[node]; found >= 0 {
			id, end = found, at+1
		}
	}
	return id, end
}
