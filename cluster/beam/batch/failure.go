package batch

import (
	"context"
	"sync"
)

// failures are what went wrong in this process, by job: runners tell of it in their own words, long ones.
var failures sync.Map

// failed keeps the first error of a job's work in this process, and passes it on. That somebody has stopped is none.
func failed(ctx context.Context, job string, err error) error {
	if err != nil && ctx.Err() == nil {
		failures.LoadOrStore(job, err)
	}
	return err
}

// Failure is what our own code in this process said of a job that failed; nil if all it can be is the runner's, or another process's.
func Failure(job string) error {
	if err, ok := failures.LoadAndDelete(job); ok {
		return err.(error)
	}
	return nil
}
