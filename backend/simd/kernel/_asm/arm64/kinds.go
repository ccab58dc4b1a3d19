package main

import . "github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/neon"

// A kind is what is particular to a type of number and the instructions for it.
type kind struct {
	name, words string
	leftWords   int                              // of the left side in a step
	step        func(t *tile, i int, left *left) // a step of all sums
	matrix      Op                               // or two steps of two rows and two columns
	ints        bool                             // sums are int32
	unsigned    bool                             // weights are the unsigned numbers that panels hold, so sums need their starts
}

var (
	float32s   = kind{words: "float32 numbers", leftWords: 1, step: (*tile).multiplyAdd}
	bf16Wide   = kind{name: "BF16Wide", words: "pairs of bfloat16 in b, float32 in a, the even number first,", leftWords: 2, step: (*tile).widenBF16}
	bf16Matrix = kind{name: "BF16Matrix", words: "pairs of bfloat16", leftWords: 1, matrix: BFMMLA}
	int8Long   = kind{name: "Int8Long", words: "fours of int8 numbers", leftWords: 1, step: (*tile).multiplyLong, ints: true}
	int8Dot    = kind{name: "Int8Dot", words: "fours of int8 numbers", leftWords: 1, step: (*tile).dot, ints: true}
	int8Matrix = kind{name: "Int8Matrix", words: "fours of int8 numbers", leftWords: 1, matrix: USMMLA, ints: true, unsigned: true}
)

// products adds the products of a row of weights and a column of the left side, whose first word is that one.
func (t *tile) products(w []V, l *left, first int, op Element) {
	for r := range t.rows {
		x, lane := l.word(first + r)
		for j := range w {
			op.Into(t.sums[t.vectors*r+j], w[j], x, lane)
		}
	}
}

// multiplyAdd is a step of float32 numbers.
func (t *tile) multiplyAdd(i int, l *left) { t.products(t.weights(i), l, i*t.rows, FMLAE) }

// widenBF16 is a step in float32 arithmetic. It adds the odd number's product first, as other sets do.
func (t *tile) widenBF16(i int, l *left) {
	for odd := 1; odd >= 0; odd-- {
		w := t.weights(i)
		for j := range w {
			if odd == 1 {
				w[j] = AND.Of(w[j], Bits(0xffff0000))
			} else {
				w[j] = ShiftLeft(w[j], 16)
			}
		}
		t.products(w, l, (2*i+odd)*t.rows, FMLAE)
	}
}

// signed loads weights as they are meant: panels hold 128 more.
func (t *tile) signed(i int) []V {
	w := t.weights(i)
	for j := range w {
		w[j] = EOR.Of(w[j], Bits(0x80808080))
	}
	return w
}

// dot is a step with the instruction for fours of signed numbers.
func (t *tile) dot(i int, l *left) { t.products(t.signed(i), l, i*t.rows, SDOTE) }

// multiplyLong is a step without: products of 16 bits, two of which are no more than 2·127·128 and so have room there, are added in pairs,
// and these pairs to the sums. Of four instructions come 16 products, as many as of four multiply-adds of float32.
func (t *tile) multiplyLong(i int, l *left) {
	w := t.signed(i)
	for r := range t.rows {
		x := LaneOf(l.word(i*t.rows + r))
		for j := range w {
			addLong(t.sums[t.vectors*r+j], w[j], x)
		}
	}
}

func addLong(sum, x, y V) { SADALP.Into(sum, ADDP.Of(SMULL.Of(x, y), SMULL2.Of(x, y))) }

// pair makes two steps, or one, with an instruction that multiplies matrices: of two columns of weights and two rows of the left side,
// two words of each. Words that follow one another lie apart in memory, so they are brought together first, which takes 11
// instructions for 24 products: panels and left sides look alike to all kinds.
func (t *tile) pair(i, steps int) {
	words := func(load func(step int) V) (first, second V) {
		if steps == 1 {
			return load(i), Zero()
		}
		return load(i), load(i + 1)
	}
	var x []V // pairs of rows
	for r := 0; r < t.rows; r += Lanes {
		n := min(Lanes, t.rows-r)
		first, second := words(func(step int) V { return loadWords(t.a, 4*(step*t.rows+r), n) })
		if x = append(x, ZIP1.Of(first, second)); n > 2 {
			x = append(x, ZIP2.Of(first, second))
		}
	}
	for j := range t.vectors {
		first, second := words(func(step int) V { return t.weight(step, j) })
		low, high := ZIP1.Of(first, second), ZIP2.Of(first, second)
		for q := range x {
			sums := t.sums[2*(t.vectors*q+j):]
			t.matrix.Into(sums[0], low, x[q])
			t.matrix.Into(sums[1], high, x[q])
		}
	}
}

// untangle makes rows of sums of two rows by two columns.
func (t *tile) untangle() {
	rows := make([]V, t.rows*t.vectors)
	for q := range len(t.sums) / 2 / t.vectors {
		for j := range t.vectors {
			sums := t.sums[2*(t.vectors*q+j):]
			rows[2*q*t.vectors+j] = UZP1.Of(sums[0], sums[1])
			if 2*q+1 < t.rows {
				rows[(2*q+1)*t.vectors+j] = UZP2.Of(sums[0], sums[1])
			}
		}
	}
	t.sums = rows
	if t.unsigned {
		starts := Arg("starts")
		for r := range t.rows {
			start := LoadEverywhere(starts)
			Advance(starts, 4)
			for _, sum := range t.sums[r*t.vectors:][:t.vectors] {
				ADD.Into(sum, sum, start)
			}
		}
	}
}

// int8Parameters are the parameters of kinds whose sums are int32.
const int8Parameters = ", starts *int32, scales, columns *float32"

// dequantise makes sums float32, multiplied with their columns' and rows' steps, or goes on at a label if more is to come.
func (t *tile) dequantise(otherwise string, columns R) {
	scales := Arg("scales")
	JumpIfZero(scales, otherwise)
	y := make([]V, t.vectors)
	for j := range y {
		y[j] = Load(columns, j*Bytes)
	}
	for r := range t.rows {
		x := LoadEverywhere(scales)
		Advance(scales, 4)
		for j := range y {
			sum := t.sums[t.vectors*r+j]
			SCVTF.Into(sum, sum)
			FMUL.Into(sum, sum, y[j])
			FMUL.Into(sum, sum, x)
		}
	}
}
