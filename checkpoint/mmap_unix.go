//go:build unix && !aix

package checkpoint

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// mapFile is the loader that maps: pages are read when they are touched, and shared
// between processes that have the same file open.
func mapFile(file *os.File, size int) (*mapping, error) {
	data, err := unix.Mmap(int(file.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mmap: %w", err)
	}
	return &mapping{data: data, close: unix.Munmap}, nil
}
