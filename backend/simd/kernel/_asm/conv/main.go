// Command conv generates the inner kernels of convolutions: tiles that end with bias, residual and ReLU while their sums are still
// in registers, and the weaving that packs pixels for them.
package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/lanes"
)

func main() {
	ConstraintExpr("!purego")
	for vectors := 1; vectors <= 2; vectors++ {
		for rows := 1; rows <= 6; rows++ {
			conv(lanes.AVX2, float32s, rows, vectors)
		}
		for rows := 1; rows <= 14; rows++ {
			conv(lanes.AVX512, float32s, rows, vectors)
		}
	}
	for _, kind := range []kind{bf16Wide, fours, int8Wide} {
		for rows := 1; rows <= 6; rows++ {
			conv(lanes.AVX2, kind, rows, 2)
		}
	}
	for _, kind := range []kind{paired, bf16Wide, fours, int8Wide} {
		for rows := 1; rows <= 14; rows++ {
			conv(lanes.AVX512, kind, rows, 2)
		}
	}
	for _, s := range lanes.All {
		weave(s)
	}
	fence()
	Generate()
}

// unroll is how many steps of k one turn of the loop takes.
const unroll = 4

// A kind is what is particular to a type of number. Sums of int8 products are of int32, begin with something, and become float32 in the end.
type kind struct {
	name string
	left int // words of the left side in a step
	step func(t *lanes.Walk, i int)
	ints bool
}

var (
	float32s = kind{"", 1, (*lanes.Walk).Float32, false}
	paired   = kind{"BF16", 1, (*lanes.Walk).BF16, false}
	bf16Wide = kind{"BF16Wide", 2, (*lanes.Walk).BF16Wide, false}
	fours    = kind{"Int8", 1, (*lanes.Walk).Int8, true}
	int8Wide = kind{"Int8Wide", 2, (*lanes.Walk).Int8Wide, true}
)

