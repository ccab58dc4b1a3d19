// Package mapfile maps files into memory: pages are read when they are touched, and shared between processes that have
// the same file open. On platforms of which we know no way the file is read.
package mapfile

import (
	"fmt"
	"os"

	"github.com/go-lxmert/lxmert/internal/plainfile"
)

// A Mapping is a file's content in memory.
type Mapping struct {
	Data  []byte // must not be written to, nor be touched after Close: the program would crash
	unmap func() error
}

// Open maps the plain file of that path. It may be empty.
func Open(path string) (*Mapping, error) {
	file, err := plainfile.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	size := int(info.Size())
	if size < 0 || int64(size) != info.Size() {
		return nil, fmt.Errorf("%s has %d bytes, more than this machine can address", path, info.Size())
	}
	m, err := Map(file, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// Map maps an open file of that size. The file may be closed afterwards.
func Map(file *os.File, size int) (*Mapping, error) {
	if size == 0 { // which cannot be mapped
		return &Mapping{unmap: nothing}, nil
	}
	return mapFile(file, size)
}

// Close gives the memory back; a second call does nothing.
func (m *Mapping) Close() error {
	unmap := m.unmap
	m.Data, m.unmap = nil, nothing
	return unmap()
}

func nothing() error { return nil }
