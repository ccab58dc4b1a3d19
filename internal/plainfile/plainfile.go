// Package plainfile opens and reads files that a stranger may have put there: never a pipe that
// would wait for ever, a device without end, or more than was bargained for.
package plainfile

import (
	"fmt"
	"io"
	"os"
)

// Open opens a plain file; a link to one will do. What is a directory, a pipe or a device is
// refused without being opened.
func Open(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no plain file (%s)", path, info.Mode())
	}
	return os.Open(path)
}

// Read reads a whole plain file of at most limit bytes.
func Read(path string, limit int64) ([]byte, error) {
	file, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if int64(len(content)) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes, which no such file needs", path, limit)
	}
	return content, nil
}
