package extractors

import (
	"errors"
	"image"
	"testing"
)

func TestByPreset(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 30, 20))
	for _, preset := range append(Names(), "grid-3x5x2") {
		e, err := ByPreset(preset)
		if err != nil {
			t.Errorf("%s: %v", preset, err)
			continue
		}
		regions, err := e.Extract(t.Context(), img)
		if err != nil || regions.Preset != preset || e.Preset() != preset {
			t.Errorf("%s: regions of %q, %v", preset, regions.Preset, err)
		}
	}
	if e, err := ByPreset("grid"); err != nil || e.Preset() != Names()[1] {
		t.Errorf("grid: %v, %v", e, err)
	}
	for _, preset := range []string{"", "butd-caffe", "grid-", "grid-3x3", "grid-0x3x3", "grid-03x3x3", "grid-3x3x3x", "grid--3x3x3", "grids"} {
		if e, err := ByPreset(preset); !errors.Is(err, ErrNone) {
			t.Errorf("%q: %v, %v", preset, e, err)
		}
	}
}
