// Package extractors has the extractors of this module by the presets of their regions.
package extractors

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/vision"
	"github.com/go-lxmert/lxmert/vision/frcnn"
)

// ErrNone is what errors.Is finds where no extractor of the module makes regions of a preset.
var ErrNone = errors.New("there is no detector for it here")

// Names are what [ByPreset] knows.
func Names() []string { return []string{scenes.Preset, vision.Grid{}.Preset()} }

// ByPreset is the extractor whose regions have that preset, such as "scenes" or "grid-6x6x4"; "grid" alone is the grid of the usual size. The error is [ErrNone],
// with the preset and those that there are.
func ByPreset(preset string) (vision.Extractor, error) {
	switch {
	case preset == scenes.Preset:
		return scenes.Detector{}, nil
	case preset == "grid":
		return vision.Grid{}, nil
	case strings.HasPrefix(preset, "grid-"):
		var g vision.Grid
		// Spelt as its own preset, or else it is none: grid-6x6x4 is, grid-06x6x4 and grid-0x6x4 are not.
		if n, err := fmt.Sscanf(preset, "grid-%dx%dx%d", &g.Rows, &g.Columns, &g.Samples); n == 3 && err == nil && min(g.Rows, g.Columns, g.Samples) > 0 && g.Preset() == preset {
			return g, nil
		}
	}
	return nil, fmt.Errorf("regions of preset %q: %w, only for %s", preset, ErrNone, strings.Join(slices.Sorted(slices.Values(Names())), ", "))
}

// Vocabulary has the names of the labels in regions of a preset, as far as they are known here.
func Vocabulary(preset string) vision.Vocabulary {
	switch strings.TrimSuffix(preset, "-rgb") {
	case vision.ButdCaffe, vision.D2MaxNMS, vision.HFFRCNN:
		return frcnn.VisualGenome()
	}
	e, err := ByPreset(preset)
	if err != nil {
		return vision.Vocabulary{}
	}
	return vision.VocabularyOf(e)
}
