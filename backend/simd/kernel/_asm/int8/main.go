// Command int8 generates what products of int8 numbers are made of: tiles whose words are four numbers along k, the weights unsigned,
// and the scaling and rounding that packs them.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/lanes"
)

func main() {
	ConstraintExpr("!purego")
	for rows := 1; rows <= 6; rows++ { // 12 sums, 2 vectors of weights, 1 of the left side, 1 of products: all 16 registers
		widened(lanes.AVX2, rows)
		fours(lanes.AVX2, rows)
	}
	for rows := 1; rows <= 14; rows++ { // 28 sums, 2, 1 and 1: all 32
		widened(lanes.AVX512, rows)
		fours(lanes.AVX512, rows)
	}
	for _, s := range lanes.All {
		magnitude(s)
		quads(s, false)
		quads(s, true)
		row(s, false)
		row(s, true)
		s.Peak("peakInt8", 4*s.Lanes, s.AddFours)
		s.Peak("peakInt8Wide", 2*s.Lanes, s.AddPairs)
	}
	Generate()
}

// fours is a tile with the instruction for it.
func fours(s lanes.ISA, rows int) {
	text(s, "int8Tile", rows, "fours of int8 numbers")
	t := s.Start(rows, 1)
	end(t, t.Int8)
}

// widened is a tile in 16-bit arithmetic.
func widened(s lanes.ISA, rows int) {
	text(s, "int8Wide", rows, "fours of int8 numbers in b, in a two words of pairs, of numbers 0 and 2, and 1 and 3,")
	t := s.Start(rows, 2)
	end(t, t.Int8Wide)
}

func text(s lanes.ISA, name string, rows int, words string) {
	s.Text(fmt.Sprintf("%s%d", name, rows), lanes.Signature+", starts *int32, scales, columns *float32)",
		fmt.Sprintf("c[%d][%d] (+)= a[k][%d]ᵀ·b[k][%d] + starts[%d], if more, of %s, rows of c ldc apart, c of int32. "+
			"If scales is not nil, c becomes float32, multiplied with scales[%d] and columns[%d]. It prefetches from ahead bytes in front of b, pace bytes in 4 steps of k.",
			rows, 2*s.Lanes, rows, 2*s.Lanes, rows, words, rows, 2*s.Lanes))
}

func end(t *lanes.Tile, step func(i int)) {
	t.Starts(lanes.Arg("starts"))
	t.Loop(step, PREFETCHT1)
	t.AddIfMore(t.S.AddInts)
	scales := lanes.Arg("scales")
	lanes.IfThere(scales, func() { t.Dequantise(scales, lanes.Arg("columns")) })
	t.Store()
}

// magnitude is the largest |x|, as integers compare its bits.
func magnitude(s lanes.ISA) {
	s.Text("magnitude", "func(x *float32, n int) uint32", "the largest bits of |x| of n > 0 values.")
	const unroll = 4
	x, n := lanes.Arg("x"), lanes.Arg("n")
	best := s.Zeros(unroll)
	s.Each(n, unroll, []reg.GPVirtual{x}, func(at lanes.Access, turn int) {
		v := at.Load(x)
		s.And(s.Bits(0x7fffffff), v, v)
		VPMAXUD(v, best[turn], best[turn])
	})
	result := GP32()
	VMOVD(s.Reduce(func(o ...Op) { VPMAXUD(o[0], o[1], o[2]) }, best), result)
	Store(result, ReturnIndex(0))
	VZEROUPPER()
	RET()
}

