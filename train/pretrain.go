package train

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/go-lxmert/lxmert/model"
)

// PreTraining draws what pre-training leaves to chance (§3.1.2): sentences of other pictures, masked words and regions, one of several right
// answers. It knows the training data by the numbers of its sentences alone; nothing here reads a picture.
type PreTraining struct {
	Pairs *Pairs

	// Tokens is a sentence with its special tokens, which special marks with 1, as in tokenizer.Encoding.
	Tokens func(sentence int) (ids, special []int32)
	// Regions is the number of regions of the picture that a sentence is about.
	Regions func(sentence int) int
	// Answers are the right answers of a sentence that is a question, by their pre-training ids; nil if it is none.
	Answers func(sentence int) []SoftAnswer

	MaskID     int32   // the token [MASK]
	Vocabulary int     // tokens there are
	WordRate   float64 // share of words that are masked; the original's is 0.15
	RegionRate float64 // share of regions that are masked; the original's is 0.15
	Matching   bool    // whether half of the pictures get another picture's sentence
}

// SoftAnswer is an answer and how right it is.
type SoftAnswer struct {
	ID    int32
	Score float32
}

// PreTrainingExample is one example as it is to be learned. Its picture is that of the sentence it was drawn for.
type PreTrainingExample struct {
	Sentence   int // the sentence shown, which is another if Matched is false
	Matched    bool
	IDs        []int32 // of the sentence shown, masked
	WordLabels []int32 // the masked words, [model.IgnoreLabel] elsewhere
	Regions    []MaskedRegion
	Answer     int32 // [model.IgnoreLabel] if the sentence shown is no question about the picture
}

// Check says what is missing or out of range.
func (p *PreTraining) Check() error {
	var errs []error
	if p.Pairs == nil || p.Tokens == nil || p.Regions == nil || p.Answers == nil {
		errs = append(errs, errors.New("pre-training needs pairs, tokens, regions and answers"))
	}
	if p.Vocabulary <= 0 || int64(p.Vocabulary) > 1<<31-1 || p.MaskID < 0 || int64(p.MaskID) >= int64(p.Vocabulary) {
		errs = append(errs, fmt.Errorf("[MASK] is token %d of %d", p.MaskID, p.Vocabulary))
	}
	if !(p.WordRate >= 0 && p.WordRate <= 1) {
		errs = append(errs, fmt.Errorf("the share of masked words is %v, want 0 to 1", p.WordRate))
	}
	if !(p.RegionRate >= 0 && p.RegionRate <= 1) {
		errs = append(errs, fmt.Errorf("the share of masked regions is %v, want 0 to 1", p.RegionRate))
	}
	return errors.Join(errs...)
}

// Draw makes the example of a sentence. It depends on the state of r alone, and each part on its own source; so examples must be drawn in the order
// of the run, and may then be filled with features in any. p must pass [PreTraining.Check].
func (p *PreTraining) Draw(r *PreTrainingRandom, sentence int) (PreTrainingExample, error) {
	if sentence < 0 || sentence >= p.Pairs.Len() {
		return PreTrainingExample{}, fmt.Errorf("sentence %d of %d", sentence, p.Pairs.Len())
	}
	e := PreTrainingExample{Sentence: sentence, Matched: true, Answer: model.IgnoreLabel}
	if p.Matching {
		e.Sentence, e.Matched = p.Pairs.match(r.Matching, sentence)
	}
	ids, special := p.Tokens(e.Sentence)
	if len(ids) != len(special) {
		return PreTrainingExample{}, fmt.Errorf("sentence %d has %d tokens, of which %d are said to be special or not", e.Sentence, len(ids), len(special))
	}
	e.IDs, e.WordLabels = maskWords(r.Words, p.WordRate, p.MaskID, p.Vocabulary, ids, special)
	var err error
	if e.Regions, err = maskRegions(r.Regions, p.RegionRate, p.Pairs, sentence, p.Regions); err != nil {
		return PreTrainingExample{}, err
	}
	if e.Matched {
		e.Answer = drawAnswer(r.Answers, p.Answers(sentence))
	}
	return e, nil
}

// drawAnswer draws an answer by how right it is, [model.IgnoreLabel] if none is.
func drawAnswer(r *rand.Rand, answers []SoftAnswer) int32 {
	total := 0.0
	for _, a := range answers {
		total += max(0, float64(a.Score))
	}
	if !(total > 0) {
		return model.IgnoreLabel
	}
	left, last := r.Float64()*total, int32(model.IgnoreLabel)
	for _, a := range answers {
		if a.Score <= 0 {
			continue
		}
		if left -= float64(a.Score); left < 0 {
			return a.ID
		}
		last = a.ID
	}
	return last // rounding
}
