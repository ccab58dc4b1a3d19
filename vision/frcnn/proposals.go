package frcnn

import (
	"errors"
	"slices"

	"github.com/go-lxmert/lxmert/internal/descending"
)

// A proposer finds what may be objects, from logits and deltas of anchors. It keeps its memory from picture to picture.
type proposer struct {
	c       *Config
	cell    []float32 // anchors at a place
	keys    []uint64
	kept    *suppressor
	boxes   []float32 // what it found, [proposals, 4]
	scores  []float32
	maximum int
}

func newProposer(c *Config, cell []float32, maximum int) *proposer {
	return &proposer{c: c, cell: cell, kept: newSuppressor(c.RPNThreshold, maximum), maximum: maximum}
}

// propose finds boxes in a picture of width × height pixels whose features are [down, across]: the PreNMS anchors with the highest logits, moved by their deltas and cut
// at the picture's edge, without those that are too small, or overlap a better one by more than RPNThreshold; the best of them, best first.
// The boxes are the proposer's, until its next use. The error says that none is left.
func (p *proposer) propose(logits, deltas []float32, down, across, width, height int) (boxes, scores []float32, err error) {
	anchors := len(p.cell) / 4
	p.keys = order(p.keys, logits[:down*across*anchors])
	slices.Sort(p.keys)
	p.begin()
	for _, key := range p.keys[:min(p.c.PreNMS, len(p.keys))] {
		i := descending.Index(key)
		at := i / anchors
		a := anchor(p.cell, i%anchors, at%across, at/across, p.c.AnchorOffset)
		if !p.take(moved(a[:], deltas[4*i:][:4], &p.c.RPNWeights), logits[i], width, height) {
			break
		}
	}
	return p.found()
}

// begin forgets the last picture.
func (p *proposer) begin() {
	p.kept.reset(p.c.RPNThreshold)
	p.boxes, p.scores = p.boxes[:0], p.scores[:0]
}

// take looks at the next box, in order of their scores; it is false when no more are wanted.
func (p *proposer) take(box [4]float32, score float32, width, height int) bool {
	if sum := box[0] + box[1] + box[2] + box[3] + score; sum-sum != 0 {
		return true // a number is not finite
	}
	clip(&box, width, height)
	if box[2]-box[0] > p.c.MinBoxSize && box[3]-box[1] > p.c.MinBoxSize && p.kept.keep(&box) {
		p.boxes, p.scores = append(p.boxes, box[:]...), append(p.scores, score)
	}
	return len(p.scores) < p.maximum
}

func (p *proposer) found() (boxes, scores []float32, err error) {
	if len(p.scores) == 0 {
		return nil, nil, errors.New("the region proposal network found no box: the weights are damaged or do not belong to the configuration")
	}
	return p.boxes, p.scores, nil
}
