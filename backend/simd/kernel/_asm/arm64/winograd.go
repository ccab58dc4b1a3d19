package main

import (
	"math"

	. "github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/neon"
)

// The points at which polynomials are taken: 0, ±a, ±b, ∞. Those of package kernel are the same.
const (
	a = 1 / math.Sqrt2
	b = math.Sqrt2
)

func winograd() {
	winogradInput()
	winogradOutput()
}

// plus is y += c·x.
func plus(y V, c float64, x V) { FMLA.Into(y, x, Const(c)) }

func times(c float64, x V) V { return FMUL.Of(x, Const(c)) }

// six is the transformation of six cells in a line. It may use d up.
func six(d []V) []V {
	pair := func(p, q float64) (sum, difference V) { // d4 - q²·d2 ± p·(d3 - q²·d1)
		even, odd := Copy(d[4]), Copy(d[3])
		plus(even, -q*q, d[2])
		plus(odd, -q*q, d[1])
		odd = times(p, odd)
		return FADD.Of(even, odd), FSUB.Of(even, odd)
	}
	t := make([]V, 6)
	t[1], t[2] = pair(a, b)
	t[3], t[4] = pair(b, a)
	plus(d[4], -(a*a + b*b), d[2])
	plus(d[4], a*a*b*b, d[0])
	plus(d[5], -(a*a + b*b), d[3])
	plus(d[5], a*a*b*b, d[1])
	t[0], t[5] = d[4], d[5]
	return t
}

// four is the transformation of six products in a line to four results.
func four(m []V) []V {
	s1, d1 := FADD.Of(m[1], m[2]), FSUB.Of(m[1], m[2])
	s2, d2 := FADD.Of(m[3], m[4]), FSUB.Of(m[3], m[4])
	y := []V{FADD.Of(FADD.Of(s1, s2), m[0]), times(a, d1), times(a*a, s1), m[5]}
	plus(y[1], b, d2)
	plus(y[2], b*b, s2)
	plus(y[3], a*a*a, d1)
	plus(y[3], b*b*b, d2)
	return y
}

// aside is the caller's room for six by six vectors: too much for a stack that does not grow.
type aside struct{ room R }

func (a aside) store(v V, i, j int) { Store(v, a.room, (6*i+j)*Bytes) }
func (a aside) load(i, j int) V     { return Load(a.room, (6*i+j)*Bytes) }

func winogradInput() {
	Func("winogradInputNEON", "func(dst *float32, stride int, x *float32, row, column, n int, room *float32)",
		"dst[(6i+j)*stride+c] = (Bᵀ·x·B)[i][j] for the six by six cells x[i*row+j*column+c], c < n.")
	dst, stride, x, row, column, n := Arg("dst"), Arg("stride"), Arg("x"), Arg("row"), Arg("column"), Arg("n")
	for _, v := range []R{stride, row, column} {
		InBytes(v)
	}
	temp := aside{Arg("room")}
	Each(n, 1, []R{dst, x}, func(at Access, _ int) {
		first := Clone(x)
		for j := range 6 {
			p, d := Clone(first), make([]V, 6)
			for i := range d {
				d[i] = at.Load(p)
				if i < 5 {
					AdvanceBy(p, row)
				}
			}
			for i, t := range six(d) {
				temp.store(t, i, j)
			}
			if j < 5 {
				AdvanceBy(first, column)
			}
		}
		p := Clone(dst)
		for i := range 6 {
			d := make([]V, 6)
			for j := range d {
				d[j] = temp.load(i, j)
			}
			for j, t := range six(d) {
				at.Store(t, p)
				if i < 5 || j < 5 {
					AdvanceBy(p, stride)
				}
			}
		}
	})
	End()
}

func winogradOutput() {
	Func("winogradOutputNEON", "func(c *float32, row, column int, m *float32, stride, n int, bias, residual *float32, rowResidual, columnResidual int, floor float32, room *float32)",
		"c[i*row+j*column+o] = max(floor, (Aᵀ·m·A)[i][j] + bias + residual) for four by four pixels and o < n, of the products m[(6i+j)*stride+o]; bias and residual may be nil.")
	c, row, column, m, stride, n := Arg("c"), Arg("row"), Arg("column"), Arg("m"), Arg("stride"), Arg("n")
	bias, residual, rowResidual, columnResidual := Arg("bias"), Arg("residual"), Arg("rowResidual"), Arg("columnResidual")
	for _, v := range []R{row, column, stride} {
		InBytes(v)
	}
	temp := aside{Arg("room")}
	floor := ArgEverywhere("floor")
	biases, residuals := Clone(bias), Clone(residual) // these go on, the others say whether they are there
	Each(n, 1, []R{c, m, biases, residuals}, func(at Access, _ int) {
		p := Clone(m)
		for i := range 6 { // along rows first
			d := make([]V, 6)
			for j := range d {
				d[j] = at.Load(p)
				if i < 5 || j < 5 {
					AdvanceBy(p, stride)
				}
			}
			for j, y := range four(d) {
				temp.store(y, i, j)
			}
		}
		for j := range 4 {
			d := make([]V, 6)
			for i := range d {
				d[i] = temp.load(i, j)
			}
			y := four(d)
			IfThere(bias, func() {
				b := at.Load(biases)
				for _, y := range y {
					FADD.Into(y, y, b)
				}
			})
			IfThere(residual, func() {
				p := Clone(residuals)
				for range j {
					AdvanceWords(p, columnResidual)
				}
				for i, y := range y {
					FADD.Into(y, y, at.Load(p))
					if i < 3 {
						AdvanceWords(p, rowResidual)
					}
				}
			})
			p := Clone(c)
			for range j {
				AdvanceBy(p, column)
			}
			for i, y := range y {
				FMAX.Into(y, y, floor)
				at.Store(y, p)
				if i < 3 {
					AdvanceBy(p, row)
				}
			}
		}
	})
	End()
}
