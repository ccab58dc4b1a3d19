package lxmert

import (
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/internal/padding"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// batch puts the queries of a group side by side. For an engine that wants few shapes it is padded to one of few: with the group's first query
// again, as the last rows, and with tokens and regions that are masked.
func (m *Model) batch(queries []Query, encodings []tokenizer.Encoding, group []int) *model.Batch {
	if m.few {
		group = filledUp(group)
	}
	return m.batchOf(queries, encodings, group, m.few)
}

// batchOf is batch for a group as it is; only tokens and regions are padded.
func (m *Model) batchOf(queries []Query, encodings []tokenizer.Encoding, group []int, few bool) *model.Batch {
	batch := &model.Batch{}
	m.putTexts(batch, encodings, group, few)
	if onePicture(queries, group) {
		group = group[:1]
	}
	pictures := make([]Regions, len(group))
	for row, i := range group {
		pictures[row] = queries[i].Regions
	}
	putPictures(batch, pictures, few, len(pictures))
	return batch
}

// filledUp is a group with its first member again at the end, until it has one of few sizes.
func filledUp(group []int) []int {
	return slices.Concat(group, slices.Repeat(group[:1], padding.FewRows(len(group))-len(group)))
}

// putTexts puts the texts of a group side by side, padded to the longest, or to one of few lengths.
func (r *reader) putTexts(batch *model.Batch, encodings []tokenizer.Encoding, group []int, few bool) {
	ids, types := make([][]int32, len(group)), make([][]int32, len(group))
	for row, i := range group {
		ids[row], types[row] = encodings[i].IDs, encodings[i].TypeIDs
	}
	tokens := padding.Longest(ids)
	if few {
		tokens = padding.FewTokens(tokens, r.config.MaxPositionEmbeddings)
	}
	batch.TokenTypeIDs, _ = padding.Tokens(types, tokens)
	batch.InputIDs, batch.AttentionMask = padding.Tokens(ids, tokens)
	if padding.Shortest(ids) == tokens && !few {
		batch.AttentionMask = nil // one that masks nothing costs time and changes nothing, but for the shape
	}
}

// putPictures puts pictures side by side, padded to the most regions, or to one of few numbers. axes are those before the regions', of as
// many pictures.
func putPictures(batch *model.Batch, pictures []Regions, few bool, axes ...int) {
	regions := padding.Most(pictures)
	if few {
		regions = padding.FewRegions(regions)
	}
	batch.VisualFeats, batch.VisualPos, batch.VisualAttentionMask = padding.Pictures(pictures, regions, axes...)
	if few && batch.VisualAttentionMask == nil { // with a mask and without one are two shapes
		ones := slices.Repeat([]float32{1}, len(pictures)*regions)
		batch.VisualAttentionMask = tensors.FromFlatDataAndDimensions(ones, append(slices.Clone(axes), regions)...)
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
