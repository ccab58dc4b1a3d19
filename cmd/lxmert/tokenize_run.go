package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/go-lxmert/lxmert/internal/jsonerror"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// tokenizeRun is one run over one input.
type tokenizeRun struct {
	base   *tokenizer.Tokenizer
	decode bool
	out    *bufio.Writer
	cache  map[string]*tokenizer.Tokenizer // by ctor and added tokens

	malformed, firstMalformed int
}

// inputLine is a line of input, or the reason why it could not be read.
type inputLine struct {
	content []byte
	err     error
}

// all answers line by line, until the input ends or ctx does.
func (r *tokenizeRun) all(ctx context.Context, in io.Reader) error {
	// Reading may block for ever; the reader's goroutine then ends with the process.
	lines := make(chan inputLine)
	go readTokenizeLines(ctx, in, lines)
	for number := 1; ; number++ {
		var line inputLine
		var open bool
		select {
		case line, open = <-lines:
		default: // nothing is waiting: let whoever reads our output have it
			if err := r.out.Flush(); err != nil {
				return err
			}
			select {
			case line, open = <-lines:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if !open {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.line(ctx, number, line); err != nil {
			return err
		}
	}
	if err := errors.Join(ctx.Err(), r.out.Flush()); err != nil {
		return err
	}
	if r.malformed > 0 {
		return fmt.Errorf("%d malformed lines in the input, the first is line %d; the output says what is wrong with each", r.malformed, r.firstMalformed)
	}
	return nil
}

// line answers one line. The error is one of writing or of ctx; what is wrong with the
// line goes to the output.
func (r *tokenizeRun) line(ctx context.Context, number int, in inputLine) error {
	if broken, ok := errors.AsType[readError](in.err); ok {
		return fmt.Errorf("standard input, after line %d: %w", number-1, broken.error)
	}
	if in.err == nil && len(bytes.TrimSpace(in.content)) == 0 {
		return nil // an empty line asks for nothing
	}
	var line tokenizeLine
	err := in.err
	if err == nil {
		err = jsonerror.Explain(json.Unmarshal(in.content, &line))
	}
	if err == nil {
		err = line.check(r.decode)
	}
	if err != nil {
		if r.malformed++; r.malformed == 1 {
			r.firstMalformed = number
		}
		return r.write(map[string]any{"id": line.id(), "line": number, "error": fmt.Sprintf("line %d: %v", number, err)})
	}
	if err := r.answer(ctx, &line); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if _, ok := errors.AsType[writeError](err); ok {
			return err
		}
		failed := map[string]any{"id": line.id(), "error": err.Error()}
		if refused, ok := errors.AsType[*tokenizer.RefusedError](err); ok {
			failed["error"], failed["detail"] = refused.Reference, err.Error()
		}
		return r.write(failed)
	}
	return nil
}

// tokenizer returns the one the line's ctor and added_tokens ask for.
func (r *tokenizeRun) tokenizer(l *tokenizeLine) (*tokenizer.Tokenizer, error) {
	added, err := json.Marshal(l.AddedTokens)
	if err != nil {
		return nil, err
	}
	key := string(l.Ctor) + "\n" + string(added)
	if t, ok := r.cache[key]; ok {
		return t, nil
	}
	t := r.base
	if len(l.Ctor) > 0 && string(l.Ctor) != "null" {
		opts, err := tokenizer.ParseOptions(l.Ctor)
		if err != nil {
			return nil, fmt.Errorf("ctor: %w", err)
		}
		if t, err = t.With(opts...); err != nil {
			return nil, err
		}
	}
	if t, err = t.AddTokens(l.AddedTokens...); err != nil {
		return nil, err
	}
	if r.cache == nil || len(r.cache) >= 64 { // bounded: every line may want another
		r.cache = map[string]*tokenizer.Tokenizer{}
	}
	r.cache[key] = t
	return t, nil
}

// answer does what a sound line asks for and writes it.
func (r *tokenizeRun) answer(ctx context.Context, l *tokenizeLine) error {
	t, err := r.tokenizer(l)
	if err != nil {
		return err
	}
	if r.decode {
		return r.write(map[string]any{"id": l.id(), "text": t.Decode(tokenIDs(l.IDs), l.decodeOptions())})
	}
	call := l.Call
	switch t.Mode() {
	case tokenizer.Fast:
		call.ReturnOverflowing = true // the reference's encodings always hold it
	case tokenizer.Original:
		if l.MaxSeqLength != nil {
			if call.MaxLength = *l.MaxSeqLength; call.MaxLength == 0 {
				return errors.New("max_seq_length is 0, want 2 or more tokens; [CLS] and [SEP] are two")
			}
		}
	}
	if l.Texts != nil {
		inputs := make([]tokenizer.Input, len(l.Texts))
		for i, text := range l.Texts {
			inputs[i] = tokenizer.Input(text)
		}
		encodings, err := t.EncodeBatch(ctx, inputs, call)
		if err != nil {
			return err
		}
		return r.writeEncodings(l, call, encodings, true)
	}
	var e tokenizer.Encoding
	if l.Pair != nil {
		e, err = t.EncodePair(*l.Text, *l.Pair, call)
	} else {
		e, err = t.Encode(*l.Text, call)
	}
	if err != nil {
		return err
	}
	return r.writeEncodings(l, call, []tokenizer.Encoding{e}, false)
}
