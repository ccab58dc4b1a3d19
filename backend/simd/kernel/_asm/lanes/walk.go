package lanes

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A Walk is where a tile stands between the left side, of some rows, and a panel of two vectors, of which it takes some. Both are of 32-bit
// words: one number, or some narrower ones that follow one another along k. All sums of rows × vectors stay in registers. Its methods make
// step i from there.
type Walk struct {
	S             ISA
	Rows, Vectors int
	A, B          reg.GPVirtual
	Sums          []reg.VecVirtual
}

// left is word i of row r.
func (t *Walk) left(i, r int) Mem { return Mem{Base: t.A, Disp: 4 * (i*t.Rows + r)} }

// weights loads the vectors of weights of step i.
func (t *Walk) weights(i int) []reg.VecVirtual {
	w := t.S.Regs(t.Vectors)
	for j := range w {
		VMOVUPS(Mem{Base: t.B, Disp: (2*i + j) * t.S.Bytes()}, w[j])
	}
	return w
}

// multiply adds the products of each row's word i, everywhere, with vectors of weights.
func (t *Walk) multiply(i int, w []reg.VecVirtual, broadcast func(...Op), add func(x, w, sum reg.VecVirtual)) {
	for r := range t.Rows {
		x := t.S.Reg()
		broadcast(t.left(i, r), x)
		for j := range w {
			add(x, w[j], t.Sums[t.Vectors*r+j])
		}
	}
}

func words(o ...Op)                        { VPBROADCASTD(o...) }
func floats(o ...Op)                       { VBROADCASTSS(o[0], o[1]) }
func multiplyAdd(x, w, sum reg.VecVirtual) { VFMADD231PS(w, x, sum) }

// Float32 is a step of float32 numbers.
func (t *Walk) Float32(i int) { t.multiply(i, t.weights(i), floats, multiplyAdd) }

// BF16 is a step of pairs of bfloat16, with the instruction for it.
func (t *Walk) BF16(i int) {
	t.multiply(i, t.weights(i), words, func(x, w, sum reg.VecVirtual) { VDPBF16PS(x, w, sum) })
}

// BF16Wide is a step of pairs of bfloat16 in float32 arithmetic; the left side has a word for each number, which is float32. It adds as
// the instruction does: the odd number's product first.
func (t *Walk) BF16Wide(i int) {
	for odd := 1; odd >= 0; odd-- {
		w := t.weights(i)
		for _, v := range w {
			if odd == 1 {
				t.S.And(t.S.Bits(0xffff0000), v, v)
			} else {
				VPSLLD(Imm(16), v, v)
			}
		}
		t.multiply(2*i+odd, w, floats, multiplyAdd)
	}
}

// Int8 is a step of fours of int8 numbers, the weights unsigned, with the instruction for it that does not saturate.
func (t *Walk) Int8(i int) {
	t.multiply(i, t.weights(i), words, t.S.addFours)
}

// Int8Wide is a step of fours of int8 numbers as 16-bit ones, multiplied in pairs: the left side has a word for numbers 0 and 2, and one for 1
// and 3. (The 8-bit instruction of AVX2 saturates.)
func (t *Walk) Int8Wide(i int) {
	for odd := range 2 {
		w := t.weights(i)
		for _, v := range w {
			if odd == 1 {
				VPSRLW(Imm(8), v, v)
			} else {
				t.S.And(t.S.Bits(0x00ff00ff), v, v)
			}
		}
		t.multiply(2*i+odd, w, words, t.S.addPairs)
	}
}

func (s ISA) addFours(x, w, sum reg.VecVirtual) {
	if s.Wide() {
		VPDPBUSD(x, w, sum)
	} else {
		VEXVPDPBUSD(x, w, sum)
	}
}

func (s ISA) addPairs(x, w, sum reg.VecVirtual) {
	y := s.Reg()
	VPMADDWD(w, x, y)
	s.AddInts(y, sum, sum)
}

// AddFours adds the products of x with itself as [Walk.Int8] does.
func (s ISA) AddFours(x, sum reg.VecVirtual) { s.addFours(x, x, sum) }

// AddPairs adds the products of x with itself as [Walk.Int8Wide] does.
func (s ISA) AddPairs(x, sum reg.VecVirtual) { s.addPairs(x, x, sum) }

// Starts lets the sums of each row begin with an int32.
func (t *Walk) Starts(p reg.GPVirtual) {
	for i := range t.Sums {
		VPBROADCASTD(Mem{Base: p, Disp: 4 * (i / t.Vectors)}, t.Sums[i])
	}
}

// Zero lets sums begin with 0.
func (t *Walk) Zero() {
	for _, v := range t.Sums {
		t.S.Zero(v)
	}
}

// Dequantise makes float32 numbers of int32 sums: times a column's step, then times a row's.
func (t *Walk) Dequantise(rows, columns reg.GPVirtual) {
	y := t.S.Regs(t.Vectors)
	for j := range y {
		VMOVUPS(Mem{Base: columns, Disp: j * t.S.Bytes()}, y[j])
	}
	for r := range t.Rows {
		x := t.S.Reg()
		VBROADCASTSS(Mem{Base: rows, Disp: 4 * r}, x)
		for j := range y {
			v := t.Sums[t.Vectors*r+j]
			VCVTDQ2PS(v, v)
			VMULPS(y[j], v, v)
			VMULPS(x, v, v)
		}
	}
}
