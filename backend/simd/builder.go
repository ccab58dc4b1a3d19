package simd

import (
	"errors"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// builder records a computation while a shadow of it is built on the portable backend. The shadow checks each operation
// and infers its shape; its values are the values that the caller sees. Compile cuts what was recorded into
// steps. A computation with functions, closures or dynamic shapes runs as its shadow.
type builder struct {
	compute.Builder // the shadow's
	backend         *Backend
	main            *function
	whole           bool // run the shadow
	meets           bool // there is an AllReduce

	replicas int                 // devices that run the computation at once; 0: it is not distributed
	assigned []compute.DeviceNum // the devices; nil: any one, or the first
}

func newBuilder(b *Backend, name string) *builder {
	shadow := b.portable.Builder(name)
	bld := &builder{Builder: shadow, backend: b}
	bld.main = &function{Function: shadow.Main(), builder: bld, maker: map[compute.Value]*node{}}
	return bld
}

// Main implements compute.Builder.
func (b *builder) Main() compute.Function { return b.main }

// NewFunction implements compute.Builder.
func (b *builder) NewFunction(name string) (compute.Function, error) {
	b.whole = true
	return b.Builder.NewFunction(name)
}

// Compile implements compute.Builder.
func (b *builder) Compile() (compute.Executable, error) {
	if b.main.returned == nil {
		return nil, errors.New("simd: Compile before Return")
	}
	needed := b.main.needed()
	for _, n := range needed {
		b.whole = b.whole || n.whole
	}
	if b.whole && b.meets {
		return nil, fmt.Errorf("simd: AllReduce in a computation with functions, closures or dynamic shapes: %w", compute.ErrNotImplemented)
	}
	if b.whole {
		shadow, err := b.Builder.Compile()
		if err != nil {
			return nil, err
		}
		return b.distribute(&wholeExecutable{Executable: shadow, backend: b.backend}), nil
	}
	plan, err := b.plan(needed)
	if err != nil {
		return nil, err
	}
	return b.distribute(plan), nil
}

// node is an operation as it was recorded.
type node struct {
	inputs, outputs []compute.Value
	// again builds the operation in another computation.
	again func(f compute.Function, in []compute.Value) ([]compute.Value, error)
	// kernel runs it here; nil if it goes to a segment.
	kernel func(x *execution, n *node) error
	// parameter is the position among the computation's inputs, -1 for an operation.
	parameter int
	whole     bool // cannot be built in a segment
	meets     bool // waits for other devices

	// What chains know of the operation.
	element elementOp
	spread  []int // of a broadcast: where the operand's axes stand in the result
	view    bool  // the result is the operand's memory
	barrier bool  // chains do not reach across it
	sums    bool  // the result is the sum of all values

	// What products in narrow numbers look through.
	rounds bool  // a conversion of float32 to bfloat16
	widens bool  // a conversion of bfloat16 to float32: chains read the operand
	turned []int // a transposition's permutation

	constant any // a constant's values

	finish *finish // of a product or a convolution
}

// function records the main function.
type function struct {
	compute.Function // the shadow's
	builder          *builder
	nodes            []*node
	maker            map[compute.Value]*node
	names            []string
	shapes           []shapes.Shape
	returned         []compute.Value
}

// Builder implements compute.Function.
func (f *function) Builder() compute.Builder { return f.builder }

// one records an operation with one result.
func (f *function) one(inputs []compute.Value, again func(compute.Function, []compute.Value) (compute.Value, error)) (compute.Value, error) {
	out, err := f.many(inputs, func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
		v, err := again(g, in)
		return []compute.Value{v}, err
	})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// many records an operation.
func (f *function) many(inputs []compute.Value, again func(compute.Function, []compute.Value) ([]compute.Value, error)) ([]compute.Value, error) {
	out, err := again(f.Function, inputs)
	if err != nil {
		return nil, err
	}
	f.record(&node{inputs: inputs, outputs: out, again: again, parameter: -1})
	return out, nil
}

// record keeps a node, unless the shadow has found it to be one that it knew already.
func (f *function) record(n *node) *node {
	if len(n.outputs) > 0 {
		if known := f.maker[n.outputs[0]]; known != nil {
			return known
		}
	}
	f.nodes = append(f.nodes, n)
	for _, v := range n.outputs {
		f.maker[v] = n
	}
	return n
}

// setKernel gives the node that makes v a kernel: work fills dst from the node's inputs, of which absent ones are nil. Values of
// bfloat16 are widened for it, and its result is rounded where that is one.
func (f *function) setKernel(v compute.Value, work func(b *Backend, dst []float32, in [][]float32)) {
	f.maker[v].kernel = func(x *execution, n *node) error {
		in := make([][]float32, len(n.inputs))
		for i, input := range n.inputs {
			var err error
			if input == nil {
				continue
			}
			var done func()
			if in[i], done, err = x.widened(input); err != nil {
				return err
			}
			defer done()
		}
		return x.rounded(v, func(dst []float32) { work(x.backend, dst, in) })
	}
}

// Parameter implements compute.Function.
func (f *function) Parameter(name string, shape shapes.Shape, sharding *compute.ShardingSpec) (compute.Value, error) {
	if f.builder.replicas > 0 {
		sharding = nil // shapes are those of one device
	}
	v, err := f.Function.Parameter(name, shape, sharding)
	if err != nil {
		return nil, err
	}
	if shape.IsDynamic() || sharding != nil {
		f.builder.whole = true
	}
	f.record(&node{outputs: []compute.Value{v}, parameter: len(f.names)})
	f.names, f.shapes = append(f.names, name), append(f.shapes, shape)
	return v, nil
}

// Constant implements compute.Function.
func (f *function) Constant(flat any, dims ...int) (compute.Value, error) {
	v, err := f.one(nil, func(g compute.Function, _ []compute.Value) (compute.Value, error) { return g.Constant(flat, dims...) })
	if err != nil {
		return nil, err
	}
	if n := f.made(v, nil); n != nil {
		n.constant = flat
	}
	return v, nil
}

// Return implements compute.Function.
func (f *function) Return(outputs []compute.Value, shardings []*compute.ShardingSpec) error {
	if err := f.Function.Return(outputs, shardings); err != nil {
		return err
	}
	f.returned = append([]compute.Value{}, outputs...)
	return nil
}

// needed lists the nodes that the outputs depend on, parameters among them, in the order in which they were made.
func (f *function) needed() []*node {
	used := map[*node]bool{}
	stack := append([]compute.Value{}, f.returned...)
	visit := func(v compute.Value) {
		n := f.maker[v]
		if n == nil { // made by an operation that is not recorded
			f.builder.whole = true
		} else if !used[n] {
			used[n] = true
			stack = append(stack, n.inputs...)
		}
	}
	for len(stack) > 0 {
		v := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if v != nil {
			visit(v)
		}
	}
	var list []*node
	for _, n := range f.nodes {
		if used[n] {
			list = append(list, n)
		}
	}
	return list
}

// plain reports whether values are float32, of known size, and not empty: what kernels work on. Absent ones are.
func (f *function) plain(values ...compute.Value) bool {
	for _, v := range values {
		if v == nil {
			continue
		}
		if shape := f.shape(v); shape.DType != dtypes.Float32 || shape.IsDynamic() || shape.Size() == 0 {
			return false
		}
	}
	return true
}

// shape is a value's, as the shadow knows it.
func (f *function) shape(v compute.Value) shapes.Shape {
	shape, err := f.builder.OpShape(v)
	if err != nil {
		panic(fmt.Sprintf("simd: a value without a shape: %v", err)) // every value is the shadow's
	}
	return shape
}
