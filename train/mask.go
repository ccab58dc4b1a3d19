package train

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/go-lxmert/lxmert/model"
)

// Of what is masked, shares that are hidden, and replaced by something random; the rest stays as it is, and must be predicted all the same
// (BERT's recipe, which LXMERT follows for words and for regions).
const (
	hiddenShare   = 0.8
	replacedShare = 0.1
)

// fate is what masking does to a word or a region.
type fate int

const (
	fateUntouched fate = iota
	fateHidden
	fateReplaced
	fateKept // masked all the same
)

// drawFate draws it, from one random number.
func drawFate(r *rand.Rand, rate float64) fate {
	p := r.Float64()
	if p >= rate {
		return fateUntouched
	}
	switch p /= rate; {
	case p < hiddenShare:
		return fateHidden
	case p < hiddenShare+replacedShare:
		return fateReplaced
	}
	return fateKept
}

// maskWords hides words of a sentence behind maskID, or puts random ones of the vocabulary in their place. special marks
// [CLS], [SEP] and padding with 1; they stay. labels are the words that were masked, and [model.IgnoreLabel] elsewhere. ids are not changed.
func maskWords(r *rand.Rand, rate float64, maskID int32, vocabulary int, ids, special []int32) (masked, labels []int32) {
	masked, labels = slices.Clone(ids), make([]int32, len(ids))
	for i := range ids {
		labels[i] = model.IgnoreLabel
		if special[i] != 0 {
			continue
		}
		switch drawFate(r, rate) {
		case fateUntouched:
			continue
		case fateHidden:
			masked[i] = maskID
		case fateReplaced:
			masked[i] = r.Int32N(int32(vocabulary))
		}
		labels[i] = ids[i]
	}
	return masked, labels
}

// MaskedRegion is what becomes of one region of a picture; regions that stay and need not be predicted are not listed.
type MaskedRegion struct {
	Region int
	Zero   bool // its feature becomes 0
	From   *RegionOf
}

// RegionOf is a region of the picture that a sentence is about.
type RegionOf struct{ Sentence, Region int }

// maskRegions draws what becomes of the regions of a sentence's picture. regions is the number of regions of a sentence's picture; who is replaced gets
// a region of another picture.
func maskRegions(r *rand.Rand, rate float64, pairs *Pairs, sentence int, regions func(sentence int) int) ([]MaskedRegion, error) {
	var masked []MaskedRegion
	for i := range regions(sentence) {
		m := MaskedRegion{Region: i}
		switch drawFate(r, rate) {
		case fateUntouched:
			continue
		case fateHidden:
			m.Zero = true
		case fateReplaced:
			other := pairs.other(r, sentence)
			n := regions(other)
			if n <= 0 {
				return nil, fmt.Errorf("the picture of sentence %d has no regions", other)
			}
			m.From = &RegionOf{other, r.IntN(n)}
		}
		masked = append(masked, m)
	}
	return masked, nil
}

// MaskFeatures carries out what was drawn for a picture's regions. features are [regions, width] and are not changed; feature looks up another picture's
// region. confidences [regions] are 1 where a feature must be predicted, else 0; the target is the picture's own feature everywhere.
// Objects and attributes are predicted of all regions, masked or not, as the original does, weighted by the detector's confidence.
func MaskFeatures(features []float32, width int, regions []MaskedRegion, feature func(RegionOf) ([]float32, error)) (masked, confidences []float32, err error) {
	if width <= 0 || len(features)%width != 0 {
		return nil, nil, fmt.Errorf("%d numbers are no features of width %d", len(features), width)
	}
	masked, confidences = slices.Clone(features), make([]float32, len(features)/width)
	for _, m := range regions {
		if m.Region < 0 || m.Region >= len(confidences) {
			return nil, nil, fmt.Errorf("region %d is masked, but the picture has %d", m.Region, len(confidences))
		}
		confidences[m.Region] = 1
		row := masked[m.Region*width : (m.Region+1)*width]
		switch {
		case m.Zero:
			clear(row)
		case m.From != nil:
			other, err := feature(*m.From)
			if err != nil {
				return nil, nil, err
			}
			if len(other) != width {
				return nil, nil, fmt.Errorf("region %d of the picture of sentence %d has a feature of width %d, want %d", m.From.Region, m.From.Sentence, len(other), width)
			}
			copy(row, other)
		}
	}
	return masked, confidences, nil
}
