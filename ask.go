package lxmert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// Answer is one answer and how much the model thinks of it.
type Answer struct {
	ID   int    // place in the answer table
	Text string // may be empty: VQA's table has an empty answer
	// Score is the model's logit, Probability the softmax over all answers.
	Score, Probability float32
}

// Query is one question about one picture's regions.
type Query struct {
	Regions  Regions
	Question string
}

// maxQuestionBytes is where a question is refused before it is tokenized: no model reads a
// hundredth of it.
const maxQuestionBytes = 1 << 16

// Ask answers a question about a picture's regions: every answer the model knows, the best
// first. Regions that cannot be right (see [Regions.Check]), an empty question, one that is not UTF-8 or longer than
// the model reads are refused. When ctx ends it returns ctx's error.
func (m *Model) Ask(ctx context.Context, regions Regions, question string) ([]Answer, error) {
	answers, err := m.AskBatch(ctx, []Query{{regions, question}})
	if err != nil {
		var bad *QueryError
		if errors.As(err, &bad) {
			err = bad.Err // there is only one: its number says nothing
		}
		return nil, err
	}
	return answers[0], nil
}

// QueryError says which query of a batch is wrong.
type QueryError struct {
	Index int // in the batch, from 0
	Err   error
}

func (e *QueryError) Error() string { return fmt.Sprintf("query %d: %v", e.Index, e.Err) }

// Unwrap is the query's own error.
func (e *QueryError) Unwrap() error { return e.Err }

