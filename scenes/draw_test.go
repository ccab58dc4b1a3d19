package scenes

import (
	"bytes"
	"hash/crc32"
	"image"
	"image/png"
	"slices"
	"testing"
)

// TestBoxes: a picture differs from its bare ground within the boxes, and at each edge of each.
func TestBoxes(t *testing.T) {
	for seed := range seeds() {
		s := New(seed)
		picture, bare := s.Draw(), (&Scene{Ground: s.Ground, Seed: seed}).Draw()
		drawn := make([]image.Rectangle, len(s.Objects))
		for y := range Height {
			for x := range Width {
				if picture.RGBAAt(x, y) == bare.RGBAAt(x, y) {
					continue
				}
				i := slices.IndexFunc(s.Objects, func(o Object) bool { return image.Pt(x, y).In(o.Box) })
				if i < 0 {
					t.Fatalf("seed %d: %d, %d is drawn on, outside of all boxes", seed, x, y)
				}
				drawn[i] = drawn[i].Union(image.Rect(x, y, x+1, y+1))
			}
		}
		for i, o := range s.Objects {
			if drawn[i] != o.Box {
				t.Errorf("seed %d: %v is drawn on %v", seed, o, drawn[i])
			}
		}
	}
}

// TestOutlines: no colour of an object touches the ground: on the way from any ground pixel to a coloured one lies ink, which is how objects are found on
// any ground.
func TestOutlines(t *testing.T) {
	for kind := range kinds {
		for seed := range uint64(20) {
			for size := range sides {
				f := drawing(kind, Size(size), seed, seed%2 == 1)
				if full := float64(f.pixels) / float64(f.box.Dx()*f.box.Dy()); full < 0.25 {
					t.Errorf("%v, seed %d: its outline encloses %.2f of its box: it has a gap", kind, seed, full)
				}
			}
		}
	}
}

func TestGroundsAreLight(t *testing.T) {
	for ground := range grounds {
		for seed := range uint64(20) {
			picture := (&Scene{Ground: ground, Seed: seed}).Draw()
			for i := 0; i < len(picture.Pix); i += 4 {
				if p := picture.Pix[i : i+4]; min(p[0], p[1], p[2]) < 200 || p[3] != 255 {
					t.Fatalf("%v, seed %d: a pixel is %v", ground, seed, p)
				}
			}
		}
	}
}

// TestPicturesStay: a model that was trained on the drawn world knows these pictures. Who changes the drawing trains it again.
func TestPicturesStay(t *testing.T) {
	sum := crc32.NewIEEE()
	for seed := range uint64(100) {
		sum.Write(New(seed).Draw().Pix)
	}
	const want = 0x57c3e24a
	if got := sum.Sum32(); got != want {
		t.Errorf("the sum of 100 pictures is %#x, want %#x: they are drawn differently", got, want)
	}
}

func BenchmarkNew(b *testing.B) {
	for seed := uint64(0); b.Loop(); seed++ {
		New(seed)
	}
}

func BenchmarkDraw(b *testing.B) {
	for seed := uint64(0); b.Loop(); seed++ {
		New(seed).Draw()
	}
}

func BenchmarkDrawPNG(b *testing.B) {
	var file bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	for seed := uint64(0); b.Loop(); seed++ {
		file.Reset()
		if err := encoder.Encode(&file, New(seed).Draw()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(file.Len()), "bytes")
}
