package lanes

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// unroll is how many steps one turn of a tile's loop takes.
const unroll = 4

// A Tile is the inner kernel of a product: rows by two vectors of sums stay in registers while row after row of a panel of weights
// and column after column of the left side go by. Each row and column is of 32-bit words: one number, or some narrower ones.
type Tile struct {
	S     ISA
	Rows  int
	Words int // of the left side in a step
	Sums  []reg.VecVirtual

	c, ldc, a, b, k, ahead, pace reg.GPVirtual
}

// Signature is that of a tile's function; more parameters may come before its end.
const Signature = "func(c *float32, ldc int, a, b *float32, k int, ahead, pace int, more bool"

// Start loads the parameters, and asks for the rows of c, which will be wanted when the sums are done.
func (s ISA) Start(rows, words int) *Tile {
	t := &Tile{S: s, Rows: rows, Words: words,
		c: Arg("c"), ldc: Arg("ldc"), a: Arg("a"), b: Arg("b"), k: Arg("k"), ahead: Arg("ahead"), pace: Arg("pace")}
	SHLQ(Imm(2), t.ldc)
	ADDQ(t.b, t.ahead)
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

// Left is where word i of row r lies of the step at hand and those after it.
func (t *Tile) Left(i, r int) Mem { return Mem{Base: t.a, Disp: 4 * (i*t.Rows + r)} }

// Weights loads both vectors of weights of step i.
func (t *Tile) Weights(i int) []reg.VecVirtual {
	w := t.S.Regs(2)
	for j := range w {
		VMOVUPS(Mem{Base: t.b, Disp: (2*i + j) * t.S.Bytes()}, w[j])
	}
	return w
}

// Loop makes k steps, each sum one chain in their order, so that a row's result does not depend on the tile that it falls into. It
// prefetches from ahead bytes in front of b, pace bytes in a turn.
func (t *Tile) Loop(step func(i int)) {
	SUBQ(Imm(unroll), t.k)
	JL(LabelRef("rest"))
	Label("loop")
	for i := range unroll {
		// As many lines as b takes, into the second cache: the first has fewer requests under way than narrow weights need. At a slower pace some are asked for again, which costs a load that there is room for.
		for line := i * 2 * t.S.Bytes(); line < (i+1)*2*t.S.Bytes(); line += 64 {
			PREFETCHT1(Mem{Base: t.ahead, Disp: line})
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
	ADDQ(U32(4*steps*t.Words*t.Rows), t.a)
	ADDQ(U32(2*steps*t.S.Bytes()), t.b)
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
