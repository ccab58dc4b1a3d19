package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/hub"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/vision"
	"github.com/go-lxmert/lxmert/vision/extractors"
)

// publishedDetector is the name on the hub of the detector that goes with LXMERT's published models.
const publishedDetector = "unc-nlp/frcnn-vg-finetuned"

// find is the detector to look at a picture with, for a model whose directory is given ("": the shipped model): what --detector says; or else that
// of the regions that the model was trained with, where it is one of this program's, or lies in the model's directory, or was downloaded before.
func (f *detectorFlags) find(cmd *cobra.Command, dir string, config *model.Config) (string, error) {
	if f.name != "" {
		if _, err := extractors.ByPreset(f.name); err == nil {
			return f.name, nil
		}
		named, err := modelDir(cmd, f.name)
		if err != nil {
			return "", fmt.Errorf("--detector: %w", err)
		}
		return named, nil
	}
	preset := pretrained.Preset(config)
	_, err := extractors.ByPreset(preset)
	if err == nil {
		return preset, nil
	}
	if dir != "" {
		beside := filepath.Join(pretrained.Directory(dir), "detector")
		if _, err := os.Stat(beside); err == nil {
			return beside, nil
		}
	}
	_, known := vision.PresetByName(preset)
	if known || preset == "" {
		if found, err := hub.Find(cmd.Context(), publishedDetector, hub.Options{Offline: true}); err == nil {
			return found.Dir, nil
		}
	}
	if preset == "" {
		return "", fmt.Errorf("%s: config.json does not say with which detector's regions the model was trained (%s), so a picture cannot be shown to it: name the detector with --detector "+
			"(for the published models %s, which lxmert pull downloads), or ask about regions with --features and --image-id", dir, pretrained.PresetKey, publishedDetector)
	}
	return "", fmt.Errorf("%s: the model was trained with %w: name its detector with --detector (for the published models %s, which lxmert pull downloads), or ask about regions that it has made, "+
		"with --features and --image-id", dir, err, publishedDetector)
}
