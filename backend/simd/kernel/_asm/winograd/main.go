// Command winograd generates the transformations of Winograd's convolution F(4×4, 3×3): of six by six cells of a picture, and of the
// products back to four by four pixels. See winograd.go for where they come from.
package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/lanes"
)

// The points at which polynomials are taken: 0, ±a, ±b, ∞. Those of package kernel are the same.
const (
	a = 1 / math.Sqrt2
	b = math.Sqrt2
)

func main() {
	ConstraintExpr("!purego")
	for _, s := range lanes.All {
		input(s)
		output(s)
	}
	Generate()
}

// vector does arithmetic with constants.
type vector struct{ lanes.ISA }

// plus is y += c·x.
func (s vector) plus(y reg.VecVirtual, c float64, x reg.VecVirtual) {
	s.With(s.Const(c), VFMADD231PS, VFMADD231PS_BCST, x, y)
}

func (s vector) op(f func(...Op), x, y reg.VecVirtual) reg.VecVirtual {
	z := s.Reg()
	f(y, x, z)
	return z
}

// times is c·x.
func (s vector) times(c float64, x reg.VecVirtual) reg.VecVirtual {
	y := s.Reg()
	s.With(s.Const(c), VMULPS, VMULPS_BCST, x, y)
	return y
}

func (s vector) copy(x reg.VecVirtual) reg.VecVirtual {
	y := s.Reg()
	VMOVAPS(x, y)
	return y
}

// six is the transformation of six cells in a line. It may use d up.
func (s vector) six(d []reg.VecVirtual) []reg.VecVirtual {
	pair := func(p, q float64) (plus, minus reg.VecVirtual) { // d4 - q²·d2 ± p·(d3 - q²·d1)
		even, odd := s.copy(d[4]), s.copy(d[3])
		s.plus(even, -q*q, d[2])
		s.plus(odd, -q*q, d[1])
		odd = s.times(p, odd)
		return s.op(VADDPS, even, odd), s.op(VSUBPS, even, odd)
	}
	t := make([]reg.VecVirtual, 6)
	t[1], t[2] = pair(a, b)
	t[3], t[4] = pair(b, a)
	s.plus(d[4], -(a*a + b*b), d[2])
	s.plus(d[4], a*a*b*b, d[0])
	s.plus(d[5], -(a*a + b*b), d[3])
	s.plus(d[5], a*a*b*b, d[1])
	t[0], t[5] = d[4], d[5]
	return t
}

// four is the transformation of six products in a line to four results.
func (s vector) four(m []reg.VecVirtual) []reg.VecVirtual {
	s1, d1 := s.op(VADDPS, m[1], m[2]), s.op(VSUBPS, m[1], m[2])
	s2, d2 := s.op(VADDPS, m[3], m[4]), s.op(VSUBPS, m[3], m[4])
	y := []reg.VecVirtual{s.op(VADDPS, s1, s2), s.times(a, d1), s.times(a*a, s1), m[5]}
	VADDPS(m[0], y[0], y[0])
	s.plus(y[1], b, d2)
	s.plus(y[2], b*b, s2)
	s.plus(y[3], a*a*a, d1)
	s.plus(y[3], b*b*b, d2)
	return y
}

// loadLine loads six vectors, step bytes apart.
func loadLine(at lanes.Access, from reg.GPVirtual, step reg.GPVirtual) []reg.VecVirtual {
	p := lanes.Clone(from)
	v := make([]reg.VecVirtual, 6)
	for i := range v {
		v[i] = at.Load(p)
		if i < 5 {
			ADDQ(step, p)
		}
	}
	return v
}

// aside is the caller's room for six by six vectors: too much for a stack that does not grow.
func aside(s lanes.ISA) func(i, j int) Mem {
	room := lanes.Arg("room")
	return func(i, j int) Mem { return Mem{Base: room, Disp: (6*i + j) * s.Bytes()} }
}

