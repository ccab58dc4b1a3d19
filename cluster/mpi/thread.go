//go:build mpi

package mpi

import (
	"fmt"
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

// do makes a call and waits for it, for ever if limit is 0. After the limit the thread is lost to it.
func (t *thread) do(call func() error, limit time.Duration) error {
	done := make(chan error, 1)
	t.calls <- func() { done <- call() }
	var late <-chan time.Time
	if limit > 0 {
		late = time.After(limit)
	}
	select {
	case err := <-done:
		return err
	case <-late:
		return fmt.Errorf("a rank did not answer for %v, in the midst of a sum", limit)
	}
}
