package simd

import (
	"container/heap"
	"fmt"
	"slices"

	"github.com/gomlx/compute"
)

// A computation is cut into groups, which run one after another: a kernel; a chain of element-wise operations; or a segment, which is
// what the portable backend runs. Some operations are no work at all: a reshaped value is its operand's memory, a chain
// reads a broadcast value, and one that was converted to float32, from the operand, and what depends on constants alone is computed once, when the plan
// is made.

// group is a part of a computation that runs as one.
type group struct {
	kernel  *node
	chain   []*node // element-wise operations, and sums over all values of one, in the order in which they were recorded
	segment []*node

	size  int     // of a chain: how many values it goes over
	cuts  []int   // of a chain: where its operands' patterns have edges
	key   int     // where it would like to run
	reads []value // what it reads that others make
	need  bits    // groups that must run before it
	index int
	read  bool // another group needs it
}

type value = compute.Value

// grouping is the work of cutting.
type grouping struct {
	f         *function
	groups    []*group
	maker     map[value]*group
	constant  map[*node]bool
	unfolded  map[value]bool // broadcast and widened values that must be in memory
	wanted    map[value]bool // constants that somebody reads from memory
	positions map[*node]int
}

// group cuts the needed nodes, which are in the order in which they were recorded.
func (f *function) group(needed []*node) (*grouping, error) {
	g := &grouping{f: f, maker: map[value]*group{}, constant: map[*node]bool{}, unfolded: map[value]bool{}, wanted: map[value]bool{},
		positions: map[*node]int{}}
	for i, n := range needed {
		g.positions[n] = i
		g.constant[n] = g.isConstant(n)
	}
	for _, n := range needed {
		g.unfold(n)
	}
	for _, v := range f.returned {
		g.mustLie(v)
	}
	for _, n := range needed {
		g.place(n)
	}
	g.fuse()
	return g, g.sort()
}

// mostConstant is how many values a constant may have to be computed when the plan is made.
const mostConstant = 1 << 20

// isConstant reports whether a node depends on constants alone.
func (g *grouping) isConstant(n *node) bool {
	if n.parameter >= 0 || n.meets {
		return false
	}
	for _, v := range n.inputs {
		if v != nil && !g.constant[g.f.maker[v]] {
			return false
		}
	}
	for _, v := range n.outputs {
		if n.spread == nil && !n.view && g.f.shape(v).Size() > mostConstant {
			return false
		}
	}
	return true
}

// source follows views to the value whose memory v is.
func (f *function) source(v value) value {
	for f.maker[v].view {
		v = f.maker[v].inputs[0]
	}
	return v
}

// behindBarrier reports whether a barrier stands between v and the memory that it is.
func (f *function) behindBarrier(v value) bool {
	for n := f.maker[v]; n.view || n.widens || n.spread != nil; n = f.maker[n.inputs[0]] {
		if n.barrier {
			return true
		}
	}
	return false
}

// mustLie notes that somebody reads v's memory.
func (g *grouping) mustLie(v value) {
	v = g.f.source(v)
	if g.f.maker[v].looked() {
		g.unfolded[v] = true
	}
}

// looked reports whether chains look through an operation at its operand: one that is spread over more values, or widened.
func (n *node) looked() bool { return n.widens || n.spread != nil }

// unfold finds broadcast and widened values that must lie in memory, because a kernel reads them, or a chain in a way that it cannot spread.
func (g *grouping) unfold(n *node) {
	switch {
	case n.kernel != nil:
		for _, v := range n.inputs {
			if v != nil {
				g.mustLie(v)
			}
		}
	case n.element != notElement:
		for _, v := range n.inputs {
			g.operand(n, v)
		}
	}
}

// operand is what a chain reads for an input of n: a value in memory, and how it is spread over n's result.
func (g *grouping) operand(n *node, v value) (value, pattern) {
	f := g.f
	to := f.shape(n.outputs[0]).Dimensions
	p := implicitPattern(f.shape(v).Dimensions, to)
	if n.spread != nil {
		p = broadcastPattern(f.shape(v).Dimensions, to, n.spread)
	}
	v = g.unwidened(v)
	for f.maker[v].spread != nil {
		made := f.maker[v]
		from := g.unwidened(made.inputs[0])
		single := f.shape(from).Size() == 1
		if !single && (!p.isStraight() || f.maker[from].spread != nil || g.unfolded[v]) {
			g.unfolded[v] = true
			return v, p
		}
		if single {
			p = pattern{{f.shape(n.outputs[0]).Size(), 0}}
		} else {
			p = broadcastPattern(f.shape(made.inputs[0]).Dimensions, f.shape(v).Dimensions, made.spread)
		}
		v = from
	}
	return v, p
}

