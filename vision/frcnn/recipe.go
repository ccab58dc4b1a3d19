package frcnn

import (
	"fmt"

	"github.com/go-lxmert/lxmert/vision"
)

// A recipe is how a picture becomes what the network sees, and its candidates regions.
type recipe struct {
	name    string
	uint8   bool // resized as Pillow does 8-bit pictures; else as PyTorch does floats, without antialiasing
	fewer   bool // fewer regions than wanted are none the worse
	noEmpty bool // empty boxes are left out
	apply   func(c *Config)
}

var recipes = []recipe{
	// Hugging Face's research project: everything is as config.yaml says.
	{name: vision.HFFRCNN, apply: func(*Config) {}},
	// The original's detectron2_mscoco_proposal_maxnms.py, whatever a config.yaml says.
	{name: vision.D2MaxNMS, uint8: true, fewer: true, noEmpty: true, apply: func(c *Config) {
		o := Original()
		c.MinSize, c.MaxSize, c.Thresholds = o.MinSize, o.MaxSize, o.Thresholds
		c.MinDetections, c.MaxDetections, c.PostNMS = o.MinDetections, o.MaxDetections, o.PostNMS
	}},
}

func recipeOf(preset string) (recipe, error) {
	for _, r := range recipes {
		if r.name == preset {
			return r, nil
		}
	}
	return recipe{}, fmt.Errorf("preset %q: want %s or %s, the ways in which this detector finds regions", preset, recipes[0].name, recipes[1].name)
}
