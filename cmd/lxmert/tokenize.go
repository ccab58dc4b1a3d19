package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/tokenizer"
)

// maxTokenizeLine bounds one line of input, in bytes.
const maxTokenizeLine = 1 << 28

func newTokenize() *cobra.Command {
	var model, vocab, file, mode string
	var decode bool
	cmd := &cobra.Command{
		Use:   "tokenize (--model DIR | --vocab FILE | --tokenizer FILE) < in.jsonl > out.jsonl",
		Short: "Turn texts into token ids, and ids into text",
		Long: `tokenize reads JSON objects, one a line, and writes one line for each.

A line has an "id" (any JSON) and
  "text", and "pair" if there is a second text;
  or "texts", a batch: strings, or lists of a text and its pair;
  or, with --decode, "ids" ("skip_special_tokens", "clean_up_tokenization_spaces").
It may have
  "ctor"          do_lower_case, strip_accents, tokenize_chinese_chars; in slow mode
                  also never_split, do_basic_tokenize
  "added_tokens"  a list of {content, special, single_word, lstrip, rstrip, normalized}
  "call"          add_special_tokens, truncation, max_length, stride, truncation_side,
                  padding, pad_to_multiple_of, padding_side, return_overflowing_tokens
  "max_seq_length"  in original mode, 20 if it is not there
with the names and meanings of the Python tokenizers. Other fields are passed over.

What comes out is {"id": …, "encoding": {…}}, "encodings" for a batch, "text" for ids. What
cannot be done is {"id": …, "error": …}, and "detail" where the error is the reference's
own. A line that is not such an object is {"id": null, "line": n, "error": …}; the rest is
still done, and the exit code is 1.`,
		Example: `  echo '{"id": 1, "text": "What color is the cat?"}' | lxmert tokenize --model DIR
  lxmert tokenize --vocab vocab.txt --mode slow < questions.jsonl > tokens.jsonl
  echo '{"id": 1, "text": "one two three", "call": {"truncation": true, "max_length": 4}}' |
      lxmert tokenize --tokenizer tokenizer.json
  echo '{"id": 1, "ids": [101, 2054, 102], "skip_special_tokens": true}' |
      lxmert tokenize --model DIR --decode`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("tokenize takes no arguments, got %q; it reads standard input", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := loadTokenizer(model, vocab, file, mode)
			if err != nil {
				return err
			}
			run := tokenizeRun{base: t, decode: decode, out: bufio.NewWriterSize(cmd.OutOrStdout(), 1<<16)}
			return run.all(cmd.Context(), cmd.InOrStdin())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&model, "model", "", "`directory` with tokenizer.json or vocab.txt")
	flags.StringVar(&vocab, "vocab", "", "vocab.txt `file`, one token a line")
	flags.StringVar(&file, "tokenizer", "", "tokenizer.json `file`")
	flags.StringVar(&mode, "mode", "fast", "follow the fast, slow or original `reference`")
	flags.BoolVar(&decode, "decode", false, "turn ids into text")
	return cmd
}

// loadTokenizer loads from the one place that is given.
func loadTokenizer(model, vocab, file, mode string) (*tokenizer.Tokenizer, error) {
	given := 0
	for _, s := range []string{model, vocab, file} {
		if s != "" {
			given++
		}
	}
	if given != 1 {
		return nil, usagef("want one of --model, --vocab and --tokenizer, got %d", given)
	}
	m, err := tokenizer.ParseMode(mode)
	if err != nil {
		return nil, usageError{err}
	}
	switch {
	case model != "":
		return tokenizer.Load(model, tokenizer.WithMode(m))
	case vocab != "":
		return tokenizer.LoadVocab(vocab, tokenizer.WithMode(m))
	}
	return tokenizer.LoadJSON(file, tokenizer.WithMode(m))
}

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
		err = json.Unmarshal(in.content, &line)
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

// slowOverflow is what slow mode has for overflowing encodings.
type slowOverflow struct {
	IDs          []int32 `json:"overflowing_token_ids"`
	NumTruncated int     `json:"num_truncated_tokens"`
}

// writeEncodings writes the line's answer piece by piece: an encoding of a long text is
// many times the text.
func (r *tokenizeRun) writeEncodings(l *tokenizeLine, call tokenizer.Call, list []tokenizer.Encoding, batch bool) error {
	w := &stickyWriter{w: r.out}
	fmt.Fprintf(w, `{"id":%s,`, l.id())
	open, end := `"encoding":`, ""
	if batch {
		open, end = `"encodings":[`, "]"
	}
	io.WriteString(w, open)
	overflows := make([]slowOverflow, len(list))
	for i := range list {
		if i > 0 {
			io.WriteString(w, ",")
		}
		list[i].WriteJSON(w)
		overflows[i] = slowOverflow{append([]int32{}, list[i].OverflowingIDs...), list[i].NumTruncated}
	}
	io.WriteString(w, end)
	if r.base.Mode() == tokenizer.Slow && call.ReturnOverflowing {
		io.WriteString(w, `,"slow_overflow":`)
		var v any = overflows
		if !batch {
			v = overflows[0]
		}
		content, err := json.Marshal(v)
		if err != nil {
			return err
		}
		w.Write(content)
	}
	io.WriteString(w, "}\n")
	if w.err != nil {
		return writeError{w.err}
	}
	return nil
}

// write writes one small object as a line.
func (r *tokenizeRun) write(v map[string]any) error {
	e := json.NewEncoder(r.out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return writeError{err}
	}
	return nil
}

// writeError is a failure of the output, after which the run is over.
type writeError struct{ error }

// stickyWriter keeps the first error, so that it need be looked at only once.
type stickyWriter struct {
	w   io.Writer
	err error
}

func (s *stickyWriter) Write(p []byte) (int, error) {
	if s.err == nil {
		_, s.err = s.w.Write(p)
	}
	return len(p), s.err
}
