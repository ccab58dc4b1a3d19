package simd

import (
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// planner builds a computation and tells what its plan has.
type planner struct {
	t *testing.T
	b compute.Builder
	compute.Function
}

func newPlanner(t *testing.T) *planner {
	engine, err := New("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Finalize)
	b := engine.Builder(t.Name())
	return &planner{t, b, b.Main()}
}

func (p *planner) must(v compute.Value, err error) compute.Value {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}

func (p *planner) parameter(name string, dims ...int) compute.Value {
	return p.must(p.Parameter(name, shapes.Make(dtypes.Float32, dims...), nil))
}

// plan compiles and counts the kernels, chains and segments.
func (p *planner) plan(returned ...compute.Value) (e *executable, kernels, chains, segments int) {
	p.t.Helper()
	if err := p.Return(returned, nil); err != nil {
		p.t.Fatal(err)
	}
	compiled, err := p.b.Compile()
	if err != nil {
		p.t.Fatal(err)
	}
	e = compiled.(*executable)
	for _, s := range e.steps {
		switch {
		case s.kernel != nil:
			kernels++
		case s.chain != nil:
			chains++
		default:
			segments++
		}
	}
	return e, kernels, chains, segments
}

func (p *planner) want(kernels, chains, segments int, returned ...compute.Value) *executable {
	p.t.Helper()
	e, k, c, s := p.plan(returned...)
	if k != kernels || c != chains || s != segments {
		p.t.Errorf("the plan has %d kernels, %d chains and %d segments, want %d, %d and %d", k, c, s, kernels, chains, segments)
	}
	return e
}

// TestConvolutionTakesItsEnding: a bias, a residual and ReLU cost no pass of their own.
func TestConvolutionTakesItsEnding(t *testing.T) {
	p := newPlanner(t)
	out := shapes.Make(dtypes.Float32, 2, 5, 5, 16)
	axes := compute.ConvolveAxesConfig{InputBatch: 0, InputChannels: 3, InputSpatial: []int{1, 2}, KernelInputChannels: 2, KernelOutputChannels: 3,
		KernelSpatial: []int{0, 1}, OutputBatch: 0, OutputChannels: 3, OutputSpatial: []int{1, 2}}
	y := p.must(p.ConvGeneral(p.parameter("x", 2, 5, 5, 8), p.parameter("w", 1, 1, 8, 16), axes, []int{1, 1}, nil, nil, nil, 1, 1))
	y = p.must(p.Add(y, p.must(p.BroadcastInDim(p.parameter("bias", 16), out, []int{3}))))
	y = p.must(p.Add(p.parameter("residual", 2, 5, 5, 16), y))
	zero := p.must(p.Constant([]float32{0}))
	y = p.must(p.Max(y, p.must(p.BroadcastInDim(zero, out, nil))))
	p.want(1, 0, 0, y)
}

// TestSharedResultKeepsItsChain: what somebody else reads too stays as it is.
func TestSharedResultKeepsItsChain(t *testing.T) {
	p := newPlanner(t)
	y := p.must(p.FusedDense(p.parameter("x", 4, 8), p.parameter("w", 8, 16), p.parameter("bias", 16), compute.DenseConfig{}))
	p.want(1, 1, 0, p.must(p.FusedGelu(y, true)), y)
}

// TestUpdateIsOneChain: an optimiser's update of a weight reads and writes everything once, over donated memory.
func TestUpdateIsOneChain(t *testing.T) {
	p := newPlanner(t)
	w, m, v, g := p.parameter("w", 100, 70), p.parameter("m", 100, 70), p.parameter("v", 100, 70), p.parameter("g", 100, 70)
	scalar := func(x float32) compute.Value { return p.must(p.Constant([]float32{x})) }
	spread := func(x compute.Value) compute.Value {
		return p.must(p.BroadcastInDim(x, shapes.Make(dtypes.Float32, 100, 70), nil))
	}
	times := func(x compute.Value, by float32) compute.Value { return p.must(p.Mul(x, spread(scalar(by)))) }
	mean := p.must(p.Add(times(m, 0.9), times(g, 0.1)))
	square := p.must(p.Add(times(v, 0.999), times(p.must(p.Mul(g, g)), 0.001)))
	step := p.must(p.Div(mean, p.must(p.Sqrt(square))))
	e := p.want(0, 1, 0, p.must(p.Sub(w, times(step, 0.01))), mean, square)
	if len(e.donors) != 3 {
		t.Errorf("%d results take a parameter's memory, want 3", len(e.donors))
	}
	if e.slab != 0 {
		t.Errorf("the plan wants %d values of memory, want none", e.slab)
	}
}

// TestSumTravelsWithItsChain: the sum of squares goes through memory once.
func TestSumTravelsWithItsChain(t *testing.T) {
	p := newPlanner(t)
	x := p.parameter("x", 100, 70)
	p.want(0, 1, 0, p.must(p.ReduceSum(p.must(p.Mul(x, x)))))
}

// TestSlab: holes are used again, and joined.
func TestSlab(t *testing.T) {
	var p slabPlan
	a, b, c := p.take(100), p.take(10), p.take(50)
	if a != 0 || b != 112 || c != 128 {
		t.Fatalf("took %d, %d, %d, want 0, 112, 128", a, b, c)
	}
	p.free(a, 100)
	p.free(b, 10)
	if len(p.holes) != 1 || p.holes[0] != (hole{0, 128}) {
		t.Fatalf("holes %v, want one of 128", p.holes)
	}
	if at := p.take(120); at != 0 {
		t.Errorf("took %d, want 0", at)
	}
	p.free(c, 50)
	if at := p.take(1000); at != 128 || p.length != 128+1008 {
		t.Errorf("took %d of %d, want 128: the last hole grows", at, p.length)
	}
}

// TestIdleSlabs: slabs are few, and a large one that nobody wants any more goes.
func TestIdleSlabs(t *testing.T) {
	var m memory
	large := m.takeSlab(1 << 22)
	m.giveSlab(large)
	if s := m.takeSlab(1<<22 - 5); &s[0] != &large[0] {
		t.Error("a slab is not used again")
	} else {
		m.giveSlab(s)
	}
	if s := m.takeSlab(1 << 10); len(s) == len(large) {
		t.Error("a slab is used for a thousandth of it")
	}
	for range longestIdle + 1 {
		m.giveSlab(m.takeSlab(1 << 10))
	}
	if len(m.slabs) != 1 {
		t.Errorf("%d slabs are kept, want the small one", len(m.slabs))
	}
	var many [][]float32
	for range 2 * mostSlabs {
		many = append(many, m.takeSlab(1<<10))
	}
	for _, s := range many {
		m.giveSlab(s)
	}
	if len(m.slabs) != mostSlabs {
		t.Errorf("%d slabs are kept, want %d", len(m.slabs), mostSlabs)
	}
}

// TestPattern compares patterns with the definition of broadcasting.
func TestPattern(t *testing.T) {
	for _, c := range []struct {
		from, to, axes []int
		want           pattern
	}{
		{[]int{768}, []int{8, 20, 768}, []int{2}, pattern{{160, 0}, {768, 1}}},
		{[]int{8, 20, 1}, []int{8, 20, 768}, []int{0, 1, 2}, pattern{{160, 1}, {768, 0}}},
		{[]int{8, 1, 1, 20}, []int{8, 12, 36, 20}, []int{0, 1, 2, 3}, pattern{{8, 20}, {432, 0}, {20, 1}}},
		{[]int{}, []int{4, 5}, nil, pattern{{20, 0}}},
		{[]int{4, 5}, []int{4, 5}, []int{0, 1}, pattern{{20, 1}}},
	} {
		p := broadcastPattern(c.from, c.to, c.axes)
		if len(p) != len(c.want) {
			t.Errorf("%v over %v: %v, want %v", c.from, c.to, p, c.want)
			continue
		}
		for i := range p {
			if p[i] != c.want[i] {
				t.Errorf("%v over %v: %v, want %v", c.from, c.to, p, c.want)
			}
		}
	}
}

// TestZerosAreNotKept: one number spread over an array is made when it is wanted, where it is wanted.
func TestZerosAreNotKept(t *testing.T) {
	p := newPlanner(t)
	zero := p.must(p.Constant([]float32{0}))
	spread := p.must(p.BroadcastInDim(zero, shapes.Make(dtypes.Float32, 300, 40), nil))
	turned := p.must(p.Transpose(p.must(p.Add(spread, p.parameter("x", 300, 40))), 1, 0)) // so that a chain reads it too
	e := p.want(1, 2, 0, spread, turned)
	for v, memory := range e.constants {
		if e.shapes[v].Size() > 1 {
			t.Errorf("the plan holds a constant of %s: %v", e.shapes[v], memory)
		}
	}
}
