package data

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/jsonerror"
	"github.com/go-lxmert/lxmert/internal/plainfile"
	"github.com/go-lxmert/lxmert/vision"
)

// TSVAboutSuffix is what stands after a TSV's name in that of the file with what the TSV has no room for: PATH.json. [AppendTSV] writes it, OpenTSV heeds it.
const TSVAboutSuffix = ".json"

// A TSVAbout says by which detector a TSV's regions are.
type TSVAbout struct {
	Format       string `json:"format"`  // "lxmert region TSV"
	Version      int    `json:"version"` // 1
	Preset       string `json:"preset"`  // how regions were chosen, see vision.Presets
	Detector     string `json:"detector,omitempty"`
	FeatureWidth int    `json:"feature_width"`

	// Of a part of a TSV, and of a TSV that was made of parts (Parts alone, and Images and Bytes of them together); see AppendTSVPart.
	Part     int   `json:"part,omitempty"` // from 0
	Parts    int   `json:"parts,omitempty"`
	Images   int   `json:"images,omitempty"` // once it is complete
	Bytes    int64 `json:"bytes,omitempty"`  // likewise
	Complete bool  `json:"complete,omitempty"`
}

const (
	tsvAboutFormat = "lxmert region TSV"
	maxTSVAbout    = 1 << 20
)

// readTSVAbout reads what is said of the TSV at path. There may be nothing, or a JSON file that has nothing to do with us; a broken one is an error, because
// regions would be taken for another detector's.
func readTSVAbout(path string) (about TSVAbout, found bool, err error) {
	content, err := plainfile.Read(path+TSVAboutSuffix, maxTSVAbout)
	if errors.Is(err, fs.ErrNotExist) {
		return about, false, nil
	}
	if err != nil {
		return about, false, err
	}
	about, found, err = parseTSVAbout(content)
	if err != nil {
		err = fmt.Errorf("%s: %w", path+TSVAboutSuffix, err)
	}
	return about, found, err
}

func parseTSVAbout(content []byte) (about TSVAbout, found bool, err error) {
	var form struct {
		Format any `json:"format"`
	}
	if !json.Valid(content) {
		return about, false, jsonerror.Explain(json.Unmarshal(content, &form))
	}
	if json.Unmarshal(content, &form) != nil || form.Format != tsvAboutFormat {
		return about, false, nil
	}
	if err := json.Unmarshal(content, &about); err != nil {
		return about, false, jsonerror.Explain(err)
	}
	switch {
	case about.Version != 1:
		return about, false, fmt.Errorf("version: found %d, want 1: the file was written by another version of this program", about.Version)
	case about.FeatureWidth < 1 || about.FeatureWidth > maxWidth:
		return about, false, fmt.Errorf("feature_width: found %d, want 1 to %d", about.FeatureWidth, maxWidth)
	case about.Parts < 0 || about.Parts > MaxParts || about.Part < 0 || about.Part >= max(1, about.Parts), about.Images < 0, about.Bytes < 0:
		return about, false, fmt.Errorf("part, parts, images, bytes: found %d, %d, %d, %d: want a part of 1 to %d, from 0",
			about.Part, about.Parts, about.Images, about.Bytes, MaxParts)
	}
	return about, true, nil
}

func (a TSVAbout) write(path string) error {
	content, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(path+TSVAboutSuffix, 0o644, append(content, '\n'))
}

// preset is that of a TSV's regions: the original's, where nothing is said.
func (a TSVAbout) preset() string {
	if a.Preset == "" {
		return vision.ButdCaffe
	}
	return a.Preset
}
