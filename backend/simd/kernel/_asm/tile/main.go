// Command tile generates the inner kernels of the matrix product: for a tile of a few rows by two vectors, all
// sums stay in registers while one row of a panel of weights and one column of the left side go by.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"

	"github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/lanes"
)

// unroll is how many steps of k one turn of the loop takes.
const unroll = 4

func main() {
	ConstraintExpr("!purego")
	for rows := 1; rows <= 6; rows++ { // 12 sums, 2 vectors of weights, 1 of the left side: 15 of 16 registers
		tile(lanes.AVX2, rows)
	}
	for rows := 1; rows <= 14; rows++ { // 28 sums, 2 and 1: 31 of 32
		tile(lanes.AVX512, rows)
	}
	for _, s := range lanes.All {
		peak(s)
	}
	Generate()
}

// tile is c[r][j] (+)= Σ a[p][r] b[p][j], for r < rows and two vectors of j. Each sum is one chain in order of p,
// so that a row's result does not depend on the tile that it falls into.
func tile(s lanes.ISA, rows int) {
	columns := 2 * s.Lanes
	s.Text(fmt.Sprintf("tile%d", rows), "func(c *float32, ldc int, a, b *float32, k int, ahead, pace int, more bool)",
		fmt.Sprintf("c[%d][%d] (+)= a[k][%d]ᵀ·b[k][%d], rows of c ldc apart; it adds if more. It prefetches from ahead bytes in front of b, pace bytes in %d steps of k.",
			rows, columns, rows, columns, unroll))
	c := Load(Param("c"), GP64())
	ldc := Load(Param("ldc"), GP64())
	a := Load(Param("a"), GP64())
	b := Load(Param("b"), GP64())
	k := Load(Param("k"), GP64())
	ahead := Load(Param("ahead"), GP64())
	pace := Load(Param("pace"), GP64())
	more := GP8L()
	Load(Param("more"), more)
	SHLQ(Imm(2), ldc)
	ADDQ(b, ahead)

	// The rows of c will be wanted when the sums are done.
	row := GP64()
	MOVQ(c, row)
	for r := range rows {
		for line := 0; line < 2*s.Bytes(); line += 64 {
			PREFETCHT0(Mem{Base: row, Disp: line})
		}
		if r < rows-1 {
			ADDQ(ldc, row)
		}
	}
	sum := s.Regs(2 * rows)
	for _, v := range sum {
		s.Zero(v)
	}

	step := func(i int) {
		w := s.Regs(2)
		for j := range w {
			VMOVUPS(Mem{Base: b, Disp: (2*i + j) * s.Bytes()}, w[j])
		}
		for r := range rows {
			x := s.Reg()
			VBROADCASTSS(Mem{Base: a, Disp: 4 * (i*rows + r)}, x)
			for j := range w {
				VFMADD231PS(w[j], x, sum[2*r+j])
			}
		}
	}
	SUBQ(Imm(unroll), k)
	JL(LabelRef("rest"))
	Label("loop")
	for i := range unroll {
		// As many lines as b takes. At a slower pace some are asked for again, which costs a load that there is room for.
		for line := i * 2 * s.Bytes(); line < (i+1)*2*s.Bytes(); line += 64 {
			PREFETCHT0(Mem{Base: ahead, Disp: line})
		}
		step(i)
	}
	ADDQ(U32(4*unroll*rows), a)
	ADDQ(U32(2*unroll*s.Bytes()), b)
	ADDQ(pace, ahead)
	SUBQ(Imm(unroll), k)
	JGE(LabelRef("loop"))
	Label("rest")
	ADDQ(Imm(unroll), k)
	JZ(LabelRef("store"))
	Label("single")
	step(0)
	ADDQ(U32(4*rows), a)
	ADDQ(U32(2*s.Bytes()), b)
	DECQ(k)
	JNZ(LabelRef("single"))

	Label("store")
	TESTB(more, more)
	JZ(LabelRef("write"))
	MOVQ(c, row)
	for r := range rows {
		VADDPS(Mem{Base: row}, sum[2*r], sum[2*r])
		VADDPS(Mem{Base: row, Disp: s.Bytes()}, sum[2*r+1], sum[2*r+1])
		if r < rows-1 {
			ADDQ(ldc, row)
		}
	}
	Label("write")
	for r := range rows {
		VMOVUPS(sum[2*r], Mem{Base: c})
		VMOVUPS(sum[2*r+1], Mem{Base: c, Disp: s.Bytes()})
		if r < rows-1 {
			ADDQ(ldc, c)
		}
	}
	lanes.End()
}

// chains is how many independent sums the peak is measured with: more than latency times units.
const chains = 12

// peak keeps the multiply-add units busy and touches no memory.
func peak(s lanes.ISA) {
	s.Text("peak", "func(turns int)", fmt.Sprintf("%d multiply-adds in registers, turns times.", chains*s.Lanes))
	turns := Load(Param("turns"), GP64())
	sum := s.Regs(chains)
	x := s.Reg()
	s.Zero(x)
	for _, v := range sum {
		s.Zero(v)
	}
	Label("loop")
	for _, v := range sum {
		VFMADD231PS(x, x, v)
	}
	DECQ(turns)
	JNZ(LabelRef("loop"))
	lanes.End()
}
