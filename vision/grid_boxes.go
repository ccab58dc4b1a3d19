package vision

import (
	"context"
	"fmt"
	"image"
	"math"
)

var (
	_ BoxExtractor = Grid{}
	_ Threaded     = Grid{}
)

// Threads is 1.
func (Grid) Threads() int { return 1 }

// ExtractBoxes describes boxes as Extract describes cells, from the same shrunken picture: a box that is a cell has its features. Rows and Columns have no
// part in it.
func (g Grid) ExtractBoxes(ctx context.Context, img image.Image, boxes []float32) (Regions, error) {
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
	if regions.Boxes, err = NormalizeBoxes(boxes, regions.Size); err != nil {
		return Regions{}, err
	}
	if len(boxes) == 0 || len(boxes) > 4*MaxRegions {
		return Regions{}, fmt.Errorf("%d boxes, want 1 to %d", len(boxes)/4, MaxRegions)
	}
	faults := checker{}
	if regions.checkBoxes(&faults); faults.err() != nil {
		return Regions{}, fmt.Errorf("(boxes divided by the picture's size, %d × %d) %w", size.X, size.Y, faults.err())
	}
	for i := range len(boxes) / 4 {
		if err := ctx.Err(); err != nil {
			return Regions{}, err
		}
		regions.Features = g.box(regions.Features, picture, regions.Box(i))
	}
	return regions, nil
}

// box appends the features of a box in 0..1 of the picture.
func (g Grid) box(out []float32, picture *image.RGBA, box []float32) []float32 {
	edges := func(from, to float32, pixels int) []float64 {
		from, to = max(from, 0), min(to, 1)
		all := make([]float64, g.Samples+1)
		for i := range all {
			all[i] = (float64(from) + float64(to-from)*float64(i)/float64(g.Samples)) * float64(pixels)
		}
		return all
	}
	across, down := edges(box[0], box[2], picture.Rect.Dx()), edges(box[1], box[3], picture.Rect.Dy())
	var weight float64
	var sum, square [3]float64
	for j := range g.Samples {
		for i := range g.Samples {
			w, s, q := patch(picture, across[i], down[j], across[i+1], down[j+1])
			weight += w
			for c := range 3 {
				out = append(out, float32(s[c]/w/255))
				sum[c] += s[c]
				square[c] += q[c]
			}
		}
	}
	var deviations [3]float32
	for c := range 3 {
		mean := sum[c] / weight
		out = append(out, float32(mean/255))
		deviations[c] = float32(math.Sqrt(max(square[c]/weight-float64(mean*mean), 0)) / 255)
	}
	return append(out, deviations[:]...)
}

// patch sums up the colours and their squares in a rectangle, pixels at its edge by how much of them lies within.
func patch(picture *image.RGBA, x1, y1, x2, y2 float64) (weight float64, sum, square [3]float64) {
	// A rectangle that rounding has made empty, or moved beyond the edge, is a point of colour still.
	const point = 1e-6
	x1, y1 = min(x1, float64(picture.Rect.Dx())-point), min(y1, float64(picture.Rect.Dy())-point)
	x2, y2 = max(x2, x1+point), max(y2, y1+point)
	for y := int(y1); y < picture.Rect.Dy() && float64(y) < y2; y++ {
		high := min(y2, float64(y+1)) - max(y1, float64(y))
		row := picture.Pix[y*picture.Stride:]
		for x := int(x1); x < picture.Rect.Dx() && float64(x) < x2; x++ {
			area := high * (min(x2, float64(x+1)) - max(x1, float64(x)))
			weight += area
			for c, v := range row[4*x:][:3] {
				sum[c] += float64(area * float64(v)) // not fused, so that all machines agree
				square[c] += float64(area * float64(v) * float64(v))
			}
		}
	}
	return weight, sum, square
}
