package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestUnpack: what was packed comes back, whichever way it lay.
func TestUnpack(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, s := range Sets() {
		for _, layout := range []Layout{InputsOutputs, OutputsInputs, OutputsInputsOver(9)} {
			for _, size := range [][2]int{{1, 1}, {3, 31}, {17, 32}, {64, 33}, {5, 100}, {0, 4}, {27, 40}} {
				k, n := size[0], size[1]
				if layout > OutputsInputs && k%int(layout) != 0 {
					continue
				}
				rows, columns := k, n
				if layout != InputsOutputs {
					rows, columns = n, k
				}
				ldb := columns + 2
				b := make([]float32, rows*ldb)
				for i := range b {
					b[i] = r.Float32()
				}
				p := s.PackB(b, ldb, k, n, layout)
				got := slices.Clone(b)
				for row := range rows {
					clear(got[row*ldb : row*ldb+columns])
				}
				half := p.Panels() / 2
				p.Unpack(got, ldb, layout, 0, half)
				p.Unpack(got, ldb, layout, half, p.Panels())
				if !slices.Equal(got, b) {
					t.Errorf("%v, layout %d, [%d, %d]: came back changed", s, layout, k, n)
				}
			}
		}
	}
}
