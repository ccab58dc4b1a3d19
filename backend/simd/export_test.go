package simd

import (
	"math"

	"github.com/gomlx/compute"
)

// Spoil fills the memory that the next runs borrow with NaNs, so that whoever reads before he writes is found out.
func Spoil(engine compute.Backend) {
	b := engine.(*Backend)
	nan := float32(math.NaN())
	b.memory.mu.Lock()
	defer b.memory.mu.Unlock()
	for _, slab := range b.memory.slabs {
		for i := range slab.values {
			slab.values[i] = nan
		}
	}
	var scratch [][]float32
	for class := 4; class < 15; class++ {
		s := b.memory.take(1 << class)
		for i := range s {
			s[i] = nan
		}
		scratch = append(scratch, s)
	}
	for _, s := range scratch {
		b.memory.give(s)
	}
}

// Set is the name of the engine's set of kernels.
func (b *Backend) Set() string { return b.set.String() }
