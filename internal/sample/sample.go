// Package sample makes batches of random words and regions, for benchmarks: what they hold costs as much as what means something.
package sample

import (
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/model"
)

// Questions asks questions of so many tokens about pictures of so many regions, each about its own picture, or all about one.
// It is the same batch each time.
func Questions(c *model.Config, questions, pictures, tokens, regions int) *model.Batch {
	r := source()
	return &model.Batch{
		InputIDs:    r.integers(c.VocabSize, questions, tokens),
		VisualFeats: r.numbers(pictures, regions, c.VisualFeatDim),
		VisualPos:   r.numbers(pictures, regions, c.VisualPosDim),
	}
}

// PreTraining is sentences and pictures with the labels of all five pre-training tasks (§3.1), for every token and every region. It
// is the same batch each time.
func PreTraining(c *model.Config, batch, tokens, regions int) *model.Batch {
	r := source()
	in := Questions(c, batch, batch, tokens, regions)
	in.Labels = r.integers(c.VocabSize, batch, tokens)
	in.MatchedLabel = r.integers(2, batch)
	in.Ans = r.integers(c.NumQALabels, batch)
	label := func(value *tensors.Tensor) model.ObjLabel[*tensors.Tensor] {
		return model.ObjLabel[*tensors.Tensor]{Label: value, Conf: r.numbers(batch, regions)}
	}
	in.ObjLabels = &model.ObjLabels[*tensors.Tensor]{
		Obj:  label(r.integers(c.NumObjectLabels, batch, regions)),
		Attr: label(r.integers(c.NumAttrLabels, batch, regions)),
		Feat: label(r.numbers(batch, regions, c.VisualFeatDim)),
	}
	return in
}

// random fills tensors.
type random struct{ *rand.Rand }

func source() random { return random{rand.New(rand.NewPCG(1, 2))} }

// integers are int32 in 0..n-1.
func (r random) integers(n int, dimensions ...int) *tensors.Tensor {
	x := make([]int32, size(dimensions))
	for i := range x {
		x[i] = int32(r.IntN(n))
	}
	return tensors.FromFlatDataAndDimensions(x, dimensions...)
}

// numbers are float32 in 0..1.
func (r random) numbers(dimensions ...int) *tensors.Tensor {
	x := make([]float32, size(dimensions))
	for i := range x {
		x[i] = r.Float32()
	}
	return tensors.FromFlatDataAndDimensions(x, dimensions...)
}

func size(dimensions []int) int {
	n := 1
	for _, d := range dimensions {
		n *= d
	}
	return n
}
