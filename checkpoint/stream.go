package checkpoint

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"unicode/utf8"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
)

// PartialSuffix is what a Stream's file has after its name until Commit.
const PartialSuffix = ".partial"

// ErrHeaderFull is what Stream.Add answers when the header has no room for more tensors: the file must be
// committed and another begun.
var ErrHeaderFull = errors.New("no room in the header for more tensors")

// A Stream is a safetensors file that grows tensor by tensor: for content that does not fit into memory, or of
// which nobody knows yet how much there will be. In the format the header comes first, so room is set aside for
// it; what is left over becomes spaces, which the format allows.
//
// Until Commit the file is PATH.partial, without a header that could be read. A program that was killed may go on
// with it (ResumeStream), if it knows what it had added.
type Stream struct {
	path   string
	file   *os.File
	buffer *bufio.Writer
	head   []byte // the header so far, without its last brace
	room   int    // bytes of the header, in the file
	size   int64  // bytes of the tensors so far
}

// CreateStream begins the file at path with room bytes for the header. A file PATH.partial that is
// there is written over.
func CreateStream(path string, room int, metadata map[string]string) (*Stream, error) {
	head, err := streamHead(metadata)
	if err != nil {
		return nil, inFile(path, err)
	}
	room = min(max(room, len(head)+1)+7, maxHeaderLen) &^ 7 // so that the tensors begin at a multiple of 8
	file, err := os.OpenFile(path+PartialSuffix, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, err
	}
	s := newStream(path, file, head, room)
	// The length stands there from the beginning: ResumeStream reads it. The header is a hole for now.
	length := binary.LittleEndian.AppendUint64(nil, uint64(room))
	_, err = file.Write(length)
	if err == nil {
		err = file.Truncate(lengthSize + int64(room))
	}
	if err == nil {
		_, err = file.Seek(int64(room), io.SeekCurrent)
	}
	if err != nil {
		s.Discard()
		return nil, err
	}
	return s, nil
}

func newStream(path string, file *os.File, head []byte, room int) *Stream {
	return &Stream{path: path, file: file, buffer: bufio.NewWriterSize(file, 1<<18), head: head, room: room}
}

// ResumeStream goes on with PATH.partial after the tensors in parts, which must follow each other from
// byte 0 on; what comes after them in the file is cut off.
func ResumeStream(path string, metadata map[string]string, parts []Part) (*Stream, error) {
	head, err := streamHead(metadata)
	if err != nil {
		return nil, inFile(path, err)
	}
	file, err := os.OpenFile(path+PartialSuffix, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	s, err := resume(path, file, head, parts)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", path+PartialSuffix, err)
	}
	return s, nil
}

func resume(path string, file *os.File, head []byte, parts []Part) (*Stream, error) {
	var length [lengthSize]byte
	if _, err := io.ReadFull(file, length[:]); err != nil {
		return nil, err
	}
	room := binary.LittleEndian.Uint64(length[:])
	if room > maxHeaderLen {
		return nil, fmt.Errorf("header length is %d bytes, want at most %d: this is no unfinished safetensors file", room, maxHeaderLen)
	}
	s := newStream(path, file, head, int(room))
	for _, p := range parts {
		if int64(p.Begin) != s.size {
			return nil, fmt.Errorf("tensor %s begins at byte %d, want %d", quote(p.Name), p.Begin, s.size)
		}
		if err := s.describe(Tensor{Name: p.Name, DType: p.DType, Shape: p.Shape}); err != nil {
			return nil, err
		}
	}
	if len(s.head)+1 > s.room {
		return nil, ErrHeaderFull
	}
	end := lengthSize + int64(s.room) + s.size
	if info, err := file.Stat(); err != nil {
		return nil, err
	} else if info.Size() < end {
		return nil, fmt.Errorf("found %d bytes, want at least %d: %w", info.Size(), end, io.ErrUnexpectedEOF)
	}
	if err := file.Truncate(end); err != nil {
		return nil, err
	}
	_, err := file.Seek(end, io.SeekStart)
	return s, err
}

// streamHead is the header up to the first tensor.
func streamHead(metadata map[string]string) ([]byte, error) {
	head := []byte{'{'}
	if metadata == nil {
		return head, nil
	}
	head = append(head, `"`+metadataKey+`":{`...)
	for i, key := range slices.Sorted(maps.Keys(metadata)) {
		if !utf8.ValidString(key) || !utf8.ValidString(metadata[key]) {
			return nil, fmt.Errorf("metadata %q: %q is not UTF-8 text", key, metadata[key])
		}
		if i > 0 {
			head = append(head, ',')
		}
		head = appendString(append(appendString(head, key), ':'), metadata[key])
	}
	return append(head, '}'), nil
}

