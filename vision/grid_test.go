package vision

import (
	"context"
	"errors"
	"image"
	"image/color"
	"math"
	"strings"
	"testing"
)

// halves is red on the left and green on the right.
func halves(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		c := color.RGBA{255, 0, 0, 255}
		if i%width >= width/2 {
			c = color.RGBA{0, 255, 0, 255}
		}
		img.SetRGBA(i%width, i/width, c)
	}
	return img
}

func TestGrid(t *testing.T) {
	g := Grid{Rows: 1, Columns: 1, Samples: 2}
	got, err := g.Extract(context.Background(), halves(10, 6))
	if err != nil {
		t.Fatal(err)
	}
	want := []float32{1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0 /* means */, 0.5, 0.5, 0 /* deviations */, 0.5, 0.5, 0}
	if got.Len() != 1 || got.FeatureWidth != len(want) || g.FeatureWidth() != len(want) || got.Size != (Size{10, 6}) {
		t.Fatalf("%d regions, %d wide, of %v", got.Len(), got.FeatureWidth, got.Size)
	}
	for i, v := range got.Features {
		if math.Abs(float64(v-want[i])) > 1e-6 {
			t.Errorf("feature %d is %v, want %v", i, v, want[i])
		}
	}
	if g.Preset() != "grid-1x1x2" || got.Preset != "grid-1x1x2" {
		t.Errorf("preset %q, %q", g.Preset(), got.Preset)
	}
}

func TestGridCells(t *testing.T) {
	got, err := Grid{Rows: 2, Columns: 3, Samples: 1}.Extract(context.Background(), halves(60, 40))
	if err != nil {
		t.Fatal(err)
	}
	// The second cell of each row lies across the middle.
	for i, want := range [][3]float32{{1, 0, 0}, {0.5, 0.5, 0}, {0, 1, 0}, {1, 0, 0}, {0.5, 0.5, 0}, {0, 1, 0}} {
		if f := got.Feature(i); [3]float32(f[:3]) != want {
			t.Errorf("cell %d is %v, want %v", i, f[:3], want)
		}
	}
	if b := got.Box(4); b[0] != 1./3 || b[1] != 0.5 || b[2] != 2./3 || b[3] != 1 {
		t.Errorf("cell 4 is at %v", b)
	}
}

func TestGridAnyPicture(t *testing.T) {
	for _, size := range []image.Point{{1, 1}, {1, 3000}, {5000, 2}, {7, 5}, {1025, 700}} {
		img := image.NewNRGBA(image.Rectangle{image.Pt(-3, 5), image.Pt(-3, 5).Add(size)}) // transparent: white
		got, err := Grid{}.Extract(context.Background(), img)
		if err != nil {
			t.Fatal(err)
		}
		if err := got.Check(Grid{}.FeatureWidth(), 4); err != nil || got.Len() != 36 {
			t.Errorf("%v: %d regions, %v", size, got.Len(), err)
		}
		for i, v := range got.Feature(35) {
			if want := float32(1); i < 51 && v != want || i >= 51 && v != 0 {
				t.Errorf("%v: feature %d of a white cell is %v", size, i, v)
			}
		}
	}
}

func TestGridRefuses(t *testing.T) {
	img := halves(8, 8)
	for _, g := range []Grid{{Rows: -1}, {Columns: 2000}, {Rows: 100, Columns: 100}, {Samples: 100}, {Rows: math.MaxInt, Columns: math.MaxInt, Samples: math.MaxInt}} {
		if _, err := g.Extract(context.Background(), img); err == nil || !strings.Contains(err.Error(), "want") {
			t.Errorf("%s: %v", g.Preset(), err)
		}
	}
	for _, img := range []image.Image{nil, image.NewUniform(color.White)} { // a uniform one has 4e18 pixels
		if _, err := (Grid{}).Extract(context.Background(), img); err == nil || !strings.Contains(err.Error(), "pixels") {
			t.Errorf("%v: %v", img, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := (Grid{}).Extract(ctx, img); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestShrink(t *testing.T) {
	img := image.NewGray(image.Rect(2, 3, 2+5, 3+4))
	for i := range img.Pix {
		img.Pix[i] = uint8(10 * i)
	}
	got, err := Shrink(context.Background(), img, 3)
	if err != nil {
		t.Fatal(err)
	}
	// Squares of two: rows 0 1 2 3 4, 5 6 7 8 9, ... times ten; the last column is cut off.
	for i, want := range []uint8{30, 50, 130, 150} {
		if c := got.RGBAAt(i%2, i/2); got.Rect != image.Rect(0, 0, 2, 2) || c != (color.RGBA{want, want, want, 255}) {
			t.Errorf("%v, pixel %d is %v, want %d", got.Rect, i, c, want)
		}
	}
	if same, err := Shrink(context.Background(), img, 5); err != nil || same.Rect != image.Rect(0, 0, 5, 4) || same.RGBAAt(1, 1).R != 60 {
		t.Errorf("a picture that is small enough: %v", err)
	}
}

func BenchmarkGrid(b *testing.B) {
	img := halves(640, 480)
	for b.Loop() {
		if _, err := (Grid{}).Extract(context.Background(), img); err != nil {
			b.Fatal(err)
		}
	}
}
