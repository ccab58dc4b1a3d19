package vision

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestGridBoxes: a cell that is given as a box has the features that it has as a cell, also where the picture is shrunk.
func TestGridBoxes(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, size := range []image.Point{{97, 61}, {1210, 500}} {
		img := image.NewRGBA(image.Rectangle{Max: size})
		for i := range size.X * size.Y {
			img.SetRGBA(i%size.X, i/size.X, color.RGBA{uint8(r.Uint32()), uint8(r.Uint32()), uint8(r.Uint32()), 255})
		}
		g := Grid{Rows: 3, Columns: 5, Samples: 2}
		want, err := g.Extract(t.Context(), img)
		if err != nil {
			t.Fatal(err)
		}
		pixels := slices.Clone(want.Boxes)
		for i := range pixels {
			pixels[i] *= float32([]int{size.X, size.Y}[i%2])
		}
		got, err := g.ExtractBoxes(t.Context(), img, pixels)
		if err != nil || got.Check(g.FeatureWidth(), 4) != nil || got.Preset != want.Preset || got.Size != want.Size || got.Len() != want.Len() {
			t.Fatalf("%v: %v, %v", size, err, got.Check(g.FeatureWidth(), 4))
		}
		for i, v := range got.Features {
			if math.Abs(float64(v-want.Features[i])) > 1e-5 {
				t.Fatalf("%v: region %d has %v at position %d, as a cell %v", size, i/got.FeatureWidth, v, i%got.FeatureWidth, want.Features[i])
			}
		}
	}
	// A box of less than a pixel at the very edge.
	img := halves(10, 6)
	got, err := Grid{Samples: 1}.ExtractBoxes(t.Context(), img, []float32{9.999, 5.999, 10, 6, 2, 2, 3, 3})
	if err != nil || got.Features[0] != 0 || got.Features[1] != 1 || got.Feature(1)[0] != 1 {
		t.Errorf("%v, %v", got.Features, err)
	}
	for want, boxes := range map[string][]float32{
		"box of region 1 is": {0, 0, 1, 1, 5, 5, 4, 6}, "0 boxes": nil, "7 numbers": make([]float32, 7), "leaves the picture": {0, 0, 11, 6}, "finite": {0, 0, nan, 6},
	} {
		if _, err := (Grid{}).ExtractBoxes(t.Context(), img, boxes); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want it to say %q", boxes, err, want)
		}
	}
}
