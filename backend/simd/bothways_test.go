package simd

import (
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// TestBothWays: a weight that products read in one way alone is kept packed, without its own memory; one that they read in two ways, as a gradient's do, is left as it
// is from the second run on. It would be packed, let go and made again with each new value.
func TestBothWays(t *testing.T) {
	const n = 256 // so that weights are large
	for _, both := range []bool{false, true} {
		p := newPlanner(t)
		left := p.must(p.Parameter("left", shapes.Make(dtypes.Float32, 4, n), nil))
		weight := p.must(p.Parameter("weight", shapes.Make(dtypes.Float32, n, n), nil))
		forth := p.must(p.DotGeneral(left, []int{1}, nil, weight, []int{0}, nil, compute.DotGeneralConfig{}))
		outputs := []compute.Value{forth}
		if both {
			outputs = append(outputs, p.must(p.DotGeneral(forth, []int{1}, nil, weight, []int{1}, nil, compute.DotGeneralConfig{})))
		}
		e, _, _, _ := p.plan(outputs...)
		buffer := func(rows int) *Buffer {
			values := make([]float32, rows*n)
			for i := range values {
				values[i] = float32(i%7) - 3
			}
			made, err := e.backend.BufferFromFlatData(0, values, shapes.Make(dtypes.Float32, rows, n))
			if err != nil {
				t.Fatal(err)
			}
			return made.(*Buffer)
		}
		x := buffer(4)
		for run := range 2 {
			w := buffer(n) // as if a step had changed it
			if _, err := e.Execute([]compute.Buffer{x, w}, nil, 0); err != nil {
				t.Fatal(err)
			}
			packed, own := len(w.packed) > 0, w.memory != nil
			if wantPacked, wantOwn := !both || run == 0, both; packed != wantPacked || own != wantOwn {
				t.Errorf("read both ways %v, run %d: packed %v, with its own memory %v, want %v and %v", both, run+1, packed, own, wantPacked, wantOwn)
			}
		}
	}
}
