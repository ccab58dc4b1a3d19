package simd

import "github.com/go-lxmert/lxmert/backend/simd/kernel"

// left is the left side of a product: [m, k], or [k, m] where it lies transposed.
type left struct {
	values     []float32
	m, k       int
	transposed bool
}

// right is the right side of a product: packed, or to be packed as it is multiplied with.
type right struct {
	set    *kernel.Set    // of the type of number that it is multiplied in
	packed *kernel.Packed // nil where it is used once
	once   kernel.Right
}

// preferred is a way to read float32 weights in the type that the engine was told to multiply them in: those that are large, and that the caller keeps.
func (x *execution) preferred(v value, p packing) packing {
	if src := x.plan.source(v); x.callers[src] != nil && !x.donated[src] && p.k*p.n >= large {
		p.number = x.backend.weights
	}
	return p
}

// right finds the right side of a product. One of the caller's buffers is packed once and kept packed, unless it is donated; so is, for this once, one that is not
// float32. Scales are those of int8, or nil.
func (x *execution) right(v value, p packing, scales []float32) (right, error) {
	b := x.backend
	src := x.plan.source(v)
	kept := x.callers[src] != nil && !x.donated[src]
	r := right{set: b.set.In(p.number)}
	if kept {
		var err error
		if r.packed, err = x.callers[src].pack(p, scales, b.weights != kernel.Float32); r.packed != nil || err != nil {
			return r, err
		}
	}
	flat, err := x.values(src)
	if err != nil {
		return r, err
	}
	if weights, ok := flat.([]float32); ok {
		r.once = kernel.Right{Values: weights, Layout: p.layout, K: p.k, N: p.n, Stride: p.stride()}
		return r, nil
	}
	r.packed, err = b.packB(flat, scales, p)
	return r, err
}

// product makes a product's result.
func (x *execution) product(n *node, l left, r right) error {
	c, err := x.output(n.outputs[0])
	if err != nil {
		return err
	}
	e, err := x.epilogue(n.finish)
	if err != nil {
		return err
	}
	x.backend.product(c, l, r, e)
	return nil
}

// columns is how many there are.
func (r *right) columns() int {
	if r.packed != nil {
		return r.packed.N()
	}
	return r.once.N
}

// product is c = epilogue(left · right). Threads share the packing of the left side, then the panels of the right; a long left side
// is taken a group of rows at a time.
func (b *Backend) product(c []float32, l left, r right, e kernel.Epilogue) {
	n, set := r.columns(), r.set
	group := min(l.m, set.GroupRows(l.k))
	packed := b.memory.take(set.LeftLen(group, l.k))
	for from := 0; from < l.m; from += group {
		rows := min(group, l.m-from)
		tiles := set.LeftTiles(rows)
		packed := packed[:set.LeftLen(rows, l.k)]
		b.shareRows(tiles, rows*l.k/tiles, func(first, end int) {
			if l.transposed {
				set.PackLeftColumns(packed, l.values[from:], l.m, rows, l.k, first, end)
			} else {
				set.PackLeft(packed, l.values[from*l.k:], l.k, rows, l.k, first, end)
			}
		})
		e := e
		if e.Residual != nil {
			e.Residual = e.Residual[from*e.LDResidual:]
		}
		b.panels(c[from*n:], packed, rows, &r, e)
	}
	b.memory.give(packed)
}

// panels multiplies packed rows with all panels of the right side.
func (b *Backend) panels(c, rows []float32, m int, r *right, e kernel.Epilogue) {
	if r.packed != nil {
		b.share(r.packed.Panels(), func(first, end int) {
			scratch := b.memory.take(len(kernel.Scratch{}))
			r.packed.Mul(c, r.packed.N(), rows, m, first, end, e, (*kernel.Scratch)(scratch))
			b.memory.give(scratch)
		})
		return
	}
	b.share(r.set.Panels(r.once.N), func(first, end int) {
		scratch := b.memory.take(r.set.OnceScratch(r.once.K))
		r.set.MulOnce(c, r.once.N, rows, &r.once, m, first, end, e, scratch)
		b.memory.give(scratch)
	})
}
