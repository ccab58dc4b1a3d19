package main

import (
	"math"

	. "github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/neon"
)

func pools() {
	pool("poolSumNEON", "the sum", 0, FADD)
	pool("poolMaxNEON", "the largest (NaN if one is)", math.Inf(-1), FMAX)
}

// pool goes over the window once for each vector of channels; none is what no cell gives.
func pool(name, words string, none float64, combine Op) {
	Func(name, "func(dst, x *float32, n, down, across, stepDown, stepAcross int)",
		"dst[i] = "+words+" of x[y*stepDown+z*stepAcross+i] for y < down, z < across; i < n; down, across > 0.")
	dst, x, n, down, across := Arg("dst"), Arg("x"), Arg("n"), Arg("down"), Arg("across")
	stepDown, stepAcross := Arg("stepDown"), Arg("stepAcross")
	InBytes(stepDown)
	InBytes(stepAcross)
	Each(n, 1, []R{dst, x}, func(at Access, _ int) {
		row, y, value := Clone(x), Clone(down), Const(none)
		loop, inner := NewLabel("row"), NewLabel("cell")
		Label(loop)
		cell, z := Clone(row), Clone(across)
		Label(inner)
		combine.Into(value, value, at.Load(cell))
		AdvanceBy(cell, stepAcross)
		Decrease(z)
		JumpIfNotZero(z, inner)
		AdvanceBy(row, stepDown)
		Decrease(y)
		JumpIfNotZero(y, loop)
		at.Store(value, dst)
	})
	End()
}
