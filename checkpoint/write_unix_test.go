//go:build unix

package checkpoint

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// When the disk is full the old file stays, and nothing else. The full disk is a limit on
// file sizes, in a process of its own.
func TestWriteFullDisk(t *testing.T) {
	const marker = "CHECKPOINT_TEST_FULL_DISK"
	if path := os.Getenv(marker); path != "" {
		signal.Ignore(syscall.SIGXFSZ)
		limit := unix.Rlimit{Cur: 1 << 20, Max: 1 << 20}
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
			t.Skipf("no limit on file sizes: %v", err)
		}
		says(t, Write(path, []Tensor{floats(t, "new", 1<<20)}, nil), path, "file too large")
		err := WriteSharded(filepath.Dir(path), []Tensor{floats(t, "small", 10), floats(t, "new", 1<<20)}, nil, 40)
		says(t, err, "model-00002-of-00002.safetensors", "file too large")
		return
	}
	dir := t.TempDir()
	path := write(t, filepath.Join(dir, "model.safetensors"), floats(t, "old", 1))
	child := exec.Command(os.Args[0], "-test.run=^TestWriteFullDisk$", "-test.v")
	child.Env = append(os.Environ(), marker+"="+path)
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := files(t, dir); len(got) != 1 {
		t.Errorf("left behind: %v", got)
	}
	if _, ok := open(t, path).Tensor("old"); !ok {
		t.Error("the old tensor is gone")
	}
}