// Size is the number of bytes of tensors added so far.
func (s *Stream) Size() int64 { return s.size }

// Add writes the tensors after those that are there, in this order, all of them or none. When it returns, the
// system has the bytes: they outlive the process, though not a power cut. Names must not come twice in a file;
// that is the caller's to see to.
//
// The error is ErrHeaderFull, with the file as it was, or the file system's, after which the stream can only be
// discarded.
func (s *Stream) Add(tensors ...Tensor) error {
	if s.file == nil {
		return fmt.Errorf("%s: %w", s.path, os.ErrClosed)
	}
	head, size := len(s.head), s.size
	for _, t := range tensors {
		if err := s.describe(t); err != nil {
			s.head, s.size = s.head[:head], size
			return fmt.Errorf("%s: %w", s.path, err)
		}
	}
	if len(s.head)+1 > s.room {
		s.head, s.size = s.head[:head], size
		return ErrHeaderFull
	}
	for _, t := range tensors {
		if err := t.read(func(data []byte) error {
			_, err := s.buffer.Write(data)
			return err
		}); err != nil {
			return fmt.Errorf("%s: %w", s.path+PartialSuffix, err)
		}
	}
	if err := s.buffer.Flush(); err != nil {
		return fmt.Errorf("%s: %w", s.path+PartialSuffix, err)
	}
	return nil
}

// describe appends a tensor to the header.
func (s *Stream) describe(t Tensor) error {
	size, ok := t.DType.byteLen(t.Shape)
	switch {
	case t.Name == metadataKey || !utf8.ValidString(t.Name):
		return fmt.Errorf("tensor %s: the format has no room for a tensor of this name", quote(t.Name))
	case !ok || len(t.Shape) > maxRank || uint64(s.size)+uint64(size) > maxInt:
		return fmt.Errorf("tensor %s: there is no %s tensor of shape %v", quote(t.Name), t.DType, t.Shape)
	}
	if len(s.head) > 1 {
		s.head = append(s.head, ',')
	}
	s.head = appendEntry(s.head, entry{name: t.Name, dtype: t.DType, shape: t.Shape, begin: int(s.size), end: int(s.size) + size})
	s.size += int64(size)
	return nil
}

// Commit writes the header, syncs the file and gives it its name. Where the room set aside
// was much too large for what came, the file is copied without it. After an error PATH.partial is still there.
func (s *Stream) Commit() error {
	if s.file == nil {
		return fmt.Errorf("%s: %w", s.path, os.ErrClosed)
	}
	head := append(slices.Clip(s.head), '}')
	partial := s.path + PartialSuffix
	if waste := int64(s.room - len(head)); waste > 4096 && waste > s.size/16 {
		if err := s.copyTo(head); err != nil {
			return err
		}
		s.Discard()
		return nil
	}
	padded := make([]byte, s.room)
	for i := copy(padded, head); i < len(padded); i++ {
		padded[i] = ' '
	}
	_, err := s.file.WriteAt(padded, lengthSize)
	if err == nil {
		err = s.file.Sync()
	}
	if err == nil {
		err = s.file.Close()
		s.file = nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", partial, err)
	}
	return atomicfile.Rename(partial, s.path)
}

// copyTo writes the file anew with a header that is as long as it must be.
func (s *Stream) copyTo(head []byte) error {
	for len(head)%8 != 0 {
		head = append(head, ' ')
	}
	return atomicfile.Write(s.path, 0o644, func(w io.Writer) error {
		if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(head)))); err != nil {
			return err
		}
		if _, err := w.Write(head); err != nil {
			return err
		}
		_, err := io.Copy(w, io.NewSectionReader(s.file, lengthSize+int64(s.room), s.size))
		return err
	})
}

// Suspend closes PATH.partial and leaves it for ResumeStream. After Commit it does nothing, so it can be deferred.
func (s *Stream) Suspend() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return err
}

// Discard removes PATH.partial. After Commit it does nothing.
func (s *Stream) Discard() {
	if s.Suspend() == nil {
		os.Remove(s.path + PartialSuffix)
	}
}
