package cells

import (
	"fmt"
	"reflect"
	"testing"
)

func TestLay(t *testing.T) {
	got := Lay(3, 2)
	if want := [][]Share{{{0, 2}}, {{0, 1}, {1, 1}}, {{1, 2}}}; !reflect.DeepEqual(got, want) {
		t.Errorf("2 cells on 3 pixels: %v, want %v", got, want)
	}
	for pixels := 1; pixels < 40; pixels++ {
		for cells := 1; cells < 40; cells++ {
			t.Run(fmt.Sprint(pixels, cells), func(t *testing.T) {
				lengths := make([]int, cells)
				for p, shares := range Lay(pixels, cells) {
					sum := 0
					for _, s := range shares {
						sum += s.Length
						lengths[s.Cell] += s.Length
						// In units: the pixel is [p, p+1)·cells, the cell [c, c+1)·pixels.
						if s.Length < 1 || (s.Cell+1)*pixels <= p*cells || s.Cell*pixels >= (p+1)*cells {
							t.Errorf("pixel %d has %v", p, s)
						}
					}
					if sum != cells {
						t.Errorf("pixel %d: shares sum up to %d", p, sum)
					}
				}
				for c, length := range lengths {
					if length != pixels {
						t.Errorf("cell %d is %d long", c, length)
					}
				}
			})
		}
	}
}
