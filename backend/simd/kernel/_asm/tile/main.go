// Command tile generates the inner kernels of the matrix product: for a tile of a few rows by two vectors, all
// sums stay in registers while one row of a panel of weights and one column of the left side go by.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/reg"

	"github.com/go-lxmert/lxmert/backend/simd/kernel/_asm/lanes"
)

func main() {
	ConstraintExpr("!purego")
	for rows := 1; rows <= 6; rows++ { // 12 sums, 2 vectors of weights, 1 of the left side: 15 of 16 registers
		tile(lanes.AVX2, rows)
	}
	for rows := 1; rows <= 14; rows++ { // 28 sums, 2 and 1: 31 of 32
		tile(lanes.AVX512, rows)
	}
	for _, s := range lanes.All {
		s.Peak("peak", s.Lanes, func(x, sum reg.VecVirtual) { VFMADD231PS(x, x, sum) })
	}
	Generate()
}

// tile is c[r][j] (+)= Σ a[p][r] b[p][j], for r < rows and two vectors of j.
func tile(s lanes.ISA, rows int) {
	columns := 2 * s.Lanes
	s.Text(fmt.Sprintf("tile%d", rows), lanes.Signature+")",
		fmt.Sprintf("c[%d][%d] (+)= a[k][%d]ᵀ·b[k][%d], rows of c ldc apart; it adds if more. "+
			"It prefetches from ahead bytes in front of b, pace bytes in 4 steps of k.", rows, columns, rows, columns))
	t := s.Start(rows, 1)
	t.Zero()
	t.Loop(t.Float32, PREFETCHT0)
	t.AddIfMore(VADDPS)
	t.Store()
}
