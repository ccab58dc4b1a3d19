package oip

import (
	"context"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/serve/service"
)

// encoded are the outputs that the encoders give, without a head.
var encoded = []string{"pooled_output", "language_output", "vision_output"}

// forward is what the model NAME-tensors does. Outputs of the heads and of the encoders are a forward pass each.
func (a *API) forward(ctx context.Context, m *served, inputs map[string]*tensor, wanted []string) ([]output, error) {
	in, err := a.batch(m, inputs)
	if err != nil {
		return nil, err
	}
	if err := a.checkOutputs(m, inputs, wanted); err != nil {
		return nil, err
	}
	found := map[string]*tensors.Tensor{}
	run := func(forward func(context.Context, string, *model.Batch, model.Options) (model.Output, error)) error {
		out, err := forward(ctx, m.card.ID, in, model.Options{})
		if err != nil {
			return err
		}
		for name, value := range out.Named() {
			found[name] = value
		}
		return nil
	}
	isEncoded := func(name string) bool { return slices.Contains(encoded, name) }
	if slices.ContainsFunc(wanted, isEncoded) {
		if err := run(a.service.Encode); err != nil {
			return nil, err
		}
	}
	if slices.ContainsFunc(wanted, func(name string) bool { return !isEncoded(name) }) {
		if err := run(a.service.Forward); err != nil {
			return nil, err
		}
	}
	outputs := make([]output, len(wanted))
	for i, name := range wanted {
		value := found[name]
		if value == nil { // the model was replaced by one with other heads meanwhile
			return nil, service.Invalidf("outputs: the model has no %s any more: ask again", name)
		}
		flat, err := tensors.CopyFlatData[float32](value)
		if err != nil {
			return nil, err
		}
		outputs[i] = output{signature: signature{name, "FP32", slices.Clone(value.Shape().Dimensions)}, floats: flat}
	}
	return outputs, nil
}

// batch makes the model's batch. How the shapes go together, and what the numbers may be, is for the model to say.
func (a *API) batch(m *served, inputs map[string]*tensor) (*model.Batch, error) {
	in := &model.Batch{}
	for _, declared := range m.inputs() {
		t := inputs[declared.Name]
		if t == nil {
			continue
		}
		if most := a.service.Limits().MaxQuestions; t.shape[0] > most {
			return nil, tooLarge("too_many", "input %s: a batch of %d, want at most %d", t.name, t.shape[0], most)
		}
		if t.name == "visual_feats" && len(t.shape) > 1 && t.shape[1] > a.options.MaxRegions {
			return nil, tooLarge("too_many_regions", "input visual_feats: %d regions of a picture, want at most %d", t.shape[1], a.options.MaxRegions)
		}
		if t.datatype == "BYTES" {
			return nil, t.bad("datatype: found BYTES, want %s", declared.Datatype)
		}
		var value *tensors.Tensor
		if mask := t.name == "attention_mask" || t.name == "visual_attention_mask"; declared.Datatype == "FP32" || mask && t.numbers.DType.IsFloat() {
			values, err := t.floats()
			if err != nil {
				return nil, err
			}
			value = tensors.FromFlatDataAndDimensions(values, t.shape...)
		} else {
			values, err := t.integers()
			if err != nil {
				return nil, err
			}
			value = tensors.FromFlatDataAndDimensions(values, t.shape...)
		}
		in.Set(t.name, value)
	}
	return in, nil
}

// checkOutputs refuses what would be too much to send, before it is computed. The shapes are as the request has them, right or not.
func (a *API) checkOutputs(m *served, inputs map[string]*tensor, wanted []string) error {
	axis := func(name string, i int) int {
		if t := inputs[name]; t != nil && i < len(t.shape) {
			return t.shape[i]
		}
		return 1
	}
	batch, tokens, regions := axis("input_ids", 0), min(axis("input_ids", 1), m.card.MaxTokens), axis("visual_feats", 1)
	var bytes int64
	for _, o := range m.outputs() {
		if !slices.Contains(wanted, o.Name) {
			continue
		}
		rows := int64(batch)
		switch {
		case o.Name == "vision_output":
			rows *= int64(regions)
		case len(o.Shape) == 3:
			rows *= int64(tokens)
		}
		bytes += 4 * rows * int64(o.Shape[len(o.Shape)-1])
	}
	if most := a.options.MaxOutputBytes; bytes > most {
		return tooLarge("outputs_too_large", "the outputs would have %d bytes, want at most %d: name those that are wanted in outputs, or send less at once",
			bytes, most)
	}
	return nil
}
