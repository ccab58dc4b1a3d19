package annotate

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/go-lxmert/lxmert/internal/typeface"
	"github.com/go-lxmert/lxmert/vision"
)

func plain(width, height int, c color.Color) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(img, img.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	return img
}

var names = vision.Vocabulary{Objects: []string{"car", "birthday cake", "man"}, Attributes: []string{"red", "polka dot", "none"}}

// random are regions that overlap, the surest first; one covers everything.
func random(seed uint64, n int) vision.Regions {
	r := rand.New(rand.NewPCG(seed, 1))
	var regions vision.Regions
	for i := range n {
		w, h := 0.02+0.5*r.Float32()*r.Float32(), 0.02+0.5*r.Float32()*r.Float32()
		x, y := (1-w)*r.Float32(), (1-h)*r.Float32()
		if i == 2 {
			x, y, w, h = 0, 0, 1, 1
		}
		regions.Boxes = append(regions.Boxes, x, y, x+w, y+h)
		regions.Objects = append(regions.Objects, vision.Label{ID: r.IntN(4), Confidence: 1 - float32(i)/float32(n)})
		regions.Attributes = append(regions.Attributes, vision.Label{ID: r.IntN(3), Confidence: 0.5})
	}
	return regions
}

// laidOut is what Draw lays out on a picture of that size.
func laidOut(t *testing.T, size image.Point, r vision.Regions) (plates []plate, boxes []image.Rectangle, texts []string) {
	t.Helper()
	faces, err := typeface.New()
	if err != nil {
		t.Fatal(err)
	}
	numbers := r.Ranked(0, 0)
	for _, n := range numbers {
		texts = append(texts, names.Describe(r, n))
	}
	m := measuresFor(size, faces, numbers, texts)
	for _, n := range numbers {
		boxes = append(boxes, pixels(r.Box(n), size, m.line))
	}
	return m.layOut(image.Rectangle{Max: size}, boxes, numbers, texts), boxes, texts
}

// TestPlates: plates lie in the picture, at their boxes, and not on each other as long as there is room.
func TestPlates(t *testing.T) {
	for _, test := range []struct {
		width, height, regions int
		free                   bool // all have room for their label
	}{
		{640, 480, 12, true}, {1280, 960, 36, true}, {640, 480, 36, false}, {640, 480, 100, false}, {300, 200, 200, false},
		{2048, 40, 10, false}, {9, 9, 3, false},
	} {
		for seed := range uint64(4) {
			size := image.Pt(test.width, test.height)
			plates, boxes, texts := laidOut(t, size, random(seed, test.regions))
			for i, p := range plates {
				if p.at.Empty() {
					if test.free {
						t.Errorf("%v: %d has no plate", size, i)
					}
					continue
				}
				if !p.at.In(image.Rectangle{Max: size}) || !near(p.at, boxes[i]) {
					t.Errorf("%v: plate %v of box %v", size, p.at, boxes[i])
				}
				if test.free && (p.number || p.text != texts[i]) {
					t.Errorf("%v: plate %d says %q, want %q", size, i, p.text, texts[i])
				}
				for j, other := range plates[:i] {
					if shared := area(p.at.Intersect(other.at)); shared > 0 && (test.free || !p.number) {
						t.Errorf("%v: plates %d and %d share %d pixels", size, i, j, shared)
					}
				}
			}
		}
	}
}

// TestDraw: each box's colour is at its edge and the plate's letters on its plate, on any ground.
func TestDraw(t *testing.T) {
	r := vision.Regions{
		Boxes:   []float32{0.1, 0.3, 0.3, 0.6, 0.5, 0.5, 0.9, 0.9},
		Objects: []vision.Label{{ID: 0, Confidence: 0.6}, {ID: 1, Confidence: 0.97}},
	}
	for _, ground := range append([]color.RGBA{{0, 0, 0, 255}, {255, 255, 255, 255}, {128, 128, 128, 255}}, palette...) {
		d, err := Draw(t.Context(), plain(1000, 1000, ground), r, Options{Vocabulary: names})
		if err != nil || !slices.Equal(d.Regions, []int{1, 0}) || d.Bare+d.Numbered != 0 {
			t.Fatalf("%+v, %v", d.Regions, err)
		}
		if d.Picture.Rect != image.Rect(0, 0, 1000, 1000) {
			t.Fatalf("the drawing has %v", d.Picture.Rect)
		}
		plates, _, _ := laidOut(t, d.Picture.Rect.Size(), r)
		for i, box := range []image.Rectangle{image.Rect(500, 500, 900, 900), image.Rect(100, 300, 300, 600)} {
			right, bottom := box.Max.X-1, box.Max.Y-1
			for _, p := range []image.Point{{right, bottom}, {right, box.Min.Y + 50}, {box.Min.X, box.Max.Y - 50}, {box.Min.X + 100, bottom - 1}} {
				if got := d.Picture.RGBAAt(p.X, p.Y); got != palette[i] {
					t.Errorf("ground %v: box %d has %v at %v, want %v", ground, i, got, p, palette[i])
				}
			}
			if got := d.Picture.RGBAAt(box.Max.X, box.Max.Y-50); got != ground && luminance(got) > 0.1 {
				t.Errorf("ground %v: beside the line it is %v, want dark", ground, got)
			}
			if center := d.Picture.RGBAAt((box.Min.X+box.Max.X)/2, (box.Min.Y+box.Max.Y)/2); center != ground {
				t.Errorf("ground %v: box %d is filled with %v", ground, i, center)
			}
			letters, filled := 0, 0
			at := plates[i].at.Inset(1)
			for y := at.Min.Y; y < at.Max.Y; y++ {
				for x := at.Min.X; x < at.Max.X; x++ {
					switch d.Picture.RGBAAt(x, y) {
					case Ink(palette[i]):
						letters++
					case palette[i]:
						filled++
					}
				}
			}
			if letters < 50 || filled < area(at)/2 {
				t.Errorf("ground %v: of plate %d's %d pixels %d are letters, %d filled", ground, i, area(at), letters, filled)
			}
		}
	}
}

