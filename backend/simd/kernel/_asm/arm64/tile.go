package main

import (
	"fmt"

	. "github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/neon"
)

// A tile has up to 6 rows of 4 vectors: 24 sums, 4 vectors of weights and the 2 of the left side that are in use take 30 of 32
// registers, and a step's 24 multiply-adds need 5 and a half loads. A tile of 8 by 3 vectors would need 5, but panels of 12 columns divide
// neither the 64 of an attention head nor the channels of convolutions.
const (
	tileRows    = 6
	tileVectors = 4
)

// unroll is how many steps of k one turn of the loop takes: the left side of four is whole vectors.
const unroll = 4

func tiles() {
	for n := 1; n <= tileRows; n++ {
		product(float32s, n)
	}
	peak("peak", Lanes, func(sum, x V) { FMLA.Into(sum, x, x) })
}

// product is the inner kernel of a matrix product.
func product(kind kind, rows int) {
	columns := tileVectors * Lanes
	more, says := "", fmt.Sprintf("c[%d][%d] (+)= a[k][%d]ᵀ·b[k][%d] of %s, rows of c ldc apart; it adds if more.", rows, columns, rows, columns, kind.words)
	if kind.ints {
		more = int8Parameters
		says = fmt.Sprintf("c[%d][%d] (+)= a[k][%d]ᵀ·b[k][%d] + starts[%d], if more, of %s, rows of c ldc apart, c of int32. If scales is not nil, c becomes float32, multiplied with scales[%d] and columns[%d].",
			rows, columns, rows, columns, rows, kind.words, rows, columns)
	}
	Func(fmt.Sprintf("tile%s%dNEON", kind.name, rows), "func(c *float32, ldc int, a, b *float32, k int, ahead, pace int, more bool"+more+")",
		says+fmt.Sprintf(" It prefetches from ahead bytes in front of b, pace bytes in %d steps of k.", unroll))
	t := newTile(kind, rows, tileVectors)
	t.a, t.b, t.k = Arg("a"), Arg("b"), Arg("k")
	AdvanceBy(t.ahead, t.b)
	t.eachRow(t.c, t.ldc, func(_ int, row R) { Prefetch(row, 0, 1) }) // they will be wanted when the sums are done
	t.clear()
	t.loop()
	t.addIfMore()
	if kind.ints {
		t.dequantise("store", Arg("columns"))
		Label("store")
	}
	t.store()
	End()
}

// tile is the inner kernel of a product: rows by some vectors of sums stay in registers while row after row of a panel of weights and
// column after column of the left side go by. Each row and column is of 32-bit words: one number, or some narrower ones.
type tile struct {
	kind
	rows    int
	vectors int // of a row
	sums    []V // row after row; of matrix instructions, until they are [tile.untangle]d, pair of rows after pair

	c, ldc, a, b, k, ahead, pace R
}

func newTile(kind kind, rows, vectors int) *tile {
	t := &tile{kind: kind, rows: rows, vectors: vectors, c: Arg("c"), ldc: Arg("ldc"), ahead: Arg("ahead"), pace: Arg("pace")}
	InBytes(t.ldc)
	return t
}

// clear lets sums begin with 0.
func (t *tile) clear() {
	rows := t.rows
	if t.matrix.Known() {
		rows = (rows + 1) / 2 * 2
	}
	t.sums = Zeros(t.vectors * rows)
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

// weights loads the vectors of weights of step i.
func (t *tile) weights(i int) []V {
	w := make([]V, t.vectors)
	for j := range w {
		w[j] = t.weight(i, j)
	}
	return w
}

func (t *tile) weight(i, j int) V { return Load(t.b, (tileVectors*i+j)*Bytes) }

// loop makes k steps, each sum one chain in their order, so that a row's result does not depend on the tile that it falls into. It
// prefetches from ahead on, pace bytes in a turn.
func (t *tile) loop() {
	SubFlags(t.k, unroll)
	JumpIfNegative("rest")
	Label("loop")
	// As many lines as b takes, into the second cache. At a slower pace some are asked for again.
	for line := range unroll {
		Prefetch(t.ahead, tileVectors*Bytes*line, 2)
	}
	t.steps(unroll)
	AdvanceBy(t.ahead, t.pace)
	SubFlags(t.k, unroll)
	JumpIfNotNegative("loop")
	Label("rest")
	Advance(t.k, unroll)
	JumpIfZero(t.k, "sums")
	Label("one")
	t.steps(1)
	Decrease(t.k)
	JumpIfNotZero(t.k, "one")
	Label("sums")
	if t.matrix.Known() {
		t.untangle()
	}
}

// steps makes n steps.
func (t *tile) steps(n int) {
	if t.matrix.Known() {
		for i := 0; i < n; i += 2 {
			t.pair(i, min(2, n-i))
		}
	} else {
		l := t.left(n)
		for i := range n {
			t.step(t, i, l)
		}
	}
	Advance(t.a, 4*n*t.leftWords*t.rows)
	Advance(t.b, n*tileVectors*Bytes)
}

// left is the packed left side of some steps, loaded a vector at a time.
type left struct {
	t       *tile
	words   int // that there are
	vectors []V
}

func (t *tile) left(steps int) *left {
	n := steps * t.leftWords * t.rows
	return &left{t, n, make([]V, (n+Lanes-1)/Lanes)}
}

// word is a vector that has word i, and its lane there.
func (l *left) word(i int) (V, int) {
	v := &l.vectors[i/Lanes]
	if *v == (V{}) {
		at := i / Lanes * Lanes
		*v = loadWords(l.t.a, 4*at, min(Lanes, l.words-at))
	}
	return *v, i % Lanes
}

// loadWords is a vector of n words and zeros.
func loadWords(p R, at, n int) V {
	switch n {
	case 1:
		return LoadOne(p, at)
	case 2:
		return LoadHalf(p, at)
	case 3:
		v := LoadHalf(p, at)
		SetHalf(v, LoadOne(p, at+8))
		return v
	default:
		return Load(p, at)
	}
}

// addIfMore adds what c holds, if the tile's parameter says that there is more.
func (t *tile) addIfMore() {
	op := FADD
	if t.ints {
		op = ADD
	}
	JumpIfZero(ArgBool("more"), "first")
	t.eachRow(t.c, t.ldc, func(r int, row R) { t.add(op, r, row) })
	Label("first")
}

// add adds a row of memory to the sums.
func (t *tile) add(op Op, r int, row R) {
	for j := range t.vectors {
		sum := t.sums[t.vectors*r+j]
		op.Into(sum, sum, Load(row, j*Bytes))
	}
}

// store has the sums in c.
func (t *tile) store() {
	t.eachRow(t.c, t.ldc, func(r int, row R) {
		for j := range t.vectors {
			Store(t.sums[t.vectors*r+j], row, j*Bytes)
		}
	})
}

// chains is how many independent sums the peak is measured with: more than latency times units.
const chains = 24

// peak is a function that keeps the units busy that add makes so many multiply-adds with, and touches no memory.
func peak(name string, multiplyAdds int, add func(sum, x V)) {
	Func(name+"NEON", "func(turns int)", fmt.Sprintf("%d multiply-adds in registers, turns times.", chains*multiplyAdds))
	turns := Arg("turns")
	sums, x := Zeros(chains), Zero()
	Label("loop")
	for _, v := range sums {
		add(v, x)
	}
	Decrease(turns)
	JumpIfNotZero(turns, "loop")
	End()
}
