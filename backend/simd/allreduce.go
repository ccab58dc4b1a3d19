package simd

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"
)

// AllReduce implements compute.Function: each device gets the sum (product, largest, smallest) of what all devices of its group have. It is
// added up in the group's order on each of them, so all get the same bits, on every run.
func (f *function) AllReduce(operands []compute.Value, reduction compute.ReduceOpType, groups [][]int) ([]compute.Value, error) {
	if f.builder.replicas == 0 {
		return nil, errors.New("simd: AllReduce in a computation that is not for several devices (DistributedSPMD)")
	}
	if reduction < compute.ReduceOpSum || reduction > compute.ReduceOpMin {
		return nil, fmt.Errorf("simd: AllReduce: found reduction %s, want sum, product, max or min", reduction)
	}
	group, err := groupsOf(groups, f.builder.replicas)
	if err != nil {
		return nil, err
	}
	for i, v := range operands {
		if shape := f.shape(v); shape.IsDynamic() || !reducible(shape.DType) {
			return nil, fmt.Errorf("simd: AllReduce: operand %d is %s: %w", i, shape, compute.ErrNotImplemented)
		}
	}
	// To the shadow it is a barrier, which makes new values of the same shapes.
	again := func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
		return g.OptimizationBarrier(in...)
	}
	out, err := f.many(slices.Clone(operands), again)
	if err != nil {
		return nil, err
	}
	f.builder.meets = true
	n := f.maker[out[0]]
	n.meets = true
	n.kernel = func(x *execution, n *node) error {
		mine := make([]any, len(n.inputs))
		for i, v := range n.inputs {
			flat, err := x.values(x.plan.source(v))
			if err != nil {
				return err
			}
			mine[i] = flat
		}
		return x.reduce(n, mine, reduction, group[x.at.replica])
	}
	return out, nil
}

// groupsOf is the group of each replica.
func groupsOf(groups [][]int, replicas int) ([][]int, error) {
	of := make([][]int, replicas)
	for _, group := range groups {
		for _, replica := range group {
			if replica < 0 || replica >= replicas || of[replica] != nil {
				return nil, fmt.Errorf("simd: AllReduce: found groups %v, want each of %d replicas once", groups, replicas)
			}
			of[replica] = group
		}
	}
	if slices.ContainsFunc(of, func(group []int) bool { return group == nil }) {
		return nil, fmt.Errorf("simd: AllReduce: found groups %v, want each of %d replicas once", groups, replicas)
	}
	return of, nil
}

// reduce meets the other replicas, each with its operands, and fills the node's outputs.
func (x *execution) reduce(n *node, mine []any, reduction compute.ReduceOpType, group []int) error {
	all, err := x.at.meeting.exchange(x.at.replica, mine)
	if err != nil {
		return err
	}
	for i, v := range n.outputs {
		var dst any
		if x.plan.shapes[v].DType == dtypes.Float32 {
			dst, err = x.output(v)
		} else {
			dst, err = x.typed(v)
		}
		if err != nil {
			return err
		}
		of := make([]any, len(group))
		for k, replica := range group {
			of[k] = all[replica][i]
		}
		if err := x.backend.reduceAll(dst, of, reduction); err != nil {
			return err
		}
	}
	return x.at.meeting.wait() // until all have read mine
}

// reducible says whether reduceAll knows a type.
func reducible(t dtypes.DType) bool {
	return t != dtypes.Float16 && (t.IsFloat() || t.IsInt())
}

// reduceAll reduces slices of one type, element by element, in their order.
func (b *Backend) reduceAll(dst any, of []any, reduction compute.ReduceOpType) error {
	switch dst := dst.(type) {
	case []float32:
		if reduction != compute.ReduceOpSum {
			return reduceSlices(dst, of, reduction)
		}
		b.shareRows(len(dst), 1, func(from, to int) {
			copy(dst[from:to], of[0].([]float32)[from:to])
			for _, more := range of[1:] {
				b.set.Add(dst[from:to], dst[from:to], more.([]float32)[from:to])
			}
		})
		return nil
	case []bfloat16.BFloat16:
		return reduceHalf(dst, of, reduction)
	case []float64:
		return reduceSlices(dst, of, reduction)
	case []int8:
		return reduceSlices(dst, of, reduction)
	case []int16:
		return reduceSlices(dst, of, reduction)
	case []int32:
		return reduceSlices(dst, of, reduction)
	case []int64:
		return reduceSlices(dst, of, reduction)
	case []uint8:
		return reduceSlices(dst, of, reduction)
	case []uint16:
		return reduceSlices(dst, of, reduction)
	case []uint32:
		return reduceSlices(dst, of, reduction)
	case []uint64:
		return reduceSlices(dst, of, reduction)
	}
	return fmt.Errorf("simd: AllReduce of %T: %w", dst, compute.ErrNotImplemented)
}

type number interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// reduceSlices is reduceAll for numbers that Go knows.
func reduceSlices[T number](dst []T, of []any, reduction compute.ReduceOpType) error {
	copy(dst, of[0].([]T))
	for _, more := range of[1:] {
		for i, v := range more.([]T) {
			dst[i] = combined(dst[i], v, reduction)
		}
	}
	return nil
}

func combined[T number](a, b T, reduction compute.ReduceOpType) T {
	switch reduction {
	case compute.ReduceOpSum:
		return a + b
	case compute.ReduceOpProduct:
		return a * b
	case compute.ReduceOpMax:
		return max(a, b)
	}
	return min(a, b)
}

// reduceHalf is reduceAll for bfloat16, in float32, rounded once.
func reduceHalf(dst []bfloat16.BFloat16, of []any, reduction compute.ReduceOpType) error {
	for i := range dst {
		sum := of[0].([]bfloat16.BFloat16)[i].Float32()
		for _, more := range of[1:] {
			sum = combined(sum, more.([]bfloat16.BFloat16)[i].Float32(), reduction)
		}
		dst[i] = bfloat16.FromFloat32(sum)
	}
	return nil
}

// meeting is where the replicas of an execution wait for each other.
type meeting struct {
	mu      sync.Mutex
	moved   *sync.Cond
	size    int
	arrived int
	turn    int // how often all have arrived
	given   [][]any
	err     error // of the replica that failed first: nobody waits for it
}

func newMeeting(size int) *meeting {
	m := &meeting{size: size, given: make([][]any, size)}
	m.moved = sync.NewCond(&m.mu)
	return m
}

// exchange waits for all replicas and returns what each has given. It stays as it is until wait.
func (m *meeting) exchange(replica int, values []any) ([][]any, error) {
	m.mu.Lock()
	m.given[replica] = values
	m.mu.Unlock()
	return m.given, m.wait()
}

// wait returns when all replicas have called it, or one has failed.
func (m *meeting) wait() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.arrived++; m.arrived == m.size {
		m.arrived = 0
		m.turn++
		m.moved.Broadcast()
		return m.err
	}
	for turn := m.turn; m.turn == turn && m.err == nil; {
		m.moved.Wait()
	}
	return m.err
}

// fail ends the meeting for all.
func (m *meeting) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		m.err = err
	}
	m.moved.Broadcast()
}
