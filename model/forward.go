package model

import (
	"context"
	"fmt"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// builder makes a model's graph; the record it returns names the outputs.
type builder[Out any] func(s *model.Scope, in *Inputs[*graph.Node]) record[Out]

// forward checks the inputs as that head wants them, finds or compiles the graph for their shapes, and runs it.
func forward[Out any](ctx context.Context, n *Network, head Head, in *Batch, opt Options, build builder[Out]) (Out, error) {
	var none Out
	if err := ctx.Err(); err != nil {
		return none, err
	}
	if err := n.allows(opt); err != nil {
		return none, err
	}
	unlock := n.lock(opt)
	if n.closed {
		unlock()
		return none, ErrClosed
	}
	prepared, err := n.config.in(opt.Framework).prepare(head, in)
	if err != nil {
		unlock()
		return none, err
	}
	type result struct {
		out Out
		err error
	}
	done := make(chan result, 1)
	go func() {
		defer unlock()
		out, err := run(ctx, n, prepared, opt, build)
		done <- result{out, err}
	}()
	select {
	case r := <-done:
		return r.out, r.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// allows says whether a network of its precision can do what the options ask for.
func (n *Network) allows(opt Options) error {
	switch {
	case n.precision == Float32:
		return nil
	case opt.Training, opt.watched:
		return ErrAnswersOnly
	case opt.BFloat16:
		return fmt.Errorf("the network keeps its weights in %s already: leave model.Options.BFloat16 off, which is for float32 weights", n.precision)
	}
	return nil
}

// lock keeps the weights as they are for one forward pass. Training passes advance the random state,
// which is a weight to GoMLX, so they run alone.
func (n *Network) lock(opt Options) (unlock func()) {
	if opt.Training {
		n.mu.Lock()
		return n.mu.Unlock
	}
	n.mu.RLock()
	return n.mu.RUnlock
}

// run executes the graph for prepared inputs.
func run[Out any](ctx context.Context, n *Network, in *Batch, opt Options, build builder[Out]) (Out, error) {
	var none Out
	names, args := in.given()
	defer func() {
		for _, arg := range args { // copies of prepare's, now the backend's
			arg.(*tensors.Tensor).FinalizeAll()
		}
	}()
	key := fmt.Sprintf("%T %s", none, signature(names, args, opt)) // a network with more heads than one has a graph for each
	compiled, err := n.graphs.get(key, func(c *compiledGraph) error {
		return compile(n, c, names, args, opt, build)
	})
	if err != nil {
		return none, err
	}
	defer compiled.release()
	if err := ctx.Err(); err != nil {
		return none, err
	}
	if err := endWith(ctx, n.backend, args[0].(*tensors.Tensor)); err != nil {
		return none, err
	}
	var outputs []*tensors.Tensor
	if panicked := catch(func() { outputs, err = compiled.exec.Call(args...) }); panicked != nil {
		return none, panicked
	}
	if err != nil {
		return none, err
	}
	return fill(compiled.record.(record[Out]), outputs), nil
}

// endWith lets the computation that reads an input end with ctx, if the engine can do that.
func endWith(ctx context.Context, engine compute.Backend, input *tensors.Tensor) error {
	buffer, err := input.Buffer(engine, 0)
	if err != nil {
		return err
	}
	if b, ok := buffer.(interface{ SetContext(context.Context) }); ok {
		b.SetContext(ctx)
	}
	return nil
}

// compile builds the graph for inputs of these names and shapes.
func compile[Out any](n *Network, c *compiledGraph, names []string, args []any, opt Options, build builder[Out]) error {
	exec, err := model.NewExec(n.backend, n.store, func(s *model.Scope, nodes []*graph.Node) []*graph.Node {
		in := assemble(names, nodes)
		s.Store().SetTraining(nodes[0].Graph(), opt.Training)
		r := build(s, in)
		c.record = r
		return collect(r)
	})
	if err != nil {
		return err
	}
	c.exec = exec
	argShapes := make([]shapes.Shape, len(args))
	for i, arg := range args {
		argShapes[i] = arg.(*tensors.Tensor).Shape()
	}
	_, err = exec.Compile(argShapes...)
	return err
}

// signature tells graphs apart: which inputs, of which shapes, with which options.
func signature(names []string, args []any, opt Options) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%+v", opt)
	for i, name := range names {
		fmt.Fprintf(&b, " %s%v", name, args[i].(*tensors.Tensor).Shape())
	}
	return b.String()
}
