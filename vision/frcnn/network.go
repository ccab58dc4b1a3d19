package frcnn

import (
	"context"
	"fmt"
	"time"

	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

// A look is what the network makes of an input.
type look struct {
	res4           features
	logits, deltas []float32 // [height, width, anchors] and [height, width, 4 · anchors] of the proposal network

	proposals, scores []float32 // [proposals, 4], [proposals]

	features                         []float32 // [proposals, width]
	probabilities, moves, attributes []float32 // see heads
}

// A Timing is how long a stage took.
type Timing struct {
	Stage string
	Took  time.Duration
}

// network does the work for one picture after another.
type network struct {
	c        *Config
	programs *programs
	proposer *proposer
	pooler   []pooler // one for each goroutine
	fixed    bool     // shapes are always the same, what is too much being padded: for engines to which compiling is dear
	pooled   []float32
	timings  []Timing
	clock    time.Time
}

// Proposals go through the fifth stage some at a time: few enough that its largest values, [proposals, 14, 14, 2048], stay below
// 50 MB; enough that Winograd's way of
// its 3×3 convolutions pays.
const (
	leastChunk = 16
	mostChunk  = 22
)

// chunks is how many there are of n proposals, all of one size but for one proposal more or less; where shapes are fixed all have mostChunk, the last being filled up.
func (n *network) chunks(proposals int) int {
	if n.fixed {
		return (proposals + mostChunk - 1) / mostChunk
	}
	return max(1, proposals/leastChunk)
}

func newNetwork(c *Config, p *programs, cell []float32) (*network, error) {
	set, err := kernel.Default()
	if err != nil {
		return nil, err
	}
	n := &network{c: c, programs: p, proposer: newProposer(c, cell, c.PostNMS)}
	for range workers() {
		n.pooler = append(n.pooler, pooler{set: set, resolution: c.PoolerResolution})
	}
	return n, nil
}

// stage notes how long the last stage took.
func (n *network) stage(name string) {
	now := time.Now()
	n.timings = append(n.timings, Timing{name, now.Sub(n.clock)})
	n.clock = now
}

// see runs the backbone and the proposal network.
func (n *network) see(in *input, l *look) error {
	out, err := n.programs.run("backbone", n.c.trunk, in.values, 1, in.height, in.width, 3)
	if err != nil {
		return err
	}
	height, width := n.c.featureSize(in.height), n.c.featureSize(in.width)
	l.res4 = features{out[0], height, width, n.c.Res4Channels()}
	l.logits, l.deltas = out[1], out[2]
	if len(l.logits) != height*width*n.c.Anchors() {
		return fmt.Errorf("backbone: %d logits, want %d × %d × %d", len(l.logits), height, width, n.c.Anchors())
	}
	n.stage("backbone")
	return nil
}

// featureSize is how many places the backbone's features have for so many pixels.
func (c *Config) featureSize(size int) int {
	half := func(n int) int { return (n + 1) / 2 }
	size = half(size) // the stem
	if c.CaffeMaxPool {
		size = max(size-3+1, 0)/2 + 1
	} else {
		size = half(size)
	}
	return half(half(size)) // the third stage, the fourth
}

// describe pools boxes, in pixels of the resized picture, and runs the fifth stage and the heads. Boxes that have the same places are looked at once.
func (n *network) describe(ctx context.Context, boxes []float32, l *look) error {
	places := map[cellRange]int{}
	var different []cellRange
	rows := make([]int, len(boxes)/4) // of the features of different boxes
	for i := range rows {
		cells := cellsOf(boxes[4*i:][:4])
		row, ok := places[cells]
		if !ok {
			row = len(different)
			places[cells] = row
			different = append(different, cells)
		}
		rows[i] = row
	}
	found, err := n.fifth(ctx, different, l)
	if err != nil {
		return err
	}
	width := n.c.FeatureWidth()
	l.features = make([]float32, len(rows)*width)
	for i, row := range rows {
		copy(l.features[i*width:][:width], found[row*width:][:width])
	}
	padded, count := l.features, len(rows)
	if n.fixed {
		count = roundUp(count, n.proposer.maximum)
		padded = make([]float32, count*width)
		copy(padded, l.features)
	}
	out, err := n.programs.run("heads", n.c.heads, padded, count, width)
	if err != nil {
		return err
	}
	for i := range out {
		out[i] = out[i][:len(out[i])/count*len(rows)]
	}
	l.probabilities, l.moves = out[0], out[1]
	if len(out) > 2 {
		l.attributes = out[2]
	}
	n.stage("heads")
	return nil
}

// fifth is the features of boxes, [boxes, width], as many at a time as a chunk has.
func (n *network) fifth(ctx context.Context, boxes []cellRange, l *look) ([]float32, error) {
	size := n.c.PoolerResolution * n.c.PoolerResolution * n.c.Res4Channels()
	if most := (2*leastChunk - 1) * size; len(n.pooled) < most {
		n.pooled = make([]float32, most)
	}
	all := make([]float32, 0, len(boxes)*n.c.FeatureWidth())
	var pooling, convolving time.Duration
	for chunks := n.chunks(len(boxes)); chunks > 0; chunks-- {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		part := boxes[:(len(boxes)+chunks-1)/chunks]
		rows := len(part)
		if n.fixed {
			part = boxes[:min(mostChunk, len(boxes))]
			rows = mostChunk
		}
		boxes = boxes[len(part):]
		start := time.Now()
		share(len(part), len(n.pooler), func(worker, i int) { n.pooler[worker].pool(n.pooled[i*size:][:size], &l.res4, part[i]) })
		pooling += time.Since(start)
		start = time.Now()
		out, err := n.programs.run("fifth stage", n.c.fifth, n.pooled[:rows*size], rows, n.c.PoolerResolution, n.c.PoolerResolution, n.c.Res4Channels())
		if err != nil {
			return nil, err
		}
		convolving += time.Since(start)
		all = append(all, out[0][:len(part)*n.c.FeatureWidth()]...)
	}
	n.timings = append(n.timings, Timing{"RoIPool", pooling}, Timing{"fifth stage", convolving})
	n.clock = time.Now()
	return all, nil
}

// propose finds proposals in what was seen.
func (n *network) propose(in *input, l *look) (err error) {
	l.proposals, l.scores, err = n.proposer.propose(l.logits, l.deltas, l.res4.height, l.res4.width, in.pictureWidth, in.pictureHeight)
	n.stage("proposals")
	return err
}

// begin starts the clock for a picture.
func (n *network) begin() { n.timings, n.clock = n.timings[:0], time.Now() }
