package main

import (
	"fmt"

	. "github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/neon"
)

func convolutions() {
	for vectors := tileVectors / 2; vectors <= tileVectors; vectors += tileVectors / 2 {
		for n := 1; n <= tileRows; n++ {
			convTile(n, vectors)
		}
	}
	weave()
}

// convTile is the matrix product's tile, for some panels in turn and with an end of its own. Of the last panel, half the vectors may be
// enough. There are no stores that go past the caches: those of this CPU are but a hint, for pairs of registers.
func convTile(n, vectors int) {
	columns := vectors * Lanes
	Func(fmt.Sprintf("conv%s%dNEON", map[int]string{tileVectors / 2: "Half", tileVectors: "Tile"}[vectors], n),
		"func(c *float32, ldc int, a, b *float32, k, panels, step int, bias, residual *float32, ldr int, ahead *float32, pace int, floor float32, more, stream bool)",
		fmt.Sprintf("c[%d][%d] = max(floor, a[k][%d]ᵀ·b[k][%d] + c + bias + residual) for each of some panels of b, step values apart; c counts if more, bias and residual if not nil. "+
			"stream makes no difference. It prefetches from ahead, pace bytes in %d steps of k.", n, columns, n, columns, unroll))
	t := &tile{rows: n, words: 1, vectors: vectors, c: Arg("c"), ldc: Arg("ldc"), ahead: Arg("ahead"), pace: Arg("pace"), sums: NewVs(vectors * n)}
	residual, ldr, bias, panels := Arg("residual"), Arg("ldr"), Arg("bias"), Arg("panels")
	panel, step := Arg("b"), Arg("step")
	InBytes(t.ldc)
	InBytes(ldr)
	Label("panel")
	t.a, t.k, t.b = Arg("a"), Arg("k"), Clone(panel)
	// The rows of c and residual will be wanted when the sums are done.
	prefetch := func(_ int, row R) { Prefetch(row, 0, 1) }
	t.eachRow(t.c, t.ldc, prefetch)
	IfThere(residual, func() { t.eachRow(residual, ldr, prefetch) })
	t.clear()
	t.loop(t.multiplyAdd)
	t.addIfMore(FADD)
	IfThere(bias, func() {
		for j := range vectors {
			v := Load(bias, j*Bytes)
			for r := range n {
				sum := t.sums[vectors*r+j]
				FADD.Into(sum, sum, v)
			}
		}
		Advance(bias, vectors*Bytes)
	})
	IfThere(residual, func() {
		t.eachRow(residual, ldr, func(r int, row R) { t.add(FADD, r, row) })
		Advance(residual, vectors*Bytes)
	})
	floor := ArgEverywhere("floor")
	for _, v := range t.sums {
		FMAX.Into(v, v, floor)
	}
	t.write()
	Advance(t.c, vectors*Bytes)
	AdvanceWords(panel, step)
	Decrease(panels)
	JumpIfNotZero(panels, "panel")
	End()
}

// wovenRows is how many rows weaving reads: two vectors, for a tile has fewer.
const wovenRows = 2 * Lanes

// weave turns rows into columns, four at a time. Each column is stored as two vectors: what they have beyond the tile's rows is written over by
// the next.
func weave() {
	Func("weaveNEON", "func(dst *float32, stride int, row **float32, offset, n int)",
		fmt.Sprintf("dst[p*stride+r] = row[r][offset+p] for r < stride ≤ %d, p < n; it reads %d rows and writes up to %d values beyond the last.", wovenRows, wovenRows, wovenRows))
	dst, stride, pointers, offset, n := Arg("dst"), Arg("stride"), Arg("row"), Arg("offset"), Arg("n")
	InBytes(stride)
	row := make([]R, wovenRows)
	for r := range row {
		row[r] = Pointer(pointers, 8*r)
		AdvanceWords(row[r], offset)
	}
	Each(n, 1, row, func(at Access, _ int) {
		v := make([]V, wovenRows)
		for r := range v {
			v[r] = at.Load(row[r])
		}
		low, high := Columns(v[:4]), Columns(v[4:])
		if at.Single() {
			low = low[:1]
		}
		for i := range low {
			Store(low[i], dst, 0)
			Store(high[i], dst, Bytes)
			AdvanceBy(dst, stride)
		}
	})
	End()
}
