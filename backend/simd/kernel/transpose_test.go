package kernel

import (
	"math/rand/v2"
	"testing"
)

func TestTranspose(t *testing.T) {
	eachSet(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(91, 92))
		for _, size := range [][2]int{{1, 1}, {1, 9}, {9, 1}, {3, 5}, {4, 4}, {17, 70}, {64, 64}, {67, 130}, {131, 66}, {0, 3}, {3, 0}} {
			rows, columns := size[0], size[1]
			x, dst := randomFenced(r, rows*columns, 1), newFenced(rows*columns, 2)
			half := columns / 3
			s.Transpose(dst.x, x.x, rows, columns, 0, half)
			s.Transpose(dst.x, x.x, rows, columns, half, columns)
			dst.check(t)
			for i, got := range dst.x {
				if want := x.x[i%rows*columns+i/rows]; got != want {
					t.Fatalf("[%d, %d]: value %d is %v, want %v", rows, columns, i, got, want)
				}
			}
		}
	})
	panics(t, "kernel.Transpose: part 0 to 4 of 3", func() { generic.Transpose(make([]float32, 6), make([]float32, 6), 2, 3, 0, 4) })
	panics(t, "kernel.Transpose: dst has 5 values", func() { generic.Transpose(make([]float32, 5), make([]float32, 6), 2, 3, 0, 3) })
}
