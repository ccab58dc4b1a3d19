// Command forms generates functions with every form of the instructions that are written as bytes: every register in every place,
// memory at every base register, and the distances at which their encoding changes. Only tests call them.
package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/lanes"
)

var vectors = []reg.VecPhysical{
	reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
	reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23, reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
}

var bases = []reg.GPPhysical{
	reg.RAX, reg.RCX, reg.RDX, reg.RBX, reg.RBP, reg.RSI, reg.RDI, reg.R8, reg.R9, reg.R10, reg.R11, reg.R12, reg.R13, reg.R14, reg.R15,
}

// distances in units of 4 bytes for a number of memory for all places, of 64 for whole vectors, and some that are no multiple.
var distances = []int{0, 1, -1, 127, 128, -128, -129, 100_000}

func main() {
	ConstraintExpr("!purego")
	dot := func(x, y, z Op) { lanes.VDPBF16PS(x, y, z) }
	convert := func(x, y, z Op) { lanes.VCVTNE2PS2BF16(x, y, z) }
	half := func(x, _, z Op) { lanes.VCVTNEPS2BF16(x, z.(reg.VecPhysical).AsY()) }
	dotOne := func(x, y, z Op) { lanes.VDPBF16PS_BCST(x, y, z) }
	registers("DotRegisters", dot)
	registers("ConvertRegisters", convert)
	registers("HalfRegisters", half)
	intRegisters()
	memory("DotMemory", 64, dot)
	memory("DotOne", 4, dotOne)
	memory("ConvertMemory", 64, convert)
	memory("HalfMemory", 64, half)
	Generate()
}

func text(name, doc string) {
	TEXT(name, attr.NOSPLIT, "func(z, y, x *float32)")
	Pragma("noescape")
	Doc(name + " " + doc)
}

// other is a base register that is not among those.
func other(than ...reg.GPPhysical) reg.GPPhysical {
	for _, r := range bases[5:] {
		used := false
		for _, o := range than {
			used = used || o == r
		}
		if !used {
			return r
		}
	}
	panic("no register is left")
}

func registers(name string, op func(x, y, z Op)) {
	text(name, fmt.Sprintf("is z[i] = op(x, y, z[i]) for %d vectors z[i], each time with other registers.", len(vectors)))
	p := Load(Param("z"), reg.RDI).(reg.GPPhysical)
	q := Load(Param("y"), reg.RSI).(reg.GPPhysical)
	r := Load(Param("x"), reg.RDX).(reg.GPPhysical)
	for i, z := range vectors {
		y, x := vectors[(i+11)%32], vectors[(i+23)%32]
		VMOVUPS(Mem{Base: p, Disp: 64 * i}, z)
		VMOVUPS(Mem{Base: q}, y)
		VMOVUPS(Mem{Base: r}, x)
		op(x, y, z)
		VMOVUPS(z, Mem{Base: p, Disp: 64 * i})
	}
	lanes.End()
}

// intRegisters has the first sixteen registers, half as wide.
func intRegisters() {
	text("IntRegisters", "is z[i] = z[i] + the products of fours of unsigned numbers in y and signed ones in x, for 16 vectors z[i] of 32 bytes.")
	p := Load(Param("z"), reg.RDI).(reg.GPPhysical)
	q := Load(Param("y"), reg.RSI).(reg.GPPhysical)
	r := Load(Param("x"), reg.RDX).(reg.GPPhysical)
	for i := range 16 {
		z, y, x := vectors[i].AsY(), vectors[(i+5)%16].AsY(), vectors[(i+11)%16].AsY()
		VMOVUPS(Mem{Base: p, Disp: 32 * i}, z)
		VMOVUPS(Mem{Base: q}, y)
		VMOVUPS(Mem{Base: r}, x)
		lanes.VEXVPDPBUSD(x, y, z)
		VMOVUPS(z, Mem{Base: p, Disp: 32 * i})
	}
	lanes.End()
}

func memory(name string, unit int, op func(x, y, z Op)) {
	count := len(bases) * (len(distances) + 1)
	text(name, fmt.Sprintf("is z[i] = op(x, y, z[i]) with x in memory, for %d vectors z[i], each time with another base register or distance.", count))
	i := 0
	for _, base := range bases {
		for _, at := range append([]int{6}, distances...) { // in the last place, no multiple
			if at != 6 {
				at *= unit
			}
			p := other(base)
			q := other(base, p)
			z, y := vectors[i%32], vectors[(i+5)%32]
			Load(Param("z"), p)
			Load(Param("y"), q)
			Load(Param("x"), base)
			VMOVUPS(Mem{Base: p, Disp: 64 * i}, z)
			VMOVUPS(Mem{Base: q}, y)
			LEAQ(Mem{Base: base, Disp: -at}, base)
			op(Mem{Base: base, Disp: at}, y, z)
			VMOVUPS(z, Mem{Base: p, Disp: 64 * i})
			i++
		}
	}
	lanes.End()
}
