package batch

import (
	"errors"
	"io"
	"os"
)

// A spool keeps the bytes of pictures on the disk until their turn comes.
type spool struct {
	file *os.File
	size int64
}

func newSpool() (*spool, error) {
	file, err := os.CreateTemp("", "lxmert-beam-pictures-")
	return &spool{file: file}, err
}

// add adds some bytes, and says where they are.
func (s *spool) add(content []byte) (at int64, err error) {
	at = s.size
	n, err := s.file.Write(content)
	s.size += int64(n)
	return at, err
}

// open is for the bytes at a place. Several may be read at once.
func (s *spool) open(at, size int64) io.ReadCloser {
	return io.NopCloser(io.NewSectionReader(s.file, at, size))
}

func (s *spool) close() error { return errors.Join(s.file.Close(), os.Remove(s.file.Name())) }
