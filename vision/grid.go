package vision

import (
	"context"
	"fmt"
	"image"
	"math"

	"github.com/go-lxmert/lxmert/internal/cells"
)

// A Grid is a detector that looks at no object: it divides a picture into cells, each a region with its pixels as features. It is what a learned detector must
// beat, and what there is for pictures that none was trained for.
type Grid struct {
	Rows, Columns int // of cells; 0 means 6
	Samples       int // of colour in a cell, in each direction; 0 means 4
}

var _ Extractor = Grid{}

// maxCells bounds a grid, rows times columns and samples in a cell.
const maxCells = 1024

// gridLongest is to how many pixels the longer side of a picture is shrunk.
const gridLongest = 512

func (g Grid) or() Grid {
	or := func(n *int, otherwise int) {
		if *n == 0 {
			*n = otherwise
		}
	}
	or(&g.Rows, 6)
	or(&g.Columns, 6)
	or(&g.Samples, 4)
	return g
}

// Preset has all that the features depend on, such as "grid-6x6x4": rows, columns, samples.
func (g Grid) Preset() string {
	g = g.or()
	return fmt.Sprintf("grid-%dx%dx%d", g.Rows, g.Columns, g.Samples)
}

// FeatureWidth is 3·Samples² + 6.
func (g Grid) FeatureWidth() int { g = g.or(); return 3*g.Samples*g.Samples + 6 }

// Vocabulary is empty: cells have no labels.
func (Grid) Vocabulary() (objects, attributes []string) { return nil, nil }

// Extract gives a region for each cell, row by row. Its features are the mean red, green and blue of each sample, row by row, then the cell's means and standard
// deviations of the three; all in 0..1. Pictures longer than 512 pixels are shrunk to that before.
func (g Grid) Extract(ctx context.Context, img image.Image) (Regions, error) {
	g = g.or()
	if err := g.check(); err != nil {
		return Regions{}, err
	}
	picture, err := Shrink(ctx, img, gridLongest)
	if err != nil {
		return Regions{}, err
	}
	size := img.Bounds().Size()
	regions := Regions{FeatureWidth: g.FeatureWidth(), Size: Size{size.X, size.Y}, Preset: g.Preset()}
	moments := g.moments(picture)
	for row := range g.Rows {
		for column := range g.Columns {
			regions.Features = g.cell(regions.Features, moments, row, column)
			regions.Boxes = append(regions.Boxes,
				float32(column)/float32(g.Columns), float32(row)/float32(g.Rows), float32(column+1)/float32(g.Columns), float32(row+1)/float32(g.Rows))
		}
	}
	return regions, nil
}

// check bounds a grid's numbers.
func (g Grid) check() error {
	for _, n := range []int{g.Rows, g.Columns, g.Samples} {
		if n < 1 || n > maxCells {
			return fmt.Errorf("%s: want 1 or more rows, columns and samples", g.Preset())
		}
	}
	if g.Rows*g.Columns > maxCells || g.Samples*g.Samples > maxCells {
		return fmt.Errorf("%s: want at most %d cells, and as many samples in one", g.Preset(), maxCells)
	}
	return nil
}

// A moment is a sample's sum of weights, of each colour and of its square.
type moment struct {
	weight      int
	sum, square [3]int
}

func (m *moment) add(n moment) {
	m.weight += n.weight
	for c := range 3 {
		m.sum[c] += n.sum[c]
		m.square[c] += n.square[c]
	}
}

// moments are those of all samples, [Rows·Samples, Columns·Samples].
func (g Grid) moments(picture *image.RGBA) []moment {
	wide := g.Columns * g.Samples
	all := make([]moment, g.Rows*g.Samples*wide)
	across := cells.Lay(picture.Rect.Dx(), wide)
	for y, down := range cells.Lay(picture.Rect.Dy(), g.Rows*g.Samples) {
		row := picture.Pix[y*picture.Stride:]
		for x, over := range across {
			p := row[4*x:][:3]
			for _, v := range down {
				for _, u := range over {
					m, weight := &all[v.Cell*wide+u.Cell], v.Length*u.Length
					m.weight += weight
					for c := range 3 {
						m.sum[c] += weight * int(p[c])
						m.square[c] += weight * int(p[c]) * int(p[c])
					}
				}
			}
		}
	}
	return all
}

// cell appends the features of one.
func (g Grid) cell(out []float32, moments []moment, row, column int) []float32 {
	var whole moment
	for j := range g.Samples {
		for i := range g.Samples {
			m := moments[(row*g.Samples+j)*g.Columns*g.Samples+column*g.Samples+i]
			whole.add(m)
			for _, sum := range m.sum {
				out = append(out, float32(float64(sum)/float64(m.weight)/255))
			}
		}
	}
	var deviations [3]float32
	for c := range 3 {
		mean := float64(whole.sum[c]) / float64(whole.weight)
		variance := float64(whole.square[c])/float64(whole.weight) - float64(mean*mean)
		out = append(out, float32(mean/255))
		deviations[c] = float32(math.Sqrt(max(variance, 0)) / 255)
	}
	return append(out, deviations[:]...)
}
