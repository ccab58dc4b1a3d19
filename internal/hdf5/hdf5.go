// Package hdf5 reads and writes HDF5 files as far as weights and features need: groups, attributes, and arrays of
// numbers and texts (HDF5 File Format Specification 3.0).
//
// It reads superblocks 0 to 3, both kinds of object headers and of groups, compact, contiguous and chunked data with
// every index of chunks, and the filters deflate, shuffle, fletcher32 and lzf. What it does not read (compound types,
// external files, other filters, …) is refused by name. It writes the oldest format, which everything reads.
//
// Files may come from strangers. Nothing is allocated on a file's word alone, and reading cannot go on for ever:
// a part of a file belongs to one thing, so all that is listed from a file, each part once, cannot be longer than the
// file. Where a file's parts overlap or go in circles, that sum is exceeded, and the file refused (see File.spend).
package hdf5

import (
	"errors"
	"fmt"
	"sync"
)

// A File is a file in memory. Its methods, and those of what it holds, may be called from several goroutines.
type File struct {
	content    []byte
	offsetSize int // bytes of an address
	lengthSize int // bytes of a length
	root       *Group

	lock    sync.Mutex
	left    int         // bytes of structures that have not been read yet, at most
	known   map[key]any // what has been read of them
	decoded cache       // chunks that were filtered
}

// Parse opens a file that is in memory. content must not change while the File is in use.
func Parse(content []byte) (*File, error) {
	f := &File{known: map[key]any{}}
	root, err := f.superblock(content)
	if err != nil {
		return nil, err
	}
	f.left = len(f.content)
	f.decoded.limit = min(max(len(f.content), minCache), maxCache)
	object, err := f.open(root, "")
	if err != nil {
		return nil, err
	}
	group, ok := object.(*Group)
	if !ok {
		return nil, errors.New("the root is no group")
	}
	f.root = group
	return f, nil
}

// Root is the group that holds everything.
func (f *File) Root() *Group { return f.root }

// A key is what is known: a kind of thing at an address.
type key struct {
	kind    byte
	address uint64
}

const (
	linksOf byte = iota
	attributesOf
	chunksOf
	collectionAt
)

// A finding is what came of reading something.
type finding[T any] struct {
	value T
	err   error
}

// once reads a thing the first time it is asked for.
func once[T any](f *File, kind byte, address uint64, read func() (T, error)) (T, error) {
	f.lock.Lock()
	defer f.lock.Unlock()
	k := key{kind, address}
	if known, ok := f.known[k]; ok {
		found := known.(finding[T])
		return found.value, found.err
	}
	value, err := read()
	f.known[k] = finding[T]{value, err}
	return value, err
}

var errCircle = errors.New("parts of the file overlap, or go in circles")

// spend notes that n bytes of structures have been read, from within once. Each byte of a sound file is read once.
func (f *File) spend(n int) error {
	if n < 0 || n > f.left {
		f.left = 0
		return errCircle
	}
	f.left -= n
	return nil
}

// undefined is the address of what is not there; 2 and 4-byte addresses are widened to it.
const undefined = ^uint64(0)

// block is n bytes of the file from an address on.
func (f *File) block(address, n uint64) ([]byte, error) {
	if size := uint64(len(f.content)); address > size || n > size-address {
		return nil, fmt.Errorf("wanted %d bytes at %d of a file of %d", n, address, size)
	}
	return f.content[address : address+n : address+n], nil
}

// from reads on from an address.
func (f *File) from(address uint64) *cursor {
	c := &cursor{offsetSize: f.offsetSize, lengthSize: f.lengthSize}
	if size := uint64(len(f.content)); address > size {
		c.err = fmt.Errorf("wanted the address %d of a file of %d bytes", address, size)
	} else {
		c.data = f.content[address:]
	}
	return c
}

// in reads a part that was cut out already.
func (f *File) in(data []byte) *cursor {
	return &cursor{data: data, offsetSize: f.offsetSize, lengthSize: f.lengthSize}
}
