package kernel

// Right is the right side of a product as it lies in memory: [K, N], or [N, K] if its layout is [OutputsInputs], with rows Stride apart.
type Right struct {
	Values []float32
	BF16   []uint16 // instead of Values: numbers of bfloat16, for a set of that type
	Layout Layout
	K, N   int
	Stride int
}

// OnceScratch is how many values [Set.MulOnce] needs for itself.
func (s *Set) OnceScratch(k int) int { return (min(s.words(k), blockK)+1)*s.width + len(Scratch{}) }

// MulOnce is [Packed.Mul] with a right side that is not packed beforehand, for one that is used once: a block of each panel is
// packed just before it is multiplied with, and is still in the cache then. Its results are Mul's, to the bit. scratch has
// [Set.OnceScratch] values, of this goroutine alone.
func (s *Set) MulOnce(c []float32, ldc int, left []float32, right *Right, m, from, to int, e Epilogue, scratch []float32) {
	need("MulOnce", "c", c, m, right.N, ldc)
	p := s.once("MulOnce", left, right, m, from, to, &e, scratch)
	if m == 0 || from == to {
		return
	}
	if p.k == 0 {
		p.mulNothing(c, ldc, m, from, to, &e)
		return
	}
	w := work{p: p, c: c, ldc: ldc, left: s.leftSide(left, m), m: m, e: e, last: s.LeftTiles(m)}
	w.once(right, from, to, scratch)
}

// once checks the arguments of a product with a right side that is not packed, and is that side without its panels.
func (s *Set) once(function string, left []float32, right *Right, m, from, to int, e *Epilogue, scratch []float32) Packed {
	rows, columns, length := right.K, right.N, len(right.Values)
	if right.Layout == OutputsInputs {
		rows, columns = columns, rows
	}
	if right.BF16 != nil {
		length = len(right.BF16)
		if s.number != BFloat16 {
			panic("kernel." + function + ": the right side is bfloat16, the set is of " + s.number.String())
		}
	}
	needLength(function, "right", length, rows, columns, right.Stride)
	s.checkTerms(function, right.K)
	need(function, "scratch", scratch, 1, s.OnceScratch(right.K), len(scratch))
	p := Packed{set: s, k: right.K, n: right.N, steps: s.words(right.K)}
	p.checkMul(function, left, m, from, to, e)
	return p
}

// once multiplies with panels that it packs.
func (w *work) once(right *Right, from, to int, scratch []float32) {
	p, s := &w.p, w.p.set
	tile, scales, panel := (*Scratch)(scratch), scratch[len(Scratch{}):][:s.width], scratch[len(Scratch{})+s.width:]
	w.scratch = tile
	for w.panel = from; w.panel < to; w.panel++ {
		if s.number == Int8 {
			p.findScales(scales, right.Values, right.Stride, right.Layout, w.panel)
		}
		for w.k0 = 0; w.k0 < p.steps; w.k0 += blockK {
			k := min(blockK, p.steps-w.k0)
			if right.BF16 != nil {
				p.packShort(panel, right.BF16, right.Stride, right.Layout, w.panel, w.k0, k)
			} else {
				p.packBlock(panel, scales, right.Values, right.Stride, right.Layout, w.panel, w.k0, k)
			}
			w.block(panel[:k*s.width], scales, k, false)
		}
	}
}
