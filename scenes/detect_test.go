package scenes

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/image/draw"
)

// tally counts what the detector found of what was drawn.
type tally struct{ objects, found, color, kind, nothing int }

func (n *tally) add(t *testing.T, s *Scene, img image.Image) {
	got, err := Detector{}.Extract(context.Background(), img)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Check(FeatureWidth, 4); err != nil {
		t.Fatal(err)
	}
	matched := make([]bool, got.Len())
	for _, o := range s.Objects {
		n.objects++
		for i := 1; i < got.Len(); i++ {
			if overlapOf(got.Box(i), o.Box) < 0.8 {
				continue
			}
			matched[i] = true
			n.found++
			if got.Attributes[i].ID == int(o.Color) {
				n.color++
			} else {
				t.Logf("seed %d: %v is seen as %s", s.Seed, o, AttributeNames()[got.Attributes[i].ID])
			}
			if got.Objects[i].ID == int(o.Kind) {
				n.kind++
			} else {
				t.Logf("seed %d: %v is seen as %s", s.Seed, o, ObjectNames()[got.Objects[i].ID])
			}
		}
	}
	for _, m := range matched[1:] {
		if !m {
			n.nothing++
		}
	}
}

// overlapOf is the intersection over the union of a box in 0..1 and one in pixels of a scene.
func overlapOf(box []float32, want image.Rectangle) float64 {
	x1, y1, x2, y2 := float64(box[0])*Width, float64(box[1])*Height, float64(box[2])*Width, float64(box[3])*Height
	u1, v1, u2, v2 := float64(want.Min.X), float64(want.Min.Y), float64(want.Max.X), float64(want.Max.Y)
	both := max(min(x2, u2)-max(x1, u1), 0) * max(min(y2, v2)-max(y1, v1), 0)
	return both / ((x2-x1)*(y2-y1) + (u2-u1)*(v2-v1) - both)
}

func (n tally) judge(t *testing.T, color, kind float64) {
	t.Helper()
	t.Logf("%+v", n)
	share := func(k int) float64 { return float64(k) / float64(n.objects) }
	if n.nothing > 0 || share(n.found) < 0.99 || share(n.color) < color || share(n.kind) < kind {
		t.Errorf("%+v: too few are right", n)
	}
}

// seeds is how many scenes a test draws.
func seeds() uint64 {
	if testing.Short() {
		return 40
	}
	return 300
}

func TestDetector(t *testing.T) {
	var n tally
	for seed := range seeds() {
		s := New(seed)
		n.add(t, s, s.Draw())
	}
	n.judge(t, 0.995, 0.99)
}

func TestDetectorJPEG(t *testing.T) {
	var n tally
	for seed := range seeds() {
		s := New(seed)
		n.add(t, s, compressed(t, s.Draw(), 75))
	}
	n.judge(t, 0.995, 0.99)
}

// compressed is a picture after a journey as JPEG.
func compressed(t testing.TB, img image.Image, quality int) image.Image {
	var file bytes.Buffer
	if err := jpeg.Encode(&file, img, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	back, err := jpeg.Decode(&file)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// TestDetectorSizes: pictures as they come from screens and cameras, with objects that grew or shrank with them.
func TestDetectorSizes(t *testing.T) {
	for _, size := range []image.Point{{200, 150}, {256, 192}, {480, 360}, {500, 375}, {640, 480}, {960, 720}} {
		t.Run(size.String(), func(t *testing.T) {
			var n tally
			for seed := range uint64(20) {
				s := New(seed)
				scaled := image.NewRGBA(image.Rectangle{Max: size})
				draw.BiLinear.Scale(scaled, scaled.Rect, s.Draw(), image.Rect(0, 0, Width, Height), draw.Src, nil)
				n.add(t, s, compressed(t, scaled, 85))
			}
			n.judge(t, 0.98, 0.98)
		})
	}
}

// TestDetectorElsewhere: pictures of other worlds give regions that can be used, not too many, in bounded time.
func TestDetectorElsewhere(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	noise := image.NewRGBA(image.Rect(0, 0, 700, 500))
	for i := range noise.Pix {
		noise.Pix[i] = uint8(r.Uint32())
	}
	nested := image.NewGray(image.Rect(0, 0, 400, 400)) // corner within corner: boxes that overlap
	for y := range 400 {
		for x := range 400 {
			nested.Pix[y*400+x] = uint8(min(x, y) % 3 / 2 * 255)
		}
	}
	many := image.NewGray(image.Rect(0, 0, 400, 400)) // more squares than regions
	for y := range 400 {
		for x := range 400 {
			if x%40 < 6 || y%40 < 6 {
				many.Pix[y*400+x] = 255
			}
		}
	}
	for name, img := range map[string]image.Image{
		"noise": noise, "nested": nested, "many": many,
		"black": image.NewGray(image.Rect(0, 0, 64, 64)), "white": (&Scene{Ground: -1}).Draw(),
		"a pixel": image.NewGray(image.Rect(0, 0, 1, 1)), "a line": image.NewGray(image.Rect(0, 0, 5000, 1)), "a column": image.NewGray(image.Rect(7, 7, 9, 3000)),
		"transparent": image.NewNRGBA(image.Rect(-50, -50, 50, 50)),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Detector{}.Extract(context.Background(), img)
			if err != nil {
				t.Fatal(err)
			}
			if err := got.Check(FeatureWidth, 4); err != nil {
				t.Error(err)
			}
			if got.Len() > MaxRegions || got.Objects[0].ID != GroundLabel || got.Attributes[0].ID != NoColorLabel || !slices.Equal(got.Box(0), []float32{0, 0, 1, 1}) {
				t.Errorf("%d regions, the first %v %v", got.Len(), got.Objects[0], got.Box(0))
			}
			if name == "many" && got.Len() != MaxRegions {
				t.Errorf("%d regions, want %d", got.Len(), MaxRegions)
			}
			for i, v := range got.Features {
				if !(v >= -beyond && v <= beyond) {
					t.Errorf("feature %d is %v", i, v)
				}
			}
		})
	}
}

