package pretrained

import "github.com/go-lxmert/lxmert/model"

// PresetKey is the key of config.json that names the preset (see vision.Presets) of the regions that a model was trained with: it answers
// well about no others. transformers carries keys that it does not know along.
const PresetKey = "region_preset"

// Preset is the preset of the regions that a model was trained with, "" if its configuration does not say.
func Preset(config *model.Config) string {
	preset, _ := config.Extra[PresetKey].(string)
	return preset
}

// SetPreset writes the preset down in a configuration; "" takes it out.
func SetPreset(config *model.Config, preset string) {
	if preset == "" {
		delete(config.Extra, PresetKey)
		return
	}
	if config.Extra == nil {
		config.Extra = map[string]any{}
	}
	config.Extra[PresetKey] = preset
}
