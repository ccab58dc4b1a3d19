package simd

import "github.com/gomlx/compute"

// Barriers keep what is computed before and after them apart: GoMLX puts them where a backward pass is to compute a layer again instead
// of keeping what lies inside. The shadow takes no value behind a barrier for one before it, and chains do not reach across one
// ([grouping.placeElement]). That the second computation waits for the gradient comes by itself: groups run in the order in which
// they were recorded, where nothing else delays them, and GoMLX records it after the gradient. So what a barrier waits for need not be
// told apart, and its result is its operand's memory.

// OptimizationBarrier implements compute.Function.
func (f *function) OptimizationBarrier(operands ...compute.Value) ([]compute.Value, error) {
	out, err := f.Function.OptimizationBarrier(operands...)
	if err != nil {
		return nil, err
	}
	for i, v := range out {
		f.recordBarrier(v, operands[i])
	}
	return out, nil
}

// SchedulingBarrier implements compute.Function.
func (f *function) SchedulingBarrier(operand compute.Value, dependencies ...compute.Value) (compute.Value, error) {
	v, err := f.Function.SchedulingBarrier(operand, dependencies...)
	if err != nil {
		return nil, err
	}
	f.recordBarrier(v, operand)
	return v, nil
}

// recordBarrier records that v is operand behind a barrier. The shadow makes a new value of each barrier.
func (f *function) recordBarrier(v, operand compute.Value) {
	shape := f.shape(v)
	f.record(&node{inputs: []compute.Value{operand}, outputs: []compute.Value{v}, parameter: -1, barrier: true,
		view: !shape.IsDynamic() && shape.Size() > 0,
		again: func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
			return g.OptimizationBarrier(in[0])
		}})
}
