package hdf5

import (
	"errors"
	"fmt"
)

// The ways in which data lie in a file.
const (
	compact    = 0 // in the header
	contiguous = 1 // in one piece
	chunked    = 2 // in boxes of equal size, each a piece of its own
)

// The ways in which chunks are found.
const (
	byTree1  = iota // the only one of old files
	byNumber        // a single one, at address
	implicit        // all, one after the other
	fixedArray
	extensibleArray
	byTree2
)

// A layout is where a dataset's data are.
type layout struct {
	kind    int
	address uint64
	size    uint64 // of contiguous data; undefined if the file does not say
	compact []byte

	chunk       []int // shape of a chunk
	elementSize int
	index       int
	wholeEdges  bool // chunks that stick out of the shape are not filtered

	single chunk // of byNumber
}

// layout reads a layout message for a dataset of that many dimensions.
func (f *File) layout(body []byte, rank int) (layout, error) {
	c := f.in(body)
	version := c.u8()
	if c.err == nil && version != 3 && version != 4 {
		return layout{}, fmt.Errorf("the layout has version %d, which is not read", version)
	}
	l := layout{kind: c.u8(), address: undefined, size: undefined}
	switch l.kind {
	case compact:
		l.compact = c.take(c.u16())
	case contiguous:
		l.address, l.size = c.address(), c.length()
	case chunked:
		l.chunks(c, version)
	default:
		return layout{}, fmt.Errorf("found a layout of kind %d (3: put together from other datasets), which is not read", l.kind)
	}
	if c.err != nil {
		return layout{}, c.err
	}
	if l.kind != chunked {
		return l, nil
	}
	if len(l.chunk) != rank || rank == 0 {
		return layout{}, fmt.Errorf("found chunks of %d dimensions for a shape of %d", len(l.chunk), rank)
	}
	for _, n := range l.chunk {
		if n == 0 {
			return layout{}, errors.New("found chunks without elements")
		}
	}
	if n, ok := byteLen(l.chunk, l.elementSize); !ok || n == 0 || n > maxChunk {
		return layout{}, fmt.Errorf("found chunks %v of elements of %d bytes, want at most %d bytes each", l.chunk, l.elementSize, maxChunk)
	}
	return l, nil
}

// maxChunk is the largest chunk that is read, as it is before it is filtered.
const maxChunk = 1 << 26

// chunks reads the chunks' shape, and how to find them.
func (l *layout) chunks(c *cursor, version int) {
	flags, rank, width := 0, 0, 4
	if version == 3 {
		rank = c.u8()
		l.address = c.address()
	} else {
		flags, rank, width = c.u8(), c.u8(), c.u8()
	}
	l.wholeEdges = flags&1 != 0
	if c.err == nil && (rank < 1 || rank > maxRank+1 || width < 1 || width > 8) {
		c.fail("found chunks of %d dimensions, in numbers of %d bytes", rank, width)
	}
	for i := 0; i < rank && c.err == nil; i++ {
		n := c.uint(width)
		if n > 1<<40 {
			c.fail("found chunks of %d elements, which is too large", n)
		}
		l.chunk = append(l.chunk, int(n))
	}
	if c.err != nil {
		return
	}
	l.elementSize, l.chunk = l.chunk[rank-1], l.chunk[:rank-1]
	if version == 3 {
		return
	}
	l.index = c.u8()
	switch l.index {
	case byNumber:
		if flags&2 != 0 {
			l.single.size, l.single.skipped = c.length(), uint32(c.u32())
		}
	case implicit:
	case fixedArray:
		c.skip(1) // the array says it again
	case extensibleArray:
		c.skip(5)
	case byTree2:
		c.skip(6)
	default:
		c.fail("found chunks with an index of kind %d, which is not read", l.index)
	}
	l.address = c.address()
	l.single.address = l.address
}
