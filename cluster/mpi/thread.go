//go:build mpi

package mpi

import (
	"errors"
	"runtime"
	"time"
)

// A thread is the one that makes all calls of MPI, which knows threads of the system and not goroutines (MPI_THREAD_FUNNELED).
type thread struct{ calls chan func() }

func newThread() *thread {
	t := &thread{make(chan func())}
	go func() {
		runtime.LockOSThread()
		for call := range t.calls {
			call()
		}
	}()
	return t
}

// errLate is what do says after the limit.
var errLate = errors.New("the call takes too long")

// do makes a call and waits for it, for ever if limit is 0. After the limit the thread is lost to it.
func (t *thread) do(call func() error, limit time.Duration) error {
	done := make(chan error, 1)
	t.calls <- func() { done <- call() }
	if limit == 0 {
		return <-done
	}
	p := newPatience(limit)
	look := time.NewTicker(frozen / 10)
	defer look.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-look.C:
			if p.lost() {
				return errLate
			}
		}
	}
}
