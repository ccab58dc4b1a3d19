package main

import . "github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/neon"

// Numbers of bfloat16 as they lie in memory, 16 bits each. These functions go over matrices, and over whole vectors of their columns: what
// columns are left is the caller's.

// A stream is a matrix that is gone through: where its row begins, and the distance to the next, in numbers of so many bytes.
type stream struct {
	row, ld R
	bytes   int
}

// matrix goes over the rows and columns of streams; body is given where each stream stands, for one vector of columns.
func matrix(rows, columns R, streams []stream, body func(at []R)) {
	row, loop := NewLabel("row"), NewLabel("loop")
	for _, m := range streams {
		if m.bytes == 2 {
			AdvanceBy(m.ld, m.ld)
		} else {
			InBytes(m.ld)
		}
	}
	Label(row)
	left := Clone(columns)
	var at []R
	for _, m := range streams {
		at = append(at, Clone(m.row))
	}
	Label(loop)
	body(at)
	for i, m := range streams {
		Advance(at[i], m.bytes*Lanes)
	}
	SubFlags(left, Lanes)
	JumpIfNotZero(left, loop)
	for _, m := range streams {
		AdvanceBy(m.row, m.ld)
	}
	Decrease(rows)
	JumpIfNotZero(rows, row)
	End()
}

// widen is from bfloat16 to float32.
func widen() {
	Func("widenNEON", "func(dst *float32, ldd int, x *uint16, ldx, rows, columns int)",
		"dst[r*ldd+c] = the bfloat16 number x[r*ldx+c], for r < rows, c < columns, which are a multiple of 4; neither is 0.")
	streams := []stream{{Arg("dst"), Arg("ldd"), 4}, {Arg("x"), Arg("ldx"), 2}}
	matrix(Arg("rows"), Arg("columns"), streams, func(at []R) { Store(SHLL.Of(LoadHalf(at[1], 0)), at[0], 0) })
}

// shorten is from float32 to bfloat16.
func shorten() {
	Func("shortenNEON", "func(dst *uint16, ldd int, x *float32, ldx, rows, columns int)",
		"dst[r*ldd+c] = x[r*ldx+c] as bfloat16, normal or not, for r < rows, c < columns, which are a multiple of 4; neither is 0.")
	streams := []stream{{Arg("dst"), Arg("ldd"), 2}, {Arg("x"), Arg("ldx"), 4}}
	matrix(Arg("rows"), Arg("columns"), streams, func(at []R) { StoreHalf(SHRN.Of(NearestBF16(Load(at[1], 0))), at[0], 0) })
}

// zipShort packs rows two by two, column by column.
func zipShort() {
	zipOf("zipShort", "uint16", 2, func(even, odd R) V { return keepNormal(ZIP1H.Of(LoadHalf(even, 0), LoadHalf(odd, 0))) })
}

// zip is zipShort of float32 numbers, which are rounded.
func zip() {
	zipOf("zip", "float32", 4, func(even, odd R) V {
		pair := RoundBF16(Load(odd, 0))
		InsertUpper(pair, RoundBF16(Load(even, 0)))
		return pair
	})
}

// zipOf packs rows of numbers of so many bytes; pairs makes a vector of pairs of two rows.
func zipOf(name, kind string, bytes int, pairs func(even, odd R) V) {
	Func(name+"NEON", "func(dst *float32, ldd int, x *"+kind+", ldx, rows, columns int)",
		"dst[p*ldd+c] = the pair x[2p*ldx+c], x[(2p+1)*ldx+c] as bfloat16, 0 where not normal, for p < rows, c < columns, a multiple of 4; neither is 0.")
	x, ldx := Arg("x"), Arg("ldx")
	odd, two := Clone(x), Clone(ldx)
	AdvanceBy(two, two)
	for range bytes / 2 {
		AdvanceBy(odd, two) // in bytes: twice ldx of two bytes each
	}
	streams := []stream{{Arg("dst"), Arg("ldd"), 4}, {x, two, bytes}, {odd, Clone(two), bytes}}
	matrix(Arg("rows"), Arg("columns"), streams, func(at []R) { Store(pairs(at[1], at[2]), at[0], 0) })
}

// normal makes the numbers of pairs 0 that are not normal.
func normal() {
	Func("normalNEON", "func(x *float32, n int)", "x = x, n > 0 pairs of bfloat16 numbers, with those 0 that are not normal.")
	x, n := Arg("x"), Arg("n")
	Each(n, 1, []R{x}, func(at Access, _ int) { at.Store(keepNormal(at.Load(x)), x) })
	End()
}

// keepNormal leaves only the signs of 16-bit numbers that are not normal.
func keepNormal(v V) V {
	return AND.Of(v, ORR.Of(CMTSTH.Of(v, Bits(0x7f807f80)), Bits(0x80008000)))
}
