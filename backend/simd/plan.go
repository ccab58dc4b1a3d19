package simd

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// A plan is a list of steps, one for each group, and where each value lies: float32 and bfloat16 values that only kernels and chains read in
// one piece of memory, the slab, in which they take turns; the others in memory of the portable backend.

// step is a kernel, a chain or a segment. After it the values in spent, which lie in the portable backend's memory, are no longer needed.
type step struct {
	kernel  *node
	chain   *chain
	segment *segment
	spent   []value
}

// segment is a computation of the portable backend, and which values go in and come out.
type segment struct {
	executable      compute.Executable
	inputs, outputs []value
	donate          []bool // inputs that nobody needs afterwards: the segment may reuse their memory
}

// executable runs a plan.
type executable struct {
	backend    *Backend
	names      []string
	inputs     []shapes.Shape
	outputs    []shapes.Shape
	parameters []value
	returned   []value
	steps      []step

	sources   map[value]value // of views, and of the returned values that are views: the value whose memory they are
	offsets   map[value]int   // where a value lies in the slab
	slab      int             // how long that is
	shapes    map[value]shapes.Shape
	constants map[value]compute.Buffer
	donors    map[value]value // which parameter's memory a returned value may take, if that is donated

	// bothWays are the parameters (value) that products turned out to read in more than one way, as a gradient's do: they are not kept packed, for they would be wanted unpacked, too.
	bothWays sync.Map
}

// plan makes a plan for the needed nodes.
func (b *builder) plan(needed []*node) (*executable, error) {
	f := b.main
	g, err := f.group(needed)
	if err != nil {
		return nil, err
	}
	e := &executable{backend: b.backend, names: f.names, inputs: f.shapes, returned: f.returned,
		sources: map[value]value{}, offsets: map[value]int{}, shapes: map[value]shapes.Shape{}, constants: map[value]compute.Buffer{}, donors: map[value]value{}}
	e.parameters = make([]value, len(f.names))
	for _, n := range f.nodes {
		if n.parameter >= 0 {
			e.parameters[n.parameter] = n.outputs[0]
		}
	}
	for _, n := range needed {
		for _, v := range n.outputs {
			e.shapes[v] = f.shape(v)
			if n.view {
				e.sources[v] = f.source(v)
			}
		}
	}
	for _, v := range f.returned {
		e.outputs = append(e.outputs, f.shape(v))
		if src := e.source(v); g.constant[f.maker[src]] {
			g.wanted[src] = true
		}
	}
	if err := e.fold(g, needed); err != nil {
		return nil, err
	}
	if err := e.makeSteps(g); err != nil {
		return nil, err
	}
	e.layOut()
	return e, nil
}

// source is the value whose memory v is.
func (e *executable) source(v value) value {
	if src := e.sources[v]; src != nil {
		return src
	}
	return v
}

