// Package filelock lets one program at a time work on something. The system gives the lock back when a program ends, however it ends.
package filelock

import (
	"errors"
	"fmt"
	"os"
)

// ErrHeld is the answer to who comes second.
var ErrHeld = errors.New("another program holds the lock")

// A Lock is held until Release.
type Lock struct{ file *os.File }

// Acquire takes the lock that the file at path stands for; the file is made if need be, and stays. It does not wait: the error satisfies
// errors.Is(err, ErrHeld) if the lock is taken, also by this very program.
func Acquire(path string) (*Lock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := lock(file); err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &Lock{file}, nil
}

// Release gives the lock back.
func (l *Lock) Release() error { return l.file.Close() }
