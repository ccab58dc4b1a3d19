package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/vision"
	"github.com/go-lxmert/lxmert/vision/extractors"
)

// detectorFlag adds --detector.
func detectorFlag(cmd *cobra.Command, name *string) {
	cmd.Flags().StringVar(name, "detector", scenes.Preset, "`name` of what finds the regions: scenes, grid or grid-ROWSxCOLUMNSxSAMPLES")
}

// openDetector opens what --detector names. What it holds is given back by close.
func openDetector(name string) (detector vision.Extractor, close func(), err error) {
	detector, err = extractors.ByPreset(name)
	if err != nil {
		return nil, nil, usageError{fmt.Errorf("--detector: %w", err)}
	}
	return detector, func() {}, nil
}

// vocabularyFlags name the labels of regions.
type vocabularyFlags struct{ objects, attributes string }

func (f *vocabularyFlags) add(cmd *cobra.Command) {
	const usage = " from `file`, a name a line (%s) (default: those of the detector that the regions are by, if it is here)"
	cmd.Flags().StringVar(&f.objects, "objects", "", "names of objects"+fmt.Sprintf(usage, "objects_vocab.txt"))
	cmd.Flags().StringVar(&f.attributes, "attributes", "", "names of attributes"+fmt.Sprintf(usage, "attributes_vocab.txt"))
}

// of reads the names of labels in regions of a preset.
func (f *vocabularyFlags) of(preset string) (vision.Vocabulary, error) {
	var v vision.Vocabulary
	if detector, err := extractors.ByPreset(preset); err == nil {
		v = vision.VocabularyOf(detector)
	}
	for _, list := range []struct {
		path string
		to   *[]string
	}{{f.objects, &v.Objects}, {f.attributes, &v.Attributes}} {
		if list.path == "" {
			continue
		}
		names, err := vision.ReadNames(list.path)
		if err != nil {
			return v, err
		}
		*list.to = names
	}
	return v, nil
}
