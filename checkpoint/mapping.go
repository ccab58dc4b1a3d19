package checkpoint

import (
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/go-lxmert/lxmert/internal/plainfile"
)

// A mapping is one file's content, mapped or read, and the lock that keeps it there
// while somebody reads. The nil mapping is memory that is never closed.
type mapping struct {
	data  []byte
	lock  sync.RWMutex // held for reading while data is in use
	close func([]byte) error
	drop  func([]byte) // lets go of the pages of a part, to be read again when touched; nil where there is no such thing
}

// acquire holds the content until release; it is false after close.
func (m *mapping) acquire() bool {
	if m == nil {
		return true
	}
	m.lock.RLock()
	if m.close == nil {
		m.lock.RUnlock()
		return false
	}
	return true
}

func (m *mapping) release() {
	if m != nil {
		m.lock.RUnlock()
	}
}

func (m *mapping) isClosed() bool {
	if !m.acquire() {
		return true
	}
	m.release()
	return false
}

// unmap gives the content back, once nobody reads it; a second call does nothing.
func (m *mapping) unmap() error {
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.close == nil {
		return nil
	}
	data, close := m.data, m.close
	m.data, m.close = nil, nil
	return close(data)
}

// A loader brings the content of an open file of that size into memory. Files that are not on disk are read, with any loader.
type loader func(file *os.File, size int) (*mapping, error)

// open loads a file, which must be a plain one that a slice can hold.
func (load loader) open(dir plainfile.Dir, name string) (*mapping, error) {
	file, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	path := dir.Path(name)
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if size := info.Size(); size < 0 || uint64(size) > maxInt {
		return nil, fmt.Errorf("%s has %d bytes, more than this machine can address", path, size)
	}
	if info.Size() == 0 { // an empty file cannot be mapped
		return &mapping{close: forget}, nil
	}
	var m *mapping
	if onDisk, ok := file.(*os.File); ok && load != nil {
		m, err = load(onDisk, int(info.Size()))
	} else {
		m, err = readOpen(file, int(info.Size()))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// readWhole is the loader that copies.
func readWhole(file *os.File, size int) (*mapping, error) { return readOpen(file, size) }

func readOpen(file io.Reader, size int) (*mapping, error) {
	data := make([]byte, size)
	if _, err := io.ReadFull(file, data); err != nil {
		return nil, err
	}
	return &mapping{data: data, close: forget}, nil
}

func forget([]byte) error { return nil }
