//go:build aix || (!unix && !windows)

package checkpoint

import "os"

// mapFile reads the file: this platform has no mapping that we know of.
func mapFile(file *os.File, size int) (*mapping, error) { return readWhole(file, size) }
