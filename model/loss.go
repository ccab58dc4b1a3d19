package model

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// IgnoreLabel is the integer label that means "no label here".
const IgnoreLabel = -100

// preTrainingLosses adds to out the loss of each task that has labels and is switched on, and
// their plain sum (§3.1). Labels for tasks that are all switched off give 0.
func (c *Config) preTrainingLosses(in *Inputs[*Node], out *PreTrainingOutput[*Node], objects objectLogits, opt Options) {
	if in.Labels == nil && in.MatchedLabel == nil && in.ObjLabels == nil && in.Ans == nil {
		return
	}
	losses := &out.Losses
	if in.Labels != nil && c.TaskMaskLM {
		losses.MaskedLM = crossEntropy(out.PredictionLogits, in.Labels, opt)
	}
	if in.MatchedLabel != nil && c.TaskMatched {
		losses.Matched = crossEntropy(out.CrossRelationshipScore, in.MatchedLabel, opt)
	}
	if in.ObjLabels != nil && c.TaskObjPredict {
		c.maskedObjectLosses(in.ObjLabels, objects, losses)
	}
	if in.Ans != nil && c.TaskQA {
		losses.Answer = crossEntropy(out.QuestionAnsweringScore, in.Ans, opt)
	}
	out.Loss = ScalarZero(out.PredictionLogits.Graph(), out.PredictionLogits.DType())
	for _, loss := range []*Node{losses.MaskedLM, losses.Matched, losses.Object, losses.Attribute, losses.Feature, losses.Answer} {
		if loss != nil {
			out.Loss = Add(out.Loss, loss)
		}
	}
}

// maskedObjectLosses fills in the enabled kinds of masked-object prediction: each region's loss weighed
// by its confidence, then the mean over all regions, whether or not anything was asked of
// them, times the normaliser. In [TensorFlow] the confidences come too late to choose among the regions: the mean is taken before.
func (c *Config) maskedObjectLosses(labels *ObjLabels[*Node], logits objectLogits, losses *Losses[*Node]) {
	mean := func(perRegion, confidence *Node) *Node {
		if c.framework == TensorFlow {
			perRegion = ReduceAllMean(perRegion)
		}
		weighed := Mul(perRegion, flat(ConvertDType(confidence, perRegion.DType())))
		return MulScalar(ReduceAllMean(weighed), c.VisualLossNormalizer)
	}
	if logits.obj != nil {
		each, _ := labelledCrossEntropy(logits.obj, labels.Obj.Label)
		losses.Object = mean(each, labels.Obj.Conf)
	}
	if logits.attr != nil {
		each, _ := labelledCrossEntropy(logits.attr, labels.Attr.Label)
		losses.Attribute = mean(each, labels.Attr.Conf)
	}
	if logits.feat != nil {
		losses.Feature = mean(smoothL1(logits.feat, labels.Feat.Label), labels.Feat.Conf)
	}
}

// crossEntropy is the mean over the labels that are not [IgnoreLabel]. If none is left it is NaN, as in the reference; but 0
// in training, where a batch that happens to have no masked word must not spoil the weights.
// logits are [..., classes], labels integers of the same leading shape.
func crossEntropy(logits, labels *Node, opt Options) *Node {
	each, labelled := labelledCrossEntropy(logits, labels)
	count := ReduceAllSum(ConvertDType(labelled, each.DType()))
	if opt.Training {
		count = MaxScalar(count, 1)
	}
	return Div(ReduceAllSum(each), count)
}

// labelledCrossEntropy is each row's cross entropy, 0 where it has no label, as a flat list, and
// which rows have one.
func labelledCrossEntropy(logits, labels *Node) (each, labelled *Node) {
	g, classes := logits.Graph(), logits.Shape().Dim(-1)
	logits, labels = Reshape(logits, -1, classes), flat(labels)
	rows := labels.Shape().Dim(0)
	labelled = NotEqual(labels, Scalar(g, labels.DType(), IgnoreLabel))
	class := Where(labelled, labels, ZerosLike(labels))
	row := Iota(g, shapes.Make(labels.DType(), rows), 0)
	picked := Gather(LogSoftmax(logits), Stack([]*Node{row, class}, -1))
	return Where(labelled, Neg(picked), ZerosLike(picked)), labelled
}

// smoothL1 is the Huber loss with β = 1, averaged over the last axis, as a flat list.
func smoothL1(prediction, target *Node) *Node {
	d := Abs(Sub(prediction, ConvertDType(target, dtypes.Float32)))
	loss := Where(LessThan(d, ScalarOne(d.Graph(), d.DType())), MulScalar(Square(d), 0.5), AddScalar(d, -0.5))
	return flat(ReduceMean(loss, -1))
}

func flat(x *Node) *Node { return Reshape(x, -1) }
