//go:build aix || (!unix && !windows)

package mapfile

import "os"

func mapFile(file *os.File, size int) (*Mapping, error) { return read(file, size) }

// Drop does nothing on this platform.
func Drop([]byte) {}
