package train

import . "github.com/gomlx/gomlx/core/graph"

// Rate is an optimiser's learning rate of a step, counted from 1.
func Rate(o Optimizer, step *Node) *Node { return o.(interface{ rate(*Node) *Node }).rate(step) }
