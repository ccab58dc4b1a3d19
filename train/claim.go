package train

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-lxmert/lxmert/internal/filelock"
)

// Claim makes a run's directory, if need be, and keeps other programs from it until release is called, or this one ends. The error says that
// another has claimed it. A [Trainer] does this itself while it runs, unless [Options.Claimed] says that it has been done.
func Claim(out string) (release func(), err error) {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, err
	}
	lock, err := filelock.Acquire(filepath.Join(out, ".lock"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w: is the run under way?", out, err)
	}
	return func() { lock.Release() }, nil
}
