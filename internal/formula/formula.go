// Package formula computes the weights of the reference data's base-size model, for tests and benchmarks that want
// a model of real size without a file of real size.
package formula

import (
	"hash/fnv"
	"strings"

	"github.com/go-lxmert/lxmert/model"
)

// Weights is a source of weights: each element is a hash of the weight's name and its own index, scaled by the
// kind of weight.
func Weights(name string, dimensions []int) ([]float32, error) {
	hash := fnv.New64a()
	hash.Write([]byte(name))
	seed := hash.Sum64()
	shift, scale := 0.0, 0.07
	switch {
	case strings.HasSuffix(name, "LayerNorm.weight"), strings.HasSuffix(name, "layer_norm.weight"):
		shift, scale = 1, 0.2
	case strings.HasSuffix(name, ".bias"):
		scale = 0.04
	}
	values := make([]float32, model.Weight{Name: name, Dimensions: dimensions}.Size())
	for i := range values {
		u := float64(splitmix64(seed+uint64(i))>>40) / (1 << 24)
		values[i] = float32(shift + (u-0.5)*scale)
	}
	return values, nil
}

func splitmix64(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}
