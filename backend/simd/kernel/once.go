package kernel

// Right is the right side of a product as it lies in memory: [K, N], or [N, K] if its layout is [OutputsInputs], with rows Stride apart.
type Right struct {
	Values []float32
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
	if right.Layout == OutputsInputs {
		need("MulOnce", "right", right.Values, right.N, right.K, right.Stride)
	} else {
		need("MulOnce", "right", right.Values, right.K, right.N, right.Stride)
	}
	need("MulOnce", "c", c, m, right.N, ldc)
	need("MulOnce", "left", left, 1, s.LeftLen(m, right.K), len(left))
	s.checkTerms("MulOnce", right.K)
	p := Packed{set: s, k: right.K, n: right.N, steps: s.words(right.K)}
	span("MulOnce", from, to, p.Panels())
	need("MulOnce", "scratch", scratch, 1, s.OnceScratch(right.K), len(scratch))
	e.check(m, right.N)
	if m == 0 || from == to {
		return
	}
	tile, scales, panel := (*Scratch)(scratch), scratch[len(Scratch{}):][:s.width], scratch[len(Scratch{})+s.width:]
	if p.k == 0 {
		p.mulNothing(c, ldc, m, from, to, &e)
		return
	}
	w := work{p: p, c: c, ldc: ldc, left: s.leftSide(left, m), m: m, e: e, scratch: tile, last: s.LeftTiles(m)}
	for w.panel = from; w.panel < to; w.panel++ {
		if s.number == Int8 {
			p.findScales(scales, right.Values, right.Stride, right.Layout, w.panel)
		}
		for w.k0 = 0; w.k0 < p.steps; w.k0 += blockK {
			k := min(blockK, p.steps-w.k0)
			p.packBlock(panel, scales, right.Values, right.Stride, right.Layout, w.panel, w.k0, k)
			w.block(panel[:k*s.width], scales, k, false)
		}
	}
}
