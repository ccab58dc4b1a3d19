package train

import (
	"context"
	"fmt"
)

// ahead is how many steps' batches are ready before they are wanted. Two are enough to hide a slow one.
const ahead = 2

// loaded is what one step learns from.
type loaded struct {
	batches  []*Batch // the parts that this rank computes
	examples []int    // of all parts
	err      error    // the last thing that comes
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

// prepare makes this rank's batches of one step. What is in a part, and what falls to chance in it, is the same whoever computes it.
func (t *Trainer) prepare(ctx context.Context, epoch, step int, examples []int) ([]*Batch, error) {
	size := len(examples) / t.options.Accumulate
	from, to := share(t.options.Ranks, t.options.Accumulate)
	var batches []*Batch
	for part := from; part < to; part++ {
		chance := NewRandom(t.options.Seed, fmt.Sprintf("batch %d of step %d", part, step)).Uint64()
		batch, err := t.task.Batch(ctx, Request{Examples: examples[part*size:][:size], Epoch: epoch, Chance: chance})
		if err != nil {
			(&loaded{batches: batches}).free()
			return nil, err
		}
		batch.Seed = new(dropoutSeed(t.options.Seed, step, part))
		batches = append(batches, batch)
	}
	return batches, nil
}

// dropoutSeed is the seed of the dropout in a part of a step.
func dropoutSeed(seed uint64, step, part int) int64 {
	purpose := fmt.Sprintf("dropout of step %d", step)
	if part > 0 {
		purpose = fmt.Sprintf("dropout of part %d of step %d", part, step)
	}
	return int64(NewRandom(seed, purpose).Uint64() >> 1)
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
