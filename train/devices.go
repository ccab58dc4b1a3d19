package train

import (
	"fmt"
	"path"
	"slices"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// On divides the batches of each rank among so many devices of the model's engine, each of which has all weights and makes the same update.
// Device d of D takes the d-th D-th of them, one after the other, so results differ from those of one device by the order of sums alone, where
// its batches have the same shapes. It is an error if the engine has not as many devices, or cannot add up over them.
func (s *Step) On(devices int) (err error) {
	if devices < 2 {
		return nil
	}
	s.replicas, err = newReplicas(s.model.Backend(), s.model.Store(), devices)
	return err
}

// devices is how many there are.
func (s *Step) devices() int {
	if s.replicas == nil {
		return 1
	}
	return s.replicas.mesh.NumDevices()
}

// rounds are the batches that run at the same time, one on each device.
func (s *Step) rounds(batches []*Batch) ([][]*Batch, error) {
	n := s.devices()
	if len(batches)%n != 0 {
		return nil, fmt.Errorf("found %d parts of a step, want as many for each of %d devices", len(batches), n)
	}
	if n > 1 {
		if err := even(batches); err != nil {
			return nil, err
		}
	}
	rounds := make([][]*Batch, len(batches)/n)
	for i := range rounds {
		for device := range n {
			rounds[i] = append(rounds[i], batches[device*len(rounds)+i])
		}
	}
	return rounds, nil
}

// A program is a compiled graph, on one device or on several: inputs and results are of each. seeds say where the random numbers of each
// begin; a nil one leaves that to the program. The model's lock is held.
type program interface {
	call(inputs [][]any, seeds []*int64) ([][]*tensors.Tensor, error)
	close()
}

// program makes one of what a graph is to be on a device.
func (s *Step) program(build func(s *model.Scope, in []*Node) []*Node) (program, error) {
	if s.replicas != nil {
		return s.replicas.exec(build)
	}
	exec, err := model.NewExec(s.model.Backend(), s.model.Store(), build)
	if err != nil {
		return nil, err
	}
	return single{exec.SetMaxCache(-1)}, nil
}

// single is a program for one device.
type single struct{ *model.Exec }

func (p single) call(inputs [][]any, seeds []*int64) ([][]*tensors.Tensor, error) {
	if seeds[0] != nil {
		if err := p.Store().SetRNGStateFromSeed(*seeds[0]); err != nil {
			return nil, err
		}
	}
	out, err := p.Call(inputs[0]...)
	return [][]*tensors.Tensor{out}, err
}

func (p single) close() { p.Finalize() }

// onEach runs a program with the same inputs on every device; the first result of the first device is its result.
func (s *Step) onEach(p program, inputs ...any) (*tensors.Tensor, error) {
	n := s.devices()
	out, err := p.call(slices.Repeat([][]any{inputs}, n), make([]*int64, n))
	if err != nil {
		return nil, err
	}
	for _, values := range out[1:] {
		for _, t := range values {
			t.FinalizeAll()
		}
	}
	return out[0][0], nil
}

// overDevices is the sum of the shares of the gradients of all devices; of a single one it is its gradients.
func (s *Step) overDevices(gradients []*Node, share *Node) []*Node {
	if s.replicas == nil {
		return gradients
	}
	shares := make([]*Node, len(gradients))
	for i, gradient := range gradients {
		shares[i] = Mul(gradient, share)
	}
	return share.Graph().Distributed().AllReduce(shares, compute.ReduceOpSum)
}

// agreed is a number that all devices have computed, and that must be the same to the bit on each: GPUs may add in another order each time.
func (s *Step) agreed(x *Node) *Node {
	if s.replicas == nil {
		return x
	}
	return x.Graph().Distributed().AllReduceOne(x, compute.ReduceOpMax)
}

// sumOverDevices adds up what has been accumulated on each device for weights with these paths.
func (s *Step) sumOverDevices(weights []string) error {
	if s.replicas == nil {
		return nil
	}
	key := fmt.Sprint(weights)
	if s.sums[key] == nil {
		var err error
		s.sums[key], err = s.program(func(scope *model.Scope, in []*Node) []*Node {
			var sums []*model.Variable
			var own []*Node
			for _, weight := range weights {
				v := scope.Store().GetVariable(accumulatedPath(weight))
				sums, own = append(sums, v), append(own, v.NodeValue(in[0]))
			}
			for i, sum := range in[0].Graph().Distributed().AllReduce(own, compute.ReduceOpSum) {
				sums[i].SetNodeValue(sum)
			}
			return in
		})
		if err != nil {
			return err
		}
	}
	out, err := s.onEach(s.sums[key], float32(0))
	if err != nil {
		return err
	}
	return out.FinalizeAll()
}

// forgetAccumulated has devices take what has been accumulated from the first one, where ranks have changed it.
func (s *Step) forgetAccumulated(weights []string) {
	if s.replicas == nil {
		return
	}
	for _, weight := range weights {
		s.replicas.forget(accumulatedPath(weight))
	}
}

// accumulatedPath is where the sum of a weight's gradients stands.
func accumulatedPath(weight string) string { return path.Join("/", accumulatedScope, weight) }
