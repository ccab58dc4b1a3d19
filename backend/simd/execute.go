package simd

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/shapes"
)

// execution is one run of a plan.
type execution struct {
	backend *Backend
	plan    *executable
	slab    []float32
	memory  map[value]compute.Buffer // values in the portable backend's memory
	callers map[value]*Buffer        // parameters
	donated map[value]bool
	ends    []context.Context // any of which ends the run
	at      place
}

// Execute implements compute.Executable.
func (e *executable) Execute(inputs []compute.Buffer, donate []bool, device compute.DeviceNum) ([]compute.Buffer, error) {
	return e.executeAt(place{device: device}, inputs, donate)
}

// executeAt is Execute at some place.
func (e *executable) executeAt(at place, inputs []compute.Buffer, donate []bool) ([]compute.Buffer, error) {
	if len(inputs) != len(e.parameters) {
		return nil, fmt.Errorf("simd: found %d inputs, want %d", len(inputs), len(e.parameters))
	}
	given, err := donated(inputs, donate)
	if err != nil {
		return nil, err
	}
	x := &execution{backend: e.backend, plan: e, memory: map[value]compute.Buffer{}, callers: map[value]*Buffer{}, donated: map[value]bool{}, at: at}
	for i, input := range inputs {
		buffer, err := e.backend.own(input)
		if err == nil {
			err = at.holds(buffer)
		}
		if err != nil {
			return nil, fmt.Errorf("simd: input %d (%s): %w", i, e.names[i], err)
		}
		if shape, err := buffer.Shape(); err != nil || !shape.Equal(e.inputs[i]) {
			return nil, fmt.Errorf("simd: input %d (%s): found shape %v, want %v (%v)", i, e.names[i], shape, e.inputs[i], err)
		}
		x.callers[e.parameters[i]] = buffer
		if ctx := buffer.context(); ctx != nil {
			x.ends = append(x.ends, ctx)
		}
		x.donated[e.parameters[i]] = given[i]
	}
	x.slab = e.backend.memory.takeSlab(e.slab)
	defer e.backend.memory.giveSlab(x.slab)
	for i := range e.steps {
		for _, ctx := range x.ends {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		if err := x.run(&e.steps[i]); err != nil {
			return nil, err
		}
	}
	outputs, err := x.results(e.returned)
	if err != nil {
		return nil, err
	}
	return outputs, finalize(inputs, donate)
}

// donated says whose memory a run may take: that of donated inputs, but not where the same buffer is another input too.
func donated(inputs []compute.Buffer, donate []bool) ([]bool, error) {
	given := make([]bool, len(inputs))
	if len(donate) == 0 {
		return given, nil
	}
	if len(donate) != len(inputs) {
		return nil, fmt.Errorf("simd: %d inputs are said to be donated or not, want %d", len(donate), len(inputs))
	}
	times := map[compute.Buffer]int{}
	for _, input := range inputs {
		times[input]++
	}
	for i, input := range inputs {
		given[i] = donate[i] && times[input] == 1
	}
	return given, nil
}

// finalize ends the donated inputs, also those whose memory nobody took.
func finalize(inputs []compute.Buffer, donate []bool) error {
	for i, given := range donate {
		if !given {
			continue
		}
		if err := inputs[i].Finalize(); err != nil {
			return err
		}
	}
	return nil
}

// run makes one step and frees what it spent. The portable backend does not use that memory again: it is garbage.
func (x *execution) run(s *step) error {
	var err error
	switch {
	case s.kernel != nil:
		err = s.kernel.kernel(x, s.kernel)
	case s.chain != nil:
		err = s.chain.run(x)
	default:
		err = x.runSegment(s.segment)
	}
	if err != nil {
		return err
	}
	for _, v := range s.spent {
		if memory := x.memory[v]; memory != nil {
			if err := memory.Finalize(); err != nil {
				return err
			}
			delete(x.memory, v)
			x.backend.letGo(int(x.plan.shapes[v].ByteSize()))
		}
	}
	return nil
}

func (x *execution) runSegment(s *segment) error {
	in := make([]compute.Buffer, len(s.inputs))
	donate := append([]bool{}, s.donate...)
	for i, v := range s.inputs {
		_, inSlab := x.plan.offsets[v]
		var err error
		if in[i], err = x.buffer(v); err != nil {
			return err
		}
		donate[i] = donate[i] || inSlab // a copy
	}
	out, err := s.executable.Execute(in, donate, 0)
	if err != nil {
		return err
	}
	for i, v := range s.inputs {
		if s.donate[i] {
			delete(x.memory, v)
		}
	}
	for i, v := range s.outputs {
		x.memory[v] = out[i]
	}
	return nil
}

// results are the caller's buffers for the returned values: each one of its own, also where a value is returned
// twice or is a parameter.
func (x *execution) results(returned []value) ([]compute.Buffer, error) {
	outputs := make([]compute.Buffer, len(returned))
	given := map[value]bool{}
	for i, v := range returned {
		src := x.plan.source(v)
		memory, err := x.buffer(src)
		if err != nil {
			return nil, err
		}
		_, inSlab := x.plan.offsets[src]
		if given[src] || x.callers[src] != nil || x.plan.constants[src] != nil || src != v {
			if memory, err = x.backend.copyOf(memory, x.plan.outputs[i]); err != nil {
				return nil, err
			}
		} else {
			given[src] = !inSlab
		}
		outputs[i] = x.backend.newBuffer(memory, x.plan.outputs[i], x.at.device)
	}
	return outputs, nil
}

// copyOf copies memory to a buffer of that shape, of as many values.
func (b *Backend) copyOf(memory compute.Buffer, shape shapes.Shape) (compute.Buffer, error) {
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

// output is memory for a result of a kernel or a chain.
func (x *execution) output(v value) ([]float32, error) {
	shape := x.plan.shapes[v]
	if offset, ok := x.plan.offsets[v]; ok {
		return x.slab[offset:][:shape.Size()], nil
	}
	if donor := x.plan.donors[v]; donor != nil && x.donated[donor] {
		if memory := x.callers[donor].take(); memory != nil {
			x.memory[v] = memory
			return values(memory)
		}
	}
	memory, flat, err := x.backend.portable.NewSharedBuffer(0, shape)
	if err != nil {
		return nil, err
	}
	x.memory[v] = memory
	return flat.([]float32), nil
}

// typed is memory for a kernel's result of another type.
func (x *execution) typed(v value) (any, error) {
	memory, flat, err := x.backend.portable.NewSharedBuffer(0, x.plan.shapes[v])
	x.memory[v] = memory
	return flat, err
}

// input is a kernel's float32 argument.
func (x *execution) input(v value) ([]float32, error) {
	flat, err := x.values(x.plan.source(v))
	if err != nil {
		return nil, err
	}
	floats, ok := flat.([]float32)
	if !ok {
		return nil, fmt.Errorf("simd: found a value of %T, want float32", flat)
	}
	return floats, nil
}

// values is a value in memory, as a slice of its type; what lies in the slab is float32 or bfloat16.
func (x *execution) values(v value) (any, error) {
	if offset, ok := x.plan.offsets[v]; ok {
		n := x.plan.shapes[v].Size()
		if x.plan.shapes[v].DType == dtypes.BFloat16 {
			return inSlab(x.slab[offset:], n), nil
		}
		return x.slab[offset:][:n], nil
	}
	memory, err := x.buffer(v)
	if err != nil {
		return nil, err
	}
	return memory.Data()
}

// buffer is a value in memory of the portable backend: a caller's, the run's own, or a copy of what lies in the slab.
func (x *execution) buffer(v value) (compute.Buffer, error) {
	if offset, ok := x.plan.offsets[v]; ok {
		shape := x.plan.shapes[v]
		memory, flat, err := x.backend.portable.NewSharedBuffer(0, shape)
		if err != nil {
			return nil, err
		}
		switch to := flat.(type) {
		case []bool:
			for i, v := range x.slab[offset:][:len(to)] {
				to[i] = v != 0
			}
		case []bfloat16.BFloat16:
			copy(to, inSlab(x.slab[offset:], len(to)))
		case []float32:
			copy(to, x.slab[offset:])
		}
		return memory, nil
	}
	if memory := x.plan.constants[v]; memory != nil {
		return memory, nil
	}
	if buffer := x.callers[v]; buffer != nil {
		return buffer.flat()
	}
	if memory := x.memory[v]; memory != nil {
		return memory, nil
	}
	return nil, fmt.Errorf("simd: a value of %s is not there", x.plan.shapes[v])
}

// wholeExecutable runs a shadow.
type wholeExecutable struct {
	compute.Executable
	backend *Backend
}

// Execute implements compute.Executable.
func (e *wholeExecutable) Execute(inputs []compute.Buffer, donate []bool, device compute.DeviceNum) ([]compute.Buffer, error) {
	return e.executeAt(place{device: device}, inputs, donate)
}

// executeAt is Execute at some place.
func (e *wholeExecutable) executeAt(at place, inputs []compute.Buffer, donate []bool) ([]compute.Buffer, error) {
	given, err := donated(inputs, donate)
	if err != nil {
		return nil, err
	}
	in := make([]compute.Buffer, len(inputs))
	for i, input := range inputs {
		buffer, err := e.backend.own(input)
		if err == nil {
			err = at.holds(buffer)
		}
		if err != nil {
			return nil, fmt.Errorf("simd: input %d: %w", i, err)
		}
		if in[i], err = buffer.flat(); err != nil {
			return nil, err
		}
		if given[i] {
			buffer.take()
		}
	}
	out, err := e.Executable.Execute(in, given, 0)
	if err != nil {
		return nil, err
	}
	for i, memory := range out {
		shape, err := memory.Shape()
		if err != nil {
			return nil, err
		}
		out[i] = e.backend.newBuffer(memory, shape, at.device)
	}
	return out, finalize(inputs, donate)
}
