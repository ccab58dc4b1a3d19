// Package plainfile opens and reads files that a stranger may have put there: never a pipe that
// would wait for ever, a device without end, or more than was bargained for.
package plainfile

import (
	"io/fs"
	"os"
)

// Open opens a plain file; a link to one will do. What is a directory, a pipe or a device is
// refused without being opened.
func Open(path string) (*os.File, error) {
	if err := plain(path, func() (fs.FileInfo, error) { return os.Stat(path) }); err != nil {
		return nil, err
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
	return readAll(file, path, limit)
}
