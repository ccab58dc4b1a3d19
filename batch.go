package lxmert

import (
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// batch puts the queries of a group side by side.
func (m *Model) batch(queries []Query, encodings []tokenizer.Encoding, group []int) *model.Batch {
	batch := &model.Batch{}
	putTexts(batch, encodings, group)
	if onePicture(queries, group) {
		group = group[:1]
	}
	pictures := make([]Regions, len(group))
	for row, i := range group {
		pictures[row] = queries[i].Regions
	}
	m.putPictures(batch, pictures, len(pictures))
	return batch
}

// putTexts puts the texts of a group side by side, padded to the longest.
func putTexts(batch *model.Batch, encodings []tokenizer.Encoding, group []int) {
	tokens := 0
	for _, i := range group {
		tokens = max(tokens, len(encodings[i].IDs))
	}
	n := len(group)
	ids, types, mask := make([]int32, n*tokens), make([]int32, n*tokens), make([]float32, n*tokens)
	for row, i := range group {
		copy(ids[row*tokens:], encodings[i].IDs)
		copy(types[row*tokens:], encodings[i].TypeIDs)
		fill(mask[row*tokens:], len(encodings[i].IDs))
	}
	batch.InputIDs = tensors.FromFlatDataAndDimensions(ids, n, tokens)
	batch.TokenTypeIDs = tensors.FromFlatDataAndDimensions(types, n, tokens)
	if slices.Contains(mask, 0) { // one that masks nothing costs time and changes nothing
		batch.AttentionMask = tensors.FromFlatDataAndDimensions(mask, n, tokens)
	}
}

// putPictures puts pictures side by side, padded to the most regions. axes are those before the regions', of as
// many pictures.
func (r *reader) putPictures(batch *model.Batch, pictures []Regions, axes ...int) {
	regions := 0
	for _, p := range pictures {
		regions = max(regions, p.Len())
	}
	n, feat, pos := len(pictures), r.config.VisualFeatDim, r.config.VisualPosDim
	feats, places, mask := make([]float32, n*regions*feat), make([]float32, n*regions*pos), make([]float32, n*regions)
	for i, p := range pictures {
		copy(feats[i*regions*feat:], p.Features)
		copy(places[i*regions*pos:], p.Boxes)
		fill(mask[i*regions:], p.Len())
	}
	shape := func(last ...int) []int { return slices.Concat(axes, []int{regions}, last) }
	batch.VisualFeats = tensors.FromFlatDataAndDimensions(feats, shape(feat)...)
	batch.VisualPos = tensors.FromFlatDataAndDimensions(places, shape(pos)...)
	if slices.Contains(mask, 0) {
		batch.VisualAttentionMask = tensors.FromFlatDataAndDimensions(mask, shape()...)
	}
}

// fill sets the first n elements to 1.
func fill(mask []float32, n int) {
	for i := range n {
		mask[i] = 1
	}
}

// picture tells regions apart by where they lie in memory, not by their numbers, which would take as long to
// compare as it saves.
type picture struct {
	features, boxes *float32
	size            int
}

func pictureOf(q Query) picture {
	return picture{&q.Regions.Features[0], &q.Regions.Boxes[0], len(q.Regions.Features)}
}

// onePicture reports whether all queries of a group are about the same one.
func onePicture(queries []Query, group []int) bool {
	first := pictureOf(queries[group[0]])
	return !slices.ContainsFunc(group[1:], func(i int) bool { return pictureOf(queries[i]) != first })
}
