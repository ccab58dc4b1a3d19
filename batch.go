package lxmert

import (
	"slices"

	"github.com/go-lxmert/lxmert/internal/padding"
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
	putPictures(batch, pictures, len(pictures))
	return batch
}

// putTexts puts the texts of a group side by side, padded to the longest.
func putTexts(batch *model.Batch, encodings []tokenizer.Encoding, group []int) {
	ids, types := make([][]int32, len(group)), make([][]int32, len(group))
	for row, i := range group {
		ids[row], types[row] = encodings[i].IDs, encodings[i].TypeIDs
	}
	tokens := padding.Longest(ids)
	batch.TokenTypeIDs, _ = padding.Tokens(types, tokens)
	batch.InputIDs, batch.AttentionMask = padding.Tokens(ids, tokens)
	if padding.Shortest(ids) == tokens {
		batch.AttentionMask = nil // one that masks nothing costs time and changes nothing
	}
}

// putPictures puts pictures side by side, padded to the most regions. axes are those before the regions', of as
// many pictures.
func putPictures(batch *model.Batch, pictures []Regions, axes ...int) {
	batch.VisualFeats, batch.VisualPos, batch.VisualAttentionMask = padding.Pictures(pictures, padding.Most(pictures), axes...)
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
