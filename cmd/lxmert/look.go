package main

import (
	"errors"
	"fmt"
	"image"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/scenes"
)

// A view is what the model gets to see.
type view struct {
	source    string // as errors name it
	picture   string // its file; "" if the regions are from --features
	regions   lxmert.Regions
	questions []string
	familiar  *float64 // how much the picture looks like the model's world, 0..1; nil where nothing measures it
	detector  string   // --detector, or where it was found
	cached    bool     // the regions were kept from another time
	stages    []stageRecord
	seeMS     float64     // for the picture to be read and its regions to be found; 0 with --features
	image     image.Image // nil with --features
	notes     []string    // what a person should know before believing the answers
}

// trust is by how much probabilities are scaled to be confidences.
func (v *view) trust() float64 {
	if v.familiar == nil {
		return 1
	}
	return scenes.Trust(*v.familiar)
}

// look finds the regions that the questions are about.
func (f *lookFlags) look(cmd *cobra.Command, config *model.Config, args []string) (*view, error) {
	if f.features != "" {
		return f.lookUp(config, args)
	}
	path := args[0]
	v := &view{source: path, picture: path, questions: args[1:]}
	content, img, err := v.read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: looked for a picture of that name, for the first argument is the picture, and each other one is a question%s", err, misplaced(args))
	}
	if err != nil {
		return nil, err
	}
	v.image = img
	if v.detector, err = f.detector.find(cmd, f.model, config); err != nil {
		return nil, err
	}
	f.detector.name = v.detector
	key, err := f.kept(content)
	if err != nil {
		return nil, err
	}
	if key != "" && v.keptAt(key) {
		v.note(config, path)
		return v, nil
	}
	start := time.Now()
	extractor, release, err := f.detector.open(cmd)
	if err != nil {
		return nil, err
	}
	defer release()
	v.stage("open the detector", start)
	if err := v.extract(cmd.Context(), extractor, img); err != nil {
		return nil, pretrained.InFile(path, err)
	}
	if key != "" {
		if err := keep(key, v.regions); err != nil {
			v.notes = append(v.notes, fmt.Sprintf("the picture's regions were not kept: %v; if that is damaged, remove it", err))
		}
	}
	v.note(config, path)
	if extractor.Preset() != scenes.Preset {
		return v, nil
	}
	familiar := scenes.Familiar(img)
	v.familiar = &familiar
	knows := "the shipped model"
	if f.model != "" {
		knows = "the model in " + f.model
	}
	switch {
	case familiar < scenes.FamiliarEnough:
		v.notes = append(v.notes, fmt.Sprintf("%s does not look like a drawn scene: %.0f %% of it has the colours of one, where scenes have %.0f %% and more; %s knows drawn scenes only. "+
			"What it says about this picture means little, and its confidence is scaled down. For other pictures take a model that was trained on them, with its detector's regions: "+
			"%s --model DIR --features FILE --image-id ID QUESTION...", plain(path), 100*familiar, 100*scenes.FamiliarEnough, knows, cmd.CommandPath()))
	case v.regions.Len() == 1:
		v.notes = append(v.notes, fmt.Sprintf("%s: found no object in it, only a ground; %s knows drawn scenes only", plain(path), knows))
	}
	return v, nil
}

// lookUp finds regions that are there already.
func (f *lookFlags) lookUp(config *model.Config, questions []string) (*view, error) {
	source, err := data.Open(f.features, f.index)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	v := &view{source: fmt.Sprintf("%s: %s", f.features, f.imageID), questions: questions}
	if v.regions, err = source.Get(f.imageID); err != nil {
		return nil, err
	}
	if note := presetNote(config, f.features, v.regions.Preset); note != "" {
		v.notes = append(v.notes, note)
	}
	return v, nil
}

// misplaced is a hint for who forgot the picture, or put it last.
func misplaced(args []string) string {
	for _, arg := range args[1:] {
		switch lower := strings.ToLower(arg); {
		case strings.HasSuffix(lower, ".png"), strings.HasSuffix(lower, ".jpg"), strings.HasSuffix(lower, ".jpeg"):
			return fmt.Sprintf("; put %s first", plain(arg))
		}
	}
	return "; for regions in place of a picture give --features and --image-id"
}
