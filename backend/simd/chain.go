package simd

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"

	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

// chain is a chain of element-wise operations, ready to run: a block of values goes through all of them while it is in the first cache.
// Each operand and each result in between has a register, a vector as long as a block.
type chain struct {
	size     int
	row      int // how long all patterns go on in steps of 1 or 0
	operands []operand
	work     []instruction
	outputs  []output
	sums     []sum
	scratch  int // how many registers lie in scratch memory
}

// operand is what a chain reads.
type operand struct {
	from    value
	pattern pattern
	load    loader
	scratch int // the register in scratch memory; -1 for float32 in the result's order, which is read where it lies
}

// instruction does one operation on registers. Registers count operands first, then results.
type instruction struct {
	op      elementOp
	dst     int
	x, y, z int // -1: none
	scratch int // where dst lies in scratch memory; -1: in the output's own memory
	output  int // which output that is
	// Of a result of bfloat16:
	round bool // dst, for those that read it
	short int  // which output gets what is in dst, rounded; -1: none
}

// output is a result that others read, in memory in the result's order.
type output struct {
	v     value
	reg   int
	short bool // it is bfloat16
}

// sum is the sum over all of a register's values.
type sum struct {
	v   value
	reg int
}

// newChain compiles a group's chain. read reports whether others read a value; float, whether one's memory is float32.
func (g *grouping) newChain(of *group, read func(value) bool, float func(value) bool) *chain {
	c := &chain{size: of.size, row: of.size}
	if len(of.cuts) > 0 {
		c.row = of.cuts[0]
	}
	type seen struct {
		from    value
		pattern string
	}
	known := map[seen]int{}
	var results []value
	// Operands first, so that their registers are known.
	inputs := make([][]int, len(of.chain))
	for i, n := range of.chain {
		if n.sums && n.element == notElement {
			inputs[i] = []int{-1 - slices.Index(results, g.f.source(n.inputs[0])) - 1}
			continue
		}
		for _, v := range n.inputs {
			from, p := g.operand(n, v)
			if at := slices.Index(results, from); at >= 0 {
				inputs[i] = append(inputs[i], -1-at-1)
				continue
			}
			key := seen{from, fmt.Sprint(p)}
			at, ok := known[key]
			if !ok {
				at = len(c.operands)
				known[key] = at
				o := operand{from: from, pattern: p, load: loaders[g.f.shape(from).DType], scratch: -1}
				if float(from) {
					o.load = loaders[dtypes.Float32]
				}
				c.operands = append(c.operands, o)
			}
			inputs[i] = append(inputs[i], at)
		}
		results = append(results, n.outputs[0])
	}
	at := func(i int) int { // a register, from the numbers above
		if i < 0 {
			return len(c.operands) - i - 2
		}
		return i
	}
	for i, n := range of.chain {
		if n.sums && n.element == notElement {
			c.sums = append(c.sums, sum{n.outputs[0], at(inputs[i][0])})
			continue
		}
		in := instruction{op: n.element, dst: len(c.operands) + len(c.work), x: -1, y: -1, z: -1, scratch: -1, output: -1, short: -1}
		short := g.f.shape(n.outputs[0]).DType == dtypes.BFloat16
		in.round = short && !n.element.exact()
		for j, reg := range inputs[i] {
			*[]*int{&in.x, &in.y, &in.z}[j] = at(reg)
		}
		if read(n.outputs[0]) {
			if short {
				in.short = len(c.outputs)
			} else {
				in.output = len(c.outputs)
			}
			c.outputs = append(c.outputs, output{n.outputs[0], in.dst, short})
		}
		c.work = append(c.work, in)
	}
	for i := range c.operands {
		o := &c.operands[i]
		if !o.pattern.isStraight() || !float(o.from) && g.f.shape(o.from).DType != dtypes.Float32 {
			o.scratch = c.scratch
			c.scratch++
		}
	}
	c.allocate()
	return c
}

