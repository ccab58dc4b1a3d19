package vision

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// good are two regions without fault, with features three wide.
func good() Regions {
	return Regions{
		Features: []float32{1, 2, 3, 4, 5, 6}, FeatureWidth: 3,
		Boxes:   []float32{0, 0, 1, 1, 0.25, 0.5, 0.5, 0.75},
		Size:    Size{640, 480},
		Objects: []Label{{ID: 3, Confidence: 0.5}, {ID: 0, Confidence: 1}},
		Preset:  ButdCaffe,
	}
}

func TestCheckAccepts(t *testing.T) {
	for name, change := range map[string]func(*Regions){
		"as it is":       func(r *Regions) {},
		"no labels":      func(r *Regions) { r.Objects = nil },
		"no size":        func(r *Regions) { r.Size = Size{} },
		"own preset":     func(r *Regions) { r.Preset = "mine" },
		"rounding":       func(r *Regions) { r.Boxes[0], r.Boxes[2], r.Objects[1].Confidence = -1e-6, 1+1e-6, 1+1e-7 },
		"width spelt":    func(r *Regions) { r.PosWidth = 4 },
		"feature below":  func(r *Regions) { r.Features[0] = -1 },
		"attribute also": func(r *Regions) { r.Attributes = r.Objects },
	} {
		r := good()
		change(&r)
		if err := r.Check(3, 4); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	place := good()
	place.PosWidth, place.Boxes = 6, []float32{-5, 900, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0}
	if err := place.Check(3, 6); err != nil {
		t.Errorf("six numbers a place: %v", err)
	}
}

var nan, inf = float32(math.NaN()), float32(math.Inf(1))

func TestCheckRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Regions)
		want   []string
	}{
		{"zero", func(r *Regions) { *r = Regions{} }, []string{"features are 0 numbers wide, want 3", "no regions"}},
		{"no regions", func(r *Regions) { r.Features, r.Boxes, r.Objects = nil, nil, nil }, []string{"no regions, want at least one"}},
		{"width", func(r *Regions) { r.FeatureWidth = 2 }, []string{"features are 2 numbers wide, want 3", "8 numbers in boxes, want 3 × 4"}},
		{"negative width", func(r *Regions) { r.FeatureWidth, r.PosWidth = -3, -4 }, []string{"features are -3 numbers wide", "places are -4 numbers wide"}},
		{"part of a feature", func(r *Regions) { r.Features = r.Features[:5] }, []string{"5 numbers in features, want a multiple of their width, 3"}},
		{"too few boxes", func(r *Regions) { r.Boxes = r.Boxes[:4] }, []string{"4 numbers in boxes, want 2 × 4"}},
		{"part of a box", func(r *Regions) { r.Boxes = r.Boxes[:7] }, []string{"7 numbers in boxes"}},
		{"other places", func(r *Regions) { r.PosWidth, r.Boxes = 2, r.Boxes[:4] }, []string{"places are 2 numbers wide, want 4"}},
		{"NaN feature", func(r *Regions) { r.Features[4] = nan }, []string{"feature of region 1 has NaN at position 1"}},
		{"infinite features", func(r *Regions) { r.Features[2], r.Features[3] = inf, -inf }, []string{"feature of region 0 has +Inf at position 2", "and 1 more"}},
		{"NaN box", func(r *Regions) { r.Boxes[5] = nan }, []string{"box of region 1 is [0.25 NaN 0.5 0.75], want finite"}},
		{"pixels", func(r *Regions) { copy(r.Boxes, []float32{0, 0, 640, 480, 10, 20, 30, 40}) },
			[]string{"box of region 0 is [0 0 640 480], which is in pixels", "NormalizeBoxes", "and 1 more"}},
		{"left of the picture", func(r *Regions) { r.Boxes[4] = -0.1 }, []string{"box of region 1", "leaves the picture", "cut it"}},
		{"right of the picture", func(r *Regions) { r.Boxes[2] = 1.01 }, []string{"box of region 0", "leaves the picture"}},
		{"corners", func(r *Regions) { r.Boxes[4], r.Boxes[6] = r.Boxes[6], r.Boxes[4] }, []string{"box of region 1 is [0.5 0.5 0.25 0.75]", "corners are swapped"}},
		{"width and height", func(r *Regions) { r.Boxes[6], r.Boxes[7] = 0.2, 0.2 }, []string{"box of region 1", "a width and a height"}},
		{"padding", func(r *Regions) { copy(r.Boxes[4:], []float32{0, 0, 0, 0}) }, []string{"box of region 1", "is empty", "padding"}},
		{"labels", func(r *Regions) { r.Objects = r.Objects[:1] }, []string{"1 object labels, want none or one for each of the 2 regions"}},
		{"label id", func(r *Regions) { r.Attributes = []Label{{}, {ID: -1}} }, []string{"attribute label of region 1 is -1"}},
		{"confidence", func(r *Regions) { r.Objects[1].Confidence = 97 }, []string{"object label of region 1 has confidence 97, want 0..1"}},
		{"NaN confidence", func(r *Regions) { r.Objects[0].Confidence = nan }, []string{"object label of region 0 has confidence NaN"}},
		{"size", func(r *Regions) { r.Size = Size{640, 0} }, []string{"640 × 0 pixels"}},
		{"negative size", func(r *Regions) { r.Size = Size{-1, -1} }, []string{"-1 × -1 pixels"}},
		{"all at once", func(r *Regions) { r.Features[0], r.Boxes[0], r.Objects[0].ID = nan, inf, -1 }, []string{"feature of region 0", "box of region 0", "object label of region 0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := good()
			c.change(&r)
			err := r.Check(3, 4)
			if err == nil {
				t.Fatal("was accepted")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to say %q", err, want)
				}
			}
		})
	}
	r := good()
	r.PosWidth, r.Boxes = 6, []float32{0, 0, 0, 0, 0, 0, 0, inf, 0, 0, 0, 0}
	if err := r.Check(3, 6); err == nil || !strings.Contains(err.Error(), "box of region 1 has +Inf at position 1") {
		t.Errorf("six numbers a place, one infinite: %v", err)
	}
}

