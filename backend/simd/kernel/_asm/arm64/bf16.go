package main

import . "github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/neon"

func bf16() {
	for n := 1; n <= tileRows; n++ {
		product(bf16Wide, n)
		product(bf16Matrix, n)
	}
	pairs()
	zip()
	round()
	nearest()
	widen()
	shorten()
	zipShort()
	normal()
	rowBF16()
	peak("peakBF16Matrix", 4*Lanes, func(sum, x V) { BFMMLA.Into(sum, x, x) })
}

// pairs packs four rows.
func pairs() {
	Func("pairsNEON", "func(dst *float32, stride int, x *float32, ldx, k int)",
		"dst[p*stride+r] = the numbers x[r*ldx+2p] and x[r*ldx+2p+1] as bfloat16, for r < 4, 2p < k; k > 0. Beyond k are zeros.")
	dst, stride, x, ldx, k := Arg("dst"), Arg("stride"), Arg("x"), Arg("ldx"), Arg("k")
	InBytes(stride)
	InBytes(ldx)
	row := fourRows(x, ldx)
	// store packs vectors of the rows, and stores that many columns of pairs.
	store := func(load func(p R) V, columns int) {
		v := make([]V, 4)
		for r := range v {
			v[r] = RoundBF16(load(row[r]))
		}
		two, other := UZP2H.Of(v[0], v[1]), UZP2H.Of(v[2], v[3]) // two pairs of each row
		for _, op := range []Op{UZP1, UZP2}[:columns] {
			Store(op.Of(two, other), dst, 0)
			AdvanceBy(dst, stride)
		}
	}
	Whole(k, 1, row, func(at Access, _ int) { store(at.Load, 2) })
	JumpIfNoBit(1, k, "lessThanTwo")
	store(func(p R) V { return LoadHalf(p, 0) }, 1)
	for _, p := range row {
		Advance(p, 8)
	}
	Label("lessThanTwo")
	JumpIfNoBit(0, k, "end")
	store(func(p R) V { return LoadOne(p, 0) }, 1)
	Label("end")
	End()
}

// round rounds numbers that stay float32.
func round() {
	Func("roundNEON", "func(x *float32, n int)", "x = x as bfloat16, in float32, of n > 0 values.")
	x, n := Arg("x"), Arg("n")
	Each(n, 1, []R{x}, func(at Access, _ int) { at.Store(AND.Of(RoundBF16(at.Load(x)), Bits(0xffff0000)), x) })
	End()
}

// nearest is round that keeps what is not normal.
func nearest() {
	Func("nearestNEON", "func(x *float32, n int)", "x = x as bfloat16, in float32, of n > 0 values, also of those that are not normal.")
	x, n := Arg("x"), Arg("n")
	Each(n, 1, []R{x}, func(at Access, _ int) { at.Store(AND.Of(NearestBF16(at.Load(x)), Bits(0xffff0000)), x) })
	End()
}

// rowBF16 rounds numbers to pairs of neighbours.
func rowBF16() {
	Func("rowBF16NEON", "func(dst, x *float32, n int)", "dst[i] = the numbers x[2i] and x[2i+1] as bfloat16, for n > 0 numbers, a multiple of 8.")
	dst, x, n := Arg("dst"), Arg("x"), Arg("n")
	Label("loop")
	Store(UZP2H.Of(RoundBF16(Load(x, 0)), RoundBF16(Load(x, Bytes))), dst, 0)
	Advance(x, 2*Bytes)
	Advance(dst, Bytes)
	SubFlags(n, 2*Lanes)
	JumpIfNotZero(n, "loop")
	End()
}
