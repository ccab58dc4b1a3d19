package simd

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

// execution is one run of a plan: the values so far. Values that the run made are memory of the portable
// backend; parameters are also the caller's buffers.
type execution struct {
	backend *Backend
	plan    *executable
	memory  map[compute.Value]compute.Buffer
	callers map[compute.Value]*Buffer
	made    map[compute.Value]bool      // values of memory that a kernel filled
	spare   map[string][]compute.Buffer // such memory that is no longer needed, by shape
}

// Execute implements compute.Executable.
func (e *executable) Execute(inputs []compute.Buffer, donate []bool, _ compute.DeviceNum) ([]compute.Buffer, error) {
	if len(inputs) != len(e.parameters) {
		return nil, fmt.Errorf("simd: found %d inputs, want %d", len(inputs), len(e.parameters))
	}
	x := &execution{backend: e.backend, plan: e, memory: map[compute.Value]compute.Buffer{}, callers: map[compute.Value]*Buffer{},
		made: map[compute.Value]bool{}, spare: map[string][]compute.Buffer{}}
	for i, input := range inputs {
		buffer, err := e.backend.own(input)
		if err != nil {
			return nil, fmt.Errorf("simd: input %d (%s): %w", i, e.names[i], err)
		}
		if shape, err := buffer.Shape(); err != nil || !shape.Equal(e.inputs[i]) {
			return nil, fmt.Errorf("simd: input %d (%s): found shape %v, want %v (%v)", i, e.names[i], shape, e.inputs[i], err)
		}
		x.callers[e.parameters[i]] = buffer
	}
	for i := range e.steps {
		if err := x.run(&e.steps[i]); err != nil {
			return nil, err
		}
	}
	outputs, err := x.results(e.returned)
	if err != nil {
		return nil, err
	}
	for i, given := range donate {
		if given {
			if err := inputs[i].Finalize(); err != nil {
				return nil, err
			}
		}
	}
	return outputs, nil
}

// run makes one step and frees what it spent.
func (x *execution) run(s *step) error {
	if s.kernel != nil {
		if err := s.kernel.kernel(x, s.kernel); err != nil {
			return err
		}
	} else {
		in := make([]compute.Buffer, len(s.segment.inputs))
		for i, v := range s.segment.inputs {
			var err error
			if in[i], err = x.flat(v); err != nil {
				return err
			}
		}
		out, err := s.segment.executable.Execute(in, s.segment.donate, 0)
		if err != nil {
			return err
		}
		for i, v := range s.segment.inputs {
			if s.segment.donate[i] {
				delete(x.memory, v)
			}
		}
		for i, v := range s.segment.outputs {
			x.memory[v] = out[i]
		}
	}
	for _, v := range s.spent {
		if memory := x.memory[v]; memory != nil {
			if err := x.release(v, memory); err != nil {
				return err
			}
			delete(x.memory, v)
		}
	}
	return nil
}

// release frees memory, or keeps it for the next kernel with a result of that shape: new memory is zeroed first, page by
// page, which took 4 % of a pass of 32 questions.
func (x *execution) release(v compute.Value, memory compute.Buffer) error {
	if !x.made[v] {
		return memory.Finalize()
	}
	shape, err := memory.Shape()
	if err != nil {
		return err
	}
	x.spare[shape.String()] = append(x.spare[shape.String()], memory)
	return nil
}

// results are the caller's buffers for the returned values: each one of its own, also where a value is returned
// twice or is a parameter.
func (x *execution) results(returned []compute.Value) ([]compute.Buffer, error) {
	outputs := make([]compute.Buffer, len(returned))
	given := map[compute.Value]bool{}
	for i, v := range returned {
		memory, err := x.flat(v)
		if err != nil {
			return nil, err
		}
		if given[v] || x.callers[v] != nil {
			if memory, err = x.backend.copyOf(memory); err != nil {
				return nil, err
			}
		}
		given[v] = true
		if outputs[i], err = x.backend.newBuffer(memory); err != nil {
			return nil, err
		}
	}
	return outputs, nil
}

// copyOf copies memory.
func (b *Backend) copyOf(memory compute.Buffer) (compute.Buffer, error) {
	shape, err := memory.Shape()
	if err != nil {
		return nil, err
	}
	flat, err := memory.Data()
	if err != nil {
		return nil, err
	}
	return b.portable.BufferFromFlatData(0, flat, shape)
}

// own checks that a buffer is this engine's.
func (b *Backend) own(buffer compute.Buffer) (*Buffer, error) {
	own, ok := buffer.(*Buffer)
	if !ok || own.backend != b {
		return nil, fmt.Errorf("a buffer of another backend (%T)", buffer)
	}
	return own, nil
}

// output is memory for a kernel's result, which it fills: what is there is without meaning.
func (x *execution) output(v compute.Value, shape shapes.Shape) ([]float32, error) {
	x.made[v] = true
	key := shape.String()
	if n := len(x.spare[key]); n > 0 {
		memory := x.spare[key][n-1]
		x.spare[key] = x.spare[key][:n-1]
		x.memory[v] = memory
		return values(memory)
	}
	memory, flat, err := x.backend.portable.NewSharedBuffer(0, shape)
	if err != nil {
		return nil, err
	}
	x.memory[v] = memory
	return flat.([]float32), nil
}

// input is a kernel's float32 argument.
func (x *execution) input(v compute.Value) ([]float32, error) {
	memory, err := x.flat(v)
	if err != nil {
		return nil, err
	}
	return values(memory)
}

// flat is a value's memory: the run's own, or that of a caller's buffer.
func (x *execution) flat(v compute.Value) (compute.Buffer, error) {
	v = x.plan.memoryOf(v)
	if buffer := x.callers[v]; buffer != nil {
		return buffer.flat()
	}
	return x.memory[v], nil
}

// wholeExecutable runs a shadow.
type wholeExecutable struct {
	compute.Executable
	backend *Backend
}

// Execute implements compute.Executable.
func (e *wholeExecutable) Execute(inputs []compute.Buffer, donate []bool, device compute.DeviceNum) ([]compute.Buffer, error) {
	in := make([]compute.Buffer, len(inputs))
	for i, input := range inputs {
		buffer, err := e.backend.own(input)
		if err != nil {
			return nil, fmt.Errorf("simd: input %d: %w", i, err)
		}
		if in[i], err = buffer.flat(); err != nil {
			return nil, err
		}
	}
	out, err := e.Executable.Execute(in, donate, device)
	if err != nil {
		return nil, err
	}
	for i, memory := range out {
		if out[i], err = e.backend.newBuffer(memory); err != nil {
			return nil, err
		}
	}
	return out, nil
}
