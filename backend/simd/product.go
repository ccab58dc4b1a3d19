package simd

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"

	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

// left is the left side of a product: [m, k], or [k, m] where it lies transposed.
type left struct {
	values     []float32
	short      []uint16 // instead of values, of bfloat16
	m, k       int
	transposed bool
}

// left finds the left side of a product.
func (x *execution) left(v value, s side) (l left, err error) {
	l = left{m: s.rows, k: s.sums, transposed: s.sumsFirst}
	if x.plan.shapes[v].DType == dtypes.BFloat16 {
		l.short, err = x.shortInput(v)
	} else {
		l.values, err = x.input(v)
	}
	return l, err
}

// pack packs some tiles of rows of the left side, from row on.
func (l *left) pack(b *Backend, set *kernel.Set, packed []float32, row, rows, first, end int) {
	at := row * l.k
	if l.transposed {
		at = row
	}
	if l.short != nil {
		scratch := b.memory.take(kernel.LeftScratch)
		defer b.memory.give(scratch)
		if l.transposed {
			set.PackLeftColumnsBF16(packed, l.short[at:], l.m, rows, l.k, first, end, scratch)
		} else {
			set.PackLeftBF16(packed, l.short[at:], l.k, rows, l.k, first, end, scratch)
		}
		return
	}
	if l.transposed {
		set.PackLeftColumns(packed, l.values[at:], l.m, rows, l.k, first, end)
	} else {
		set.PackLeft(packed, l.values[at:], l.k, rows, l.k, first, end)
	}
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

// right finds the right side of a product. One of the caller's buffers is packed once and kept packed, unless it is donated or read both ways; so is, for this
// once, one of int8. Scales are those of int8, or nil.
func (x *execution) right(v value, p packing, scales []float32) (right, error) {
	b := x.backend
	src := x.plan.source(v)
	_, bothWays := x.plan.bothWays.Load(src)
	kept := x.callers[src] != nil && !x.donated[src] && !bothWays
	r := right{set: b.set.In(p.number)}
	if kept {
		var err error
		if r.packed, err = x.callers[src].pack(p, scales, b.weights != kernel.Float32); r.packed != nil || err != nil {
			return r, err
		}
		x.plan.bothWays.Store(src, true)
	}
	flat, err := x.values(src)
	if err != nil {
		return r, err
	}
	r.once = kernel.Right{Layout: p.layout, K: p.k, N: p.n, Stride: p.stride()}
	switch weights := flat.(type) {
	case []float32:
		r.once.Values = weights
	case []bfloat16.BFloat16:
		r.once.BF16 = bitsOf(weights)
	default:
		r.packed, err = b.packB(flat, scales, p)
	}
	return r, err
}

// result is where a product's result goes, in rows: float32, or bfloat16.
type result struct {
	values []float32
	short  []uint16
}

// from is the result from some value on.
func (c result) from(at int) result {
	if c.short != nil {
		return result{short: c.short[at:]}
	}
	return result{values: c.values[at:]}
}

// product makes a product's result.
func (x *execution) product(n *node, l left, r right) error {
	e, err := x.epilogue(n.finish)
	if err != nil {
		return err
	}
	var c result
	if x.plan.shapes[n.outputs[0]].DType == dtypes.BFloat16 {
		c.short, err = x.shortOutput(n.outputs[0])
		e.Round = n.finish.rounds && (e.Bias != nil || e.Residual != nil || e.Activation != kernel.Identity)
	} else {
		c.values, err = x.output(n.outputs[0])
		e.Round = n.finish.rounds
	}
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
func (b *Backend) product(c result, l left, r right, e kernel.Epilogue) {
	n, set := r.columns(), r.set
	group := min(l.m, set.GroupRows(l.k))
	packed := b.memory.take(set.LeftLen(group, l.k))
	for from := 0; from < l.m; from += group {
		rows := min(group, l.m-from)
		tiles := set.LeftTiles(rows)
		packed := packed[:set.LeftLen(rows, l.k)]
		b.shareRows(tiles, rows*l.k/tiles, func(first, end int) { l.pack(b, set, packed, from, rows, first, end) })
		e := e
		if e.Residual != nil {
			e.Residual = e.Residual[from*e.LDResidual:]
		}
		b.panels(c.from(from*n), packed, rows, &r, e)
	}
	b.memory.give(packed)
}

// panels multiplies packed rows with all panels of the right side.
func (b *Backend) panels(c result, rows []float32, m int, r *right, e kernel.Epilogue) {
	n, size := r.columns(), len(kernel.Scratch{})
	if r.packed == nil {
		size = r.set.OnceScratch(r.once.K)
	}
	if c.short != nil {
		size += r.set.ShortScratch(m)
	}
	b.share(r.set.Panels(n), func(first, end int) {
		scratch := b.memory.take(size)
		switch {
		case r.packed != nil && c.short != nil:
			r.packed.MulBF16(c.short, n, rows, m, first, end, e, scratch)
		case r.packed != nil:
			r.packed.Mul(c.values, n, rows, m, first, end, e, (*kernel.Scratch)(scratch))
		case c.short != nil:
			r.set.MulOnceBF16(c.short, n, rows, &r.once, m, first, end, e, scratch)
		default:
			r.set.MulOnce(c.values, n, rows, &r.once, m, first, end, e, scratch)
		}
		b.memory.give(scratch)
	})
}