func TestDetectorErrors(t *testing.T) {
	for _, img := range []image.Image{nil, image.NewRGBA(image.Rectangle{})} {
		if _, err := (Detector{}).Extract(context.Background(), img); err == nil {
			t.Error("no pixels, no error")
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := (Detector{}).Extract(ctx, New(1).Draw()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestFeatures: one object's features say what they should.
func TestFeatures(t *testing.T) {
	s := Scene{Objects: []Object{{Kind: Ball, Color: Blue, Size: Big, Box: image.Rect(100, 60, 180, 140)}}}
	picture := s.Draw()
	got, err := Detector{}.Extract(context.Background(), picture)
	if err != nil {
		t.Fatal(err)
	}
	if got.Len() != 2 {
		t.Fatalf("%d regions, want the ground and a ball", got.Len())
	}
	f, ground := measured(got.Feature(1)), measured(got.Feature(0))
	for i, want := range map[int]float64{
		0: 0.09, 3: 0.98, 27: 1, 63: 0.09, // silhouette: a corner's cell, the upper edge's, the middle's
		silhouetteWide + colorWide + int(Blue):     0.6,                            // share
		silhouetteWide + colorWide + int(Red):      0,                              //
		silhouetteWide + colorWide + shareWide + 3: 1 + math.Log2(80*80/76800.)/10, // area
		silhouetteWide + colorWide + shareWide + 4: 0.5,                            // aspect
		silhouetteWide + colorWide + shareWide + 5: math.Pi / 4,                    // fill
	} {
		if math.Abs(float64(f[i])-want) > 0.12 {
			t.Errorf("feature %d is %.3f, want about %.3f", i, f[i], want)
		}
	}
	for cell := range colorCells * colorCells {
		var sum [3]float64
		for i := range 20 * 20 {
			c := picture.RGBAAt(100+cell%4*20+i%20, 60+cell/4*20+i/20)
			sum[0], sum[1], sum[2] = sum[0]+float64(c.R), sum[1]+float64(c.G), sum[2]+float64(c.B)
		}
		for c, sum := range sum {
			if got := float64(f[silhouetteWide+3*cell+c]); math.Abs(got-sum/(20*20*255)) > 1e-6 {
				t.Errorf("colour %d of cell %d is %v, want %v", c, cell, got, sum/(20*20*255))
			}
		}
	}
	if ground[len(ground)-1] > 0.1 || math.Abs(float64(ground[silhouetteWide+colorWide+shareWide+3])-1) > 1e-6 {
		t.Errorf("of the ground: fill %v, area %v", ground[len(ground)-1], ground[silhouetteWide+colorWide+shareWide+3])
	}
}

// measured takes standardize back.
func measured(features []float32) []float32 {
	out := make([]float32, len(features))
	for i, x := range features {
		out[i] = x*featureDeviation[i] + featureMean[i]
	}
	return out
}

func TestFamiliar(t *testing.T) {
	least, leastJPEG := 1.0, 1.0
	for seed := range seeds() {
		picture := New(seed).Draw()
		least = min(least, Familiar(picture))
		leastJPEG = min(leastJPEG, Familiar(compressed(t, picture, 75)))
	}
	t.Logf("scenes have at least %.2f, as JPEG %.2f", least, leastJPEG)
	if least < 0.9 || leastJPEG < 0.8 {
		t.Errorf("scenes have at least %.2f, as JPEG %.2f", least, leastJPEG)
	}
	// What a photograph has much of: every colour from dark to light.
	spread := image.NewRGBA(image.Rect(0, 0, 256, 256))
	for i := range 256 * 256 {
		spread.SetRGBA(i%256, i/256, color.RGBA{uint8(i % 256), uint8((i%256 + i/256) / 2), uint8(i / 256), 255})
	}
	if got := Familiar(spread); got > 0.3 {
		t.Errorf("all colours: %.2f", got)
	}
	if got := Familiar(nil); got != 0 {
		t.Errorf("no picture: %v", got)
	}
}

func BenchmarkDetector(b *testing.B) {
	templates()
	var pictures [64]*image.RGBA
	for i := range pictures {
		pictures[i] = New(uint64(i)).Draw()
	}
	for i := 0; b.Loop(); i++ {
		if _, err := (Detector{}).Extract(context.Background(), pictures[i%len(pictures)]); err != nil {
			b.Fatal(err)
		}
	}
}