// fold computes the constants that somebody reads, but for broadcast ones, which a chain makes on each run: of one number they can be as
// large as a model.
func (e *executable) fold(g *grouping, needed []*node) error {
	var wanted []value
	for _, n := range needed {
		for _, v := range n.outputs {
			if g.wanted[v] && g.constant[n] && !g.unfolded[v] {
				wanted = append(wanted, v)
			}
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	s, err := e.build(g, "constants", nil, wanted)
	if err != nil {
		return err
	}
	defer s.executable.Finalize()
	made, err := execute(s.executable)
	if err != nil {
		return fmt.Errorf("simd: constants: %w", err)
	}
	for i, v := range s.outputs {
		e.constants[v] = made[i]
	}
	return nil
}

// execute runs constants. The portable backend panics on some operations, which callers expect when a computation runs, not yet when it is compiled.
func execute(constants compute.Executable) (made []compute.Buffer, err error) {
	defer func() {
		if failed := recover(); failed != nil {
			err = fmt.Errorf("%v", failed)
		}
	}()
	return constants.Execute(nil, nil, 0)
}

// makeSteps compiles the groups.
func (e *executable) makeSteps(g *grouping) error {
	returned := map[value]bool{}
	for _, v := range e.returned {
		returned[e.source(v)] = true
	}
	readers := map[value]map[*group]bool{}
	for _, of := range g.groups {
		for _, v := range of.reads {
			if readers[v] == nil {
				readers[v] = map[*group]bool{}
			}
			readers[v][of] = true
		}
	}
	float := func(v value) bool {
		dtype := e.shapes[v].DType
		return dtype == dtypes.Float32 || dtype == dtypes.Bool && g.maker[v] != nil && g.maker[v].chain != nil
	}
	for i, of := range g.groups {
		read := func(v value) bool {
			for reader := range readers[v] {
				if reader != of {
					return true
				}
			}
			return returned[v]
		}
		switch {
		case of.kernel != nil:
			e.steps = append(e.steps, step{kernel: of.kernel})
		case of.chain != nil:
			e.steps = append(e.steps, step{chain: g.newChain(of, read, float)})
		default:
			var outputs []value
			for _, n := range of.segment {
				for _, v := range n.outputs {
					if read(v) {
						outputs = append(outputs, v)
					}
				}
			}
			s, err := e.build(g, fmt.Sprintf("%s/%d", g.f.builder.Name(), i), of, outputs)
			if err != nil {
				return err
			}
			e.steps = append(e.steps, step{segment: s})
		}
	}
	return nil
}

// build builds a segment: the nodes of a group, and what they need that costs nothing. Without a group it builds constants.
func (e *executable) build(g *grouping, name string, of *group, outputs []value) (*segment, error) {
	s := &segment{outputs: outputs}
	bld := e.backend.portable.Builder(name)
	f := bld.Main()
	built := map[value]value{}
	inside := map[*node]bool{}
	var make func(n *node) error
	get := func(v value) (value, error) {
		if v == nil || built[v] != nil {
			return built[v], nil
		}
		if n := g.f.maker[v]; inside[n] || g.free(n) {
			if err := make(n); err != nil {
				return nil, err
			}
			return built[v], nil
		}
		parameter, err := f.Parameter(fmt.Sprint("in", len(s.inputs)), e.shapes[v], nil)
		if err != nil {
			return nil, err
		}
		built[v] = parameter
		s.inputs = append(s.inputs, v)
		return parameter, nil
	}
	make = func(n *node) error {
		in := slices.Clone(n.inputs)
		for i, v := range n.inputs {
			var err error
			if in[i], err = get(v); err != nil {
				return err
			}
		}
		out, err := n.again(f, in)
		if err != nil {
			return err
		}
		for i, v := range n.outputs {
			built[v] = out[i]
		}
		return nil
	}
	if of != nil {
		for _, n := range of.segment {
			inside[n] = true
		}
		for _, n := range of.segment {
			if built[n.outputs[0]] != nil {
				continue
			}
			if err := make(n); err != nil {
				return nil, err
			}
		}
	}
	var results []value
	for _, v := range outputs {
		result, err := get(v)
		if err != nil {
			return nil, err
		}
		results = append(results, result)
	}
	if len(results) == 0 {
		return nil, errors.New("simd: a segment that nobody reads")
	}
	if err := f.Return(results, nil); err != nil {
		return nil, err
	}
	s.donate = slices.Repeat([]bool{false}, len(s.inputs))
	var err error
	s.executable, err = bld.Compile()
	return s, err
}

// reads are the values in memory that a step reads.
func (e *executable) reads(s *step) []value {
	var list []value
	switch {
	case s.kernel != nil:
		for _, v := range s.kernel.inputs {
			if v != nil {
				list = append(list, e.source(v))
			}
		}
	case s.chain != nil:
		for _, o := range s.chain.operands {
			list = append(list, o.from)
		}
	default:
		list = s.segment.inputs
	}
	return list
}

// makes are the values that a step makes.
func (s *step) makes() []value {
	switch {
	case s.kernel != nil:
		return s.kernel.outputs
	case s.chain != nil:
		var list []value
		for _, o := range s.chain.outputs {
			list = append(list, o.v)
		}
		for _, sum := range s.chain.sums {
			list = append(list, sum.v)
		}
		return list
	}
	return s.segment.outputs
}

// Inputs implements compute.Executable.
func (e *executable) Inputs() ([]string, []shapes.Shape) { return e.names, e.inputs }

// Outputs implements compute.Executable.
func (e *executable) Outputs() []shapes.Shape { return e.outputs }

// Finalize implements compute.Executable.
func (e *executable) Finalize() {
	for _, s := range e.steps {
		if s.segment != nil {
			s.segment.executable.Finalize()
		}
	}
	e.steps = nil
}