// AskBatch is [Model.Ask] for many questions in one forward pass. Shorter questions and
// pictures with fewer regions are padded and masked; each answer is as if it had been asked alone. Where all
// questions are about the same Regions, the picture is encoded once. The
// error joins a [QueryError] for each query that is refused; then none is answered.
func (m *Model) AskBatch(ctx context.Context, queries []Query) ([][]Answer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(queries) == 0 {
		return nil, nil
	}
	batch, err := m.batch(queries)
	if err != nil {
		return nil, err
	}
	select {
	case m.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	type result struct {
		scores []float32
		err    error
	}
	done := make(chan result, 1)
	m.mu.RLock()
	// A pass cannot be stopped in the middle: where ctx ends first it keeps its slot, and
	// the model, until it is done.
	go func() {
		defer func() {
			m.mu.RUnlock()
			<-m.slots
		}()
		scores, err := m.scores(batch)
		done <- result{scores, err}
	}()
	var scores []float32
	select {
	case r := <-done:
		if r.err != nil {
			return nil, r.err
		}
		scores = r.scores
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	answers := make([][]Answer, len(queries))
	for i := range answers {
		if answers[i], err = m.rank(scores[i*len(m.labels) : (i+1)*len(m.labels)]); err != nil {
			return nil, &QueryError{i, err}
		}
	}
	return answers, nil
}

// scores runs the model: a logit for each query and answer. mu is held.
func (m *Model) scores(batch *model.Batch) ([]float32, error) {
	if m.closed {
		return nil, model.ErrClosed
	}
	out, err := m.network.Forward(context.Background(), batch, model.Options{})
	if err != nil {
		return nil, err
	}
	return tensors.CopyFlatData[float32](out.QuestionAnsweringScore)
}

// encode checks one query and tokenizes its question.
func (m *Model) encode(q Query) (tokenizer.Encoding, error) {
	var errs []error
	if err := q.Regions.Check(m.config.VisualFeatDim, m.config.VisualPosDim); err != nil {
		errs = append(errs, err)
	}
	encoding, err := m.tokenize(q.Question)
	return encoding, errors.Join(append(errs, err)...)
}

// tokenize refuses what the model cannot read.
func (m *Model) tokenize(question string) (tokenizer.Encoding, error) {
	switch {
	case strings.TrimSpace(question) == "":
		return tokenizer.Encoding{}, errors.New("the question is empty")
	case !utf8.ValidString(question):
		valid := len(strings.ToValidUTF8(question[:min(len(question), maxQuestionBytes)], ""))
		return tokenizer.Encoding{}, fmt.Errorf("the question is not UTF-8 text (%d of its %d bytes are valid)", valid, len(question))
	case len(question) > maxQuestionBytes:
		return tokenizer.Encoding{}, fmt.Errorf("the question has %d bytes, at most %d are read; shorten it", len(question), maxQuestionBytes)
	}
	encoding, err := m.tokenizer.Encode(question, tokenizer.Call{})
	if err != nil {
		return encoding, fmt.Errorf("the question: %w", err)
	}
	if !slices.Contains(encoding.SpecialTokensMask, 0) {
		return encoding, errors.New("the question has no words: nothing of it is left but the tokens that every question has")
	}
	if n := len(encoding.IDs); n > m.config.MaxPositionEmbeddings {
		return encoding, fmt.Errorf("the question has %d tokens, the model reads %d (max_position_embeddings); shorten it", n, m.config.MaxPositionEmbeddings)
	}
	return encoding, nil
}

// batch puts queries side by side, padded to the longest question and the most regions.
func (m *Model) batch(queries []Query) (*model.Batch, error) {
	encodings := make([]tokenizer.Encoding, len(queries))
	var errs []error
	tokens, regions := 0, 0
	for i, q := range queries {
		encoding, err := m.encode(q)
		if err != nil {
			errs = append(errs, &QueryError{i, err})
			continue
		}
		encodings[i] = encoding
		tokens, regions = max(tokens, len(encoding.IDs)), max(regions, q.Regions.Len())
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	n, feat, pos := len(queries), m.config.VisualFeatDim, m.config.VisualPosDim
	ids, types, mask := make([]int32, n*tokens), make([]int32, n*tokens), make([]float32, n*tokens)
	for i, encoding := range encodings {
		copy(ids[i*tokens:], encoding.IDs)
		copy(types[i*tokens:], encoding.TypeIDs)
		fill(mask[i*tokens:], len(encoding.IDs))
	}
	pictures := queries
	if samePicture(queries) {
		pictures = queries[:1]
	}
	p := len(pictures)
	feats, places, visualMask := make([]float32, p*regions*feat), make([]float32, p*regions*pos), make([]float32, p*regions)
	for i, q := range pictures {
		copy(feats[i*regions*feat:], q.Regions.Features)
		copy(places[i*regions*pos:], q.Regions.Boxes)
		fill(visualMask[i*regions:], q.Regions.Len())
	}
	batch := &model.Batch{
		InputIDs:     tensors.FromFlatDataAndDimensions(ids, n, tokens),
		TokenTypeIDs: tensors.FromFlatDataAndDimensions(types, n, tokens),
		VisualFeats:  tensors.FromFlatDataAndDimensions(feats, p, regions, feat),
		VisualPos:    tensors.FromFlatDataAndDimensions(places, p, regions, pos),
	}
	// A mask that masks nothing costs time and changes nothing.
	if slices.Contains(mask, 0) {
		batch.AttentionMask = tensors.FromFlatDataAndDimensions(mask, n, tokens)
	}
	if slices.Contains(visualMask, 0) {
		batch.VisualAttentionMask = tensors.FromFlatDataAndDimensions(visualMask, p, regions)
	}
	return batch, nil
}

// samePicture reports whether all queries have the very same regions: the same memory, not only
// the same numbers, which would take as long to find out as it saves.
func samePicture(queries []Query) bool {
	first := queries[0].Regions
	for _, q := range queries[1:] {
		r := q.Regions
		if len(r.Features) != len(first.Features) || len(r.Boxes) != len(first.Boxes) ||
			&r.Features[0] != &first.Features[0] || &r.Boxes[0] != &first.Boxes[0] {
			return false
		}
	}
	return true
}

// fill sets the first n elements to 1.
func fill(mask []float32, n int) {
	for i := range n {
		mask[i] = 1
	}
}

// rank turns one question's logits into answers, the best first; equal ones by id.
func (m *Model) rank(logits []float32) ([]Answer, error) {
	for id, logit := range logits {
		if logit-logit != 0 { // true of NaN and the infinities only
			return nil, fmt.Errorf("the model scores answer %d with %v: its weights or the regions' features are damaged", id, logit)
		}
	}
	highest := slices.Max(logits)
	var sum float64
	for _, logit := range logits {
		sum += math.Exp(float64(logit - highest))
	}
	answers := make([]Answer, len(logits))
	for id, logit := range logits {
		answers[id] = Answer{ID: id, Text: m.labels[id], Score: logit, Probability: float32(math.Exp(float64(logit-highest)) / sum)}
	}
	slices.SortStableFunc(answers, func(a, b Answer) int { return cmp.Compare(b.Score, a.Score) })
	return answers, nil
}