// quads packs four rows. A vector of each, as integers, narrowed twice together with the others', is a word of each row in a lane of 128 bits:
// the columns that tiles read.
func quads(s lanes.ISA, wide bool) {
	name, what := "quads", "dst[p*stride+r] = the four numbers from x[r*ldx+4p] on, times inverse[r] and rounded to int8"
	if wide {
		name, what = "quadsWide", "dst[2*p*stride+r] and dst[(2*p+1)*stride+r] = numbers 0 and 2, and 1 and 3, "+
			"of the four from x[r*ldx+4p] on, times inverse[r] and rounded to int8, as 16 bits"
	}
	s.Text(name, "func(dst *float32, stride int, x *float32, ldx, k int, inverse *float32, sums *int32)",
		what+", for r < 4, 4p < k; k > 0. Beyond k are zeros. sums are those of the rows.")
	dst, stride, x, ldx, k, inverse := lanes.Arg("dst"), lanes.Arg("stride"), lanes.Arg("x"), lanes.Arg("ldx"), lanes.Arg("k"), lanes.Arg("inverse")
	SHLQ(Imm(2), stride)
	SHLQ(Imm(2), ldx)
	scale, total := s.Regs(4), s.Zeros(4)
	row := []reg.GPVirtual{x}
	for r := range scale {
		VBROADCASTSS(Mem{Base: inverse, Disp: 4 * r}, scale[r])
		if r > 0 {
			next := lanes.Clone(row[r-1])
			ADDQ(ldx, next)
			row = append(row, next)
		}
	}
	s.Each(k, 1, row, func(at lanes.Access, _ int) {
		q := s.Regs(4)
		for r := range q {
			VMULPS(scale[r], at.Load(row[r]), q[r])
			VCVTPS2DQ(q[r], q[r])
			s.AddInts(q[r], total[r], total[r])
		}
		VPACKSSDW(q[1], q[0], q[0])
		VPACKSSDW(q[3], q[2], q[2])
		VPACKSSWB(q[2], q[0], q[0])
		store := func(lane int) {
			if !wide {
				s.StoreLane(q[0], lane, dst)
				ADDQ(stride, dst)
				return
			}
			v := XMM()
			s.Lane(q[0], lane, v)
			even := XMM()
			VPSLLW(Imm(8), v, even)
			VPSRAW(Imm(8), even, even)
			VPSRAW(Imm(8), v, v)
			VMOVUPS(even, Mem{Base: dst})
			ADDQ(stride, dst)
			VMOVUPS(v, Mem{Base: dst})
			ADDQ(stride, dst)
		}
		if at.Whole() {
			for lane := range s.Lanes / 4 {
				store(lane)
			}
			return
		}
		stored := lanes.NewLabel("stored")
		for lane := range s.Lanes / 4 {
			store(lane)
			if lane < s.Lanes/4-1 {
				SUBQ(Imm(4), k)
				JLE(LabelRef(stored))
			}
		}
		Label(stored)
	})
	sums := lanes.Arg("sums")
	for r := range total {
		y := s.Reduce(func(o ...Op) { VPADDD(o[0], o[1], o[2]) }, total[r:r+1])
		VMOVD(y, Mem{Base: sums, Disp: 4 * r})
	}
	lanes.End()
}

// row packs neighbours: a pixel's channels.
func row(s lanes.ISA, wide bool) {
	name, what := "rowInt8", "dst = x times inverse, rounded to int8"
	if wide {
		name, what = "rowInt8Wide", "dst = x times inverse, rounded to int8, as 16 bits, numbers 1 and 2 of each four exchanged"
	}
	s.Text(name, "func(dst, x *float32, n int, inverse float32) int32",
		fmt.Sprintf("%s, for n > 0 numbers, a multiple of %d. It returns their sum.", what, s.Lanes))
	dst, x, n := lanes.Arg("dst"), lanes.Arg("x"), lanes.Arg("n")
	scale, total := s.Broadcast("inverse"), s.Zeros(1)
	Label("loop")
	q := s.Reg()
	VMULPS(Mem{Base: x}, scale, q)
	VCVTPS2DQ(q, q)
	s.AddInts(q, total[0], total[0])
	bytes := s.Lanes
	switch {
	case s.Wide() && wide:
		half := q.AsY()
		VPMOVDW(q, half)
		VPSHUFLW(Imm(0xd8), half, half)
		VPSHUFHW(Imm(0xd8), half, half)
		VMOVUPS(half, Mem{Base: dst})
		bytes *= 2
	case s.Wide():
		VPMOVDB(q, q.AsX())
		VMOVUPS(q.AsX(), Mem{Base: dst})
	case wide:
		VPACKSSDW(q, q, q)
		VPERMQ(Imm(8), q, q)
		VPSHUFLW(Imm(0xd8), q.AsX(), q.AsX())
		VPSHUFHW(Imm(0xd8), q.AsX(), q.AsX())
		VMOVUPS(q.AsX(), Mem{Base: dst})
		bytes *= 2
	default:
		VPACKSSDW(q, q, q)
		VPACKSSWB(q, q, q)
		high := XMM()
		VEXTRACTI128(Imm(1), q, high)
		VMOVD(q.AsX(), Mem{Base: dst})
		VMOVD(high, Mem{Base: dst, Disp: 4})
	}
	ADDQ(U32(s.Bytes()), x)
	ADDQ(Imm(uint64(bytes)), dst)
	SUBQ(U32(s.Lanes), n)
	JNZ(LabelRef("loop"))
	result := GP32()
	VMOVD(s.Reduce(s.AddInts, total), result)
	Store(result, ReturnIndex(0))
	VZEROUPPER()
	RET()
}
