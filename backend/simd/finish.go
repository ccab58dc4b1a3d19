package simd

import "github.com/go-lxmert/lxmert/backend/simd/kernel"

// finish is what a product or a convolution does to its result while that is still in the cache: it adds a bias for each column, and
// another value, and then applies an activation.
type finish struct {
	number     kernel.Number // that is multiplied
	rounds     bool          // the product is rounded to bfloat16 before anything else
	columns    int           // of the result's rows
	bias       value         // nil: none
	residual   value         // nil: none
	activation kernel.Activation
}

// finishes are the element-wise operations of one operand that a product can end with.
var finishes = map[elementOp]kernel.Activation{opGELU: kernel.GELU, opGELUTanh: kernel.GELUTanh, opTanh: kernel.Tanh}

// fuse lets products and convolutions take over the chain that reads their result, where they can end with all of its operations and
// nobody else reads what lies between.
func (g *grouping) fuse() {
	readers := map[value][]*group{}
	for _, of := range g.groups {
		for _, v := range of.reads {
			readers[v] = append(readers[v], of)
		}
	}
	returned := map[value]bool{}
	for _, v := range g.f.returned {
		returned[g.f.source(v)] = true
	}
	for _, of := range g.groups {
		if of.kernel == nil || of.kernel.finish == nil {
			continue
		}
		result := of.kernel.outputs[0]
		if next := readers[result]; len(next) == 1 && !returned[result] && next[0].chain != nil {
			chain := next[0].chain
			for _, n := range chain[:len(chain)-1] {
				if v := n.outputs[0]; returned[v] || len(readers[v]) > 1 {
					chain = nil
					break
				}
			}
			if chain != nil {
				g.finishWith(of, next[0])
			}
		}
	}
}

// finishWith lets a product end with a chain's operations, if it can do all of them, one after another.
func (g *grouping) finishWith(product, next *group) {
	f := *product.kernel.finish
	result := product.kernel.outputs[0]
	for i, n := range next.chain {
		narrowed := i > 0 && g.f.short(result)
		if narrowed || f.activation != kernel.Identity && !n.rounds || !g.extend(&f, n, result) {
			return
		}
		result = n.outputs[0]
	}
	added := f.added()
	for _, v := range added {
		if maker := g.maker[v]; maker != nil && (maker == next || maker == product || maker.need.has(product.index)) {
			return
		}
	}
	finished := *product.kernel
	finished.finish, finished.outputs = &f, []value{result}
	for _, v := range added {
		if v != product.kernel.finish.bias {
			finished.inputs = append(finished.inputs[:len(finished.inputs):len(finished.inputs)], v)
		}
	}
	product.kernel, product.reads = &finished, g.read(&finished)
	g.needs(product, added)
	g.maker[result] = product
	next.chain = nil
}

// extend adds an operation on result to a finish, if it is one that a product can end with.
func (g *grouping) extend(f *finish, n *node, result value) bool {
	if g.f.shape(n.outputs[0]).Size() != g.f.shape(result).Size() {
		return false
	}
	if g.f.short(n.outputs[0]) && f.number != kernel.BFloat16 {
		return false
	}
	if activation, ok := finishes[n.element]; ok || n.element == opConvert {
		if ok {
			f.activation = activation
		}
		from, _ := g.operand(n, n.inputs[0])
		return from == result
	}
	if n.element != opAdd && n.element != opMax {
		return false
	}
	one, _ := g.operand(n, n.inputs[0])
	other, spread := g.operand(n, n.inputs[1])
	if one != result {
		one = other
		other, spread = g.operand(n, n.inputs[0])
	}
	if one != result || other == result || !g.f.plain(other) {
		return false
	}
	rows := g.f.shape(n.outputs[0]).Size() / f.columns
	switch {
	case n.element == opMax:
		f.activation = kernel.ReLU
		return g.isZero(other)
	case len(spread) == 2 && spread[0] == axis{rows, 0} && spread[1] == axis{f.columns, 1} && f.bias == nil:
		f.bias = other
		return true
	case spread.isStraight() && f.residual == nil:
		f.residual = other
		return true
	}
	return false
}

// isZero reports whether a value is the constant 0.
func (g *grouping) isZero(v value) bool {
	zero, ok := g.f.maker[v].constant.([]float32)
	return ok && len(zero) == 1 && zero[0] == 0
}

// added lists what is added.
func (f *finish) added() []value {
	var list []value
	for _, v := range []value{f.bias, f.residual} {
		if v != nil {
			list = append(list, v)
		}
	}
	return list
}

// epilogue is how a product ends.
func (x *execution) epilogue(f *finish) (kernel.Epilogue, error) {
	e := kernel.Epilogue{Activation: f.activation, LDResidual: f.columns}
	var err error
	if f.bias != nil {
		if e.Bias, err = x.input(f.bias); err != nil {
			return e, err
		}
	}
	if f.residual != nil {
		e.Residual, err = x.input(f.residual)
	}
	return e, err
}
