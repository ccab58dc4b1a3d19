package simd

import (
	"slices"
	"sync"
	"unsafe"

	"github.com/gomlx/compute/dtypes"

	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

// layOut decides where values lie. What is returned in float32 or bfloat16 is the caller's and lies in memory of its own; so does what segments
// make, and kernels in other types; everything else lies in the slab from the step that makes it to the last that reads it.
func (e *executable) layOut() {
	const atTheEnd = 1 << 30
	last := map[value]int{}
	for i := range e.steps {
		s := &e.steps[i]
		for _, v := range slices.Concat(e.reads(s), s.makes()) {
			last[v] = i
		}
	}
	returned := map[value]bool{}
	for _, v := range e.returned {
		v = e.source(v)
		returned[v] = true
		last[v] = atTheEnd
	}
	parameter := map[value]bool{}
	for _, v := range e.parameters {
		parameter[v] = true
	}
	var slab slabPlan
	for i := range e.steps {
		s := &e.steps[i]
		if s.chain != nil {
			e.findDonors(s.chain, i, last, parameter, returned)
		}
		for _, v := range s.makes() {
			float := e.shapes[v].DType == dtypes.Float32 || e.shapes[v].DType == dtypes.BFloat16
			if s.segment != nil || s.kernel != nil && !float || returned[v] && float {
				continue
			}
			if over, ok := e.overwrites(s, v, i, last); ok {
				e.offsets[v] = e.offsets[over]
				last[over] = -1 // no longer there to be freed
				continue
			}
			e.offsets[v] = slab.take(wordsOf(e.shapes[v]))
		}
		for _, v := range slices.Concat(e.reads(s), s.makes()) {
			if last[v] != i || parameter[v] || e.constants[v] != nil {
				continue
			}
			last[v] = -1 // it may be read twice
			if offset, ok := e.offsets[v]; ok {
				slab.free(offset, wordsOf(e.shapes[v]))
			} else {
				e.spend(s, v)
			}
		}
	}
	e.slab = slab.length
}

// spend lets go of a value in the portable backend's memory: to the segment that is the last to read it, or after the step.
func (e *executable) spend(s *step, v value) {
	if s.segment != nil {
		if at := slices.Index(s.segment.inputs, v); at >= 0 {
			s.segment.donate[at] = true
			return
		}
	}
	s.spent = append(s.spent, v)
}

// overwrites finds a value in the slab that a chain's output may take the place of.
func (e *executable) overwrites(s *step, v value, i int, last map[value]int) (value, bool) {
	if s.chain == nil {
		return nil, false
	}
	for j := range s.chain.outputs {
		out := &s.chain.outputs[j]
		if out.v != v || out.short {
			continue // a bfloat16 value's place would be another block's
		}
		for o, operand := range s.chain.operands {
			if _, ok := e.offsets[operand.from]; ok && last[operand.from] == i && s.chain.mayOverwrite(out, o) {
				return operand.from, true
			}
		}
	}
	return nil, false
}

// findDonors finds parameters whose memory a chain's returned results may take: updated weights take that of the weights.
func (e *executable) findDonors(c *chain, i int, last map[value]int, parameter, returned map[value]bool) {
	for j := range c.outputs {
		out := &c.outputs[j]
		if !returned[out.v] || e.shapes[out.v].DType != dtypes.Float32 {
			continue
		}
		for o, operand := range c.operands {
			from := operand.from
			if parameter[from] && !returned[from] && last[from] == i && e.shapes[from].Equal(e.shapes[out.v]) && c.mayOverwrite(out, o) {
				e.donors[out.v] = from
				last[from] = -1
				break
			}
		}
	}
}

// slabPlan hands out places in a slab that grows.
type slabPlan struct {
	length int
	holes  []hole // by offset
}

type hole struct{ offset, size int }

// line is a cache line, in values.
const line = 16

// take finds the smallest hole that is large enough, or makes the slab longer.
func (p *slabPlan) take(size int) int {
	size = (size + line - 1) / line * line
	best := -1
	for i, h := range p.holes {
		if h.size >= size && (best < 0 || h.size < p.holes[best].size) {
			best = i
		}
	}
	if best < 0 {
		offset := p.length
		if last := len(p.holes) - 1; last >= 0 && p.holes[last].offset+p.holes[last].size == p.length {
			offset = p.holes[last].offset
			p.holes = p.holes[:last]
		}
		p.length = offset + size
		return offset
	}
	h := &p.holes[best]
	offset := h.offset
	if h.size == size {
		p.holes = slices.Delete(p.holes, best, best+1)
	} else {
		*h = hole{h.offset + size, h.size - size}
	}
	return offset
}

// free makes a hole, one with its neighbours.
func (p *slabPlan) free(offset, size int) {
	size = (size + line - 1) / line * line
	at, _ := slices.BinarySearchFunc(p.holes, offset, func(h hole, offset int) int { return h.offset - offset })
	p.holes = slices.Insert(p.holes, at, hole{offset, size})
	if at+1 < len(p.holes) && offset+size == p.holes[at+1].offset {
		p.holes[at].size += p.holes[at+1].size
		p.holes = slices.Delete(p.holes, at+1, at+2)
	}
	if at > 0 && p.holes[at-1].offset+p.holes[at-1].size == offset {
		p.holes[at-1].size += p.holes[at].size
		p.holes = slices.Delete(p.holes, at, at+1)
	}
}

// memory keeps what executions borrow: slabs, and scratch of each power of two.
type memory struct {
	mu      sync.Mutex
	slabs   []idleSlab // least recently used first
	turn    int        // counts the slabs given back
	scratch [40]sync.Pool
}

// idleSlab is a slab that nobody uses, given back in that turn.
type idleSlab struct {
	values []float32
	turn   int
}

// Slabs that are kept for later: at most mostSlabs, and none, however large a computation left it, that has lain idle for longestIdle
// turns of others.
const (
	mostSlabs   = 4
	longestIdle = 100
)

// takeSlab is a slab of at least n values, contents without meaning.
func (m *memory) takeSlab(n int) []float32 {
	if n == 0 {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	best := -1
	for i, s := range m.slabs {
		if len(s.values) >= n && len(s.values) <= 2*n+1<<16 && (best < 0 || len(s.values) < len(m.slabs[best].values)) {
			best = i
		}
	}
	if best >= 0 {
		s := m.slabs[best].values
		m.slabs = slices.Delete(m.slabs, best, best+1)
		return s
	}
	return kernel.Aligned(n)
}

// giveSlab keeps a slab for later.
func (m *memory) giveSlab(s []float32) {
	if s == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn++
	for len(m.slabs) > 0 && (len(m.slabs) == mostSlabs || m.turn-m.slabs[0].turn > longestIdle) {
		m.slabs = slices.Delete(m.slabs, 0, 1)
	}
	m.slabs = append(m.slabs, idleSlab{s, m.turn})
}

// take is scratch of at least n values, contents without meaning.
func (m *memory) take(n int) []float32 {
	class := classOf(n)
	if p, ok := m.scratch[class].Get().(*float32); ok {
		return unsafe.Slice(p, 1<<class)[:n]
	}
	return kernel.Aligned(1 << class)[:n]
}

// give returns scratch.
func (m *memory) give(s []float32) {
	if cap(s) > 0 {
		m.scratch[classOf(cap(s))].Put(unsafe.SliceData(s))
	}
}

// classOf is the power of two that holds n values.
func classOf(n int) int {
	class := 4
	for 1<<class < n {
		class++
	}
	return class
}
