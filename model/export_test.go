package model

import "github.com/gomlx/gomlx/core/graph"

// CompiledGraphs is how many graphs the model keeps.
func (n *Network) CompiledGraphs() int { return n.graphs.len() }

// Activate applies an activation by its name.
func Activate(name string, x *graph.Node) *graph.Node { return activations[name](x) }

// The linear map in int8, as engines see it, and of elementary operations.
var (
	QuantizedDense = quantizedDense
	Rowwise        = rowwise
)