// allocate gives results that nobody outside reads a place in scratch memory, which they share where one is done before the other begins.
func (c *chain) allocate() {
	last := map[int]int{}
	for i, in := range c.work {
		for _, reg := range []int{in.x, in.y, in.z} {
			last[reg] = i
		}
	}
	for _, s := range c.sums {
		last[s.reg] = len(c.work)
	}
	var free []int
	place := map[int]int{}
	for i := range c.work {
		in := &c.work[i]
		if _, read := last[in.dst]; !read {
			in.round = false // it is rounded on its way out
		}
		done := i // the last reader of a vector may write over it,
		if in.op == opClamp {
			done-- // unless it reads twice
		}
		for reg, at := range place {
			if last[reg] <= done {
				free = append(free, at)
				delete(place, reg)
			}
		}
		slices.Sort(free)
		if in.output >= 0 {
			continue
		}
		if len(free) == 0 {
			free = append(free, c.scratch)
			c.scratch++
		}
		in.scratch = free[0]
		free = free[1:]
		place[in.dst] = in.scratch
	}
}

// mayOverwrite reports whether output may take the memory of operand: each block of that is read for the last time when, or before, the
// same block of this is written.
func (c *chain) mayOverwrite(out *output, o int) bool {
	if c.operands[o].scratch >= 0 || !c.operands[o].pattern.isStraight() {
		return false
	}
	from := c.operands[o].from
	for i, other := range c.operands {
		if i != o && other.from == from {
			return false // also read in another order
		}
	}
	written := out.reg - len(c.operands)
	for i, in := range c.work {
		if (i > written || in.op == opClamp) && (in.x == o || in.y == o || in.z == o) {
			return false
		}
	}
	for _, s := range c.sums {
		if s.reg == o {
			return false
		}
	}
	return true
}

// How many values go through a chain at a time.
const (
	longBlock  = 1024
	shortBlock = 512
	fewScratch = 8 // vectors of longBlock that leave room in the first cache
)

// block is the length of a block: a part of a row, or some rows.
func (c *chain) block() int {
	most := longBlock
	if c.scratch > fewScratch {
		most = shortBlock
	}
	if c.row > most {
		parts := (c.row + most - 1) / most
		return (c.row + parts - 1) / parts
	}
	return most / c.row * c.row
}

// streamed is from how many values on a chain's operands come from memory rather than from a cache, so that it pays to ask for a block ahead.
const streamed = 1 << 18

// chainRun is one run of a chain: where its operands, outputs and sums are.
type chainRun struct {
	c        *chain
	set      *kernel.Set
	block    int
	perRow   int // blocks, where a row is longer than a block; else 0
	operands []any
	floats   [][]float32
	outputs  [][]float32
	shorts   [][]uint16  // the outputs of bfloat16
	sums     [][]float32 // of each block
}

// run runs blocks from ≤ i < to.
func (r *chainRun) run(from, to int, scratch []float32) {
	c := r.c
	regs := make([][]float32, len(c.operands)+len(c.work))
	filled := make([]bool, len(c.operands))
	for i := from; i < to; i++ {
		start, end := r.bounds(i)
		n := end - start
		next, nextEnd := end, end
		if c.size >= streamed && i+1 < to {
			next, nextEnd = r.bounds(i + 1)
		}
		for o := range c.operands {
			op := &c.operands[o]
			if op.scratch < 0 {
				regs[o] = r.floats[o][start:end]
				r.set.Prefetch(r.floats[o][next:nextEnd])
				continue
			}
			regs[o] = scratch[op.scratch*r.block:][:n]
			if op.pattern.isScalar() {
				if !filled[o] {
					op.load(r.set, scratch[op.scratch*r.block:][:1], r.operands[o], 0)
					spreadFirst(scratch[op.scratch*r.block:][:r.block])
					filled[o] = true
				}
				continue
			}
			regs[o] = r.gather(op, o, regs[o], start)
		}
		for w := range c.work {
			in := &c.work[w]
			dst := scratch[max(0, in.scratch)*r.block:]
			if in.output >= 0 {
				dst = r.outputs[in.output][start:]
			}
			dst = dst[:n]
			regs[in.dst] = dst
			x := regs[in.x]
			if in.op == opConvert && in.short >= 0 && !in.round {
				r.set.ToBF16(r.shorts[in.short][start:end], x)
				continue
			}
			y, z := x, x
			if in.y >= 0 {
				y = regs[in.y]
			}
			if in.z >= 0 {
				z = regs[in.z]
			}
			elementWorks[in.op](r.set, dst, x, y, z)
			if in.round {
				r.set.RoundBF16(dst)
			}
			if in.short >= 0 {
				r.set.ToBF16(r.shorts[in.short][start:end], dst)
			}
		}
		for s, of := range c.sums {
			r.sums[s][i] = r.set.Sum(regs[of.reg])
		}
	}
}

