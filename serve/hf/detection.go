package hf

import (
	"cmp"
	"math"
	"net/http"
	"slices"

	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/serve/wire"
	"github.com/go-lxmert/lxmert/vision"
)

// usualThreshold is transformers'.
const usualThreshold = 0.5

// detected is one object.
type detected struct {
	Score     float64 `json:"score"`
	Label     string  `json:"label"`
	Box       box     `json:"box"`
	Attribute string  `json:"attribute,omitempty"` // ours: clients that do not know it pass it over
}

// box is in pixels of the upright picture.
type box struct {
	XMin int `json:"xmin"`
	YMin int `json:"ymin"`
	XMax int `json:"xmax"`
	YMax int `json:"ymax"`
}

// objectDetection names the detector's regions. Clients send the picture's file as the body, or where there are parameters its base64 as inputs.
func (a *api) objectDetection(r *http.Request, card service.Card, in *request) (any, error) {
	var text *string
	if in.given() {
		if err := wire.Parse(in.Inputs, &text); err != nil {
			return nil, wire.Field("inputs", err)
		}
	}
	threshold := usualThreshold
	if t := first(in.Parameters.Threshold, in.Threshold); t != nil {
		if !(0 <= *t && *t <= 1) {
			return nil, service.Invalidf("threshold: found %g, want 0 to 1", *t)
		}
		threshold = *t
	}
	sight, err := a.see(r, card, in, "inputs", text)
	if err != nil {
		return nil, err
	}
	if len(sight.Regions.Objects) < sight.Regions.Len() || len(sight.Regions.Box(0)) != 4 {
		return nil, unsupported("model %s has a detector (%s) that does not say what its regions are", card.ID, card.Detector)
	}
	return detections(sight, threshold), nil
}

// detections are a picture's objects, the surest first. The ground of a drawn scene, which its detector gives as the first region because the model wants
// to see the whole, is no object and left out.
func detections(v *service.Sight, threshold float64) []detected {
	list := []detected{}
	for i, object := range v.Regions.Objects {
		score := float64(object.Confidence) * v.Trust
		if score < threshold || v.Regions.Preset == scenes.Preset && object.ID == scenes.GroundLabel {
			continue
		}
		d := detected{Score: score, Label: v.Vocabulary.Object(object.ID), Box: pixels(v.Regions.Box(i), v.Size)}
		if i < len(v.Regions.Attributes) && !v.Vocabulary.IsNone(v.Regions.Attributes[i].ID) {
			d.Attribute = v.Vocabulary.Attribute(v.Regions.Attributes[i].ID)
		}
		list = append(list, d)
	}
	slices.SortStableFunc(list, func(a, b detected) int { return cmp.Compare(b.Score, a.Score) })
	return list
}

// pixels is a box of 0..1 in whole pixels.
func pixels(b []float32, size vision.Size) box {
	at := func(x float32, length int) int {
		return min(max(int(math.Round(float64(x)*float64(length))), 0), length)
	}
	return box{at(b[0], size.Width), at(b[1], size.Height), at(b[2], size.Width), at(b[3], size.Height)}
}
