package tokenizer

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// Input is one element of a batch: a text, or a text and its pair.
type Input struct {
	Text    string
	Pair    string
	HasPair bool // an empty pair is a pair too
}

// EncodeBatch encodes inputs in parallel; the result does not depend on how many run at a
// time. PadLongest fills up to the longest of the batch. The error is ctx's, or that of
// the first input that has one, with its index; then no encodings come back.
func (t *Tokenizer) EncodeBatch(ctx context.Context, inputs []Input, call Call) ([]Encoding, error) {
	// Padding comes last, when the longest is known; the truncation that the call implies
	// must not change by that.
	single, c := call, resolved{}
	if t.mode != Original {
		var err error
		if c, err = t.resolve(call); err != nil {
			return nil, err
		}
		single = c.Call
		single.Padding, single.PadToMultipleOf = DoNotPad, 0
		if t.mode == Slow {
			if err := c.checkSlow(false); err != nil { // once padding is gone from single, it cannot tell
				return nil, err
			}
		}
	}
	encodings := make([]Encoding, len(inputs))
	errs := make([]error, len(inputs))
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(inputs)) {
		wait.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(inputs) {
					return
				}
				in := inputs[i]
				encodings[i], errs[i] = t.encode(in.Text, in.Pair, in.HasPair, single)
			}
		})
	}
	wait.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	longest, rows := 0, 0
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("text %d of the batch: %w", i+1, err)
		}
		longest = max(longest, len(encodings[i].IDs))
		rows += 1 + len(encodings[i].Overflowing)
	}
	if t.mode == Original {
		return encodings, nil
	}
	target, err := c.paddedLength(longest)
	if err != nil {
		return nil, err
	}
	if c.Padding != DoNotPad && target > 0 && rows > maxBatchPadded/target {
		return nil, fmt.Errorf("a batch of %d rows padded to %d tokens is too much, want at most %d tokens in all; split it", rows, target, maxBatchPadded)
	}
	if c.Padding != DoNotPad {
		for i := range encodings {
			encodings[i].pad(target, c.PaddingSide)
		}
	}
	return encodings, nil
}
