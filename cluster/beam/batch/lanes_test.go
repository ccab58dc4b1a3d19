package batch

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestLanes(t *testing.T) {
	for _, workers := range []int{1, 2, 3} {
		l := newLanes(t.Context(), workers)
		var now, most atomic.Int32
		for i := range 12 {
			err := l.add(func(context.Context) (Done, error) {
				most.Store(max(most.Load(), now.Add(1)))
				time.Sleep(2 * time.Millisecond)
				now.Add(-1)
				return Done{Part: i, Of: 12}, nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		done, err := l.finish()
		if err != nil || len(done) != 12 || most.Load() > int32(workers) {
			t.Errorf("%d workers: %d done, %d at once, %v", workers, len(done), most.Load(), err)
		}
	}
}

// The first error ends the bundle, and is its own; a panic is one.
func TestLanesFail(t *testing.T) {
	broken := errors.New("broken")
	l := newLanes(t.Context(), 1)
	waits := func(ctx context.Context) (Done, error) { <-ctx.Done(); return Done{}, ctx.Err() }
	if err := l.add(func(context.Context) (Done, error) { return Done{}, broken }); err != nil {
		t.Fatal(err)
	}
	err := error(nil)
	for range 3 {
		err = errors.Join(err, l.add(waits))
	}
	if _, end := l.finish(); !errors.Is(end, broken) || !errors.Is(err, broken) {
		t.Errorf("%v, %v", err, end)
	}
	l = newLanes(t.Context(), 1)
	if err := l.add(func(context.Context) (Done, error) { panic("oh") }); err != nil {
		t.Fatal(err)
	}
	if _, err := l.finish(); err == nil || !strings.Contains(err.Error(), "oh") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	l = newLanes(ctx, 1)
	if err := errors.Join(l.add(waits), l.add(waits)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	l.finish()
}
