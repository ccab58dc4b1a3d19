package train

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/model"
)

// even pads batches that run at the same time to the same shapes: to the most tokens and regions of any. What is added is masked and has no
// label. A confidence weighs a region's loss before the mean over all regions, so confidences grow by as much as there are more regions, and
// losses stay as they were.
func even(batches []*Batch) error {
	inputs := make([]map[string]*tensors.Tensor, len(batches))
	most := map[string][]int{}
	for i, batch := range batches {
		if err := masked(batch.Inputs, batches); err != nil {
			return err
		}
		inputs[i] = map[string]*tensors.Tensor{}
		for name, value := range batch.Inputs.Given() {
			shape := value.Shape().Dimensions
			if most[name] == nil {
				most[name] = slices.Clone(shape)
			}
			if i > 0 && inputs[0][name] == nil || len(shape) != len(most[name]) {
				return fmt.Errorf("part %d of the step has other inputs than the first: %s %v", i+1, name, shape)
			}
			for axis, size := range shape {
				most[name][axis] = max(most[name][axis], size)
			}
			inputs[i][name] = value
		}
		if len(inputs[i]) != len(inputs[0]) || (batch.Target == nil) != (batches[0].Target == nil) {
			return fmt.Errorf("part %d of the step has %d inputs, the first %d: devices want the same", i+1, len(inputs[i]), len(inputs[0]))
		}
	}
	for i, batch := range batches {
		for name, value := range inputs[i] {
			if slices.Equal(value.Shape().Dimensions, most[name]) {
				continue
			}
			padded, err := padded(name, value, most[name])
			if err != nil {
				return fmt.Errorf("part %d of the step: %s: %w", i+1, name, err)
			}
			batch.Inputs.Set(name, padded)
			value.FinalizeAll()
		}
	}
	return nil
}

// masked gives inputs the masks that they lack, where some batch has one or is of another size.
func masked(in *model.Batch, batches []*Batch) error {
	for _, m := range []struct {
		of, mask string
		last     int // axes of the former that the mask has not
	}{{"input_ids", "attention_mask", 0}, {"visual_feats", "visual_attention_mask", 1}} {
		needed := false
		for _, batch := range batches {
			mine, other := input(in, m.of), input(batch.Inputs, m.of)
			if mine == nil || other == nil {
				return fmt.Errorf("a part of a step has no %s", m.of)
			}
			needed = needed || input(batch.Inputs, m.mask) != nil || !mine.Shape().Equal(other.Shape())
		}
		if !needed || input(in, m.mask) != nil {
			continue
		}
		shape := input(in, m.of).Shape().Dimensions
		shape = shape[:len(shape)-m.last]
		size := 1
		for _, n := range shape {
			size *= n
		}
		in.Set(m.mask, tensors.FromFlatDataAndDimensions(slices.Repeat([]float32{1}, size), shape...))
	}
	return nil
}

// input finds an input by its name.
func input(in *model.Batch, name string) *tensors.Tensor {
	for given, value := range in.Given() {
		if given == name {
			return value
		}
	}
	return nil
}

// padded is a tensor in the first corner of a larger one.
func padded(name string, value *tensors.Tensor, to []int) (*tensors.Tensor, error) {
	from := value.Shape().Dimensions
	if from[0] != to[0] {
		return nil, fmt.Errorf("found %d examples, want %d as in other parts", from[0], to[0])
	}
	switch value.DType() {
	case dtypes.Int32:
		flat, err := tensors.CopyFlatData[int32](value)
		if err != nil {
			return nil, err
		}
		fill := int32(0)
		if name == "labels" || strings.HasSuffix(name, ".label") {
			fill = model.IgnoreLabel
		}
		return tensors.FromFlatDataAndDimensions(inCorner(flat, from, to, fill), to...), nil
	case dtypes.Float32:
		flat, err := tensors.CopyFlatData[float32](value)
		if err != nil {
			return nil, err
		}
		if strings.HasSuffix(name, ".conf") {
			grown := float32(to[1]) / float32(from[1])
			for i := range flat {
				flat[i] *= grown
			}
		}
		return tensors.FromFlatDataAndDimensions(inCorner(flat, from, to, 0), to...), nil
	}
	return nil, fmt.Errorf("found %s, want int32 or float32", value.DType())
}

// inCorner copies values of shape from to the first corner of one of shape to, and fills the rest.
func inCorner[T any](values []T, from, to []int, fill T) []T {
	size := 1
	for _, n := range to {
		size *= n
	}
	out := slices.Repeat([]T{fill}, size)
	var put func(out, values []T, from, to []int)
	put = func(out, values []T, from, to []int) {
		if len(from) == 1 || slices.Equal(from, to) {
			copy(out, values)
			return
		}
		for i := range from[0] {
			a, b := len(out)/to[0], len(values)/from[0]
			put(out[i*a:][:a], values[i*b:][:b], from[1:], to[1:])
		}
	}
	put(out, values, from, to)
	return out
}
