package scenes

import (
	"image"
	"reflect"
	"slices"
	"testing"
)

func TestNew(t *testing.T) {
	var counts [most + 1]int
	var kind [kinds]int
	var color [colors]int
	var size [2]int
	var ground [grounds]int
	sameKind, sameColor := 0, 0
	const n = 6000
	for seed := range uint64(n) {
		s := New(seed)
		if err := s.Check(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		ground[s.Ground]++
		counts[len(s.Objects)]++
		kindsHere, colorsHere := map[Kind]int{}, map[Color]int{}
		for i, o := range s.Objects {
			kind[o.Kind]++
			color[o.Color]++
			size[o.Size]++
			kindsHere[o.Kind]++
			colorsHere[o.Color]++
			for _, p := range s.Objects[:i] {
				if o.Box.Inset(-5).Overlaps(p.Box) {
					t.Errorf("seed %d: %v comes close to %v", seed, o, p)
				}
			}
			if area := o.Box.Dx() * o.Box.Dy(); o.Size == Small && area > 1800 || o.Size == Big && area < 3900 {
				t.Errorf("seed %d: %v has an area of %d pixels", seed, o, area)
			}
		}
		if len(kindsHere) < len(s.Objects) {
			sameKind++
		}
		if len(colorsHere) < len(s.Objects) {
			sameColor++
		}
	}
	t.Logf("scenes of 0, 1, ... objects: %v; with a kind twice: %d, with a colour twice: %d; sizes %v", counts, sameKind, sameColor, size)
	fair(t, "numbers of objects", counts[fewest:])
	fair(t, "grounds", ground[:])
	fair(t, "kinds", kind[:])
	fair(t, "colours", color[:])
	if small := float64(size[Small]) / float64(size[Small]+size[Big]); small < 0.45 || small > 0.6 {
		t.Errorf("a share of %.2f is small", small)
	}
	if sameKind < n/3 || sameColor < n/3 || sameKind > n*4/5 || sameColor > n*4/5 {
		t.Errorf("of %d scenes %d have a kind twice and %d a colour", n, sameKind, sameColor)
	}
}

// fair fails if one of some counts is far from the mean.
func fair(t *testing.T, what string, counts []int) {
	t.Helper()
	sum := 0
	for _, n := range counts {
		sum += n
	}
	mean := float64(sum) / float64(len(counts))
	if float64(slices.Min(counts)) < 0.85*mean || float64(slices.Max(counts)) > 1.15*mean {
		t.Errorf("%s: %v, want about %.0f of each", what, counts, mean)
	}
}

func TestNewIsAFunctionOfItsSeed(t *testing.T) {
	if a, b := New(7), New(7); !reflect.DeepEqual(a, b) {
		t.Errorf("%v, then %v", a, b)
	}
	if a, b := New(7), New(8); reflect.DeepEqual(a.Objects, b.Objects) {
		t.Error("two seeds, one scene")
	}
}

func TestCheck(t *testing.T) {
	good := Object{Box: image.Rect(10, 10, 60, 60)}
	for name, s := range map[string]Scene{
		"ground":     {Ground: grounds},
		"no ground":  {Ground: -1},
		"kind":       {Objects: []Object{good, {Kind: kinds, Box: good.Box}}},
		"no kind":    {Objects: []Object{{Kind: -1, Box: good.Box}}},
		"colour":     {Objects: []Object{{Color: colors, Box: good.Box}}},
		"no colour":  {Objects: []Object{{Color: -1, Box: good.Box}}},
		"no box":     {Objects: []Object{{}}},
		"tiny":       {Objects: []Object{{Box: image.Rect(10, 10, 17, 40)}}},
		"outside":    {Objects: []Object{{Box: image.Rect(300, 10, 321, 40)}}},
		"everywhere": {Objects: []Object{{Box: image.Rect(-1<<60, -1<<60, 1<<60, 1<<60)}}},
		"reversed":   {Objects: []Object{{Box: image.Rectangle{Min: image.Pt(60, 60), Max: image.Pt(10, 10)}}}},
	} {
		if s.Check() == nil {
			t.Errorf("%s: was accepted", name)
		}
		if size := s.Draw().Rect.Size(); size != image.Pt(Width, Height) { // and does not panic
			t.Errorf("%s: %v", name, size)
		}
	}
	for kind := range kinds { // the smallest and the largest that are accepted
		s := Scene{Objects: []Object{{Kind: kind, Box: image.Rect(0, 0, least, least)}, {Kind: kind, Box: image.Rect(0, 0, Width, Height)}}}
		if err := s.Check(); err != nil {
			t.Error(err)
		}
		s.Draw()
	}
}
