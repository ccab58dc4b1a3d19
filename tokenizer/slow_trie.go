package tokenizer

import "unicode/utf8"

// splitTrie cuts a text around added tokens as Python's Trie.split does. That is not quite
// "leftmost, then longest": when a token is complete, an earlier start that is still open
// may yet win, judged from where it stood when it was last looked at. So the search is
// followed step by step here, start by start.
type splitTrie struct{ root *trieNode }

type trieNode struct {
	next map[rune]*trieNode
	end  bool
}

func newSplitTrie() *splitTrie { return &splitTrie{root: &trieNode{}} }

func (t *splitTrie) add(token string) {
	n := t.root
	for _, r := range token {
		if n.next == nil {
			n.next = map[rune]*trieNode{}
		}
		if n.next[r] == nil {
			n.next[r] = &trieNode{}
		}
		n = n.next[r]
	}
	n.end = true
}

// open is a place where a token may have begun, and how far it has come.
type open struct {
	start  int
	node   *trieNode
	failed bool // the last character did not fit
}

// split returns text cut before and after each token that was found.
func (t *splitTrie) split(text string) []string {
	var parts []string
	from := 0
	emit := func(to int) {
		if to > from {
			parts = append(parts, text[from:to])
			from = to
		}
	}
	var opens []open
	skip := 0
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRuneInString(text[at:])
		if at < skip {
			at += size
			continue
		}
		reset := false
		for i := range opens {
			o := &opens[i]
			if o.node.end {
				start, end := t.lookAhead(opens[:i+1], text, at, at+size)
				skip = end
				emit(start)
				emit(end)
				reset = true
				break
			}
			if n := o.node.next[r]; n != nil {
				o.node = n
			} else {
				o.failed = true
			}
		}
		if reset {
			opens = opens[:0]
		} else {
			kept := opens[:0]
			for _, o := range opens {
				if !o.failed {
					kept = append(kept, o)
				}
			}
			opens = kept
		}
		if n := t.root.next[r]; n != nil && at >= skip {
			opens = append(opens, open{start: at, node: n})
		}
		at += size
	}
	for _, o := range opens {
		if o.node.end {
			emit(o.start)
			emit(len(text))
			break
		}
	}
	emit(len(text))
	return parts
}

// lookAhead finds how far the tokens reach that may have begun at the given places, the
// last of which is complete at here. The earlier ones have seen the character at here
// already, and go on after it. The earliest that matches counts, at its longest.
func (t *splitTrie) lookAhead(opens []open, text string, here, after int) (start, end int) {
	for i, o := range opens {
		at := after
		if i == len(opens)-1 {
			at = here
		}
		node, found := o.node, o.node.end
		end = at
		for at < len(text) {
			r, size := utf8.DecodeRuneInString(text[at:])
			n := node.next[r]
			if n == nil {
				break
			}
			node = n
			at += size
			if node.end {
				found, end = true, at
			}
		}
		if found {
			return o.start, end
		}
	}
	return opens[len(opens)-1].start, here // not reached: the last one is complete
}
