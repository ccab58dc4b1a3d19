package pretrained

import (
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/model"
)

// quantizationKey is where config.json says how weights are quantised.
const quantizationKey = "quantization_config"

// setQuantization makes config.json say how these weights are quantised: as the library compressed-tensors says of weights with a scale
// for each output, and of what they multiply, quantised row by row as it comes. Readers go by the tensors.
func setQuantization(config *model.Config, weights []checkpoint.Tensor) {
	delete(config.Extra, quantizationKey)
	if !slices.ContainsFunc(weights, func(t checkpoint.Tensor) bool { return t.Scales != nil }) {
		return
	}
	ignore := []string{} // linear maps that are not quantised
	for _, t := range weights {
		module, isWeight := strings.CutSuffix(t.Name, ".weight")
		if isWeight && len(t.Shape) == 2 && t.Scales == nil && !strings.HasSuffix(module, "_embeddings") {
			ignore = append(ignore, module)
		}
	}
	numbers := func(strategy string, dynamic bool) map[string]any {
		return map[string]any{"num_bits": 8, "type": "int", "symmetric": true, "strategy": strategy, "dynamic": dynamic}
	}
	config.Extra[quantizationKey] = map[string]any{
		"quant_method":        "compressed-tensors",
		"format":              "int-quantized",
		"quantization_status": "compressed",
		"config_groups": map[string]any{"group_0": map[string]any{
			"targets": []string{"Linear"}, "weights": numbers("channel", false), "input_activations": numbers("token", true),
		}},
		"ignore": ignore,
	}
}

// PrecisionOf is the precision in which a checkpoint is kept: [model.Int8] if any of its weights is quantised, else
// [model.Float32], for numbers of 16 bits are only stored in them.
func PrecisionOf(file *checkpoint.File) model.Precision {
	for _, name := range file.Names() {
		if t, _ := file.Tensor(name); t.Scales != nil {
			return model.Int8
		}
	}
	return model.Float32
}

// checkpointTypes are the checkpoints' types of those that networks keep weights in.
var checkpointTypes = map[dtypes.DType]checkpoint.DType{dtypes.Float32: checkpoint.F32, dtypes.BFloat16: checkpoint.BF16, dtypes.Int8: checkpoint.I8}

// storedAs is the type of a weight in a checkpoint of that type: itself, but that in quantised ones, I8, each weight has the type in
// which a network keeps it.
func storedAs(dtype checkpoint.DType, w checkpoint.Tensor) checkpoint.DType {
	if dtype != checkpoint.I8 {
		return dtype
	}
	return checkpointTypes[model.Int8.Of(model.Weight{Name: w.Name, Dimensions: w.Shape})]
}
