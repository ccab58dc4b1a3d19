package main

import . "github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/neon"

func int8s() {
	for n := 1; n <= tileRows; n++ {
		product(int8Long, n)
		product(int8Dot, n)
		product(int8Matrix, n)
	}
	magnitude()
	quads()
	rowInt8()
	peak("peakInt8Long", 4*Lanes, func(sum, x V) { addLong(sum, x, x) })
	peak("peakInt8Dot", 4*Lanes, func(sum, x V) { SDOTE.Into(sum, x, x, 0) })
	peak("peakInt8Matrix", 8*Lanes, func(sum, x V) { USMMLA.Into(sum, x, x) })
}

// magnitude is the largest |x|, as integers compare its bits.
func magnitude() {
	Func("magnitudeNEON", "func(x *float32, n int) uint32", "the largest bits of |x| of n > 0 values.")
	x, n := Arg("x"), Arg("n")
	best := Zeros(sums)
	Each(n, sums, []R{x}, func(at Access, turn int) { UMAX.Into(best[turn], best[turn], FABS.Of(at.Load(x))) })
	ResultBits(Reduce(UMAX, UMAXP, best))
	End()
}

// quantised are numbers times their scale, as int32, added to total.
func quantised(x, scale, total V) V {
	q := FCVTNS.Of(FMUL.Of(x, scale))
	ADD.Into(total, total, q)
	return q
}

// narrowed are four vectors of int32 as int8.
func narrowed(q []V) V {
	low, high := SQXTN.Of(q[0]), SQXTN.Of(q[2])
	SQXTN2.Into(low, q[1])
	SQXTN2.Into(high, q[3])
	bytes := SQXTB.Of(low)
	SQXTB2.Into(bytes, high)
	return bytes
}

// quads packs four rows: a vector of each is a word of each in the column that tiles read.
func quads() {
	Func("quadsNEON", "func(dst *float32, stride int, x *float32, ldx, k int, inverse *float32, sums *int32)",
		"dst[p*stride+r] = the four numbers from x[r*ldx+4p] on, times inverse[r] and rounded to int8, for r < 4, 4p < k; k > 0. Beyond k are zeros. sums are those of the rows.")
	dst, stride, x, ldx, k, inverse, result := Arg("dst"), Arg("stride"), Arg("x"), Arg("ldx"), Arg("k"), Arg("inverse"), Arg("sums")
	InBytes(stride)
	InBytes(ldx)
	row := fourRows(x, ldx)
	inverses := Load(inverse, 0)
	total, scale := Zeros(4), make([]V, 4)
	for r := range scale {
		scale[r] = LaneOf(inverses, r)
	}
	pack := func(n int) {
		q := make([]V, 4)
		for r := range q {
			q[r] = quantised(loadWords(row[r], 0, n), scale[r], total[r])
		}
		Store(narrowed(q), dst, 0)
	}
	Whole(k, 1, row, func(Access, int) {
		pack(Lanes)
		AdvanceBy(dst, stride)
	})
	JumpIfZero(k, "sums")
	SubFlags(k, 2)
	JumpIfNegative("one")
	JumpIfZero(k, "two")
	pack(3)
	Jump("sums")
	Label("two")
	pack(2)
	Jump("sums")
	Label("one")
	pack(1)
	Label("sums")
	Store(ADDPS.Of(ADDPS.Of(total[0], total[1]), ADDPS.Of(total[2], total[3])), result, 0)
	End()
}

// rowInt8 packs neighbours: a pixel's channels.
func rowInt8() {
	Func("rowInt8NEON", "func(dst, x *float32, n int, inverse float32) int32",
		"dst = x times inverse, rounded to int8, for n > 0 numbers, a multiple of 16. It returns their sum.")
	dst, x, n, scale, total := Arg("dst"), Arg("x"), Arg("n"), ArgEverywhere("inverse"), Zeros(4)
	Label("loop")
	q := make([]V, 4)
	for i := range q {
		q[i] = quantised(Load(x, i*Bytes), scale, total[i])
	}
	Store(narrowed(q), dst, 0)
	Advance(x, 4*Bytes)
	Advance(dst, Bytes)
	SubFlags(n, 4*Lanes)
	JumpIfNotZero(n, "loop")
	ResultBits(Reduce(ADD, ADDPS, total))
	End()
}
