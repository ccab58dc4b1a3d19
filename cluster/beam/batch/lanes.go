package batch

import (
	"context"
	"fmt"
	"sync"
)

// slots are how many parts a worker process works on at once, whatever bundles they are in.
var slots once[int, chan struct{}]

// lanes work on the parts of a bundle, several at a time. Prism gives all parts of a stage to one bundle, an element after the other, and divides bundles of
// plain elements no further (v2.77); so a bundle has to keep several workers busy itself. Other runners divide more; then each bundle has one part, and the
// slots of the process are what bounds the work.
type lanes struct {
	slots  chan struct{}
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	lock sync.Mutex
	done []Done
	err  error
}

// newLanes begins a bundle.
func newLanes(ctx context.Context, workers int) *lanes {
	free, _ := slots.get(workers, func() (chan struct{}, error) { return make(chan struct{}, workers), nil })
	l := &lanes{slots: free}
	l.ctx, l.cancel = context.WithCancel(ctx)
	return l
}

// add waits until there is room for a part, and begins to work on it. The error is that of a part that was begun earlier.
func (l *lanes) add(part func(context.Context) (Done, error)) error {
	select {
	case l.slots <- struct{}{}:
	case <-l.ctx.Done():
		return l.failed()
	}
	l.work.Go(func() {
		defer func() { <-l.slots }()
		done, err := guarded(func() (Done, error) { return part(l.ctx) })
		l.lock.Lock()
		defer l.lock.Unlock()
		if err == nil {
			l.done = append(l.done, done)
			return
		}
		if l.err == nil {
			l.err = err
		}
		l.cancel()
	})
	return nil
}

// failed is why no more can be added.
func (l *lanes) failed() error {
	l.lock.Lock()
	defer l.lock.Unlock()
	if l.err != nil {
		return l.err
	}
	return context.Cause(l.ctx)
}

// finish waits for the parts of the bundle.
func (l *lanes) finish() ([]Done, error) {
	l.work.Wait()
	l.cancel()
	return l.done, l.err
}

// report waits for the parts of the bundle, and counts and passes them on.
func (l *lanes) report(ctx context.Context, emit func(Done)) error {
	done, err := l.finish()
	if err != nil {
		return err
	}
	for _, d := range done {
		count(ctx, d)
		emit(d)
	}
	return nil
}

// guarded makes an error of a panic: in a goroutine of our own nobody else would, and the whole worker would end.
func guarded(work func() (Done, error)) (done Done, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("this program has an error: %v", broken)
		}
	}()
	return work()
}