// conv is the matrix product's tile, for some panels in turn and with an end of its own: with sums as short as 64 steps, a second
// pass over each tile and a call for each panel would show. Panels have two vectors; of the last, the first may be enough.
func conv(s lanes.ISA, kind kind, rows, vectors int) {
	columns := vectors * s.Lanes
	more, says := "", ""
	if kind.ints {
		more = ", starts *int32, scales, columns *float32"
		says = " Sums are of int32 and begin with those of starts; if scales is not nil they then become float32, multiplied with scales and columns, " +
			"else nothing is added."
	}
	s.Text(fmt.Sprintf("conv%s%s%d", []string{"Half", "Tile"}[vectors-1], kind.name, rows), "func(c *float32, ldc int, a, b *float32, k, panels, step int, bias, residual *float32, ldr int, ahead *float32, pace int, floor float32, more, stream bool"+more+")",
		fmt.Sprintf("c[%d][%d] = max(floor, a[k][%d]ᵀ·b[k][%d] + c + bias + residual) for each of some panels of b, step values apart; c counts if more, bias and residual if not nil. "+
			"If stream, c is a whole number of vectors from 0 in all its rows and goes past the caches. It prefetches from ahead, pace bytes in %d steps of k.",
			rows, columns, rows, columns, unroll)+says)
	c, ldc, residual, ldr, bias, panels := lanes.Arg("c"), lanes.Arg("ldc"), lanes.Arg("residual"), lanes.Arg("ldr"), lanes.Arg("bias"), lanes.Arg("panels")
	SHLQ(Imm(2), ldc)
	SHLQ(Imm(2), ldr)
	b, ahead, pace := lanes.Arg("b"), lanes.Arg("ahead"), lanes.Arg("pace")
	stream := GP8L()
	Label("panel")
	a, k := lanes.Arg("a"), lanes.Arg("k")

	// each goes over the rows of a matrix; row walks.
	each := func(start, ld reg.GPVirtual, do func(r int, row reg.GPVirtual)) {
		row := lanes.Clone(start)
		for r := range rows {
			do(r, row)
			if r < rows-1 {
				ADDQ(ld, row)
			}
		}
	}
	// The rows of c and residual will be wanted when the sums are done.
	prefetch := func(_ int, row reg.GPVirtual) {
		for line := 0; line < vectors*s.Bytes(); line += 64 {
			PREFETCHT0(Mem{Base: row, Disp: line})
		}
	}
	Load(Param("stream"), stream)
	TESTB(stream, stream)
	JNZ(LabelRef("streams"))
	each(c, ldc, prefetch)
	Label("streams")
	lanes.IfThere(residual, func() { each(residual, ldr, prefetch) })
	sum := s.Regs(vectors * rows)
	p := lanes.Clone(b)
	t := &lanes.Walk{S: s, Rows: rows, Vectors: vectors, A: a, B: p, Sums: sum}
	if kind.ints {
		t.Starts(lanes.Arg("starts"))
	} else {
		t.Zero()
	}
	steps := func(n int) {
		for i := range n {
			kind.step(t, i)
		}
		ADDQ(U32(4*n*kind.left*rows), a)
		ADDQ(U32(2*n*s.Bytes()), p)
	}
	SUBQ(Imm(unroll), k)
	JL(LabelRef("rest"))
	Label("loop")
	for line := range 2 {
		PREFETCHT1(Mem{Base: ahead, Disp: 64 * line})
	}
	ADDQ(pace, ahead)
	steps(unroll)
	SUBQ(Imm(unroll), k)
	JGE(LabelRef("loop"))
	Label("rest")
	ADDQ(Imm(unroll), k)
	JZ(LabelRef("end"))
	Label("single")
	steps(1)
	DECQ(k)
	JNZ(LabelRef("single"))

	Label("end")
	add := func(r int, row reg.GPVirtual) {
		for j := range vectors {
			VADDPS(Mem{Base: row, Disp: j * s.Bytes()}, sum[vectors*r+j], sum[vectors*r+j])
		}
	}
	isMore := GP8L()
	Load(Param("more"), isMore)
	TESTB(isMore, isMore)
	JZ(LabelRef("first"))
	if kind.ints {
		each(c, ldc, func(r int, row reg.GPVirtual) {
			for j := range vectors {
				s.AddInts(Mem{Base: row, Disp: j * s.Bytes()}, sum[vectors*r+j], sum[vectors*r+j])
			}
		})
	} else {
		each(c, ldc, add)
	}
	Label("first")
	if kind.ints {
		scales, columns := lanes.Arg("scales"), lanes.Arg("columns")
		TESTQ(scales, scales)
		JZ(LabelRef("store"))
		t.Dequantise(scales, columns)
		ADDQ(Imm(uint64(vectors*s.Bytes())), lanes.Where("columns"))
	}
	lanes.IfThere(bias, func() {
		for j := range vectors {
			v := s.Reg()
			VMOVUPS(Mem{Base: bias, Disp: j * s.Bytes()}, v)
			for r := range rows {
				VADDPS(v, sum[vectors*r+j], sum[vectors*r+j])
			}
		}
		ADDQ(U32(vectors*s.Bytes()), bias)
	})
	lanes.IfThere(residual, func() {
		each(residual, ldr, add)
		ADDQ(U32(vectors*s.Bytes()), residual)
	})
	floor := s.Broadcast("floor")
	for _, v := range sum {
		VMAXPS(v, floor, v) // of a NaN, the NaN
	}
	Label("store")
	store := func(move func(reg.VecVirtual, Mem)) {
		each(c, ldc, func(r int, row reg.GPVirtual) {
			for j := range vectors {
				move(sum[vectors*r+j], Mem{Base: row, Disp: j * s.Bytes()})
			}
		})
	}
	Load(Param("stream"), stream)
	TESTB(stream, stream)
	JNZ(LabelRef("past"))
	store(func(v reg.VecVirtual, m Mem) { VMOVUPS(v, m) })
	JMP(LabelRef("stored"))
	Label("past")
	store(func(v reg.VecVirtual, m Mem) { VMOVNTPS(v, m) })
	Label("stored")
	ADDQ(U32(vectors*s.Bytes()), c)
	step := lanes.Arg("step")
	LEAQ(Mem{Base: b, Index: step, Scale: 4}, b)
	DECQ(panels)
	JNZ(LabelRef("panel"))
	lanes.End()
}

// fence orders what went past the caches before what comes after.
func fence() {
	TEXT("storeFence", attr.NOSPLIT, "func()")
	Doc("storeFence waits until what went past the caches is there for others.")
	SFENCE()
	RET()
}

// block is how many columns weaving makes at a time.
const block = 8

