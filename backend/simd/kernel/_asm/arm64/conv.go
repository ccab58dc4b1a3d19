package main

import (
	"fmt"

	. "github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/neon"
)

func convolutions() {
	for n := 1; n <= tileRows; n++ {
		convolution(float32s, n, tileVectors/2)
		for _, kind := range []kind{float32s, bf16Wide, bf16Matrix, int8Long, int8Dot, int8Matrix} {
			convolution(kind, n, tileVectors)
		}
	}
	weave()
}

// convolution is the matrix product's tile, for some panels in turn and with an end of its own. Of the last panel, half the vectors may be
// enough. There are no stores that go past the caches: those of this CPU are but a hint, for pairs of registers.
func convolution(kind kind, n, vectors int) {
	columns := vectors * Lanes
	more, says := "", ""
	if kind.ints {
		more = int8Parameters
		says = " Sums are of int32 and begin with those of starts; if scales is not nil they then become float32, multiplied with scales and columns, else nothing is added."
	}
	Func(fmt.Sprintf("conv%s%s%dNEON", map[int]string{tileVectors / 2: "Half", tileVectors: "Tile"}[vectors], kind.name, n),
		"func(c *float32, ldc int, a, b *float32, k, panels, step int, bias, residual *float32, ldr int, ahead *float32, pace int, floor float32, more, stream bool"+more+")",
		fmt.Sprintf("c[%d][%d] = max(floor, a[k][%d]ᵀ·b[k][%d] + c + bias + residual), of %s, for each of some panels of b, step values apart; c counts if more, bias and residual if not nil. "+
			"stream makes no difference. It prefetches from ahead, pace bytes in %d steps of k.", n, columns, n, columns, kind.words, unroll)+says)
	t := newTile(kind, n, vectors)
	residual, ldr, bias, panels := Arg("residual"), Arg("ldr"), Arg("bias"), Arg("panels")
	panel, step := Arg("b"), Arg("step")
	InBytes(ldr)
	var scaled R
	if kind.ints {
		scaled = Arg("columns")
	}
	Label("panel")
	t.a, t.k, t.b = Arg("a"), Arg("k"), Clone(panel)
	// The rows of c and residual will be wanted when the sums are done.
	prefetch := func(_ int, row R) { Prefetch(row, 0, 1) }
	t.eachRow(t.c, t.ldc, prefetch)
	IfThere(residual, func() { t.eachRow(residual, ldr, prefetch) })
	t.clear()
	t.loop()
	t.addIfMore()
	if kind.ints {
		t.dequantise("store", scaled)
		Advance(scaled, vectors*Bytes)
	}
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
	Label("store")
	t.store()
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
