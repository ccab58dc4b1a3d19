package main

import (
	"fmt"

	. "github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/neon"
)

// A tile has up to 6 rows of 4 vectors: 24 sums, 4 vectors of weights and the 2 of the left side that are in use take 30 of 32
// registers, and a step's 24 multiply-adds need 5 and a half loads. A tile of 8 by 3 vectors would need 5, but panels of 12 columns divide neither 64
// nor 768 evenly among heads, nor the channels of convolutions.
const (
	tileRows    = 6
	tileVectors = 4
)

// unroll is how many steps of k one turn of the loop takes: the left side of four is whole vectors.
const unroll = 4

func tiles() {
	for n := 1; n <= tileRows; n++ {
		text("tile", n, "float32 numbers", ")")
		t := start(n, 1)
		t.clear()
		t.loop(t.multiplyAdd)
		t.addIfMore(FADD)
		t.store()
	}
	peak()
}

func text(name string, rows int, words, parameters string) {
	columns := tileVectors * Lanes
	Func(fmt.Sprintf("%s%dNEON", name, rows), "func(c *float32, ldc int, a, b *float32, k int, ahead, pace int, more bool"+parameters,
		fmt.Sprintf("c[%d][%d] (+)= a[k][%d]ᵀ·b[k][%d] of %s, rows of c ldc apart; it adds if more. It prefetches from ahead bytes in front of b, pace bytes in %d steps of k.",
			rows, columns, rows, columns, words, unroll))
}

// tile is the inner kernel of a product: rows by four vectors of sums stay in registers while row after row of a panel of weights and
// column after column of the left side go by. Each row and column is of 32-bit words: one number, or some narrower ones.
type tile struct {
	rows    int
	words   int // of the left side in a step
	vectors int // of a row
	sums    []V

	c, ldc, a, b, k, ahead, pace R
}

// start loads the parameters, and asks for the rows of c, which will be wanted when the sums are done.
func start(rows, words int) *tile {
	t := &tile{rows: rows, words: words, vectors: tileVectors,
		c: Arg("c"), ldc: Arg("ldc"), a: Arg("a"), b: Arg("b"), k: Arg("k"), ahead: Arg("ahead"), pace: Arg("pace")}
	InBytes(t.ldc)
	AdvanceBy(t.ahead, t.b)
	t.eachRow(t.c, t.ldc, func(_ int, row R) { Prefetch(row, 0, 1) })
	t.sums = NewVs(t.vectors * rows)
	return t
}

func (t *tile) clear() {
	for _, v := range t.sums {
		ZeroTo(v)
	}
}

// eachRow goes over the rows of a matrix.
func (t *tile) eachRow(first, ld R, do func(r int, row R)) {
	row := Clone(first)
	for r := range t.rows {
		do(r, row)
		if r < t.rows-1 {
			AdvanceBy(row, ld)
		}
	}
}

// left is the packed left side of some steps, loaded a vector at a time.
type left struct {
	t       *tile
	words   int // that there are
	vectors []V
}

func (t *tile) left(steps int) *left {
	n := steps * t.words * t.rows
	return &left{t, n, make([]V, (n+Lanes-1)/Lanes)}
}

// word is a vector that has word i, and its lane there.
func (l *left) word(i int) (V, int) {
	v := &l.vectors[i/Lanes]
	if *v == (V{}) {
		*v = l.load(i / Lanes)
	}
	return *v, i % Lanes
}

// load is vector number n, of what there is.
func (l *left) load(n int) V {
	at := n * Bytes
	switch rest := l.words - n*Lanes; rest {
	case 1:
		return LoadOne(l.t.a, at)
	case 2:
		return LoadHalf(l.t.a, at)
	case 3:
		v := LoadHalf(l.t.a, at)
		SetHalf(v, LoadOne(l.t.a, at+8))
		return v
	default:
		return Load(l.t.a, at)
	}
}

// weights loads the vectors of weights of step i.
func (t *tile) weights(i int) []V {
	w := make([]V, t.vectors)
	for j := range w {
		w[j] = Load(t.b, (tileVectors*i+j)*Bytes)
	}
	return w
}

// multiplyAdd makes a step of float32 numbers.
func (t *tile) multiplyAdd(i int, l *left) { t.products(t.weights(i), l, i*t.rows, FMLAE) }

// products adds the products of a row of weights and a column of the left side, whose first word is that one.
func (t *tile) products(w []V, l *left, first int, op Element) {
	for r := range t.rows {
		x, lane := l.word(first + r)
		for j := range w {
			op.Into(t.sums[t.vectors*r+j], w[j], x, lane)
		}
	}
}

// loop makes k steps, each sum one chain in their order, so that a row's result does not depend on the tile that it falls into. It
// prefetches from ahead bytes in front of b, pace bytes in a turn.
func (t *tile) loop(step func(i int, l *left)) {
	t.loopOf(func(n int) {
		l := t.left(n)
		for i := range n {
			step(i, l)
		}
	})
}

// loopOf is loop of unroll steps in a turn, and the rest one by one.
func (t *tile) loopOf(steps func(n int)) {
	SubFlags(t.k, unroll)
	JumpIfNegative("rest")
	Label("loop")
	// As many lines as b takes, into the second cache. At a slower pace some are asked for again.
	for line := range unroll {
		Prefetch(t.ahead, tileVectors*Bytes*line, 2)
	}
	steps(unroll)
	t.advance(unroll)
	AdvanceBy(t.ahead, t.pace)
	SubFlags(t.k, unroll)
	JumpIfNotNegative("loop")
	Label("rest")
	Advance(t.k, unroll)
	JumpIfZero(t.k, "store")
	Label("one")
	steps(1)
	t.advance(1)
	Decrease(t.k)
	JumpIfNotZero(t.k, "one")
	Label("store")
}

func (t *tile) advance(steps int) {
	Advance(t.a, 4*steps*t.words*t.rows)
	Advance(t.b, steps*tileVectors*Bytes)
}

// add adds a row of memory to the sums.
func (t *tile) add(op Op, r int, row R) {
	for j := range t.vectors {
		sum := t.sums[t.vectors*r+j]
		op.Into(sum, sum, Load(row, j*Bytes))
	}
}

// addIfMore adds what c holds, if the tile's parameter says that there is more.
func (t *tile) addIfMore(op Op) {
	JumpIfZero(ArgBool("more"), "write")
	t.eachRow(t.c, t.ldc, func(r int, row R) { t.add(op, r, row) })
	Label("write")
}

// write has the sums in c.
func (t *tile) write() {
	t.eachRow(t.c, t.ldc, func(r int, row R) {
		for j := range t.vectors {
			Store(t.sums[t.vectors*r+j], row, j*Bytes)
		}
	})
}

// store writes the sums to c and returns.
func (t *tile) store() {
	t.write()
	End()
}

// chains is how many independent sums the peak is measured with: more than latency times units.
const chains = 24

// peak keeps the multiply-add units busy and touches no memory.
func peak() {
	Func("peakNEON", "func(turns int)", fmt.Sprintf("%d multiply-adds in registers, turns times.", chains*Lanes))
	turns := Arg("turns")
	sums, x := Zeros(chains), Zero()
	Label("loop")
	for _, v := range sums {
		FMLA.Into(v, x, x)
	}
	Decrease(turns)
	JumpIfNotZero(turns, "loop")
	End()
}