func input(s lanes.ISA) {
	s.Text("winogradInput", "func(dst *float32, stride int, x *float32, row, column, n int, room *float32)",
		"dst[(6i+j)*stride+c] = (Bᵀ·x·B)[i][j] for the six by six cells x[i*row+j*column+c], c < n.")
	dst, stride, x, row, column, n := lanes.Arg("dst"), lanes.Arg("stride"), lanes.Arg("x"), lanes.Arg("row"), lanes.Arg("column"), lanes.Arg("n")
	for _, v := range []reg.GPVirtual{stride, row, column} {
		SHLQ(Imm(2), v)
	}
	v, temp := vector{s}, aside(s)
	s.Each(n, 1, []reg.GPVirtual{dst, x}, func(at lanes.Access, _ int) {
		p := lanes.Clone(x)
		for j := range 6 {
			for i, t := range v.six(loadLine(at, p, row)) {
				VMOVUPS(t, temp(i, j))
			}
			if j < 5 {
				ADDQ(column, p)
			}
		}
		p = lanes.Clone(dst)
		for i := range 6 {
			d := s.Regs(6)
			for j := range d {
				VMOVUPS(temp(i, j), d[j])
			}
			for j, t := range v.six(d) {
				at.Store(t, p)
				if i < 5 || j < 5 {
					ADDQ(stride, p)
				}
			}
		}
	})
	lanes.End()
}

func output(s lanes.ISA) {
	s.Text("winogradOutput", "func(c *float32, row, column int, m *float32, stride, n int, bias, residual *float32, rowResidual, columnResidual int, floor float32, room *float32)",
		"c[i*row+j*column+o] = max(floor, (Aᵀ·m·A)[i][j] + bias + residual) for four by four pixels and o < n, of the products m[(6i+j)*stride+o]; bias and residual may be nil.")
	c, row, column, m, stride, n := lanes.Arg("c"), lanes.Arg("row"), lanes.Arg("column"), lanes.Arg("m"), lanes.Arg("stride"), lanes.Arg("n")
	bias, residual := lanes.Arg("bias"), lanes.Arg("residual")
	for _, v := range []reg.GPVirtual{row, column, stride} {
		SHLQ(Imm(2), v)
	}
	v, temp := vector{s}, aside(s)
	biases, residuals := lanes.Clone(bias), lanes.Clone(residual) // these go on, the others say whether they are there
	s.Each(n, 1, []reg.GPVirtual{c, m, biases, residuals}, func(at lanes.Access, turn int) {
		p := lanes.Clone(m)
		for i := range 6 { // along rows first
			d := make([]reg.VecVirtual, 6)
			for j := range d {
				d[j] = at.Load(p)
				if i < 5 || j < 5 {
					ADDQ(stride, p)
				}
			}
			for j, y := range v.four(d) {
				VMOVUPS(y, temp(i, j))
			}
		}
		for j := range 4 {
			d := s.Regs(6)
			for i := range d {
				VMOVUPS(temp(i, j), d[i])
			}
			y := v.four(d)
			lanes.IfThere(bias, func() {
				b := at.Load(biases)
				for _, y := range y {
					VADDPS(b, y, y)
				}
			})
			lanes.IfThere(residual, func() {
				p := lanes.Clone(residuals)
				step := lanes.Arg("columnResidual")
				for range j {
					LEAQ(Mem{Base: p, Index: step, Scale: 4}, p)
				}
				step = lanes.Arg("rowResidual")
				for i, y := range y {
					VADDPS(at.Load(p), y, y)
					if i < 3 {
						LEAQ(Mem{Base: p, Index: step, Scale: 4}, p)
					}
				}
			})
			floor := s.Broadcast("floor")
			p := lanes.Clone(c)
			for range j {
				ADDQ(column, p)
			}
			for i, y := range y {
				VMAXPS(y, floor, y) // of a NaN, the NaN
				at.Store(y, p)
				if i < 3 {
					ADDQ(row, p)
				}
			}
		}
	})
	lanes.End()
}