// unwidened follows views and conversions to float32 to the value in memory that a chain reads.
func (g *grouping) unwidened(v value) value {
	v = g.f.source(v)
	for g.f.maker[v].widens && !g.unfolded[v] {
		v = g.f.source(g.f.maker[v].inputs[0])
	}
	return v
}

// place puts a node into a group.
func (g *grouping) place(n *node) {
	switch {
	case n.parameter >= 0, n.view, g.constant[n] && (n.spread == nil || !g.unfolded[n.outputs[0]]):
	case n.looked() && !g.unfolded[n.outputs[0]]:
	case n.kernel != nil && n.sums && g.joinAsSum(n):
	case n.kernel != nil:
		g.add(&group{kernel: n, key: g.positions[n], reads: g.read(n)}, n)
	case n.element != notElement:
		g.placeElement(n)
	default:
		g.placeInSegment(n)
	}
}

// read lists the memory that a kernel reads.
func (g *grouping) read(n *node) []value {
	var list []value
	for _, v := range n.inputs {
		if v != nil {
			list = append(list, g.f.source(v))
		}
	}
	return list
}

// add makes a new group of one node.
func (g *grouping) add(new *group, n *node) {
	new.index = len(g.groups)
	g.groups = append(g.groups, new)
	g.needs(new, new.reads)
	for _, v := range n.outputs {
		g.maker[v] = new
	}
}

// needs lets a group wait for the makers of values, and those for whom it has something wait for them too.
func (g *grouping) needs(of *group, values []value) {
	var more bits
	for _, v := range values {
		if n := g.f.maker[v]; g.constant[n] {
			g.wanted[v] = true
		}
		if maker := g.maker[v]; maker != nil && maker != of {
			maker.read = true
			more = more.with(maker.index).and(maker.need)
		}
	}
	if of.need.holds(more) {
		return
	}
	of.need = of.need.and(more)
	if of.read {
		for _, other := range g.groups {
			if other.need.has(of.index) {
				other.need = other.need.and(of.need)
			}
		}
	}
}

// mostChained bounds the operations of a chain: their vectors share the first cache.
const mostChained = 48

// placeElement lets an operation join the chains that make its operands, where no operand waits for those chains by another way, or begins a
// new one.
func (g *grouping) placeElement(n *node) {
	size := g.f.shape(n.outputs[0]).Size()
	var reads []value
	var cuts []int
	fits := true
	for _, v := range n.inputs {
		from, p := g.operand(n, v)
		reads = append(reads, from)
		if fits {
			cuts, fits = joinCuts(cuts, p.cuts(), size)
		}
	}
	if !fits { // an operation on axes that have nothing in common: its broadcast operands must lie
		g.placeInSegment(n)
		return
	}
	var joined *group
	for i, v := range n.inputs {
		chain := g.maker[reads[i]]
		if _, p := g.operand(n, v); g.f.behindBarrier(v) || chain == nil || chain == joined || chain.chain == nil || chain.size != size || !p.isStraight() {
			continue
		}
		if joined == nil {
			if both, ok := joinCuts(chain.cuts, cuts, size); ok && len(chain.chain) < mostChained && g.mayJoin(reads, chain, chain) {
				joined, cuts = chain, both
			}
		} else if both, ok := joinCuts(chain.cuts, cuts, size); ok && len(chain.chain)+len(joined.chain) < mostChained &&
			g.mayJoin(append(append(slices.Clone(reads), chain.reads...), joined.reads...), chain, joined) {
			cuts = both
			g.merge(joined, chain)
		}
	}
	if joined == nil {
		g.add(&group{chain: []*node{n}, size: size, cuts: cuts, key: g.positions[n], reads: reads}, n)
		return
	}
	joined.chain, joined.cuts, joined.key = append(joined.chain, n), cuts, g.positions[n]
	joined.reads = append(joined.reads, reads...)
	g.needs(joined, reads)
	g.maker[n.outputs[0]] = joined
}

// mayJoin reports whether an operation that reads values could run in one chain with a and b: values, apart from those that
// these two make on their way, can be had without them.
func (g *grouping) mayJoin(values []value, a, b *group) bool {
	for _, v := range values {
		switch maker := g.maker[v]; {
		case maker == nil:
		case maker == a, maker == b:
			if g.f.shape(v).Size() != a.size {
				return false // a sum, known at the end
			}
		case maker.need.has(a.index), maker.need.has(b.index):
			return false
		}
	}
	return true
}

// merge moves b's operations to a. b stays behind, empty.
func (g *grouping) merge(a, b *group) {
	a.chain = append(a.chain, b.chain...)
	slices.SortFunc(a.chain, func(x, y *node) int { return g.positions[x] - g.positions[y] })
	a.reads = append(a.reads, b.reads...)
	for _, n := range b.chain {
		g.maker[n.outputs[0]] = a
	}
	for _, other := range g.groups {
		if other.need.has(b.index) {
			other.need = other.need.with(a.index)
		}
	}
	a.read = a.read || b.read
	b.chain = nil
	g.needs(a, b.reads)
	for _, other := range g.groups {
		if other.need.has(a.index) {
			other.need = other.need.and(a.need)
		}
	}
}