// weave reads as many rows as a vector has lanes and turns them into columns, a block at a time. Each column is stored as a whole
// vector: what it has beyond the tile's rows is written over by the next.
func weave(s lanes.ISA) {
	s.Text("weave", "func(dst *float32, stride int, row **float32, offset, n int)",
		fmt.Sprintf("dst[p*stride+r] = row[r][offset+p] for r < stride ≤ %d, p < n; it reads %d rows and writes up to %d values beyond the last.", s.Lanes, s.Lanes, s.Lanes))
	dst, stride, row, at, n := lanes.Arg("dst"), lanes.Arg("stride"), lanes.Arg("row"), lanes.Arg("offset"), lanes.Arg("n")
	SHLQ(Imm(2), stride)
	SHLQ(Imm(2), at)
	cells := func(r int) Mem { // a block of columns of a row
		start := GP64()
		MOVQ(Mem{Base: row, Disp: 8 * r}, start)
		return Mem{Base: start, Index: at, Scale: 1}
	}
	store := func(v reg.VecVirtual) {
		VMOVUPS(v, Mem{Base: dst})
		ADDQ(stride, dst)
	}
	narrow := lanes.AVX2
	SUBQ(Imm(block), n)
	JL(LabelRef("rest"))
	Label("loop")
	for _, v := range columns(s, func(r int) reg.VecVirtual {
		v := narrow.Reg()
		VMOVUPS(cells(r), v)
		return v
	}, func(r int, v reg.VecVirtual) { VINSERTF32X8(Imm(1), cells(r), v, v) }) {
		store(v)
	}
	ADDQ(Imm(4*block), at)
	SUBQ(Imm(block), n)
	JGE(LabelRef("loop"))
	Label("rest")
	ADDQ(Imm(block), n)
	JZ(LabelRef("end"))
	mask := s.TailMask(n)
	load := func(r int) reg.VecVirtual {
		v := narrow.Reg()
		if s.Wide() {
			VMOVUPS_Z(cells(r), mask, v)
		} else {
			VMASKMOVPS(cells(r), mask, v)
		}
		return v
	}
	x := columns(s, load, func(r int, v reg.VecVirtual) { VINSERTF32X8(Imm(1), load(r), v, v) }) // from memory it would read beyond the mask
	for i, v := range x[:block-1] {                                                              // the last cannot be among them
		store(v)
		if i < block-2 {
			DECQ(n)
			JZ(LabelRef("end"))
		}
	}
	Label("end")
	lanes.End()
}

// columns are a block of columns. load is that block of a row, in half a vector where vectors are wide; add puts that of another
// row into the other half.
func columns(s lanes.ISA, load func(r int) reg.VecVirtual, add func(r int, v reg.VecVirtual)) []reg.VecVirtual {
	x := make([]reg.VecVirtual, 8)
	for i := range x {
		if !s.Wide() {
			x[i] = load(i)
			continue
		}
		r := i + i/4*4 // 0 to 3 with 4 to 7, 8 to 11 with 12 to 15
		x[i] = load(r).AsZ().(reg.VecVirtual)
		add(r+4, x[i])
	}
	pair := func(low, high func(...Op), i, j int) {
		l, h := s.Reg(), s.Reg()
		low(x[j], x[i], l)
		high(x[j], x[i], h)
		x[i], x[j] = l, h
	}
	for i := 0; i < len(x); i += 2 {
		pair(VUNPCKLPS, VUNPCKHPS, i, i+1)
	}
	for i := 0; i < len(x); i += 4 {
		pair(VUNPCKLPD, VUNPCKHPD, i, i+2)
		pair(VUNPCKLPD, VUNPCKHPD, i+1, i+3)
		x[i+1], x[i+2] = x[i+2], x[i+1]
	}
	// Even lanes of x[j] and x[4+j], of four values each, now have column j, odd ones column 4+j, four rows to a lane.
	even := func(o ...Op) { VPERM2F128(Imm(0x20), o[0], o[1], o[2]) }
	odd := func(o ...Op) { VPERM2F128(Imm(0x31), o[0], o[1], o[2]) }
	if s.Wide() {
		even = func(o ...Op) { VSHUFF32X4(Imm(0x88), o[0], o[1], o[2]) }
		odd = func(o ...Op) { VSHUFF32X4(Imm(0xdd), o[0], o[1], o[2]) }
	}
	for j := range 4 {
		pair(even, odd, j, j+4)
	}
	return x
}
