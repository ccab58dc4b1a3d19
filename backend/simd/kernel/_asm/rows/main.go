// Command rows generates the functions of rows: softmax, layer norm, and what follows a matrix product.
package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/lanes"
)

func main() {
	ConstraintExpr("!purego")
	for _, s := range lanes.All {
		softmax(s)
		layerNorm(s)
		finish(s, "", "as it is", func(x reg.VecVirtual) reg.VecVirtual { return x })
		finish(s, "ReLU", "ReLU", s.ReLU)
		finish(s, "GELU", "GELU", s.GELU)
		finish(s, "GELUTanh", "GELU's tanh form", s.GELUTanh)
		finish(s, "Tanh", "tanh", s.Tanh)
	}
	Generate()
}

// sums hide the latency of an addition.
const sums = 4

// softmax goes over the row three times: the largest value, the exponentials and their sum, the quotient.
func softmax(s lanes.ISA) {
	s.Text("softmax", "func(dst, x, mask *float32, n int, scale float32)",
		"dst = softmax(scale*x + mask) of n > 0 values; mask may be nil, dst may be x.")
	dst, x, mask, n, scale := lanes.Arg("dst"), lanes.Arg("x"), lanes.Arg("mask"), lanes.Arg("n"), s.Broadcast("scale")

	best := s.Regs(sums)
	none := s.Load(s.Const(math.Inf(-1)))
	for _, v := range best {
		VMOVAPS(none, v)
	}
	// The values are made twice, which costs less than to store them and wait for their return.
	value := func(at lanes.Access, x, y reg.Register) reg.VecVirtual {
		v := at.Load(x)
		VMULPS(scale, v, v)
		lanes.IfThere(mask, func() { VADDPS(at.Load(y), v, v) })
		return v
	}
	p := lanes.Clones(x, mask)
	s.Each(lanes.Clone(n), sums, p, func(at lanes.Access, turn int) {
		v := value(at, p[0], p[1])
		at.Fill(v, none)
		VMAXPS(v, best[turn], best[turn])
	})
	top := s.Everywhere(s.Reduce(VMAXPS, best))

	total := s.Zeros(sums)
	nothing := s.Zeros(1)[0]
	p = lanes.Clones(dst, x, mask)
	s.Each(lanes.Clone(n), sums, p, func(at lanes.Access, turn int) {
		v := value(at, p[1], p[2])
		VSUBPS(top, v, v)
		e := s.Exp(v)
		at.Store(e, p[0])
		at.Fill(e, nothing)
		VADDPS(e, total[turn], total[turn])
	})
	sum, one := s.Reduce(VADDPS, total), s.Load(s.Const(1)).AsX()
	VDIVSS(sum, one, one)
	part := s.Everywhere(one)
	s.Each(n, 1, []reg.GPVirtual{dst}, func(at lanes.Access, _ int) {
		v := at.Load(dst)
		VMULPS(part, v, v)
		at.Store(v, dst)
	})
	lanes.End()
}

// layerNorm goes over the row three times: the sum, the squared distances from the mean, the result.
func layerNorm(s lanes.ISA) {
	s.Text("layerNorm", "func(dst, x, residual, gamma, beta *float32, n int, epsilon float32)",
		"dst = (y - mean y)/√(var y + epsilon) * gamma + beta with y = x + residual, of n > 0 values; residual, gamma and beta may be nil.")
	dst, x, residual, gamma, beta, n := lanes.Arg("dst"), lanes.Arg("x"), lanes.Arg("residual"), lanes.Arg("gamma"), lanes.Arg("beta"), lanes.Arg("n")
	count := XMM()
	VXORPS(count, count, count)
	VCVTSI2SSQ(n, count, count)

	total := s.Zeros(sums)
	p := lanes.Clones(dst, x, residual)
	s.Each(lanes.Clone(n), sums, p, func(at lanes.Access, turn int) {
		v := at.Load(p[1])
		lanes.IfThere(residual, func() { VADDPS(at.Load(p[2]), v, v) })
		at.Store(v, p[0])
		VADDPS(v, total[turn], total[turn])
	})
	sum := s.Reduce(VADDPS, total)
	VDIVSS(count, sum, sum)
	mean := s.Everywhere(sum)

	total = s.Zeros(sums)
	p = lanes.Clones(dst)
	nothing := s.Zeros(1)[0]
	s.Each(lanes.Clone(n), sums, p, func(at lanes.Access, turn int) {
		v := at.Load(p[0])
		VSUBPS(mean, v, v)
		at.Fill(v, nothing)
		VFMADD231PS(v, v, total[turn])
	})
	variance := s.Reduce(VADDPS, total)
	VDIVSS(count, variance, variance)
	VADDSS(lanes.FloatArg("epsilon"), variance, variance)
	VSQRTSS(variance, variance, variance)
	one := s.Load(s.Const(1)).AsX()
	VDIVSS(variance, one, one)
	part := s.Everywhere(one)

	p = lanes.Clones(gamma, beta)
	s.Each(n, 1, []reg.GPVirtual{dst, p[0], p[1]}, func(at lanes.Access, _ int) {
		v := at.Load(dst)
		VSUBPS(mean, v, v)
		VMULPS(part, v, v)
		lanes.IfThere(gamma, func() { VMULPS(at.Load(p[0]), v, v) })
		lanes.IfThere(beta, func() { VADDPS(at.Load(p[1]), v, v) })
		at.Store(v, dst)
	})
	lanes.End()
}

// finish is what follows a product, on a tile that is still in the first cache.
func finish(s lanes.ISA, name, words string, activation func(reg.VecVirtual) reg.VecVirtual) {
	s.Text("finish"+name, "func(c *float32, ldc, rows, n int, bias, residual *float32, ldr int, scale float32)",
		"c = scale*c + bias + residual, "+words+", for a tile of rows > 0 by n; bias and residual may be nil.")
	c, ldc, rows, n := lanes.Arg("c"), lanes.Arg("ldc"), lanes.Arg("rows"), lanes.Arg("n")
	bias, residual, ldr := lanes.Arg("bias"), lanes.Arg("residual"), lanes.Arg("ldr")
	scale := s.Broadcast("scale")
	SHLQ(Imm(2), ldc)
	SHLQ(Imm(2), ldr)
	row := lanes.Clone(residual)
	Label("row")
	p := lanes.Clones(c, bias, row)
	s.Each(lanes.Clone(n), 1, p, func(at lanes.Access, _ int) {
		v := at.Load(p[0])
		VMULPS(scale, v, v)
		lanes.IfThere(bias, func() { VADDPS(at.Load(p[1]), v, v) })
		lanes.IfThere(residual, func() { VADDPS(at.Load(p[2]), v, v) })
		at.Store(activation(v), p[0])
	})
	ADDQ(ldc, c)
	ADDQ(ldr, row)
	DECQ(rows)
	JNZ(LabelRef("row"))
	lanes.End()
}
