package train

import . "github.com/gomlx/gomlx/core/graph"

// globalNorm is the Euclidean norm of all gradients taken as one vector.
func globalNorm(gradients []*Node) *Node {
	var sum *Node
	for _, gradient := range gradients {
		squares := ReduceAllSum(Square(gradient))
		if sum == nil {
			sum = squares
		} else {
			sum = Add(sum, squares)
		}
	}
	return Sqrt(sum)
}

// clipped scales gradients so that their norm is at most most, as PyTorch's clip_grad_norm_ does.
func clipped(gradients []*Node, norm *Node, most float64) []*Node {
	if most == 0 {
		return gradients
	}
	factor := Min(ScalarOne(norm.Graph(), norm.DType()), Div(Scalar(norm.Graph(), norm.DType(), most), AddScalar(norm, 1e-6)))
	scaled := make([]*Node, len(gradients))
	for i, gradient := range gradients {
		scaled[i] = Mul(gradient, factor)
	}
	return scaled
}
