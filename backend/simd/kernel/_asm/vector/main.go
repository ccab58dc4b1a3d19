// Command vector generates the functions of vectors.
package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/lanes"
)

func main() {
	ConstraintExpr("!purego")
	for _, s := range lanes.All {
		unary(s, "exp", s.Exp)
		unary(s, "tanh", s.Tanh)
		unary(s, "erf", s.Erf)
		unary(s, "gelu", s.GELU)
		unary(s, "geluTanh", s.GELUTanh)
		unary(s, "relu", s.ReLU)
		unary(s, "sqrt", func(x reg.VecVirtual) reg.VecVirtual { VSQRTPS(x, x); return x })
		unary(s, "abs", s.Abs)
		binary(s, "add", "x[i] + y[i]", inPlace(VADDPS))
		binary(s, "sub", "x[i] - y[i]", inPlace(VSUBPS))
		binary(s, "mul", "x[i] * y[i]", inPlace(VMULPS))
		binary(s, "div", "x[i] / y[i]", inPlace(VDIVPS))
		binary(s, "max", "the larger of x[i] and y[i], NaN if one is,", func(x, y reg.VecVirtual) reg.VecVirtual { return extreme(s, VMAXPS, x, y) })
		binary(s, "min", "the smaller of x[i] and y[i], NaN if one is,", func(x, y reg.VecVirtual) reg.VecVirtual { return extreme(s, VMINPS, x, y) })
		binary(s, "equal", "1 where x[i] = y[i], else 0,", func(x, y reg.VecVirtual) reg.VecVirtual { return truth(s, 0, x, y) })
		binary(s, "less", "1 where x[i] < y[i], else 0,", func(x, y reg.VecVirtual) reg.VecVirtual { return truth(s, 17, x, y) })
		binary(s, "lessEqual", "1 where x[i] <= y[i], else 0,", func(x, y reg.VecVirtual) reg.VecVirtual { return truth(s, 18, x, y) })
		choose(s)
		scale(s)
		axpy(s)
		sum(s)
		largest(s)
	}
	Generate()
}

func unary(s lanes.ISA, name string, f func(reg.VecVirtual) reg.VecVirtual) {
	s.Text(name, "func(dst, x *float32, n int)", fmt.Sprintf("dst[i] = %s(x[i]) for i < n.", name))
	dst, x, n := lanes.Arg("dst"), lanes.Arg("x"), lanes.Arg("n")
	s.Each(n, 1, []reg.GPVirtual{dst, x}, func(at lanes.Access, _ int) {
		at.Store(f(at.Load(x)), dst)
	})
	lanes.End()
}

// inPlace makes an instruction that leaves x op y in the place of x.
func inPlace(instruction func(...Op)) func(x, y reg.VecVirtual) reg.VecVirtual {
	return func(x, y reg.VecVirtual) reg.VecVirtual {
		instruction(y, x, x)
		return x
	}
}

// extreme is the larger or the smaller, or NaN: the instruction returns y where either is, so x is put in its place where x is.
func extreme(s lanes.ISA, instruction func(...Op), x, y reg.VecVirtual) reg.VecVirtual {
	best := s.Reg()
	instruction(y, x, best)
	const unordered = 3
	return s.IfCompare(unordered, x, x, x, best)
}

// truth is 1 where the comparison holds, else 0.
func truth(s lanes.ISA, predicate uint8, x, y reg.VecVirtual) reg.VecVirtual {
	return s.IfCompare(predicate, x, y, s.Load(s.Const(1)), s.Zeros(1)[0])
}

func choose(s lanes.ISA) {
	s.Text("choose", "func(dst, condition, x, y *float32, n int)", "dst[i] = x[i] where condition[i] is not 0, else y[i], for i < n.")
	dst, condition, x, y, n := lanes.Arg("dst"), lanes.Arg("condition"), lanes.Arg("x"), lanes.Arg("y"), lanes.Arg("n")
	s.Each(n, 1, []reg.GPVirtual{dst, condition, x, y}, func(at lanes.Access, _ int) {
		const different = 4
		at.Store(s.IfCompare(different, at.Load(condition), s.Zeros(1)[0], at.Load(x), at.Load(y)), dst)
	})
	lanes.End()
}

