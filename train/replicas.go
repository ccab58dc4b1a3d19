package train

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	gomodel "github.com/gomlx/gomlx/ml/model"
)

// replicas runs graphs over a model's store on several devices of its engine at once, each with inputs of its own (SPMD). Every device has all
// variables. A variable's value in the store is device 0's, so that whoever asks the model or saves it need not know of the others; theirs are
// kept here.
//
// It stands in for GoMLX's own ml/model.Exec, which in version 0.28.8 tells the engine how each variable is divided, what XLA's takes in
// graphs that divide themselves only, and merges values on the host whenever somebody looks at them.
type replicas struct {
	engine compute.Backend
	store  *gomodel.Store
	mesh   *distributed.DeviceMesh
	copies map[string]*copied // by the variable's path
}

// copied is a variable on the devices after the first.
type copied struct {
	of *tensors.Tensor   // the value in the store that they belong to
	on []*tensors.Tensor // on device 1, 2, ...
}

// newReplicas is for so many devices of the engine, 2 or more.
func newReplicas(engine compute.Backend, store *gomodel.Store, devices int) (*replicas, error) {
	if n := engine.NumDevices(); devices > n {
		return nil, fmt.Errorf("found %d devices of the engine %s, want %d", n, engine.Name(), devices)
	}
	if !engine.Capabilities().Operations[compute.OpTypeAllReduce] {
		return nil, fmt.Errorf("the engine %s cannot add up over devices (AllReduce): take xla, or one device", engine.Name())
	}
	mesh, err := distributed.NewDeviceMesh([]int{devices}, []string{"replica"})
	if err != nil {
		return nil, err
	}
	return &replicas{engine, store, mesh, map[string]*copied{}}, nil
}

// forget lets go of the copies of a variable: its value in the store has been changed in place.
func (r *replicas) forget(path string) {
	if c := r.copies[path]; c != nil {
		delete(r.copies, path)
		c.free()
	}
}

// close frees all copies.
func (r *replicas) close() {
	for path := range r.copies {
		r.forget(path)
	}
}

func (c *copied) free() {
	for _, t := range c.on {
		t.FinalizeAll()
	}
}

// replicated is a graph that runs on all devices.
type replicated struct {
	replicas *replicas
	exec     *graph.Exec
	changed  map[graph.GraphId][]*gomodel.Variable // by a graph, in the order of its first outputs
	random   []*tensors.Tensor                     // what the random numbers of each device begin with, in the run under way
}

// exec makes a graph of what build makes of a device's inputs; AllReduce in it is over all devices.
func (r *replicas) exec(build func(s *gomodel.Scope, in []*graph.Node) []*graph.Node) (*replicated, error) {
	e := &replicated{replicas: r, changed: map[graph.GraphId][]*gomodel.Variable{}}
	exec, err := graph.NewExec(r.engine, func(in []*graph.Node) []*graph.Node {
		g := in[0].Graph()
		gomodel.SetStore(g, r.store)
		out := build(r.store.RootScope(), in)
		var changed []*gomodel.Variable
		var values []*graph.Node
		for v := range r.store.IterVariables() {
			if v.ChangedInGraph(g) {
				changed, values = append(changed, v), append(values, v.NodeValue(g))
			}
		}
		e.changed[g.GraphId()] = changed
		return append(values, out...)
	})
	if err != nil {
		return nil, err
	}
	e.exec = exec.SPMD(r.mesh).SetMaxCache(-1).SetSideParamsHook(e.variables)
	return e, nil
}

// call implements program. Inputs have the same shapes on all devices. Random numbers without a seed begin with the device's number.
func (e *replicated) call(inputs [][]any, seeds []*int64) ([][]*tensors.Tensor, error) {
	n := e.replicas.mesh.NumDevices()
	if len(inputs) != n || len(seeds) != n {
		return nil, fmt.Errorf("found inputs for %d devices and seeds for %d, want %d", len(inputs), len(seeds), n)
	}
	e.random = e.random[:0]
	var all []any
	for i := range n {
		all = append(all, inputs[i]...)
		seed := int64(i)
		if seeds[i] != nil {
			seed = *seeds[i]
		}
		state, err := graph.RNGStateFromSeed(seed)
		if err != nil {
			return nil, err
		}
		e.random = append(e.random, state)
	}
	flat, g, err := e.exec.CallWithGraph(all...)
	if err != nil {
		return nil, err
	}
	changed, each := e.changed[g.GraphId()], len(flat)/n
	for i, v := range changed {
		c := &copied{of: flat[i]}
		for device := 1; device < n; device++ {
			c.on = append(c.on, flat[device*each+i])
		}
		if err := v.SetValue(flat[i]); err != nil {
			return nil, err
		}
		e.replicas.copies[v.Path()] = c
	}
	out := make([][]*tensors.Tensor, n)
	for device := range out {
		out[device] = flat[device*each:][:each][len(changed):]
	}
	return out, nil
}

// variables sets the parameters that the graph has for variables, before it runs.
func (e *replicated) variables(g *graph.Graph, buffers []compute.Buffer, donate []bool) error {
	r := e.replicas
	if err := r.store.InitializeVariables(r.engine, nil); err != nil {
		return err
	}
	for v := range r.store.IterVariables() {
		if !v.InUseByGraph(g) {
			continue
		}
		parameter := g.GetParameterByName(v.Path())
		if parameter == nil {
			return fmt.Errorf("%s: the graph has no parameter for it", v.Path())
		}
		at, changed := int(parameter.GetParameterHandle()), v.ChangedInGraph(g)
		values, err := e.values(v)
		if err != nil {
			return fmt.Errorf("%s: %w", v.Path(), err)
		}
		for device, value := range values {
			i := device*g.NumParameters() + at
			if donate[i] = changed; changed { // its place in memory is the new value's
				buffers[i], err = value.DonateBuffer(r.engine, compute.DeviceNum(device))
			} else {
				buffers[i], err = value.Buffer(r.engine, compute.DeviceNum(device))
			}
			if err != nil {
				return fmt.Errorf("%s: device %d: %w", v.Path(), device, err)
			}
		}
		if changed {
			r.forget(v.Path())
			if err := v.Reset(); err != nil {
				return err
			}
		}
	}
	return nil
}

// values are a variable's on each device. Copies that are not of the value in the store are made anew, from device to device.
func (e *replicated) values(v *gomodel.Variable) ([]*tensors.Tensor, error) {
	if v.Name() == gomodel.RNGStateVariableName {
		return e.random, nil
	}
	r := e.replicas
	value, err := v.Value()
	if err != nil {
		return nil, err
	}
	if c := r.copies[v.Path()]; c == nil || c.of != value {
		r.forget(v.Path())
		buffer, err := value.Buffer(r.engine, 0)
		if err != nil {
			return nil, err
		}
		c = &copied{of: value}
		for device := 1; device < r.mesh.NumDevices(); device++ {
			moved, err := buffer.CopyToDevice(compute.DeviceNum(device))
			if err != nil {
				c.free()
				return nil, err
			}
			t, err := tensors.FromBuffer(moved)
			if err != nil {
				c.free()
				return nil, err
			}
			c.on = append(c.on, t)
		}
		r.copies[v.Path()] = c
	}
	return append([]*tensors.Tensor{value}, r.copies[v.Path()].on...), nil
}

// close frees the compiled graphs.
func (e *replicated) close() { e.exec.Finalize() }
