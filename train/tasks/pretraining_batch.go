package tasks

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/train"
	"github.com/go-lxmert/lxmert/vision"
)

// preTrainingBatch gathers drawn examples.
type preTrainingBatch struct {
	common      *Common
	config      *model.Config
	ids, words  [][]int32
	pictures    []vision.Regions // masked
	features    [][]float32      // as they were
	confidences [][]float32      // 1 where a feature is to be predicted
	matched     []int32
	answers     []int32
}

func newPreTrainingBatch(common *Common, config *model.Config, size int) *preTrainingBatch {
	return &preTrainingBatch{common: common, config: config, matched: make([]int32, 0, size), answers: make([]int32, 0, size)}
}

// add masks the regions of an example's picture; feature looks up another picture's.
func (b *preTrainingBatch) add(e train.PreTrainingExample, r vision.Regions, feature func(train.RegionOf) ([]float32, error)) error {
	c := b.config
	if c.TaskObjPredict && (c.VisualObjLoss && r.Objects == nil || c.VisualAttrLoss && r.Attributes == nil) {
		return fmt.Errorf("its regions have no object or no attribute labels, which the losses obj and attr learn from; leave these out, or take a detector's features")
	}
	if c.TaskObjPredict && c.VisualObjLoss {
		if err := within("object", r.Objects, c.NumObjectLabels); err != nil {
			return err
		}
	}
	if c.TaskObjPredict && c.VisualAttrLoss {
		if err := within("attribute", r.Attributes, c.NumAttrLabels); err != nil {
			return err
		}
	}
	masked, confidences, err := train.MaskFeatures(r.Features, r.FeatureWidth, e.Regions, feature)
	if err != nil {
		return err
	}
	b.ids, b.words = append(b.ids, e.IDs), append(b.words, e.WordLabels)
	b.features, b.confidences = append(b.features, r.Features), append(b.confidences, confidences)
	r.Features = masked
	b.pictures = append(b.pictures, r)
	matched := int32(0)
	if e.Matched {
		matched = 1
	}
	b.matched, b.answers = append(b.matched, matched), append(b.answers, e.Answer)
	return nil
}

// within checks labels against the size of the model's table.
func within(what string, labels []vision.Label, size int) error {
	for i, l := range labels {
		if l.ID < 0 || l.ID >= size {
			return fmt.Errorf("%s label of region %d is %d, the model knows 0 to %d", what, i, l.ID, size-1)
		}
	}
	return nil
}

// finish makes the batch, with the labels of the tasks that are learned.
func (b *preTrainingBatch) finish(withAnswers bool) *train.Batch {
	c, n := b.config, len(b.ids)
	in := b.common.batchOf(b.ids, b.pictures, n)
	batch := &train.Batch{Inputs: in}
	if c.TaskMaskLM {
		tokens := in.InputIDs.Shape().Dim(1)
		labels := ignored(n * tokens)
		for i, row := range b.words {
			copy(labels[i*tokens:], row)
		}
		in.Labels = matrix(labels, n, tokens)
		unlabelled(batch, partWords, labels)
	}
	if c.TaskMatched {
		in.MatchedLabel = matrix(b.matched, n)
	}
	if c.TaskQA && withAnswers {
		in.Ans = matrix(b.answers, n)
		unlabelled(batch, partAnswers, b.answers)
	}
	if c.TaskObjPredict {
		in.ObjLabels = b.objectLabels(in.VisualFeats.Shape().Dim(1))
	}
	return batch
}

// objectLabels are the targets of the visual losses that are learned, for so many regions a picture.
func (b *preTrainingBatch) objectLabels(regions int) *model.ObjLabels[*tensors.Tensor] {
	c, n := b.config, len(b.pictures)
	labels := &model.ObjLabels[*tensors.Tensor]{}
	classes := func(of func(vision.Regions) []vision.Label) model.ObjLabel[*tensors.Tensor] {
		ids, confidences := ignored(n*regions), make([]float32, n*regions)
		for i, p := range b.pictures {
			for j, l := range of(p) {
				ids[i*regions+j], confidences[i*regions+j] = int32(l.ID), l.Confidence
			}
		}
		return model.ObjLabel[*tensors.Tensor]{Label: matrix(ids, n, regions), Conf: matrix(confidences, n, regions)}
	}
	if c.VisualObjLoss {
		labels.Obj = classes(func(r vision.Regions) []vision.Label { return r.Objects })
	}
	if c.VisualAttrLoss {
		labels.Attr = classes(func(r vision.Regions) []vision.Label { return r.Attributes })
	}
	if c.VisualFeatLoss {
		width := b.pictures[0].FeatureWidth
		features, confidences := make([]float32, n*regions*width), make([]float32, n*regions)
		for i := range b.pictures {
			copy(features[i*regions*width:], b.features[i])
			copy(confidences[i*regions:], b.confidences[i])
		}
		labels.Feat = model.ObjLabel[*tensors.Tensor]{Label: matrix(features, n, regions, width), Conf: matrix(confidences, n, regions)}
	}
	return labels
}

// ignored are labels that say nothing.
func ignored(n int) []int32 {
	labels := make([]int32, n)
	for i := range labels {
		labels[i] = model.IgnoreLabel
	}
	return labels
}

// unlabelled notes a part of the loss for which no label says anything.
func unlabelled(batch *train.Batch, part string, labels []int32) {
	if !slices.ContainsFunc(labels, func(l int32) bool { return l != model.IgnoreLabel }) {
		batch.Unlabelled = append(batch.Unlabelled, part)
	}
}
