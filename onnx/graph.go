package onnx

import (
	"slices"
	"strconv"

	"github.com/gomlx/compute/dtypes"
)

// The element types of ONNX that are used here (TensorProto.DataType).
const (
	float32Type = 1
	int32Type   = 6
	int64Type   = 7
)

// contrib is the domain of ONNX Runtime's own operators.
const contrib = "com.microsoft"

// graph is an ONNX graph under construction. A value is known by its name.
type graph struct {
	nodes     []*node
	inputs    []value
	outputs   []value
	known     []value // values on the way whose shape is told, for those who look at the graph
	constants []constant
	names     map[string]bool // of the constants
}

// node is an operator with one output. An input that is left out is "".
type node struct {
	domain, op string
	inputs     []string
	output     string
	attributes []attribute
}

// attribute is a named constant of a node: an int, a float32 or a []int.
type attribute struct {
	name  string
	value any
}

// value is a value's type and shape; an axis is an int, or a string where it is known at run time only.
type value struct {
	name string
	kind uint64
	axes []any
}

// constant is a tensor of the graph. Its bytes are made when it is written.
type constant struct {
	name string
	kind uint64
	dims []int
	raw  func() ([]byte, error)
}

// node appends an operator and returns the name of its output.
func (g *graph) node(domain, op string, inputs []string, attributes ...attribute) string {
	output := op + "_" + strconv.Itoa(len(g.nodes))
	g.nodes = append(g.nodes, &node{domain, op, inputs, output, attributes})
	return output
}

// op is a node of ONNX's own operators without attributes.
func (g *graph) op(op string, inputs ...string) string { return g.node("", op, inputs) }

// input declares one of the graph's.
func (g *graph) input(name string, kind uint64, axes ...any) string {
	g.inputs = append(g.inputs, value{name, kind, axes})
	return name
}

// output makes a node's output, a float32 tensor, one of the graph's, under that name.
func (g *graph) output(x, name string, axes ...any) string {
	g.outputs = append(g.outputs, value{name, float32Type, axes})
	for _, n := range g.nodes {
		if n.output == x {
			n.output = name
		}
		for i, input := range n.inputs {
			if input == x {
				n.inputs[i] = name
			}
		}
	}
	g.known = slices.DeleteFunc(g.known, func(v value) bool { return v.name == x })
	return name
}

// shaped tells the shape of a float32 value.
func (g *graph) shaped(x string, axes ...any) string {
	g.known = append(g.known, value{x, float32Type, axes})
	return x
}

// constant adds a tensor, once a name.
func (g *graph) constant(name string, kind uint64, dims []int, raw func() ([]byte, error)) string {
	if !g.names[name] {
		g.constants = append(g.constants, constant{name, kind, dims, raw})
		g.names[name] = true
	}
	return name
}

// floats is a constant of known values; a scalar if there is one.
func (g *graph) floats(name string, values ...float32) string {
	return g.constant(name, float32Type, vector(len(values)), func() ([]byte, error) {
		return dtypes.UnsafeByteSliceFromAny(values), nil
	})
}

// ints is its twin.
func (g *graph) ints(name string, values ...int64) string {
	return g.intsOf(name, vector(len(values)), values...)
}

// intsOf is ints of a shape, where a single value shall be a list.
func (g *graph) intsOf(name string, dims []int, values ...int64) string {
	return g.constant(name, int64Type, dims, func() ([]byte, error) { return dtypes.UnsafeByteSliceFromAny(values), nil })
}

// vector is the shape of n values.
func vector(n int) []int {
	if n == 1 {
		return nil
	}
	return []int{n}
}

// prune takes out what no output depends on. Inputs stay, for callers give them.
func (g *graph) prune() {
	read := map[string]bool{}
	for _, v := range g.outputs {
		read[v.name] = true
	}
	for _, n := range slices.Backward(g.nodes) { // a node stands after those that it reads
		if read[n.output] {
			for _, input := range n.inputs {
				read[input] = true
			}
		}
	}
	g.nodes = slices.DeleteFunc(g.nodes, func(n *node) bool { return !read[n.output] })
	g.constants = slices.DeleteFunc(g.constants, func(c constant) bool { return !read[c.name] })
	g.known = slices.DeleteFunc(g.known, func(v value) bool { return !read[v.name] })
}
