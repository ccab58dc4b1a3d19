package vision

import "slices"

// The detectors whose features LXMERT models have met. Their regions of the same picture
// differ, and a model does best with those it was trained on; so the name goes with the
// features, and whoever mixes two can be told.
const (
	ButdCaffe = "butd-caffe"
	D2MaxNMS  = "d2-maxnms"
	HFFRCNN   = "hf-frcnn"
	Scenes    = "scenes"
)

// A Preset names a detector and the way it chooses boxes.
type Preset struct {
	Name  string
	About string // one sentence
}

var presets = []Preset{
	{ButdCaffe, "The Caffe detector of Anderson et al. 2018 (peteanderson80/bottom-up-attention), with which LXMERT's published features were made: non-maximum suppression class by class, anchors slightly shifted, boxes before box regression."},
	{D2MaxNMS, "The same weights in Detectron2 (airsplay/py-bottom-up-attention): non-maximum suppression once, by each proposal's best class, anchors not shifted, boxes after box regression."},
	{HFFRCNN, "The detector of Hugging Face's LXMERT demo (unc-nlp/frcnn-vg-finetuned), another checkpoint: non-maximum suppression once, by each proposal's best class."},
	{Scenes, "The detector of the drawn world (package scenes): what a dark outline encloses, described by its silhouette and its colours."},
}

// Presets are the known ones, by name. Regions may carry any other name.
func Presets() []Preset { return slices.Clone(presets) }

// PresetByName finds a known preset.
func PresetByName(name string) (Preset, bool) {
	i := slices.IndexFunc(presets, func(p Preset) bool { return p.Name == name })
	if i < 0 {
		return Preset{}, false
	}
	return presets[i], true
}
