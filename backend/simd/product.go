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
	packed *kernel.Packed // nil where it is used once
	once   kernel.Right
}

// right finds the right side of a product. One of the caller's buffers is packed once and kept packed, unless it is donated.
func (x *execution) right(v value, p packing) (right, error) {
	src := x.plan.source(v)
	if buffer := x.callers[src]; buffer != nil && !x.donated[src] {
		if packed, err := buffer.pack(p); packed != nil || err != nil {
			return right{packed: packed}, err
		}
	}
	weights, err := x.input(v)
	return right{once: kernel.Right{Values: weights, Layout: p.layout, K: p.k, N: p.n, Stride: p.stride()}}, err
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
	n := r.columns()
	group := min(l.m, b.set.GroupRows(l.k))
	packed := b.memory.take(group * l.k)
	for from := 0; from < l.m; from += group {
		rows := min(group, l.m-from)
		tiles := b.set.LeftTiles(rows)
		b.shareRows(tiles, rows*l.k/tiles, func(first, end int) {
			if l.transposed {
				b.set.PackLeftColumns(packed, l.values[from:], l.m, rows, l.k, first, end)
			} else {
				b.set.PackLeft(packed, l.values[from*l.k:], l.k, rows, l.k, first, end)
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
	b.share(b.set.Panels(r.once.N), func(first, end int) {
		scratch := b.memory.take(b.set.OnceScratch(r.once.K))
		b.set.MulOnce(c, r.once.N, rows, &r.once, m, first, end, e, scratch)
		b.memory.give(scratch)
	})
}
