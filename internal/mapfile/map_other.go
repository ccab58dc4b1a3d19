//go:build aix || (!unix && !windows)

package mapfile

import (
	"io"
	"os"
)

// mapFile reads the file: this platform has no mapping that we know of.
func mapFile(file *os.File, size int) (*Mapping, error) {
	data := make([]byte, size)
	if _, err := io.ReadFull(file, data); err != nil {
		return nil, err
	}
	return &Mapping{Data: data, unmap: nothing}, nil
}

// Drop does nothing on this platform.
func Drop([]byte) {}
