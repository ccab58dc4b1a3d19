package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/shipped"
)

// named cuts NAME=VALUE; the name is "" where there is none. A value may hold "=" only after a name.
func named(text string) (name, value string) {
	if before, after, found := strings.Cut(text, "="); found && !strings.ContainsAny(before, `/\`) {
		return before, after
	}
	return "", text
}

// sources are the models of --model with their detectors, downloaded if need be.
func (f *serveFlags) sources(cmd *cobra.Command) ([]service.Source, error) {
	given := f.models
	if len(given) == 0 {
		given = []string{""}
	}
	detectors := map[string]string{}
	for _, text := range f.detectors {
		name, value := named(text)
		if _, twice := detectors[name]; twice {
			return nil, usagef("--detector: there are two for the same models, want one; give each model a name and its detector the same: NAME=DETECTOR")
		}
		detectors[name] = value
	}
	var sources []service.Source
	for i, text := range given {
		var s service.Source
		s.Name, s.Dir = named(text)
		wanted := s.Dir
		labels := ""
		if i == 0 {
			labels = f.labels
		}
		dir, table, err := modelAndLabels(cmd, s.Dir, labels)
		if err != nil {
			return nil, err
		}
		s.Dir = dir
		if table != "" {
			if s.Labels, err = lxmert.ReadLabels(table); err != nil {
				return nil, err
			}
		}
		if s.Name == "" && wanted != "" {
			s.Name = modelName(wanted)
		}
		if s.Name == "" {
			s.Name = service.ShippedName
		}
		if s.Detector, err = f.detectorOf(cmd, s, detectors); err != nil {
			return nil, err
		}
		s.DetectorOptions = f.detector.options
		if f.detector.dtype.precision != nil {
			if s.DetectorEngine, err = f.detector.engineName(); err != nil {
				return nil, usageError{err}
			}
		}
		s.DType = f.dtype.String()
		sources = append(sources, s)
		delete(detectors, s.Name)
	}
	delete(detectors, "")
	for name := range detectors {
		return nil, usagef("--detector: found one for model %s, which is not served", name)
	}
	return sources, nil
}

// modelName is a model's name by its directory or its name on the hub: the last part, without a revision.
func modelName(text string) string {
	text = strings.TrimRight(text, `/\`)
	if i := strings.LastIndexAny(text, `/\`); i >= 0 {
		text = text[i+1:]
	}
	name, _, _ := strings.Cut(text, "@")
	return name
}

// detectorOf is the detector of a model: its own --detector, or that of all, or what ask would take. A model without any answers about regions only.
func (f *serveFlags) detectorOf(cmd *cobra.Command, s service.Source, detectors map[string]string) (string, error) {
	choice := detectorFlags{options: f.detector.options}
	own, there := detectors[s.Name]
	if !there {
		own, there = detectors[""]
	}
	choice.name = own
	config, err := pretrained.ConfigFS(shipped.QuestionAnswering())
	if s.Dir != "" {
		config, err = pretrained.Config(s.Dir)
	}
	if err != nil {
		return "", err
	}
	found, err := choice.find(cmd, s.Dir, config)
	if err != nil && !there {
		return "", nil // the model's card says so
	}
	return found, err
}
