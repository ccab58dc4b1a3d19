package tasks

import (
	"fmt"

	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// sentences are the tokens of many sentences, side by side: millions of slices would take more memory than what is in them.
type sentences struct {
	ids  []int32
	ends []int
}

// tokenize cuts each sentence to so many tokens, [CLS] and [SEP] included.
func tokenize(words *tokenizer.Tokenizer, qs []questions.Question, most int) (sentences, error) {
	s := sentences{ends: make([]int, len(qs))}
	for i := range qs {
		var err error
		if s.ids, err = words.AppendIDs(s.ids, qs[i].Sentence, most); err != nil {
			return s, fmt.Errorf("%s: %w", describe(&qs[i]), err)
		}
		s.ends[i] = len(s.ids)
	}
	return s, nil
}

// at is a sentence's tokens; they must not be changed.
func (s *sentences) at(i int) []int32 {
	start := 0
	if i > 0 {
		start = s.ends[i-1]
	}
	return s.ids[start:s.ends[i]:s.ends[i]]
}

// special marks the first and the last token of a sentence, [CLS] and [SEP], with 1.
func special(tokens int) []int32 {
	marks := make([]int32, tokens)
	marks[0], marks[tokens-1] = 1, 1
	return marks
}