func binary(s lanes.ISA, name, formula string, op func(x, y reg.VecVirtual) reg.VecVirtual) {
	s.Text(name, "func(dst, x, y *float32, n int)", fmt.Sprintf("dst[i] = %s for i < n.", formula))
	dst, x, y, n := lanes.Arg("dst"), lanes.Arg("x"), lanes.Arg("y"), lanes.Arg("n")
	s.Each(n, 1, []reg.GPVirtual{dst, x, y}, func(at lanes.Access, _ int) {
		at.Store(op(at.Load(x), at.Load(y)), dst)
	})
	lanes.End()
}

func scale(s lanes.ISA) {
	s.Text("scale", "func(dst, x *float32, alpha float32, n int)", "dst[i] = alpha * x[i] for i < n.")
	dst, x, n, alpha := lanes.Arg("dst"), lanes.Arg("x"), lanes.Arg("n"), s.Broadcast("alpha")
	s.Each(n, 1, []reg.GPVirtual{dst, x}, func(at lanes.Access, _ int) {
		v := at.Load(x)
		VMULPS(alpha, v, v)
		at.Store(v, dst)
	})
	lanes.End()
}

func axpy(s lanes.ISA) {
	s.Text("axpy", "func(y, x *float32, alpha float32, n int)", "y[i] += alpha * x[i] for i < n, rounded once.")
	y, x, n, alpha := lanes.Arg("y"), lanes.Arg("x"), lanes.Arg("n"), s.Broadcast("alpha")
	s.Each(n, 1, []reg.GPVirtual{y, x}, func(at lanes.Access, _ int) {
		v := at.Load(y)
		VFMADD231PS(at.Load(x), alpha, v)
		at.Store(v, y)
	})
	lanes.End()
}

// sums hide the latency of an addition.
const sums = 4

func sum(s lanes.ISA) {
	s.Text("sum", "func(x *float32, n int) float32", "the sum of x[i] for i < n.")
	x, n := lanes.Arg("x"), lanes.Arg("n")
	total := s.Zeros(sums)
	s.Each(n, sums, []reg.GPVirtual{x}, func(at lanes.Access, turn int) {
		VADDPS(at.Load(x), total[turn], total[turn])
	})
	lanes.Result(s.Reduce(VADDPS, total))
	lanes.End()
}

func largest(s lanes.ISA) {
	s.Text("largest", "func(x *float32, n int) float32", "the largest x[i] for i < n, -Inf of none, NaN if one is.")
	x, n := lanes.Arg("x"), lanes.Arg("n")
	best := s.Regs(sums)
	none := s.Load(s.Const(math.Inf(-1)))
	for _, v := range best {
		VMOVAPS(none, v)
	}
	nan := s.Reg() // all bits set in lanes that have seen a NaN, which is itself one
	s.Zero(nan)
	s.Each(n, sums, []reg.GPVirtual{x}, func(at lanes.Access, turn int) {
		v := at.Load(x)
		at.Fill(v, none)
		VMAXPS(v, best[turn], best[turn])
		const unordered = 3
		seen := s.Reg()
		if s.Wide() {
			k := K()
			VCMPPS(Imm(unordered), v, v, k)
			VPMOVM2D(k, seen)
		} else {
			VCMPPS(Imm(unordered), v, v, seen)
		}
		VORPS(seen, nan, nan)
	})
	y := s.Reduce(VMAXPS, best)
	VORPS(s.Reduce(VORPS, []reg.VecVirtual{nan}), y, y)
	lanes.Result(y)
	lanes.End()
}
