package scenes

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"testing"
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

const seeds = 300

func TestDetector(t *testing.T) {
	var n tally
	for seed := range uint64(seeds) {
		s := New(seed)
		n.add(t, s, s.Draw())
	}
	n.judge(t, 0.995, 0.99)
}

func TestDetectorJPEG(t *testing.T) {
	var n tally
	for seed := range uint64(seeds) {
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
