package scenes

import (
	"image"
	"math"

	"github.com/go-lxmert/lxmert/internal/cells"
)

// A region's features, each about 0..1, in this order. Nothing in them names a kind: what a car is must be learned from its silhouette.
const (
	silhouetteCells = 8                                 // of the box's width and height: how much of each cell is inside
	colorCells      = 4                                 // of the box's width and height: each cell's mean red, green, blue, ground included
	silhouetteWide  = silhouetteCells * silhouetteCells // row by row
	colorWide       = colorCells * colorCells * 3       // row by row, red, green and blue of a cell together
	shareWide       = int(colors) + 2                   // of what is inside: how much is nearest to each colour, to white, to the outline's
	otherWide       = 6                                 // mean red, green and blue of what is inside; area, aspect, how full the box is

	// FeatureWidth is how many numbers describe a region: coverage on 8 × 8 cells, colours on 4 × 4, shares of the eight colours, white and ink, the mean
	// colour, the logarithm of the box's share of the picture (0 at 1/1024 and 1 at all of it), the box's width over the sum of width and height, and
	// the share of the box that is inside.
	FeatureWidth = silhouetteWide + colorWide + shareWide + otherWide
)

// features describes a figure.
func (f figure) features(picture *image.RGBA) []float32 {
	out := make([]float32, 0, FeatureWidth)
	out = f.silhouette(out, silhouetteCells)
	out = f.colors(out, picture)
	shares, mean := f.shares(picture)
	out = append(out, shares[:]...)
	out = append(out, mean[:]...)
	w, h := float64(f.box.Dx()), float64(f.box.Dy())
	area := w * h / float64(picture.Rect.Dx()*picture.Rect.Dy())
	return append(out, float32(min(max(1+math.Log2(area)/10, 0), 1)), float32(w/(w+h)), float32(float64(f.pixels)/(w*h)))
}

// silhouette appends how much of each cell is inside, on a grid of n × n that is stretched to the box. A pixel that lies across a border
// counts on both sides, by share.
func (f figure) silhouette(out []float32, n int) []float32 {
	w, h := f.box.Dx(), f.box.Dy()
	cover := make([]int, n*n) // in units of 1/n² pixel
	across, down := cells.Lay(w, n), cells.Lay(h, n)
	for y := range h {
		row := f.inside[y*w:][:w]
		for x, in := range row {
			if !in {
				continue
			}
			for _, v := range down[y] {
				for _, u := range across[x] {
					cover[v.Cell*n+u.Cell] += v.Length * u.Length
				}
			}
		}
	}
	for _, c := range cover {
		out = append(out, float32(c)/float32(w*h))
	}
	return out
}

// colors appends the mean colour of each cell. A box with fewer pixels than cells repeats them.
func (f figure) colors(out []float32, picture *image.RGBA) []float32 {
	for j := range colorCells {
		for i := range colorCells {
			cell := image.Rect(f.box.Dx()*i/colorCells, f.box.Dy()*j/colorCells, f.box.Dx()*(i+1)/colorCells, f.box.Dy()*(j+1)/colorCells)
			cell.Max.X, cell.Max.Y = max(cell.Max.X, cell.Min.X+1), max(cell.Max.Y, cell.Min.Y+1)
			cell = cell.Add(f.box.Min)
			var r, g, b, n int
			for y := cell.Min.Y; y < cell.Max.Y; y++ {
				row := picture.Pix[y*picture.Stride+4*cell.Min.X:][:4*cell.Dx()]
				for x := 0; x < len(row); x += 4 {
					r, g, b, n = r+int(row[x]), g+int(row[x+1]), b+int(row[x+2]), n+1
				}
			}
			out = append(out, level(r, n), level(g, n), level(b, n))
		}
	}
	return out
}

// level is the mean of n bytes, in 0..1.
func level(sum, n int) float32 { return float32(sum) / float32(255*max(n, 1)) }

// shares are how much of what is inside has each colour, and their mean.
func (f figure) shares(picture *image.RGBA) (shares [shareWide]float32, mean [3]float32) {
	var counts [shareWide]int
	var r, g, b int
	f.each(picture, func(p []uint8) {
		counts[nearest(p)]++
		r, g, b = r+int(p[0]), g+int(p[1]), b+int(p[2])
	})
	for i, c := range counts {
		shares[i] = float32(c) / float32(max(f.pixels, 1))
	}
	return shares, [3]float32{level(r, f.pixels), level(g, f.pixels), level(b, f.pixels)}
}

// each calls do for all pixels inside.
func (f figure) each(picture *image.RGBA, do func(p []uint8)) {
	w := f.box.Dx()
	for y := range f.box.Dy() {
		row := picture.Pix[(f.box.Min.Y+y)*picture.Stride+4*f.box.Min.X:][:4*w]
		for x, in := range f.inside[y*w:][:w] {
			if in {
				do(row[4*x:][:3])
			}
		}
	}
}

// nearest is the colour nearest to a pixel's; after the colours come white and ink.
func nearest(p []uint8) int { return nearestOf[fiveBits(p[0], p[1], p[2])] }

// nearestOf has the answer for each five bits of red, green and blue.
var nearestOf = func() (table [1 << 15]int) {
	known := append(append(palette[:0:0], palette[:]...), white, ink)
	for i := range table {
		r, g, b := i>>10<<3+4, i>>5&31<<3+4, i&31<<3+4
		least := math.MaxInt
		for j, c := range known {
			dr, dg, db := r-int(c.R), g-int(c.G), b-int(c.B)
			if d := dr*dr + dg*dg + db*db; d < least {
				least, table[i] = d, j
			}
		}
	}
	return table
}()

// color is the colour of most of what is coloured inside, and which share of it. Strong colours weigh more: where orange or red meets ink, the pixels
// between are a dull brown.
func (f figure) color(picture *image.RGBA) (Color, float32) {
	var weights [shareWide]int
	f.each(picture, func(p []uint8) {
		strong := int(max(p[0], p[1], p[2]) - min(p[0], p[1], p[2]))
		weights[nearest(p)] += strong * strong
	})
	best, sum := Color(0), 0
	for c := range colors {
		sum += weights[c]
		if weights[c] > weights[best] {
			best = c
		}
	}
	return best, float32(weights[best]) / float32(max(sum, 1))
}