// gather is an operand's values for a block that begins at start, in dst or where they lie.
func (r *chainRun) gather(op *operand, o int, dst []float32, start int) []float32 {
	n := len(dst)
	for done := 0; done < n; {
		at, stride, run := op.pattern.at(start + done)
		run = min(run, n-done)
		part := dst[done : done+run]
		switch {
		case stride == 0:
			op.load(r.set, part[:1], r.operands[o], at)
			spreadFirst(part)
		case run == n && r.floats[o] != nil:
			return r.floats[o][at : at+n]
		default:
			op.load(r.set, part, r.operands[o], at)
		}
		done += run
	}
	return dst
}

// spreadFirst copies the first value to all.
func spreadFirst(x []float32) {
	v := x[0]
	for i := range x {
		x[i] = v
	}
}

// bounds is where block i begins and ends.
func (r *chainRun) bounds(i int) (start, end int) {
	if r.perRow == 0 {
		start = i * r.block
		return start, min(start+r.block, r.c.size)
	}
	row := i / r.perRow * r.c.row
	start = row + i%r.perRow*r.block
	return start, min(start+r.block, row+r.c.row)
}

// blocks is how many there are.
func (r *chainRun) blocks() int {
	if r.perRow == 0 {
		return (r.c.size + r.block - 1) / r.block
	}
	return r.c.size / r.c.row * r.perRow
}

// run runs the chain of a plan.
func (c *chain) run(x *execution) error {
	r := &chainRun{c: c, set: x.backend.set, block: c.block(), operands: make([]any, len(c.operands)), floats: make([][]float32, len(c.operands))}
	if c.row > r.block {
		r.perRow = (c.row + r.block - 1) / r.block
	}
	for i, o := range c.operands {
		flat, err := x.values(o.from)
		if err != nil {
			return err
		}
		r.operands[i] = flat
		r.floats[i], _ = flat.([]float32)
	}
	r.outputs, r.shorts = make([][]float32, len(c.outputs)), make([][]uint16, len(c.outputs))
	for i, o := range c.outputs {
		var err error
		if o.short {
			r.shorts[i], err = x.shortOutput(o.v)
		} else {
			r.outputs[i], err = x.output(o.v)
		}
		if err != nil {
			return err
		}
	}
	blocks := r.blocks()
	for range c.sums {
		r.sums = append(r.sums, make([]float32, blocks))
	}
	work := func(from, to int) {
		scratch := x.backend.memory.take(c.scratch * r.block)
		r.run(from, to, scratch)
		x.backend.memory.give(scratch)
	}
	if c.size*len(c.work) < 4*minimum {
		work(0, blocks)
	} else {
		x.backend.share(blocks, work)
	}
	for i, s := range c.sums {
		dst, err := x.output(s.v)
		if err != nil {
			return err
		}
		dst[0] = x.backend.set.Sum(r.sums[i])
	}
	return nil
}
