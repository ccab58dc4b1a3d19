package lanes

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Text begins a function and documents it: "name is does".
func (s ISA) Text(name, signature, does string) {
	TEXT(name+s.Suffix, attr.NOSPLIT, signature)
	Pragma("noescape")
	Doc(name + s.Suffix + " is " + does)
}

// Arg is a parameter of 64 bits in a register.
func Arg(name string) reg.GPVirtual {
	return Load(Param(name), GP64()).(reg.GPVirtual)
}

// Where is where a parameter lies.
func Where(name string) operand.Mem { return address(Param(name)) }

// FloatArg is where a float32 parameter lies.
func FloatArg(name string) operand.Mem { return address(Param(name)) }

// Broadcast is a float32 parameter in every lane.
func (s ISA) Broadcast(name string) reg.VecVirtual {
	v := s.Reg()
	VBROADCASTSS(FloatArg(name), v)
	return v
}

// Everywhere is the first lane of x in every lane.
func (s ISA) Everywhere(x reg.Register) reg.VecVirtual {
	v := s.Reg()
	VBROADCASTSS(x, v)
	return v
}

// Zeros are n registers of zeros.
func (s ISA) Zeros(n int) []reg.VecVirtual {
	v := s.Regs(n)
	for i := range v {
		s.Zero(v[i])
	}
	return v
}

// Result stores the first lane of x as the function's float32 result.
func Result(x reg.Register) { VMOVSS(x, address(ReturnIndex(0))) }

// End returns.
func End() {
	VZEROUPPER()
	RET()
}

// Clone is a copy of a register.
func Clone(p reg.GPVirtual) reg.GPVirtual {
	q := GP64()
	MOVQ(p, q)
	return q
}

// Clones are copies of registers.
func Clones(p ...reg.GPVirtual) []reg.GPVirtual {
	q := make([]reg.GPVirtual, len(p))
	for i := range p {
		q[i] = Clone(p[i])
	}
	return q
}

// IfThere emits body for where a pointer is not nil.
func IfThere(p reg.GPVirtual, body func()) {
	without := NewLabel("without")
	TESTQ(p, p)
	JZ(operand.LabelRef(without))
	body()
	Label(without)
}

func address(c gotypes.Component) operand.Mem {
	basic, err := c.Resolve()
	if err != nil {
		panic(err)
	}
	return basic.Addr
}
