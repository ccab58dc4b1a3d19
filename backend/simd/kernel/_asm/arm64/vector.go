package main

import (
	"fmt"
	"math"

	. "github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/neon"
)

func vectors() {
	unary("exp", Exp)
	unary("tanh", Tanh)
	unary("erf", Erf)
	unary("gelu", GELU)
	unary("geluTanh", GELUTanh)
	unary("relu", ReLU)
	unary("sqrt", func(x V) V { return FSQRT.Of(x) })
	unary("abs", func(x V) V { return FABS.Of(x) })
	binary("add", "x[i] + y[i]", operation(FADD))
	binary("sub", "x[i] - y[i]", operation(FSUB))
	binary("mul", "x[i] * y[i]", operation(FMUL))
	binary("div", "x[i] / y[i]", operation(FDIV))
	binary("max", "the larger of x[i] and y[i], NaN if one is,", operation(FMAX))
	binary("min", "the smaller of x[i] and y[i], NaN if one is,", operation(FMIN))
	binary("equal", "1 where x[i] = y[i], else 0,", func(x, y V) V { return AND.Of(FCMEQ.Of(x, y), Const(1)) })
	binary("less", "1 where x[i] < y[i], else 0,", func(x, y V) V { return AND.Of(FCMGT.Of(y, x), Const(1)) })
	binary("lessEqual", "1 where x[i] <= y[i], else 0,", func(x, y V) V { return AND.Of(FCMGE.Of(y, x), Const(1)) })
	choose()
	scale()
	axpy()
	sum()
	largest()
}

func operation(op Op) func(x, y V) V { return func(x, y V) V { return op.Of(x, y) } }

func unary(name string, f func(V) V) {
	Func(name+"NEON", "func(dst, x *float32, n int)", fmt.Sprintf("dst[i] = %s(x[i]) for i < n.", name))
	dst, x, n := Arg("dst"), Arg("x"), Arg("n")
	Each(n, 1, []R{dst, x}, func(at Access, _ int) { at.Store(f(at.Load(x)), dst) })
	End()
}

func binary(name, formula string, op func(x, y V) V) {
	Func(name+"NEON", "func(dst, x, y *float32, n int)", fmt.Sprintf("dst[i] = %s for i < n.", formula))
	dst, x, y, n := Arg("dst"), Arg("x"), Arg("y"), Arg("n")
	Each(n, 1, []R{dst, x, y}, func(at Access, _ int) { at.Store(op(at.Load(x), at.Load(y)), dst) })
	End()
}

func choose() {
	Func("chooseNEON", "func(dst, condition, x, y *float32, n int)", "dst[i] = x[i] where condition[i] is not 0, else y[i], for i < n.")
	dst, condition, x, y, n := Arg("dst"), Arg("condition"), Arg("x"), Arg("y"), Arg("n")
	Each(n, 1, []R{dst, condition, x, y}, func(at Access, _ int) {
		zero := FCMEQ.Of(at.Load(condition), Zero())
		at.Store(Select(zero, at.Load(y), at.Load(x)), dst)
	})
	End()
}

func scale() {
	Func("scaleNEON", "func(dst, x *float32, alpha float32, n int)", "dst[i] = alpha * x[i] for i < n.")
	dst, x, n, alpha := Arg("dst"), Arg("x"), Arg("n"), ArgEverywhere("alpha")
	Each(n, 1, []R{dst, x}, func(at Access, _ int) { at.Store(FMUL.Of(at.Load(x), alpha), dst) })
	End()
}

func axpy() {
	Func("axpyNEON", "func(y, x *float32, alpha float32, n int)", "y[i] += alpha * x[i] for i < n, rounded once.")
	y, x, n, alpha := Arg("y"), Arg("x"), Arg("n"), ArgEverywhere("alpha")
	Each(n, 1, []R{y, x}, func(at Access, _ int) {
		v := at.Load(y)
		FMLA.Into(v, at.Load(x), alpha)
		at.Store(v, y)
	})
	End()
}

// sums hide the latency of an addition.
const sums = 4

func sum() {
	Func("sumNEON", "func(x *float32, n int) float32", "the sum of x[i] for i < n.")
	x, n := Arg("x"), Arg("n")
	total := Zeros(sums)
	Each(n, sums, []R{x}, func(at Access, turn int) { FADD.Into(total[turn], total[turn], at.Load(x)) })
	Result(Reduce(FADD, FADDP, total))
	End()
}

func largest() {
	Func("largestNEON", "func(x *float32, n int) float32", "the largest x[i] for i < n, -Inf of none, NaN if one is.")
	x, n := Arg("x"), Arg("n")
	none := Const(math.Inf(-1))
	best := copies(none, sums)
	Each(n, sums, []R{x}, func(at Access, turn int) { FMAX.Into(best[turn], best[turn], at.Filled(at.Load(x), none)) })
	Result(Reduce(FMAX, FMAXP, best))
	End()
}

// copies are n registers with what x has.
func copies(x V, n int) []V {
	v := make([]V, n)
	for i := range v {
		v[i] = Copy(x)
	}
	return v
}
