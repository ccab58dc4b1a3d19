package checkpoint

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/go-lxmert/lxmert/internal/plainfile"
)

// A Raw is a mapped safetensors file whose header has not been read. It is for files of so many tensors
// that the header takes long to read, opened by those who keep a list of their own of what stands where
// (package data's region stores). What they believe they must check against Len, or with Parts.
type Raw struct {
	path    string
	content *mapping
	head    []byte
	data    []byte
}

// A Part is where a tensor stands in a safetensors file.
type Part struct {
	Name  string
	DType DType
	Shape []int
	Begin int // byte, counted from the end of the header
}

// ByteLen is the number of bytes that the type and the shape ask for.
func (p Part) ByteLen() int { return Tensor{DType: p.DType, Shape: p.Shape}.ByteLen() }

// OpenRaw maps a file. The error names it, and says that it is no safetensors file or cut off within its header.
func OpenRaw(path string) (*Raw, error) {
	dir, name := filepath.Split(path)
	content, err := loader(mapFile).open(plainfile.OnDisk(dir), name)
	if err != nil {
		return nil, err
	}
	head, data, err := splitHeader(content.data)
	if err != nil {
		content.unmap()
		return nil, inFile(path, err)
	}
	return &Raw{path: path, content: content, head: head, data: data}, nil
}

// Path is the file's name, as it was opened.
func (r *Raw) Path() string { return r.path }

// Size is the number of bytes of the file.
func (r *Raw) Size() int { return lengthSize + len(r.head) + len(r.data) }

// HeaderLen is the number of bytes before the tensors.
func (r *Raw) HeaderLen() int { return lengthSize + len(r.head) }

// Len is the number of bytes of the tensors.
func (r *Raw) Len() int { return len(r.data) }

// Use lends size bytes from begin on to use, which must not keep them; the file cannot be closed meanwhile.
// The error is use's own, or names the file: that it has no such bytes, or was closed.
func (r *Raw) Use(begin, size int, use func(data []byte) error) error {
	if begin < 0 || size < 0 || begin > len(r.data)-size {
		return fmt.Errorf("%s: wanted %d bytes from byte %d on, but only %d follow the header: the file has changed or is cut off", r.path, size, begin, len(r.data))
	}
	if !r.content.acquire() {
		return fmt.Errorf("%s: %w", r.path, ErrClosed)
	}
	defer r.content.release()
	return use(r.data[begin : begin+size : begin+size])
}

// Parts reads the header: every tensor in the order of the file, and the file's metadata. They have been
// checked as Open does.
func (r *Raw) Parts() ([]Part, map[string]string, error) {
	if !r.content.acquire() {
		return nil, nil, fmt.Errorf("%s: %w", r.path, ErrClosed)
	}
	defer r.content.release()
	h, err := parseHeader(r.head, len(r.data))
	if err != nil {
		return nil, nil, inFile(r.path, err)
	}
	parts := make([]Part, len(h.tensors))
	for i, e := range h.tensors {
		parts[i] = Part{Name: e.name, DType: e.dtype, Shape: slices.Clone(e.shape), Begin: e.begin}
	}
	return parts, h.metadata, nil
}

// Close unmaps the file, once nobody uses it.
func (r *Raw) Close() error {
	if err := r.content.unmap(); err != nil {
		return inFile(r.path, err)
	}
	return nil
}
