package simd

import (
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// TestSpentMemoryCounts: what a run puts beside the slab and lets go is counted, so that the garbage collector is called for it in time.
func TestSpentMemoryCounts(t *testing.T) {
	const bits = 1 << 10
	p := newPlanner(t)
	state := p.must(p.Parameter("state", compute.RNGStateShape, nil))
	_, drawn, err := p.RNGBitGenerator(state, shapes.Make(dtypes.Uint32, bits))
	if err != nil {
		t.Fatal(err)
	}
	e, _, _, _ := p.plan(p.must(p.ReduceSum(p.must(p.ConvertDType(drawn, dtypes.Float32)))))
	input, err := e.backend.BufferFromFlatData(0, []uint64{1, 2, 3}, compute.RNGStateShape)
	if err != nil {
		t.Fatal(err)
	}
	for run := range 3 {
		before := e.backend.garbage.Load()
		if _, err := e.Execute([]compute.Buffer{input}, nil, 0); err != nil {
			t.Fatal(err)
		}
		if counted := e.backend.garbage.Load() - before; counted < 4*bits {
			t.Errorf("run %d: %d bytes counted, want the %d of the random bits", run, counted, 4*bits)
		}
	}
}
