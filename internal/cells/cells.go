// Package cells lays a grid over pixels.
package cells

// A Share is how much of a pixel lies in a cell.
type Share struct {
	Cell   int
	Length int // in units of one pixel over the number of cells, so that all is in whole numbers
}

// Lay divides a row of pixels into cells of the same length and says in which of them each pixel lies. The lengths of a pixel's shares sum up to the number of
// cells, those of a cell to the number of pixels. Both must be positive.
func Lay(pixels, cells int) [][]Share {
	all := make([][]Share, pixels)
	flat := make([]Share, 0, pixels+cells)
	for p := range all {
		from := len(flat)
		for at := p * cells; at < (p+1)*cells; { // a cell is pixels long, a pixel as long as there are cells
			cell := at / pixels
			end := min((cell+1)*pixels, (p+1)*cells)
			flat = append(flat, Share{cell, end - at})
			at = end
		}
		all[p] = flat[from:len(flat):len(flat)]
	}
	return all
}