func TestRows(t *testing.T) {
	r := good()
	if got := r.Feature(1); r.Len() != 2 || !slices.Equal(got, []float32{4, 5, 6}) {
		t.Errorf("%d regions, feature 1 is %v", r.Len(), got)
	}
	if got := r.Box(1); !slices.Equal(got, []float32{0.25, 0.5, 0.5, 0.75}) {
		t.Errorf("box 1 is %v", got)
	}
	if r.Feature(2) != nil || r.Feature(-1) != nil || r.Box(2) != nil || (Regions{}).Feature(0) != nil {
		t.Error("a region that is not there")
	}
}

func TestNormalizeBoxes(t *testing.T) {
	in := []float32{64, 48, 640, 480}
	got, err := NormalizeBoxes(in, Size{640, 480})
	if err != nil || !slices.Equal(got, []float32{0.1, 0.1, 1, 1}) || in[0] != 64 {
		t.Errorf("%v, %v (given %v)", got, err, in)
	}
	if _, err := NormalizeBoxes(in, Size{0, 480}); err == nil {
		t.Error("a picture of no width")
	}
	if _, err := NormalizeBoxes(in[:3], Size{640, 480}); err == nil {
		t.Error("three quarters of a box")
	}
}

func TestPresets(t *testing.T) {
	for _, name := range []string{ButdCaffe, D2MaxNMS, HFFRCNN, Scenes} {
		if p, ok := PresetByName(name); !ok || p.Name != name || p.About == "" {
			t.Errorf("%s: %+v, %v", name, p, ok)
		}
	}
	if _, ok := PresetByName("none"); ok || len(Presets()) != 4 {
		t.Error("a preset that is not there")
	}
}
