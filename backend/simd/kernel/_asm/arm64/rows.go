package main

import (
	"math"

	. "github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/neon"
)

func rows() {
	softmax()
	layerNorm()
	finish("", "as it is", func(x V) V { return x })
	finish("ReLU", "ReLU", ReLU)
	finish("GELU", "GELU", GELU)
	finish("GELUTanh", "GELU's tanh form", GELUTanh)
	finish("Tanh", "tanh", Tanh)
}

// softmax goes over the row three times: the largest value, the exponentials and their sum, the quotient.
func softmax() {
	Func("softmaxNEON", "func(dst, x, mask *float32, n int, scale float32)",
		"dst = softmax(scale*x + mask) of n > 0 values; mask may be nil, dst may be x.")
	dst, x, mask, n, scale := Arg("dst"), Arg("x"), Arg("mask"), Arg("n"), ArgEverywhere("scale")

	none := Const(math.Inf(-1))
	best := copies(none, sums)
	// The values are made twice, which costs less than to store them and wait for their return.
	value := func(at Access, x, y R) V {
		v := FMUL.Of(at.Load(x), scale)
		IfThere(mask, func() { FADD.Into(v, v, at.Load(y)) })
		return v
	}
	p := Clones(x, mask)
	Each(Clone(n), sums, p, func(at Access, turn int) {
		FMAX.Into(best[turn], best[turn], at.Filled(value(at, p[0], p[1]), none))
	})
	top := Everywhere(Reduce(FMAX, FMAXP, best))

	total, nothing := Zeros(sums), Zero()
	p = Clones(dst, x, mask)
	Each(Clone(n), sums, p, func(at Access, turn int) {
		e := Exp(FSUB.Of(value(at, p[1], p[2]), top))
		at.Store(e, p[0])
		FADD.Into(total[turn], total[turn], at.Filled(e, nothing))
	})
	part := Everywhere(Scalar("FDIVS", Const(1), Reduce(FADD, FADDP, total)))
	Each(n, 1, []R{dst}, func(at Access, _ int) { at.Store(FMUL.Of(at.Load(dst), part), dst) })
	End()
}

// layerNorm goes over the row three times: the sum, the squared distances from the mean, the result.
func layerNorm() {
	Func("layerNormNEON", "func(dst, x, residual, gamma, beta *float32, n int, epsilon float32)",
		"dst = (y - mean y)/√(var y + epsilon) * gamma + beta with y = x + residual, of n > 0 values; residual, gamma and beta may be nil.")
	dst, x, residual, gamma, beta, n := Arg("dst"), Arg("x"), Arg("residual"), Arg("gamma"), Arg("beta"), Arg("n")
	count := Float(n)

	total := Zeros(sums)
	p := Clones(dst, x, residual)
	Each(Clone(n), sums, p, func(at Access, turn int) {
		v := at.Load(p[1])
		IfThere(residual, func() { FADD.Into(v, v, at.Load(p[2])) })
		at.Store(v, p[0])
		FADD.Into(total[turn], total[turn], v)
	})
	mean := Everywhere(Scalar("FDIVS", Reduce(FADD, FADDP, total), count))

	total = Zeros(sums)
	p, nothing := Clones(dst), Zero()
	Each(Clone(n), sums, p, func(at Access, turn int) {
		v := at.Filled(FSUB.Of(at.Load(p[0]), mean), nothing)
		FMLA.Into(total[turn], v, v)
	})
	variance := Scalar("FDIVS", Reduce(FADD, FADDP, total), count)
	deviation := SquareRoot(Scalar("FADDS", variance, ArgFloat("epsilon")))
	part := Everywhere(Scalar("FDIVS", Const(1), deviation))

	p = Clones(gamma, beta)
	Each(n, 1, []R{dst, p[0], p[1]}, func(at Access, _ int) {
		v := FMUL.Of(FSUB.Of(at.Load(dst), mean), part)
		IfThere(gamma, func() { FMUL.Into(v, v, at.Load(p[0])) })
		IfThere(beta, func() { FADD.Into(v, v, at.Load(p[1])) })
		at.Store(v, dst)
	})
	End()
}

// finish is what follows a product, on a tile that is still in the first cache.
func finish(name, words string, activation func(V) V) {
	Func("finish"+name+"NEON", "func(c *float32, ldc, rows, n int, bias, residual *float32, ldr int, scale float32)",
		"c = scale*c + bias + residual, "+words+", for a tile of rows > 0 by n; bias and residual may be nil.")
	c, ldc, rows, n := Arg("c"), Arg("ldc"), Arg("rows"), Arg("n")
	bias, residual, ldr := Arg("bias"), Arg("residual"), Arg("ldr")
	scale := ArgEverywhere("scale")
	InBytes(ldc)
	InBytes(ldr)
	row := Clone(residual)
	Label("row")
	p := Clones(c, bias, row)
	Each(Clone(n), 1, p, func(at Access, _ int) {
		v := FMUL.Of(at.Load(p[0]), scale)
		IfThere(bias, func() { FADD.Into(v, v, at.Load(p[1])) })
		IfThere(residual, func() { FADD.Into(v, v, at.Load(p[2])) })
		at.Store(activation(v), p[0])
	})
	AdvanceBy(c, ldc)
	AdvanceBy(row, ldr)
	Decrease(rows)
	JumpIfNotZero(rows, "row")
	End()
}
