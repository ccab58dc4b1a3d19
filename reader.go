package lxmert

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/internal/padding"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// reader is what a Model and Statements have in common: a network that reads texts, a tokenizer for them, a bound on the passes
// at once, and an end.
type reader struct {
	network   *model.Network
	config    *model.Config
	tokenizer *tokenizer.Tokenizer
	text      string          // what it reads, as errors call it: question or statement
	maxTokens int             // to which texts are cut; 0: those that are too long are refused
	borrowed  bool            // the network is the caller's
	few       bool            // the engine wants few different shapes ([padding.Few])
	engine    compute.Backend // to finalize; nil if the caller's
	slots     chan struct{}   // one for each forward pass that may run at once

	mu     sync.RWMutex // held for reading while a pass is under way
	closed bool
}

// newReader is a reader without a network. It is an error if the words are not the model's.
func newReader(text string, config *model.Config, words *tokenizer.Tokenizer, o options) (*reader, error) {
	if size := words.VocabSize(); size > config.VocabSize {
		return nil, fmt.Errorf("the vocabulary has %d words, the model %d (vocab_size): they do not belong together", size, config.VocabSize)
	}
	limit, err := o.limit(config)
	if err != nil {
		return nil, err
	}
	return &reader{text: text, config: config, tokenizer: words, maxTokens: limit, slots: make(chan struct{}, o.concurrency)}, nil
}

// openReader reads tokenizer and weights of a model directory.
func openReader(text string, d directory, config *model.Config, head model.Head, o options) (*reader, error) {
	words, err := d.words()
	if err != nil {
		return nil, err
	}
	r, err := newReader(text, config, words, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.files, err)
	}
	engine := o.engine
	if engine == nil {
		if engine, err = backend.Open(o.engineName); err != nil {
			return nil, err
		}
		r.engine = engine
	}
	load := pretrained.Options{Config: config, AsStored: o.precision == nil}
	if o.precision != nil {
		load.Precision = *o.precision
	}
	r.network, _, err = d.load(engine, head, load)
	if err != nil {
		if r.engine != nil {
			r.engine.Finalize()
		}
		return nil, err
	}
	r.few = padding.Few(engine)
	return r, nil
}

// maxTextBytes is where a text is refused before it is tokenized: no model reads a hundredth of it.
const maxTextBytes = 1 << 16

// tokenize refuses what the model cannot read.
func (r *reader) tokenize(text string) (tokenizer.Encoding, error) {
	switch {
	case strings.TrimSpace(text) == "":
		return tokenizer.Encoding{}, fmt.Errorf("the %s is empty", r.text)
	case !utf8.ValidString(text):
		valid := len(strings.ToValidUTF8(text[:min(len(text), maxTextBytes)], ""))
		return tokenizer.Encoding{}, fmt.Errorf("the %s is not UTF-8 text (%d of its %d bytes are valid)", r.text, valid, len(text))
	case len(text) > maxTextBytes:
		return tokenizer.Encoding{}, fmt.Errorf("the %s has %d bytes, at most %d are read; shorten it", r.text, len(text), maxTextBytes)
	}
	call := tokenizer.Call{}
	if r.maxTokens > 0 {
		call = tokenizer.Call{Truncation: tokenizer.OnlyFirst, MaxLength: r.maxTokens, TruncationSide: tokenizer.Right}
	}
	encoding, err := r.tokenizer.Encode(text, call)
	if err != nil {
		return encoding, fmt.Errorf("the %s: %w", r.text, err)
	}
	if !slices.Contains(encoding.SpecialTokensMask, 0) {
		return encoding, fmt.Errorf("the %s has no words: nothing of it is left but the tokens that every %[1]s has", r.text)
	}
	if n := len(encoding.IDs); n > r.config.MaxPositionEmbeddings {
		return encoding, fmt.Errorf("the %s has %d tokens, the model reads %d (max_position_embeddings); shorten it", r.text, n, r.config.MaxPositionEmbeddings)
	}
	return encoding, nil
}

// encodeAll encodes n texts, or joins what is wrong with them.
func encodeAll(n int, encode func(i int) (tokenizer.Encoding, error)) ([]tokenizer.Encoding, error) {
	encodings, errs := make([]tokenizer.Encoding, n), make([]error, n)
	for i := range encodings {
		encodings[i], errs[i] = encode(i)
	}
	return encodings, errors.Join(errs...)
}

// wait runs passes of a reader once there is room for them, and until ctx ends: not every engine can stop in the middle of a pass, so what
// is left behind keeps its slot, and the network, until it has ended.
func wait[T any](ctx context.Context, r *reader, passes func() (T, error)) (T, error) {
	var none T
	select {
	case r.slots <- struct{}{}:
	case <-ctx.Done():
		return none, ctx.Err()
	}
	type result struct {
		of  T
		err error
	}
	done := make(chan result, 1)
	r.mu.RLock()
	go func() {
		defer func() {
			r.mu.RUnlock()
			<-r.slots
		}()
		of, err := passes()
		done <- result{of, err}
	}()
	select {
	case result := <-done:
		return result.of, result.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// run makes one pass for each group of n texts: the logits of each text, in their order, the first rows of what the pass gives. mu is held. The error is ctx's
// if that ends between two passes.
func (r *reader) run(ctx context.Context, n int, groups [][]int, pass func(group []int) (logits *tensors.Tensor, err error)) ([][]float32, error) {
	if r.closed {
		return nil, model.ErrClosed
	}
	logits := make([][]float32, n)
	for _, group := range groups {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out, err := pass(group)
		if err != nil {
			return nil, err
		}
		flat, err := tensors.CopyFlatData[float32](out)
		if err != nil {
			return nil, err
		}
		classes := len(flat) / out.Shape().Dim(0) // there may be more rows than texts
		for row, i := range group {
			logits[i] = flat[row*classes:][:classes]
		}
	}
	return logits, nil
}

// close frees what is not the caller's, after the passes under way.
func (r *reader) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	if r.borrowed {
		return nil
	}
	err := r.network.Close()
	if r.engine != nil {
		r.engine.Finalize()
	}
	return err
}
