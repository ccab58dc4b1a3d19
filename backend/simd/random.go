package simd

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// RNGBitGenerator implements compute.Function, with the portable backend's generator and its numbers, of 32 and of 64 bits.
func (f *function) RNGBitGenerator(state compute.Value, shape shapes.Shape) (compute.Value, compute.Value, error) {
	inputs := []compute.Value{state}
	out, err := f.many(inputs, func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
		next, bits, err := g.RNGBitGenerator(in[0], shape)
		return []compute.Value{next, bits}, err
	})
	if err != nil {
		return nil, nil, err
	}
	if n := f.made(out[1], inputs); n != nil && !shape.IsDynamic() && (shape.DType == dtypes.Uint32 || shape.DType == dtypes.Uint64) && shape.Size() > 0 {
		n.kernel = randomBits
	}
	return out[0], out[1], nil
}

// randomBits draws from the generator that begins at the state and leaves the state where it ends.
func randomBits(x *execution, n *node) error {
	flat, err := x.values(x.plan.source(n.inputs[0]))
	if err != nil {
		return err
	}
	state := flat.([]uint64)
	next, err := x.typed(n.outputs[0])
	if err != nil {
		return err
	}
	bits, err := x.typed(n.outputs[1])
	if err != nil {
		return err
	}
	copy(next.([]uint64), state)
	generator := rand.NewPCG(state[0], state[1])
	switch bits := bits.(type) {
	case []uint32:
		for i := 0; i < len(bits); i += 2 {
			u := generator.Uint64()
			bits[i] = uint32(u)
			if i+1 < len(bits) {
				bits[i+1] = uint32(u >> 32)
			}
		}
	case []uint64:
		for i := range bits {
			bits[i] = generator.Uint64()
		}
	}
	text, err := generator.MarshalBinary() // "pcg:" and the state
	if err != nil {
		return err
	}
	for i := range 2 {
		next.([]uint64)[i] = binary.LittleEndian.Uint64(text[4+8*i:])
	}
	return nil
}
