package model

import (
	"hash/fnv"
	"math/rand/v2"
	"strings"
)

// Source gives a model its weights: the values of the weight of that name and shape, flat in
// row-major order. The slice may be a view that is valid only until the next call.
type Source func(name string, dimensions []int) ([]float32, error)

// Fresh initialises weights as the reference's _init_weights does: matrices and embeddings normal with
// standard deviation initializer_range, row 0 of each embedding 0 (it stands for padding), biases
// 0, layer-normalisation weights 1. A weight depends on the seed and its own name only.
func (c *Config) Fresh(seed uint64) Source {
	return func(name string, dimensions []int) ([]float32, error) {
		size := Weight{Name: name, Dimensions: dimensions}.Size()
		values := make([]float32, size)
		switch {
		case len(dimensions) > 1:
			fillNormal(values, name, seed, c.InitializerRange)
			if strings.HasSuffix(name, "_embeddings.weight") {
				clear(values[:size/dimensions[0]])
			}
		case strings.HasSuffix(name, ".weight"): // of a layer normalisation: no other has one axis
			for i := range values {
				values[i] = 1
			}
		}
		return values, nil
	}
}

// fillNormal draws from a normal distribution; the stream is the seed's and the name's.
func fillNormal(values []float32, name string, seed uint64, deviation float64) {
	hash := fnv.New64a()
	hash.Write([]byte(name))
	random := rand.New(rand.NewPCG(seed, hash.Sum64()))
	for i := range values {
		values[i] = float32(random.NormFloat64() * deviation)
	}
}
