package train

import (
	"context"
	"fmt"
)

// ahead is how many steps' batches are ready before they are wanted. Two are enough to hide a slow one.
const ahead = 2

// loaded is what one step learns from.
type loaded struct {
	batches  []*Batch
	examples []int
	err      error // the last thing that comes
}

// free gives the batches' memory back.
func (l *loaded) free() {
	for _, batch := range l.batches {
		batch.free()
	}
}

// loader prepares the steps of an epoch, from one on, in the background, until ctx ends. What it prepares depends on the seed and on the step's number,
// not on when it is made: a run that begins in the middle sees the same.
func (t *Trainer) loader(ctx context.Context, epoch, from, to int) <-chan loaded {
	out := make(chan loaded, ahead)
	go func() {
		defer close(out)
		order := t.order(epoch)
		for i := from; i < to; i++ {
			examples := order[i*t.options.Batch:][:t.options.Batch]
			l := loaded{examples: examples}
			l.batches, l.err = t.prepare(ctx, epoch, epoch*t.perEpoch+i+1, examples)
			select {
			case out <- l:
			case <-ctx.Done():
				return
			}
			if l.err != nil {
				return
			}
		}
	}()
	return out
}

// prepare makes the batches of one step.
func (t *Trainer) prepare(ctx context.Context, epoch, step int, examples []int) ([]*Batch, error) {
	size := len(examples) / t.options.Accumulate
	batches := make([]*Batch, t.options.Accumulate)
	for i := range batches {
		chance := NewRandom(t.options.Seed, fmt.Sprintf("batch %d of step %d", i, step)).Uint64()
		var err error
		if batches[i], err = t.task.Batch(ctx, Request{Examples: examples[i*size:][:size], Epoch: epoch, Chance: chance}); err != nil {
			(&loaded{batches: batches[:i]}).free()
			return nil, err
		}
	}
	return batches, nil
}

// order is the order of the examples in an epoch, from 0.
func (t *Trainer) order(epoch int) []int {
	n := t.task.Len()
	if !t.options.NoShuffle {
		return NewRandom(t.options.Seed, fmt.Sprintf("order of epoch %d", epoch)).Perm(n)
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	return order
}
