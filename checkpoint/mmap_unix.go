//go:build unix && !aix

package checkpoint

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapFile is the loader that maps: pages are read when they are touched, and shared
// between processes that have the same file open.
func mapFile(file *os.File, size int) (*mapping, error) {
	data, err := unix.Mmap(int(file.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mmap: %w", err)
	}
	return &mapping{data: data, close: unix.Munmap, drop: dropPages}, nil
}

// dropPages takes a mapped file's pages that lie wholly in data out of this process's memory.
func dropPages(data []byte) {
	page := os.Getpagesize()
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(data)))) & (page - 1)
	if whole := (len(data) - skip) &^ (page - 1); whole > 0 {
		_ = unix.Madvise(data[skip:skip+whole], unix.MADV_DONTNEED) // advice: nothing is lost if it is not taken
	}
}
