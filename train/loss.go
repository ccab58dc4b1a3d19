package train

import . "github.com/gomlx/gomlx/core/graph"

// Loss is what a batch costs.
type Loss struct {
	Total *Node // a scalar
	Parts []LossPart
	// Choices [batch] int32 are the answers that the model would give; nil if none are asked.
	Choices *Node
}

// LossPart is a part of the loss, a scalar, under the name that it has in the log.
type LossPart struct {
	Name  string
	Value *Node
}

// AnswerLoss is the loss of visual question answering (§4.2): each answer is a yes-or-no question of its own, of which the target is
// a soft score in 0..1. It is the binary cross entropy, summed over answers, averaged over the batch. logits and
// targets are [batch, answers].
func AnswerLoss(logits, targets *Node) *Node {
	// -y log σ(x) - (1-y) log(1-σ(x)) = max(x, 0) - xy + log(1 + exp(-|x|)), which never overflows.
	each := Add(Sub(MaxScalar(logits, 0), Mul(logits, targets)), Log1P(Exp(Neg(Abs(logits)))))
	return DivScalar(ReduceAllSum(each), float64(logits.Shape().Dim(0)))
}
