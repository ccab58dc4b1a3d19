// Command pool generates pooling: the largest value or the sum of the cells of a window, for each channel.
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
		pool(s, "poolSum", "the sum", sum)
		pool(s, "poolMax", "the largest (NaN if one is)", largest)
	}
	Generate()
}

// A reduction makes one value of many. It has two registers: the value so far, and what else it must know.
type reduction struct {
	begin   func(y, seen reg.VecVirtual)
	combine func(x, y, seen reg.VecVirtual)
	finish  func(y, seen reg.VecVirtual)
}

func sum(s lanes.ISA) reduction {
	return reduction{
		begin:   func(y, _ reg.VecVirtual) { s.Zero(y) },
		combine: func(x, y, _ reg.VecVirtual) { VADDPS(x, y, y) },
		finish:  func(_, _ reg.VecVirtual) {},
	}
}

func largest(s lanes.ISA) reduction {
	none := s.Load(s.Const(math.Inf(-1)))
	return reduction{
		begin: func(y, seen reg.VecVirtual) { VMOVAPS(none, y); s.Zero(seen) },
		combine: func(x, y, seen reg.VecVirtual) {
			VMAXPS(x, y, y)
			const unordered = 3
			odd := s.Reg() // all bits set where x is NaN, which is itself one
			if s.Wide() {
				k := K()
				VCMPPS(Imm(unordered), x, x, k)
				VPMOVM2D(k, odd)
			} else {
				VCMPPS(Imm(unordered), x, x, odd)
			}
			VORPS(odd, seen, seen)
		},
		finish: func(y, seen reg.VecVirtual) { VORPS(seen, y, y) },
	}
}

// pool goes over the window once for each vector of channels.
func pool(s lanes.ISA, name, words string, of func(lanes.ISA) reduction) {
	s.Text(name, "func(dst, x *float32, n, down, across, stepDown, stepAcross int)",
		"dst[i] = "+words+" of x[y*stepDown+z*stepAcross+i] for y < down, z < across; i < n; down, across > 0.")
	dst, x, n, down, across := lanes.Arg("dst"), lanes.Arg("x"), lanes.Arg("n"), lanes.Arg("down"), lanes.Arg("across")
	stepDown, stepAcross := lanes.Arg("stepDown"), lanes.Arg("stepAcross")
	SHLQ(Imm(2), stepDown)
	SHLQ(Imm(2), stepAcross)
	r := of(s)
	s.Each(n, 1, []reg.GPVirtual{dst, x}, func(at lanes.Access, _ int) {
		row, y := lanes.Clone(x), lanes.Clone(down)
		value, seen := s.Reg(), s.Reg()
		r.begin(value, seen)
		loop := lanes.NewLabel("row")
		Label(loop)
		cell, z := lanes.Clone(row), lanes.Clone(across)
		inner := lanes.NewLabel("cell")
		Label(inner)
		r.combine(at.Load(cell), value, seen)
		ADDQ(stepAcross, cell)
		DECQ(z)
		JNZ(LabelRef(inner))
		ADDQ(stepDown, row)
		DECQ(y)
		JNZ(LabelRef(loop))
		r.finish(value, seen)
		at.Store(value, dst)
	})
	lanes.End()
}
