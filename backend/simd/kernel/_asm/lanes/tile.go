package lanes

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// unroll is how many steps one turn of a tile's loop takes.
const unroll = 4

// A Tile is the inner kernel of a product: all sums stay in registers while one row of a panel of weights and one column of the left side
// go by.
type Tile struct {
	Walk
	words                  int // of the left side in a step
	c, ldc, k, ahead, pace reg.GPVirtual
}

// Signature is that of a tile's function; more parameters may come before its end.
const Signature = "func(c *float32, ldc int, a, b *float32, k int, ahead, pace int, more bool"

// Start loads the parameters, and asks for the rows of c, which will be wanted when the sums are done.
func (s ISA) Start(rows, words int) *Tile {
	t := &Tile{Walk: Walk{S: s, Rows: rows, Vectors: 2}, words: words, c: Arg("c"), ldc: Arg("ldc")}
	t.A, t.B, t.k, t.ahead, t.pace = Arg("a"), Arg("b"), Arg("k"), Arg("ahead"), Arg("pace")
	SHLQ(Imm(2), t.ldc)
	ADDQ(t.B, t.ahead)
	t.eachRow(func(_ int, row reg.GPVirtual) {
		for line := 0; line < 2*s.Bytes(); line += 64 {
			PREFETCHT0(Mem{Base: row, Disp: line})
		}
	})
	t.Sums = s.Regs(2 * rows)
	return t
}

// eachRow goes over the rows of c.
func (t *Tile) eachRow(do func(r int, row reg.GPVirtual)) {
	row := Clone(t.c)
	for r := range t.Rows {
		do(r, row)
		if r < t.Rows-1 {
			ADDQ(t.ldc, row)
		}
	}
}

// Loop makes k steps, each sum one chain in their order, so that a row's result does not depend on the tile that it falls into. It
// prefetches from ahead bytes in front of b, pace bytes in a turn: into the first cache, or the second, for the first has fewer requests
// under way than narrow weights need.
func (t *Tile) Loop(step func(i int), prefetch func(Op)) {
	SUBQ(Imm(unroll), t.k)
	JL(LabelRef("rest"))
	Label("loop")
	for i := range unroll {
		// As many lines as b takes. At a slower pace some are asked for again, which costs a load that there is room for.
		for line := i * 2 * t.S.Bytes(); line < (i+1)*2*t.S.Bytes(); line += 64 {
			prefetch(Mem{Base: t.ahead, Disp: line})
		}
		step(i)
	}
	t.advance(unroll)
	ADDQ(t.pace, t.ahead)
	SUBQ(Imm(unroll), t.k)
	JGE(LabelRef("loop"))
	Label("rest")
	ADDQ(Imm(unroll), t.k)
	JZ(LabelRef("store"))
	Label("single")
	step(0)
	t.advance(1)
	DECQ(t.k)
	JNZ(LabelRef("single"))
	Label("store")
}

func (t *Tile) advance(steps int) {
	ADDQ(U32(4*steps*t.words*t.Rows), t.A)
	ADDQ(U32(2*steps*t.S.Bytes()), t.B)
}

// AddIfMore adds what c holds, if the tile's parameter says that there is more.
func (t *Tile) AddIfMore(add func(...Op)) {
	more := GP8L()
	Load(Param("more"), more)
	TESTB(more, more)
	JZ(LabelRef("write"))
	t.eachRow(func(r int, row reg.GPVirtual) {
		for j := range 2 {
			add(Mem{Base: row, Disp: j * t.S.Bytes()}, t.Sums[2*r+j], t.Sums[2*r+j])
		}
	})
	Label("write")
}

// Store writes the sums to c and returns.
func (t *Tile) Store() {
	t.eachRow(func(r int, row reg.GPVirtual) {
		for j := range 2 {
			VMOVUPS(t.Sums[2*r+j], Mem{Base: row, Disp: j * t.S.Bytes()})
		}
	})
	End()
}
