package lanes

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// chains is how many independent sums the peak is measured with: more than latency times units.
const chains = 12

// Peak is a function that keeps the units busy that add makes so many multiply-adds with, and touches no memory.
func (s ISA) Peak(name string, multiplyAdds int, add func(x, sum reg.VecVirtual)) {
	s.Text(name, "func(turns int)", fmt.Sprintf("%d multiply-adds in registers, turns times.", chains*multiplyAdds))
	turns := Load(Param("turns"), GP64())
	sum := s.Regs(chains)
	x := s.Reg()
	s.Zero(x)
	for _, v := range sum {
		s.Zero(v)
	}
	Label("loop")
	for _, v := range sum {
		add(x, v)
	}
	DECQ(turns)
	JNZ(LabelRef("loop"))
	End()
}
