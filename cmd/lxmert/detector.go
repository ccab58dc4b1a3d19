package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/vision"
	"github.com/go-lxmert/lxmert/vision/extractors"
	"github.com/go-lxmert/lxmert/vision/frcnn"
)

// detectorFlags choose what finds regions.
type detectorFlags struct {
	name, engine string
	dtype        dtypeFlag
	options      frcnn.Options
}

// add adds the flags. otherwise is what finds regions where --detector is not given, dtype the name of the flag for the type in which a Faster R-CNN multiplies.
func (f *detectorFlags) add(cmd *cobra.Command, otherwise, dtype string) {
	cmd.Flags().StringVar(&f.name, "detector", otherwise,
		"what finds the regions: `name` scenes, grid or grid-ROWSxCOLUMNSxSAMPLES; or a Faster R-CNN: its directory, its file of weights, or its name on the hub")
	f.addOptions(cmd, dtype)
}

// addOptions adds the flags that say how a Faster R-CNN works.
func (f *detectorFlags) addOptions(cmd *cobra.Command, dtype string) {
	flags := cmd.Flags()
	flags.Var(&f.dtype, dtype, "multiply a Faster R-CNN's weights as `type` f32, bf16 or int8: less memory and time, nearly the same regions (docs/precision.md; default f32)")
	flags.StringVar(&f.options.Preset, "preset", "", "how a Faster R-CNN finds them: `name` hf-frcnn or d2-maxnms (default: the one that goes with its files)")
	flags.IntVar(&f.options.Proposals, "proposals", 0, "look at `n` proposals at most; fewer are faster (default: as its configuration says, 300)")
	flags.IntVar(&f.options.MinRegions, "min-regions", 0, "least `n`umber of regions of a picture (default: as its configuration says, 36)")
	flags.IntVar(&f.options.MaxRegions, "max-regions", 0, "most regions of a picture, `n` (default: as its configuration says, 36)")
	flags.BoolVar(&f.options.RGB, "rgb", false, "feed red first, as Hugging Face's code does by mistake with local files; the weights want blue first")
}

// open opens what --detector names. What it holds is given back by close.
func (f *detectorFlags) open(cmd *cobra.Command) (detector vision.Extractor, close func(), err error) {
	detector, err = extractors.ByPreset(f.name)
	if err == nil {
		if f.options != (frcnn.Options{}) || f.dtype.precision != nil {
			return nil, nil, usagef("--preset, --proposals, --min-regions, --max-regions, --rgb and its type of weights are a Faster R-CNN's, but --detector is %s", f.name)
		}
		return detector, func() {}, nil
	}
	if _, statErr := os.Stat(f.name); statErr != nil && !strings.Contains(f.name, "/") { // no directory, and no name on the hub
		return nil, nil, usageError{fmt.Errorf("--detector: %w", err)}
	}
	dir, missing := modelDir(cmd, f.name)
	if missing != nil {
		return nil, nil, fmt.Errorf("--detector: %w", errors.Join(err, missing))
	}
	engine, err := f.openEngine()
	if err != nil {
		return nil, nil, usageError{err}
	}
	d, err := frcnn.Open(engine, dir, f.options)
	if err != nil {
		engine.Finalize()
		return nil, nil, err
	}
	return d, func() { d.Close(); engine.Finalize() }, nil
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
	v := extractors.Vocabulary(preset)
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

// defaultDetector is what looks at pictures where nothing else is said.
const defaultDetector = scenes.Preset

// openEngine is the engine for a Faster R-CNN.
func (f *detectorFlags) openEngine() (compute.Backend, error) {
	name, err := f.engineName()
	if err != nil {
		return nil, err
	}
	return backend.Open(name)
}

// engineName says in what it multiplies.
func (f *detectorFlags) engineName() (string, error) {
	return backend.WithWeights(f.engine, map[model.Precision]string{model.Float32: "float32", model.BFloat16: "bfloat16", model.Int8: "int8"}[f.dtype.or(model.Float32)])
}
