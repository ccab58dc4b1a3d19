package lxmert

import (
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// batch puts the queries of a group side by side, padded to the longest question and the most regions.
func (m *Model) batch(queries []Query, encodings []tokenizer.Encoding, group []int) *model.Batch {
	tokens, regions := 0, 0
	for _, i := range group {
		tokens, regions = max(tokens, len(encodings[i].IDs)), max(regions, queries[i].Regions.Len())
	}
	n, feat, pos := len(group), m.config.VisualFeatDim, m.config.VisualPosDim
	ids, types, mask := make([]int32, n*tokens), make([]int32, n*tokens), make([]float32, n*tokens)
	for row, i := range group {
		copy(ids[row*tokens:], encodings[i].IDs)
		copy(types[row*tokens:], encodings[i].TypeIDs)
		fill(mask[row*tokens:], len(encodings[i].IDs))
	}
	pictures := group
	if onePicture(queries, group) {
		pictures = group[:1]
	}
	p := len(pictures)
	feats, places, visualMask := make([]float32, p*regions*feat), make([]float32, p*regions*pos), make([]float32, p*regions)
	for row, i := range pictures {
		r := queries[i].Regions
		copy(feats[row*regions*feat:], r.Features)
		copy(places[row*regions*pos:], r.Boxes)
		fill(visualMask[row*regions:], r.Len())
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
	return batch
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
