package pretrained

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/model"
)

// ReadBatch reads a model's inputs from a safetensors file. Tensor names are the reference's argument names,
// see [model.Inputs.Set]; 16-bit floats are widened, integers of any width are taken. Errors name the file and the tensor.
func ReadBatch(path string) (*model.Batch, error) {
	file, err := checkpoint.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	batch := &model.Batch{}
	var errs []error
	for _, name := range file.Names() {
		if len(errs) == maxErrors {
			errs = append(errs, fmt.Errorf("%s: and so on", path))
			break
		}
		stored, _ := file.Tensor(name)
		value, err := toTensor(stored)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", path, err))
			continue
		}
		if !batch.Set(name, value) {
			errs = append(errs, fmt.Errorf("%s: tensor %.100q is no input of LXMERT; inputs are named as its arguments are: "+
				"input_ids, inputs_embeds, token_type_ids, attention_mask, visual_feats, visual_pos, visual_attention_mask, "+
				"labels, matched_label, ans, obj_labels.{obj,attr,feat}.{label,conf}", path, name))
		}
	}
	return batch, errors.Join(errs...)
}

// maxErrors is how many faults of one file are told.
const maxErrors = 20

// toTensor copies a stored tensor: floats as float32, integers as int64.
func toTensor(stored checkpoint.Tensor) (*tensors.Tensor, error) {
	if stored.DType.IsInteger() {
		values, err := stored.Int64s()
		if err != nil {
			return nil, err
		}
		return tensors.FromFlatDataAndDimensions(values, stored.Shape...), nil
	}
	values, err := stored.Float32s()
	if err != nil {
		return nil, err
	}
	return tensors.FromFlatDataAndDimensions(values, stored.Shape...), nil
}

// WriteTensors writes tensors of float32, bfloat16 or int8 to a safetensors file under their names, for instance a model's outputs:
//
//	err := pretrained.WriteTensors("out.safetensors", output.Named())
//
// The file appears when it is complete.
func WriteTensors(path string, named iter.Seq2[string, *tensors.Tensor]) error {
	stored, err := storedTensors(context.Background(), named)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return checkpoint.Write(path, stored, map[string]string{"format": "pt"})
}

// storedTensors describes tensors for writing; their bytes are fetched one tensor at a time, until
// ctx ends, and are good until the next is. A quantised tensor's scales follow it, as a network lists them.
func storedTensors(ctx context.Context, named iter.Seq2[string, *tensors.Tensor]) ([]checkpoint.Tensor, error) {
	var stored []checkpoint.Tensor
	var copied scratch
	for name, value := range named {
		dtype, ok := checkpointTypes[value.DType()]
		if !ok {
			return nil, fmt.Errorf("tensor %s is %v, want float32, bfloat16 or int8", name, value.DType())
		}
		made := checkpoint.Tensor{
			Name: name, DType: dtype, Shape: value.Shape().Dimensions,
			Fetch: func() ([]byte, error) {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				return copied.bytes(value)
			},
		}
		if last := len(stored) - 1; last >= 0 && stored[last].DType == checkpoint.I8 && name == stored[last].Name+model.ScaleSuffix {
			made.Shape = []int{made.Shape[0], 1}
			stored[last].Scales = &made
			continue
		}
		stored = append(stored, made)
	}
	return stored, nil
}

// scratch is memory for one tensor's numbers after the other. A tensor that lies with an engine and is asked for its bytes makes a copy, and keeps it: saving
// a model in training would double its memory.
type scratch struct {
	floats []float32
	halves []bfloat16.BFloat16
	whole  []int8
}

// bytes copies a tensor.
func (s *scratch) bytes(t *tensors.Tensor) ([]byte, error) {
	switch t.DType() {
	case dtypes.BFloat16:
		return copyInto(&s.halves, t)
	case dtypes.Int8:
		return copyInto(&s.whole, t)
	default:
		return copyInto(&s.floats, t)
	}
}

func copyInto[T float32 | bfloat16.BFloat16 | int8](room *[]T, t *tensors.Tensor) ([]byte, error) {
	if n := t.Size(); cap(*room) < n {
		*room = make([]T, n)
	}
	flat := (*room)[:t.Size()]
	if t.IsOnAnyDevice() && !t.HasLocal() {
		backend, err := t.Backend()
		if err != nil {
			return nil, err
		}
		buffer, err := t.Buffer(backend, 0)
		if err == nil {
			err = buffer.ToFlatData(flat)
		}
		return dtypes.UnsafeByteSliceFromAny(flat), err
	}
	err := tensors.ConstFlatData(t, func(values []T) { copy(flat, values) })
	return dtypes.UnsafeByteSliceFromAny(flat), err
}
