package frcnn

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// load makes the store's variables of a source.
func (c *Config) load(engine compute.Backend, store *model.Store, from source) error {
	if err := loadConvolutions(engine, store, c.convolutions(), from); err != nil {
		return err
	}
	return c.loadHeads(engine, store, from)
}

func loadConvolutions(engine compute.Backend, store *model.Store, all []convolution, from source) error {
	for _, v := range all {
		weights, bias, err := v.folded(from)
		if err == nil {
			err = put(engine, store, v.name+".weight", weights, v.out, v.in/v.group, v.size, v.size)
		}
		if err == nil {
			err = put(engine, store, v.name+".bias", bias, v.out)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) loadHeads(engine compute.Backend, store *model.Store, from source) error {
	plain := func(name string, shape ...int) error {
		values, err := from(name, shape...)
		if err != nil {
			return err
		}
		return put(engine, store, name, values, shape...)
	}
	for _, v := range c.linears() {
		if err := plain(v.name+".weight", v.out, v.in); err != nil {
			return err
		}
		if err := plain(v.name+".bias", v.out); err != nil {
			return err
		}
	}
	if c.NumAttrs == 0 {
		return nil
	}
	name, width := c.embedding()
	return plain(name, c.NumClasses+1, width)
}

// put copies values to the engine, as a variable.
func put(engine compute.Backend, store *model.Store, name string, values []float32, shape ...int) error {
	t, err := tensors.FromRaw(engine, 0, shapes.Make(dtypes.Float32, shape...), dtypes.UnsafeByteSliceFromAny(values))
	if err != nil {
		return err
	}
	_, err = store.CreateVariable(path(name), t)
	return err
}