// joinAsSum lets a sum over all values of a chain's result join the chain.
func (g *grouping) joinAsSum(n *node) bool {
	chain := g.maker[g.f.source(n.inputs[0])]
	if g.f.behindBarrier(n.inputs[0]) || chain == nil || chain.chain == nil || len(chain.chain) >= mostChained || chain.size != g.f.shape(n.inputs[0]).Size() || chain.size == 1 {
		return false
	}
	chain.chain, chain.key = append(chain.chain, n), g.positions[n]
	g.maker[n.outputs[0]] = chain
	return true
}

// placeInSegment lets a node join the latest segment that need not wait longer for it, or begins one.
func (g *grouping) placeInSegment(n *node) {
	reads := g.leaves(n, nil)
	for _, s := range slices.Backward(g.groups[max(0, len(g.groups)-64):]) {
		if s.segment != nil && g.joinsFreely(s, reads) {
			s.segment, s.reads = append(s.segment, n), append(s.reads, reads...)
			for _, v := range n.outputs {
				g.maker[v] = s
			}
			return
		}
	}
	g.add(&group{segment: []*node{n}, key: g.positions[n], reads: reads}, n)
}

// joinsFreely reports whether a segment has, or waits for, everything among values.
func (g *grouping) joinsFreely(s *group, values []value) bool {
	for _, v := range values {
		if maker := g.maker[v]; maker != nil && maker != s && !s.need.has(maker.index) {
			return false
		}
	}
	return true
}

// leaves adds the memory that a segment reads to build n: what costs nothing, it builds itself.
func (g *grouping) leaves(n *node, list []value) []value {
	for _, v := range n.inputs {
		if v == nil {
			continue
		}
		if made := g.f.maker[v]; g.free(made) {
			list = g.leaves(made, list)
		} else {
			list = append(list, v)
		}
	}
	return list
}

// free reports whether a segment builds a node itself instead of reading its result.
func (g *grouping) free(n *node) bool {
	return n.parameter < 0 && (n.view || g.constant[n] || n.looked() && !g.unfolded[n.outputs[0]])
}

// sort orders the groups: those that need others after them, and else as they would like.
func (g *grouping) sort() error {
	count := 0
	waiting := make([]int, len(g.groups))
	feeds := make([][]*group, len(g.groups))
	ready := &byKey{}
	for _, of := range g.groups {
		if of.kernel == nil && of.chain == nil && of.segment == nil {
			continue // taken over by another
		}
		count++
		makers := map[*group]bool{}
		for _, v := range of.reads {
			if maker := g.maker[v]; maker != nil && maker != of && !makers[maker] {
				makers[maker] = true
				feeds[maker.index] = append(feeds[maker.index], of)
			}
		}
		waiting[of.index] = len(makers)
		if len(makers) == 0 {
			heap.Push(ready, of)
		}
	}
	var sorted []*group
	for ready.Len() > 0 {
		next := heap.Pop(ready).(*group)
		sorted = append(sorted, next)
		for _, of := range feeds[next.index] {
			if waiting[of.index]--; waiting[of.index] == 0 {
				heap.Push(ready, of)
			}
		}
	}
	g.groups = sorted
	if len(sorted) < count {
		return fmt.Errorf("simd: %d of %d steps wait for each other, which is an error of the engine", count-len(sorted), count)
	}
	return nil
}

// byKey is a heap of groups.
type byKey []*group

func (h byKey) Len() int           { return len(h) }
func (h byKey) Less(i, j int) bool { return h[i].key < h[j].key }
func (h byKey) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *byKey) Push(x any)        { *h = append(*h, x.(*group)) }
func (h *byKey) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}

// bits is a set of small numbers.
type bits []uint64

func (b bits) has(i int) bool { return i/64 < len(b) && b[i/64]>>(i%64)&1 == 1 }

// with is the set and i; it may change b.
func (b bits) with(i int) bits {
	for len(b) <= i/64 {
		b = append(b, 0)
	}
	b[i/64] |= 1 << (i % 64)
	return b
}

// and is the union; it may change b.
func (b bits) and(other bits) bits {
	for len(b) < len(other) {
		b = append(b, 0)
	}
	for i, word := range other {
		b[i] |= word
	}
	return b
}

// holds reports whether every member of other is one of b.
func (b bits) holds(other bits) bool {
	for i, word := range other {
		if i >= len(b) && word != 0 || i < len(b) && word&^b[i] != 0 {
			return false
		}
	}
	return true
}
