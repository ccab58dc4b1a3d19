package simd

import "slices"

// pattern says how the values of an operand are spread over a result that is gone through in order: for each axis, outermost first, how
// many steps it has and how far one step goes in the operand, 0 where it stays at the same value. Neighbouring axes that can be
// taken for one are one.
type pattern []axis

type axis struct{ n, stride int }

// newPattern joins axes that can be taken for one.
func newPattern(axes []axis) pattern {
	var p pattern
	for _, a := range axes {
		if a.n == 1 {
			continue
		}
		if last := len(p) - 1; last >= 0 && p[last].stride == a.n*a.stride {
			p[last] = axis{p[last].n * a.n, a.stride}
			continue
		}
		p = append(p, a)
	}
	if p == nil {
		p = pattern{{1, 0}}
	}
	return p
}

// broadcastPattern spreads a value of dimensions from over dimensions to; its axis i is axis axes[i] there, or is of length 1.
func broadcastPattern(from, to, axes []int) pattern {
	spread := make([]axis, len(to))
	for i, n := range to {
		spread[i].n = n
	}
	stride := 1
	for i, at := range slices.Backward(axes) {
		if from[i] > 1 {
			spread[at].stride = stride
		}
		stride *= from[i]
	}
	return newPattern(spread)
}

// implicitPattern spreads an operand over a result as element-wise operations do by themselves: a scalar over all, an axis of length 1
// over the result's.
func implicitPattern(from, to []int) pattern {
	axes := make([]int, len(from))
	for i := range axes {
		axes[i] = i
	}
	return broadcastPattern(from, to, axes)
}

// isStraight reports whether a pattern is the result's own order.
func (p pattern) isStraight() bool { return len(p) == 1 && (p[0].stride == 1 || p[0].n == 1) }

// isScalar reports whether there is one value for all.
func (p pattern) isScalar() bool { return len(p) == 1 && (p[0].stride == 0 || p[0].n == 1) }

// cuts are the lengths of the innermost axis, of the innermost two together, and so on, without that of all.
func (p pattern) cuts() []int {
	var lengths []int
	length := 1
	for _, a := range slices.Backward(p[1:]) {
		length *= a.n
		lengths = append(lengths, length)
	}
	return lengths
}

// joinCuts are the cuts of two patterns together, smallest first, if each divides the next.
func joinCuts(x, y []int, size int) ([]int, bool) {
	both := slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(x), y...))))
	for i, cut := range both {
		next := size
		if i+1 < len(both) {
			next = both[i+1]
		}
		if next%cut != 0 {
			return nil, false
		}
	}
	return both, true
}

// at is the operand's index for a result's, and how far the operand goes on from there in steps of 1 or 0.
func (p pattern) at(index int) (at, stride, run int) {
	inner := p[len(p)-1]
	stride, run = inner.stride, inner.n-index%inner.n
	for _, a := range slices.Backward(p) {
		at += index % a.n * a.stride
		index /= a.n
	}
	return at, stride, run
}
