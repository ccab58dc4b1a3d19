package frcnn

import (
	"fmt"
	"slices"

	"github.com/go-lxmert/lxmert/internal/descending"
)

// A candidate is what became of a proposal: its most probable class but the background, the box for it in pixels of the resized picture.
type candidate struct {
	class int
	score float32
	box   [4]float32
}

// candidates reads the classes' probabilities, [proposals, classes + 1], and deltas, [proposals, 4 · classes] or [proposals, 4].
func (c *Config) candidates(proposals, probabilities, deltas []float32, width, height int) []candidate {
	all := make([]candidate, len(proposals)/4)
	row, each := c.NumClasses+1, len(deltas)/len(all)
	for i := range all {
		class, score := largest(probabilities[i*row:][:c.NumClasses])
		at := 4 * class
		if c.ClassAgnostic {
			at = 0
		}
		all[i] = candidate{class, score, moved(proposals[4*i:][:4], deltas[i*each+at:][:4], &c.BoxWeights)}
		clip(&all[i].box, width, height)
	}
	return all
}

// largest is the first of the largest values, and its index.
func largest(values []float32) (int, float32) {
	best := 0
	for i, v := range values {
		if v > values[best] {
			best = i
		}
	}
	return best, values[best]
}

// choose is the last suppression, over all classes at once: the indices of the candidates that stay, best first, at most MaxDetections. Thresholds are tried in order until at least
// MinDetections are left. Then ok is true; else these are what the last threshold left.
func (c *Config) choose(all []candidate) (keep []int, threshold float64, ok bool) {
	scores := make([]float32, len(all))
	for i := range all {
		scores[i] = all[i].score
	}
	keys := order(nil, scores)
	slices.Sort(keys)
	kept := newSuppressor(0, len(all))
	for _, threshold = range c.Thresholds {
		kept.reset(threshold)
		keep = keep[:0]
		for _, key := range keys {
			if i := descending.Index(key); len(keep) < c.MaxDetections && kept.keep(&all[i].box) {
				keep = append(keep, i)
			}
		}
		if len(keep) >= c.MinDetections {
			return keep, threshold, true
		}
	}
	return keep, threshold, false
}

// tooFew explains that choose was not ok. The reference ends with UnboundLocalError, or, in a batch, gives the picture the regions of the one before.
func (c *Config) tooFew(found int) error {
	return fmt.Errorf("%d regions are left by the last suppression at %.2g, want at least %d (MIN_DETECTIONS): allow fewer, add a higher threshold to NMS_THRESH_TEST, or have more proposals",
		found, c.Thresholds[len(c.Thresholds)-1], c.MinDetections)
}
