package extract

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
)

// longestPath is how many bytes a path in a list may have.
const longestPath = 1 << 16

// A list is a stream of paths of files, one a line.
type list struct {
	name string
	null bool
	ids  func(path string) (string, error)
	open func() (io.ReadCloser, error)
}

func (l *list) stream() bool { return true }
func (l *list) close() error { return nil }

// each gives each path as soon as it has been read.
func (l *list) each(yield func(picture) bool) error {
	content, err := l.open()
	if err != nil {
		return err
	}
	defer content.Close()
	end := byte('\n')
	if l.null {
		end = 0
	}
	r := bufio.NewReaderSize(content, longestPath)
	for line := 1; ; line++ {
		text, err := r.ReadSlice(end)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("%s: path %d has more than %d bytes, want one path a line, or with -0 divided by NUL bytes", l.name, line, longestPath-1)
		case err != nil && !errors.Is(err, io.EOF):
			return fmt.Errorf("%s: %w", l.name, err)
		}
		done := err != nil
		text = bytes.TrimSuffix(text, []byte{end})
		if !l.null {
			text = bytes.TrimSuffix(text, []byte{'\r'})
		}
		if !l.null && bytes.IndexByte(text, 0) >= 0 {
			return fmt.Errorf("%s: line %d has a NUL byte: for paths that are divided by NUL bytes say -0", l.name, line)
		}
		if len(text) > 0 && !yield(file(string(text), filepath.ToSlash(string(text)), l.ids)) || done {
			return nil
		}
	}
}
