package main

import (
	"fmt"

	. "github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/neon"
)

func packing() {
	interleave()
	narrow()
	prefetch()
}

// prefetch asks for cache lines.
func prefetch() {
	Func("prefetchNEON", "func(x *float32, lines int)", "a request for lines > 0 cache lines from x on.")
	x, lines := Arg("x"), Arg("lines")
	Label("line")
	Prefetch(x, 0, 1)
	Advance(x, 64)
	Decrease(lines)
	JumpIfNotZero(lines, "line")
	End()
}

// fourRows are the four rows that begin at x.
func fourRows(x, ldx R) []R {
	row := []R{x}
	for r := range 3 {
		next := Clone(row[r])
		AdvanceBy(next, ldx)
		row = append(row, next)
	}
	return row
}

// interleave turns four rows into columns, blocks of 4×4 at a time.
func interleave() {
	Func("interleave4NEON", "func(dst *float32, stride int, x *float32, ldx, k int)", "dst[p*stride+r] = x[r*ldx+p] for r < 4, p < k.")
	dst, stride, x, ldx, k := Arg("dst"), Arg("stride"), Arg("x"), Arg("ldx"), Arg("k")
	InBytes(stride)
	InBytes(ldx)
	row := fourRows(x, ldx)
	Each(k, 1, row, func(at Access, _ int) {
		v := make([]V, 4)
		for r := range v {
			v[r] = at.Load(row[r])
		}
		columns := Columns(v)
		if at.Single() {
			columns = columns[:1]
		}
		for _, column := range columns {
			Store(column, dst, 0)
			AdvanceBy(dst, stride)
		}
	})
	End()
}

// narrow copies a few columns of a matrix, no more than a tile has rows. Where they are not a power of two, two copies overlap.
func narrow() {
	Func("narrowNEON", "func(dst, x *float32, ldx, columns, k int)",
		fmt.Sprintf("dst[p*columns+c] = x[p*ldx+c] for c < columns, p < k; 0 < columns < %d, k > 0.", 2*Lanes+1))
	dst, x, ldx, columns, k := Arg("dst"), Arg("x"), Arg("ldx"), Arg("columns"), Arg("k")
	InBytes(ldx)
	InBytes(columns)
	copies := func(bytes int, load func(R, int) V, store func(V, R, int)) {
		fewer, loop := NewLabel("fewer"), NewLabel("loop")
		rest := Less(columns, bytes) // where the second copy begins
		JumpIfBelowZero(rest, fewer)
		second, secondDst := Clone(x), Clone(dst)
		AdvanceBy(second, rest)
		AdvanceBy(secondDst, rest)
		Label(loop)
		v, w := load(x, 0), load(second, 0)
		store(v, dst, 0)
		store(w, secondDst, 0)
		for _, p := range []R{x, second} {
			AdvanceBy(p, ldx)
		}
		for _, p := range []R{dst, secondDst} {
			AdvanceBy(p, columns)
		}
		Decrease(k)
		JumpIfNotZero(k, loop)
		Jump("end")
		Label(fewer)
	}
	copies(16, Load, Store)
	copies(8, LoadHalf, StoreHalf)
	copies(4, LoadOne, StoreOne)
	Label("end")
	End()
}