// TestDrawSizes: large pictures shrink, small and crowded ones grow by a whole number.
func TestDrawSizes(t *testing.T) {
	for _, test := range []struct {
		width, height, regions, longest int
		want                            image.Point
	}{
		{640, 480, 3, 0, image.Pt(640, 480)},
		{64, 128, 3, 0, image.Pt(320, 640)},
		{640, 480, 100, 0, image.Pt(1280, 960)},
		{640, 480, 100, 700, image.Pt(640, 480)},
		{5000, 2500, 3, 0, image.Pt(2048, 1024)},
		{1, 1, 1, 0, image.Pt(640, 640)},
		{3000, 1, 1, 0, image.Pt(2048, 1)},
	} {
		d, err := Draw(t.Context(), plain(test.width, test.height, color.White), random(1, test.regions), Options{Vocabulary: names, Longest: test.longest})
		if err != nil || d.Picture.Rect.Max != test.want {
			t.Errorf("%d × %d: got %v, want %v, %v", test.width, test.height, d.Picture.Rect.Max, test.want, err)
		}
	}
}

// TestDrawSame: the same every time, and for all who draw at once.
func TestDrawSame(t *testing.T) {
	img, r := plain(640, 480, color.Gray{200}), random(7, 40)
	drawings := make([]*Drawing, 4)
	var group sync.WaitGroup
	for i := range drawings {
		group.Go(func() {
			drawings[i], _ = Draw(t.Context(), img, r, Options{Vocabulary: names, Top: 30, Confidence: 0.2})
		})
	}
	group.Wait()
	for _, d := range drawings {
		if d == nil || len(d.Regions) != 30 || !bytes.Equal(d.Picture.Pix, drawings[0].Picture.Pix) {
			t.Error("drawings differ")
		}
	}
	for _, p := range img.Pix[:4] {
		if p != 200 && p != 255 {
			t.Error("the picture was drawn on")
		}
	}
}

// TestNumbers: regions without labels have their numbers within.
func TestNumbers(t *testing.T) {
	r, err := vision.Grid{}.Extract(t.Context(), plain(600, 600, color.White))
	if err != nil {
		t.Fatal(err)
	}
	plates, boxes, _ := laidOut(t, image.Pt(600, 600), r)
	for i, p := range plates {
		if p.text != strconv.Itoa(i) || !p.at.In(boxes[i]) {
			t.Errorf("plate %d says %q at %v, box %v", i, p.text, p.at, boxes[i])
		}
	}
	if d, err := Draw(t.Context(), plain(600, 600, color.White), r, Options{}); err != nil || d.Numbered+d.Bare != 0 {
		t.Errorf("%d numbered, %d bare, %v", d.Numbered, d.Bare, err)
	}
}

// TestColors: boxes on each other differ, and letters can be read on each colour.
func TestColors(t *testing.T) {
	var boxes []image.Rectangle
	for i := range len(palette) {
		boxes = append(boxes, image.Rect(i, i, 100+i, 100+i))
	}
	colors := choose(boxes)
	for i, c := range colors {
		if slices.Contains(colors[:i], c) {
			t.Errorf("colour %v comes twice", c)
		}
		if got := contrast(c, Ink(c)); got < 4.5 {
			t.Errorf("%v: contrast %.2f", c, got)
		}
	}
	if got := contrast(white, color.RGBA{0, 0, 0, 255}); math.Abs(got-21) > 1e-9 {
		t.Errorf("black and white: %v", got)
	}
}

func TestDrawRefuses(t *testing.T) {
	img := plain(10, 10, color.White)
	one := []float32{0, 0, 1, 1}
	for want, test := range map[string]struct {
		img     image.Image
		regions vision.Regions
	}{
		"no pixels":             {image.NewRGBA(image.Rectangle{}), vision.Regions{Boxes: one}},
		"the picture has no":    {nil, vision.Regions{Boxes: one}},
		"3 numbers wide":        {img, vision.Regions{Boxes: one, PosWidth: 3}},
		"5 numbers in boxes":    {img, vision.Regions{Boxes: append([]float32{0}, one...)}},
		"at most 1024 regions":  {img, vision.Regions{Boxes: make([]float32, 4*1025)}},
		"box of region 1 is [0": {img, vision.Regions{Boxes: append(one, 0, 0, float32(math.NaN()), 1)}},
	} {
		if _, err := Draw(t.Context(), test.img, test.regions, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Draw(ctx, img, vision.Regions{Boxes: one}, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	// What is wrong with regions can be looked at: boxes outside, turned round, labels for some only.
	odd := vision.Regions{
		Boxes:      []float32{-3, 0.5, 7, 0.6, 0.9, 0.9, 0.1, 0.1, 5, 5, 6, 6},
		Objects:    []vision.Label{{ID: -4, Confidence: float32(math.NaN())}},
		Attributes: make([]vision.Label, 9),
	}
	if d, err := Draw(t.Context(), img, odd, Options{Vocabulary: names}); err != nil || len(d.Regions) == 0 {
		t.Errorf("odd regions: %+v, %v", d, err)
	}
	if d, err := Draw(t.Context(), img, vision.Regions{}, Options{}); err != nil || len(d.Regions) != 0 {
		t.Errorf("no regions: %+v, %v", d, err)
	}
}
