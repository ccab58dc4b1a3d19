package simd

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

// A plan is a list of steps: a kernel, or a segment of operations for the portable backend. Levels order them:
// segments have even levels, kernels odd ones, and each node stands as low as its inputs let it. So
// everything between two layers of kernels is one segment.

// step is a kernel or a segment. After it the values in spent are no longer needed.
type step struct {
	kernel  *node
	segment *segment
	spent   []compute.Value
}

// segment is a computation of the portable backend, and which values go in and come out.
type segment struct {
	executable      compute.Executable
	inputs, outputs []compute.Value
	donate          []bool // inputs that nobody needs afterwards: the segment may reuse their memory
}

// plan cuts needed nodes into steps.
func (b *builder) plan(needed []*node) (compute.Executable, error) {
	views := b.findViews(needed)
	highest := b.assignLevels(needed)
	e := &executable{backend: b.backend, names: b.main.names, inputs: b.main.shapes, returned: b.main.returned, views: views}
	for _, v := range b.main.returned {
		e.outputs = append(e.outputs, b.main.shape(v))
	}
	e.parameters = make([]compute.Value, len(b.main.names))
	for _, n := range b.main.nodes {
		if n.parameter >= 0 {
			e.parameters[n.parameter] = n.outputs[0]
		}
	}
	for level := range highest + 1 {
		var members []*node
		for _, n := range needed {
			if n.parameter < 0 && n.level == level {
				members = append(members, n)
			}
		}
		switch {
		case len(members) == 0:
		case level%2 == 1:
			for _, n := range members {
				if views[n.outputs[0]] == nil { // a view is no work
					e.steps = append(e.steps, step{kernel: n})
				}
			}
		default:
			s, err := b.segment(fmt.Sprintf("%s/%d", b.Name(), level), members, needed)
			if err != nil {
				return nil, err
			}
			e.steps = append(e.steps, step{segment: s})
		}
	}
	e.findSpent()
	return e, nil
}

// findViews lists the reshaped values that only kernels read: kernels know the shapes of what they read from the plan,
// so these need no memory of their own. It maps each to the value whose memory it is.
func (b *builder) findViews(needed []*node) map[compute.Value]compute.Value {
	views := map[compute.Value]compute.Value{}
	read := map[compute.Value]bool{} // by something that wants memory of that shape
	for _, v := range b.main.returned {
		read[v] = true
	}
	for i := len(needed) - 1; i >= 0; i-- {
		n := needed[i]
		if n.reshapes && !read[n.outputs[0]] {
			n.kernel = func(*execution, *node) error { return nil }
			views[n.outputs[0]] = n.inputs[0]
		}
		if n.kernel == nil {
			for _, v := range n.inputs {
				read[v] = true
			}
		}
	}
	return views
}

// memoryOf follows views to the value whose memory they are.
func (e *executable) memoryOf(v compute.Value) compute.Value {
	for e.views[v] != nil {
		v = e.views[v]
	}
	return v
}

// assignLevels gives every node its level and returns the highest.
func (b *builder) assignLevels(needed []*node) int {
	highest := 0
	for _, n := range needed {
		if n.parameter >= 0 {
			n.level = -1
			continue
		}
		level := 0
		if n.kernel != nil {
			level = 1
		}
		for _, v := range n.inputs {
			if v == nil {
				continue
			}
			at := b.main.maker[v].level
			if at%2 == level%2 || at < 0 { // of the same kind, or a parameter
				level = max(level, at)
			} else {
				level = max(level, at+1)
			}
		}
		n.level = level
		highest = max(highest, level)
	}
	return highest
}

// segment builds members anew in a computation of their own.
func (b *builder) segment(name string, members, needed []*node) (*segment, error) {
	inside := map[compute.Value]bool{}
	for _, n := range members {
		for _, v := range n.outputs {
			inside[v] = true
		}
	}
	// What comes out: values that others want, or the caller.
	wanted := map[compute.Value]bool{}
	for _, n := range needed {
		if n.parameter < 0 && n.level != members[0].level {
			for _, v := range n.inputs {
				wanted[v] = true
			}
		}
	}
	for _, v := range b.main.returned {
		wanted[v] = true
	}
	s := &segment{}
	bld := b.backend.portable.Builder(name)
	f := bld.Main()
	built := map[compute.Value]compute.Value{}
	for _, n := range members {
		in := make([]compute.Value, len(n.inputs))
		for i, v := range n.inputs {
			if v == nil {
				continue
			}
			if built[v] == nil && !inside[v] {
				parameter, err := f.Parameter(fmt.Sprint("in", len(s.inputs)), b.main.shape(v), nil)
				if err != nil {
					return nil, err
				}
				built[v] = parameter
				s.inputs = append(s.inputs, v)
			}
			in[i] = built[v]
		}
		out, err := n.again(f, in)
		if err != nil {
			return nil, err
		}
		for i, v := range n.outputs {
			built[v] = out[i]
		}
	}
	var results []compute.Value
	for _, n := range members {
		for _, v := range n.outputs {
			if wanted[v] && !slices.Contains(s.outputs, v) {
				s.outputs = append(s.outputs, v)
				results = append(results, built[v])
			}
		}
	}
	if err := f.Return(results, nil); err != nil {
		return nil, err
	}
	s.donate = make([]bool, len(s.inputs))
	var err error
	s.executable, err = bld.Compile()
	return s, err
}

// findSpent notes after which step each value is used for the last time.
func (e *executable) findSpent() {
	last := map[compute.Value]int{}
	for i, s := range e.steps {
		switch {
		case s.kernel != nil:
			for _, v := range append(slices.Clone(s.kernel.inputs), s.kernel.outputs...) {
				last[e.memoryOf(v)] = i
			}
		default:
			for _, v := range append(slices.Clone(s.segment.inputs), s.segment.outputs...) {
				last[v] = i
			}
		}
	}
	for _, v := range append(slices.Clone(e.returned), e.parameters...) {
		delete(last, v)
	}
	delete(last, nil)
	for v, i := range last {
		if s := e.steps[i].segment; s != nil {
			if at := slices.Index(s.inputs, v); at >= 0 {
				s.donate[at] = true
				continue
			}
		}
		e.steps[i].spent = append(e.steps[i].spent, v)
	}
}

// executable runs a plan.
type executable struct {
	backend    *Backend
	names      []string
	inputs     []shapes.Shape
	outputs    []shapes.Shape
	parameters []compute.Value
	returned   []compute.Value
	steps      []step
	views      map[compute.Value]compute.Value // values that are another's memory
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
