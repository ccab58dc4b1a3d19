package train

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Pairs knows which picture each sentence of the training data is about, and draws others. Sentences are numbered from 0.
type Pairs struct {
	pictures []int32
	order    []int32        // sentences, those about the same picture side by side
	places   map[int32]span // of a picture's sentences in order
}

type span struct{ from, count int32 }

// NewPairs takes the picture of each sentence, as any number that is the picture's own. The error says that all are about
// one picture: then there is no other. pictures are kept, not copied.
func NewPairs(pictures []int32) (*Pairs, error) {
	if len(pictures) > math.MaxInt32 {
		return nil, fmt.Errorf("%d sentences are more than can be numbered", len(pictures))
	}
	p := &Pairs{pictures: pictures, order: make([]int32, len(pictures)), places: map[int32]span{}}
	for i := range p.order {
		p.order[i] = int32(i)
	}
	slices.SortFunc(p.order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(pictures[a], pictures[b]), cmp.Compare(a, b))
	})
	for i, sentence := range p.order {
		place, begun := p.places[pictures[sentence]]
		if !begun {
			place.from = int32(i)
		}
		place.count++
		p.places[pictures[sentence]] = place
	}
	if len(p.places) < 2 {
		return nil, fmt.Errorf("%d sentences about %d pictures: pre-training needs those of at least two, to tell matching from other sentences", len(pictures), len(p.places))
	}
	return p, nil
}

// Len is the number of sentences.
func (p *Pairs) Len() int { return len(p.pictures) }

// other draws a sentence about another picture than that of a sentence, each with the same probability. So pictures with many sentences
// come more often, as in the original, which draws until the picture is another.
func (p *Pairs) other(r *rand.Rand, sentence int) int {
	own := p.places[p.pictures[sentence]]
	i := r.Int32N(int32(len(p.order)) - own.count)
	if i >= own.from {
		i += own.count
	}
	return int(p.order[i])
}

// mismatchRate is the share of pictures that get another picture's sentence (§3.1.2 of the paper).
const mismatchRate = 0.5

// match draws the sentence that is shown with the picture of a sentence: its own, or one about another picture.
func (p *Pairs) match(r *rand.Rand, sentence int) (shown int, matched bool) {
	if r.Float64() < mismatchRate {
		return p.other(r, sentence), false
	}
	return sentence, true
}
