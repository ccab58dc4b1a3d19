//go:build unix

package checkpoint

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Pipes and devices are refused without waiting for them.
func TestOpenRefusesPipes(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "model.safetensors")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Skipf("no pipes here: %v", err)
	}
	_, err := Open(pipe)
	says(t, err, pipe, "no plain file")
	_, err = Open(filepath.Dir(pipe))
	says(t, err, pipe, "no plain file")
	index := filepath.Join(t.TempDir(), IndexName)
	if err := unix.Mkfifo(index, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Open(index)
	says(t, err, index, "no plain file")
	_, err = Open(os.DevNull)
	says(t, err, os.DevNull, "no plain file")
}
