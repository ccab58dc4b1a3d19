package simd

import "github.com/go-lxmert/lxmert/backend/simd/kernel"

// finish is what a product does to its result while that is still in the cache, beyond adding a bias: it adds another value, and then
// applies an activation.
type finish struct {
	activation kernel.Activation
	residual   value // nil: none
}

// finishes are the element-wise operations that a product can end with.
var finishes = map[elementOp]kernel.Activation{opGELU: kernel.GELU, opGELUTanh: kernel.GELUTanh, opTanh: kernel.Tanh}

// fuse lets products take over the chain that reads their result, where that is a single operation that a product can end with, and nobody
// else reads it.
func (g *grouping) fuse() {
	readers := map[value][]*group{}
	for _, of := range g.groups {
		for _, v := range of.reads {
			readers[v] = append(readers[v], of)
		}
	}
	for _, v := range g.f.returned {
		readers[g.f.source(v)] = append(readers[g.f.source(v)], nil)
	}
	for _, of := range g.groups {
		// A sum and then an activation are two operations.
		for of.kernel != nil && of.kernel.finish != nil && len(readers[of.kernel.outputs[0]]) == 1 {
			next := readers[of.kernel.outputs[0]][0]
			if next == nil || !g.finishWith(of, next) {
				break
			}
		}
	}
}

// finishWith lets a product end with a chain's only operation, if it can.
func (g *grouping) finishWith(product, next *group) bool {
	if len(next.chain) != 1 {
		return false
	}
	last, result := next.chain[0], product.kernel.outputs[0]
	f := *product.kernel.finish
	if f.activation != kernel.Identity {
		return false
	}
	if activation, ok := finishes[last.element]; ok {
		f.activation = activation
	} else if last.element == opAdd && f.residual == nil {
		for _, v := range last.inputs {
			from, p := g.operand(last, v)
			if !p.isStraight() || !g.f.plain(from) || g.constant[g.f.maker[from]] {
				return false
			}
			if from != result {
				f.residual = from
			}
		}
		maker := g.maker[f.residual]
		if f.residual == nil || maker != nil && maker.need.has(product.index) {
			return false
		}
	} else {
		return false
	}
	finished := *product.kernel
	finished.finish, finished.outputs = &f, last.outputs
	if f.residual != nil {
		finished.inputs = append(append([]value{}, product.kernel.inputs...), f.residual)
		g.needs(product, []value{f.residual})
	}
	product.kernel, product.reads = &finished, g.read(&finished)
	g.maker[last.outputs[0]] = product
	next.chain = nil
	return true
}

// epilogue is how a product ends, with a bias or nil.
func (x *execution) epilogue(f *finish, bias []float32, columns int) (kernel.Epilogue, error) {
	e := kernel.Epilogue{Bias: bias, Activation: f.activation, LDResidual: columns}
	if f.residual == nil {
		return e, nil
	}
	var err error
	e.Residual, err = x.input(f.residual)
	return e, err
}
