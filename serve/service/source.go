package service

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/vision"
	"github.com/go-lxmert/lxmert/vision/extractors"
	"github.com/go-lxmert/lxmert/vision/frcnn"
)

// ShippedName is the name of the model that is part of the program.
const ShippedName = "shipped"

// A Source is a model to serve: a directory, or parts that the embedding program has already. The zero Source is the shipped model.
type Source struct {
	Name   string   // by which requests ask for it; "" is the directory's last element, or [ShippedName]
	Dir    string   // model directory, or a file of weights with the rest beside it; "" is the shipped model
	Labels []string // the answers, in place of the directory's
	DType  string   // how the model keeps its weights: f32, bf16 or int8; "" is as they are stored (see [lxmert.WithDType])

	// Detector is what finds regions in pictures: the preset of one that this module has (see [extractors.ByPreset]), or a Faster R-CNN's directory. "" is the one that the
	// model was trained with, if this module has it or it lies in the model's directory (detector/). A model without a detector answers about regions only.
	Detector        string
	DetectorOptions frcnn.Options
	DetectorEngine  string // engine by name (see [backend.Open]), "" is the service's: a Faster R-CNN may multiply in another type ([backend.WithWeights])

	// Model and Extractor are in place of all that: they stay the caller's, and must outlive the service.
	Model     *lxmert.Model
	Extractor vision.Extractor
}

func (s Source) name() string {
	switch {
	case s.Name != "":
		return s.Name
	case s.Dir == "":
		return ShippedName
	}
	return strings.TrimSuffix(filepath.Base(filepath.Clean(s.Dir)), filepath.Ext(s.Dir))
}

// open opens model and detector. What is the caller's is not freed by release.
func (s Source) open(engine compute.Backend) (m *lxmert.Model, extractor vision.Extractor, release func() error, err error) {
	var closers []func() error
	release = func() error {
		var errs []error
		for _, c := range closers {
			errs = append(errs, c())
		}
		return errors.Join(errs...)
	}
	if m = s.Model; m == nil {
		options := []lxmert.Option{lxmert.WithBackend(engine), lxmert.WithAllHeads()}
		if s.Labels != nil {
			options = append(options, lxmert.WithLabels(s.Labels))
		}
		if s.DType != "" {
			precision, err := model.ParsePrecision(s.DType)
			if err != nil {
				return nil, nil, nil, fmt.Errorf("the model's type: %w", err)
			}
			options = append(options, lxmert.WithDType(precision))
		}
		if s.Dir == "" {
			m, err = lxmert.Shipped(options...)
		} else {
			m, err = lxmert.Open(s.Dir, options...)
		}
		if err != nil {
			return nil, nil, nil, err
		}
		closers = append(closers, m.Close)
	}
	if extractor = s.Extractor; extractor == nil {
		var closer func() error
		if extractor, closer, err = s.detector(engine, pretrained.Preset(m.Config())); err != nil {
			return nil, nil, nil, errors.Join(err, release())
		}
		if closer != nil {
			closers = append(closers, closer)
		}
	}
	if extractor != nil && extractor.FeatureWidth() != m.Config().VisualFeatDim {
		err := fmt.Errorf("the detector's regions have %d features, the model wants %d (visual_feat_dim): they do not belong together", extractor.FeatureWidth(), m.Config().VisualFeatDim)
		return nil, nil, nil, errors.Join(err, release())
	}
	return m, extractor, release, nil
}

// detector finds and opens the detector; nil if there is none.
func (s Source) detector(engine compute.Backend, preset string) (vision.Extractor, func() error, error) {
	name := s.Detector
	if name == "" {
		if e, err := extractors.ByPreset(preset); err == nil {
			return e, nil, nil
		}
		if s.Dir == "" {
			return nil, nil, nil
		}
		name = filepath.Join(pretrained.Directory(s.Dir), "detector")
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
			return nil, nil, nil
		}
	} else if e, err := extractors.ByPreset(name); err == nil {
		return e, nil, nil
	}
	if s.DetectorEngine == "" {
		d, err := frcnn.Open(engine, name, s.DetectorOptions)
		if err != nil {
			return nil, nil, err
		}
		return d, d.Close, nil
	}
	own, err := backend.Open(s.DetectorEngine)
	if err != nil {
		return nil, nil, err
	}
	d, err := frcnn.Open(own, name, s.DetectorOptions)
	if err != nil {
		own.Finalize()
		return nil, nil, err
	}
	return d, func() error { defer own.Finalize(); return d.Close() }, nil
}

// fingerprint changes when the files of the model or of its detector do, as far as names, sizes and dates tell; "" if there are none to look at.
func (s Source) fingerprint() string {
	var b strings.Builder
	for _, path := range []string{s.Dir, s.Detector} {
		if path == "" {
			continue
		}
		entries, err := os.ReadDir(pretrained.Directory(path))
		if err != nil {
			continue // the name of a preset, or gone for the moment
		}
		for _, e := range entries {
			if info, err := e.Info(); err == nil && !e.IsDir() {
				fmt.Fprintf(&b, "%s %d %d\n", e.Name(), info.Size(), info.ModTime().UnixNano())
			}
		}
	}
	return b.String()
}
