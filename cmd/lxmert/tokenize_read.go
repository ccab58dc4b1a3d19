package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/go-lxmert/lxmert/tokenizer"
)

// maxTokenizeLine bounds one line of input, in bytes.
const maxTokenizeLine = 1 << 28

// errTooLong is a line that is not read to its end.
var errTooLong = fmt.Errorf("has more than %d bytes; split the text", maxTokenizeLine)

// readTokenizeLines sends every line of in, and an error of reading as the last.
func readTokenizeLines(ctx context.Context, in io.Reader, lines chan<- inputLine) {
	defer close(lines)
	buffered := bufio.NewReaderSize(in, 1<<16)
	for {
		var line inputLine
		var err error
		for more := true; more; {
			var chunk []byte
			chunk, err = buffered.ReadSlice('\n')
			more = errors.Is(err, bufio.ErrBufferFull)
			if len(line.content)+len(chunk) > maxTokenizeLine {
				line = inputLine{err: errTooLong}
			}
			if line.err == nil {
				line.content = append(line.content, chunk...)
			}
		}
		last := err != nil
		if last && !errors.Is(err, io.EOF) {
			line = inputLine{err: readError{err}}
		} else if last && len(line.content) == 0 && line.err == nil {
			return
		}
		select {
		case lines <- line:
		case <-ctx.Done():
			return
		}
		if last {
			return
		}
	}
}

// readError is a failure of the input itself, after which nothing more can come.
type readError struct{ error }

// tokenizeLine is what of a line matters. What may be wrong in itself stays raw.
type tokenizeLine struct {
	ID           json.RawMessage        `json:"id"`
	Text         *string                `json:"text"`
	Pair         *string                `json:"pair"`
	Texts        []tokenizeText         `json:"texts"`
	IDs          []int64                `json:"ids"`
	Ctor         json.RawMessage        `json:"ctor"`
	AddedTokens  []tokenizer.AddedToken `json:"added_tokens"`
	Call         tokenizer.Call         `json:"call"`
	MaxSeqLength *int                   `json:"max_seq_length"`
	SkipSpecial  bool                   `json:"skip_special_tokens"`
	CleanUp      *bool                  `json:"clean_up_tokenization_spaces"`
}

// tokenizeText is an element of a batch: a string, or a list of two.
type tokenizeText tokenizer.Input

func (t *tokenizeText) UnmarshalJSON(content []byte) error {
	if len(content) > 0 && content[0] == '"' {
		return json.Unmarshal(content, &t.Text)
	}
	var pair []string
	if err := json.Unmarshal(content, &pair); err != nil || len(pair) != 2 {
		return fmt.Errorf("an element of texts is neither a string nor a list of two")
	}
	t.Text, t.Pair, t.HasPair = pair[0], pair[1], true
	return nil
}

// id is the line's own, or null.
func (l *tokenizeLine) id() json.RawMessage {
	if len(l.ID) == 0 {
		return json.RawMessage("null")
	}
	return l.ID
}

// check makes sure that a line asks for one thing.
func (l *tokenizeLine) check(decode bool) error {
	switch {
	case decode && l.IDs == nil:
		return errors.New(`has no "ids", which --decode turns into text`)
	case decode:
		return nil
	case l.Text == nil && l.Texts == nil:
		return errors.New(`has neither "text" nor "texts" (ids are turned into text with --decode)`)
	case l.Text != nil && l.Texts != nil:
		return errors.New(`has both "text" and "texts", want one`)
	case l.Pair != nil && l.Texts != nil:
		return errors.New(`has "pair" beside "texts"; a batch has its pairs as lists of two`)
	}
	return nil
}
func (l *tokenizeLine) decodeOptions() tokenizer.DecodeOptions {
	o := tokenizer.DecodeOptions{SkipSpecialTokens: l.SkipSpecial}
	if l.CleanUp != nil && !*l.CleanUp {
		o.Cleanup = tokenizer.CleanDecoder
	}
	return o
}

// tokenIDs makes -1, which no token has, of what is too large to be an id.
func tokenIDs(list []int64) []int32 {
	ids := make([]int32, len(list))
	for i, id := range list {
		if ids[i] = int32(id); int64(ids[i]) != id {
			ids[i] = -1
		}
	}
	return ids
}
