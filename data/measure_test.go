package data

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/vision"
)

// TestMeasure: figures of images with 1, 2 and 4 regions, counted by hand.
func TestMeasure(t *testing.T) {
	path := save(t, strings.Join([]string{
		record(t, "a", regions(1, 0)), record(t, "b", regions(2, 0)), record(t, "c", regions(4, 1)),
		"bad\t0\t0\t\t\t\t\t0\t\t",
	}, "\n")+"\n")
	source := openTSV(t, path)
	defer source.Close()
	if _, err := Measure(t.Context(), source, false, nil); err == nil || !strings.Contains(err.Error(), "(bad)") {
		t.Errorf("a bad image: %v", err)
	}
	calls := 0
	s, err := Measure(t.Context(), source, true, func(done, of int) { calls++ })
	if err != nil || calls != 4 {
		t.Fatalf("%d calls, %v", calls, err)
	}
	if s.Images != 3 || s.Skipped != 1 || s.Regions != 7 || s.MinRegions != 1 || s.MedianRegions != 2 || s.MaxRegions != 4 || s.Preset != vision.ButdCaffe {
		t.Errorf("%+v", s)
	}
	var numbers []float64
	for _, r := range []vision.Regions{regions(1, 0), regions(2, 0), regions(4, 1)} {
		for _, v := range r.Features {
			numbers = append(numbers, float64(v))
		}
	}
	var sum, squares float64
	for _, v := range numbers {
		sum += v
	}
	mean := sum / float64(len(numbers))
	for _, v := range numbers {
		squares += (v - mean) * (v - mean)
	}
	for name, pair := range map[string][2]float64{
		"mean": {s.MeanFeature, mean}, "std": {s.StdFeature, math.Sqrt(squares / float64(len(numbers)))}, "zeros": {s.ZeroShare, 2.0 / 21},
		"width": {s.MeanWidth, 0.5}, "height": {s.MeanHeight, 0.75}, "area": {s.MeanArea, 0.375}, "small": {s.SmallBoxes, 0}, "large": {s.LargeBoxes, 0},
		"objects": {s.MeanObject, 0.5}, "attributes": {s.MeanAttribute, 0.25},
	} {
		if math.Abs(pair[0]-pair[1]) > 1e-9 {
			t.Errorf("%s: got %v, want %v", name, pair[0], pair[1])
		}
	}
	if got := fmt.Sprint(s.Objects.Most(3), s.Attributes.Most(1), s.Objects.Most(99)[3:]); got != "[{0 2} {1 2} {2 1}] [{0 3}] [{3 1} {4 1}]" {
		t.Errorf("labels %s", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Measure(ctx, source, true, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestSample: evenly spaced, and the rest is not looked at.
func TestSample(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	w, err := WriteStore(dir, StoreOptions{Preset: "mine"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		r := regions(2, i)
		r.Preset = "mine"
		if err := w.Add(fmt.Sprint("p", i), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	store, err := OpenStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for n, want := range map[int]string{0: "[]", 1: "[p0]", 3: "[p0 p3 p6]", 4: "[p0 p2 p5 p7]", 10: fmt.Sprint(store.IDs()), 99: fmt.Sprint(store.IDs())} {
		s := Sample(store, n)
		var got []string
		for r, err := range s.All() {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, r.ID)
		}
		if fmt.Sprint(got) != want || !slices.Equal(s.IDs(), got) || s.Len() != len(got) || s.Path() != dir {
			t.Errorf("%d: got %v, want %s", n, got, want)
		}
	}
	if got := PresetOf(store) + " " + PresetOf(Sample(store, 2)) + PresetOf(Sample(store, 0)); got != "mine mine" {
		t.Errorf("presets %q", got)
	}
}
