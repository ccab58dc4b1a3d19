package model_test

import (
	"slices"
	"testing"

	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
)

// TestDepths: an encoder may be left out, as long as each stream has a layer.
func TestDepths(t *testing.T) {
	_, batch := small(t)
	weights := golden.Weights(t, "tiny/model.safetensors", model.HeadModel)
	run := func(l, r, x int) map[string][]int {
		t.Helper()
		config := golden.Config(t, "tiny")
		config.LanguageLayers, config.VisionLayers, config.CrossLayers = l, r, x
		m, err := model.NewLxmertModel(portable(t), config, weights)
		if err != nil {
			t.Fatalf("%d/%d/%d: %v", l, r, x, err)
		}
		defer m.Close()
		out, err := m.Forward(t.Context(), batch, model.Options{HiddenStates: true, Attentions: true})
		if err != nil {
			t.Fatalf("%d/%d/%d: %v", l, r, x, err)
		}
		if n := len(out.LanguageHiddenStates); n != l+x {
			t.Errorf("%d/%d/%d: %d language hidden states", l, r, x, n)
		}
		if n := len(out.VisionHiddenStates); n != r+x {
			t.Errorf("%d/%d/%d: %d vision hidden states", l, r, x, n)
		}
		language, vision := out.SingleModality(config)
		if (language != nil) != (l > 0) || (vision != nil) != (r > 0) {
			t.Errorf("%d/%d/%d: single-modality states %v, %v", l, r, x, language != nil, vision != nil)
		}
		shapes := map[string][]int{}
		for name, value := range out.Named() {
			shapes[name] = value.Shape().Dimensions
		}
		return shapes
	}
	for _, depth := range [][3]int{{2, 2, 0}, {1, 1, 1}, {0, 2, 2}, {2, 0, 1}, {0, 0, 2}} {
		shapes := run(depth[0], depth[1], depth[2])
		if !slices.Equal(shapes["language_output"], []int{3, 9, 48}) || !slices.Equal(shapes["vision_output"], []int{3, 7, 48}) {
			t.Errorf("%v: outputs %v", depth, shapes)
		}
	}
}
