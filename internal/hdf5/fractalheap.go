package hdf5

import (
	"errors"
	"fmt"
	"math/bits"
)

// A fractalHeap keeps many small things: links and attributes of objects that have many. Its space of addresses is
// laid out in rows of blocks, each row's blocks twice as large as those of the row before (the first two are equal);
// blocks that would be larger than the largest direct one hold such a table again.
type fractalHeap struct {
	f          *File
	address    uint64
	idSize     int
	offsetSize int // bytes of an offset in the heap
	idLength   int // bytes of a length in an id
	width      int // blocks in a row
	start      uint64
	direct     uint64 // size of the largest direct block
	rows       int    // of the root; 0 if it is a direct block
	root       uint64
	checked    bool // blocks have checksums
}

// fractalHeap reads a heap's header.
func (f *File) fractalHeap(address uint64) (*fractalHeap, error) {
	c := f.from(address)
	h := &fractalHeap{f: f, address: address}
	c.signature("FRHP")
	c.version("a heap", 0)
	h.idSize = c.u16()
	filters := c.u16()
	h.checked = c.u8()&2 != 0
	longest := c.u32()
	c.skip(f.lengthSize + f.offsetSize) // things too large for the heap
	c.skip(f.lengthSize + f.offsetSize) // free space
	c.skip(8 * f.lengthSize)            // statistics
	h.width = c.u16()
	h.start, h.direct = c.length(), c.length()
	h.offsetSize = (c.u16() + 7) / 8
	c.skip(2)
	h.root = c.address()
	h.rows = c.u16()
	if c.err == nil && filters != 0 {
		return nil, errors.New("found a heap with filters, which is not read")
	}
	c.checksum("a heap")
	if c.err != nil {
		return nil, c.err
	}
	powers := bits.OnesCount64(h.start) == 1 && bits.OnesCount64(h.direct) == 1 && bits.OnesCount(uint(h.width)) == 1
	if !powers || h.start > h.direct || h.direct > 1<<32 || h.width > 1<<12 || h.offsetSize > 8 || h.offsetSize < 1 || h.rows > 64 || longest < 1 {
		return nil, fmt.Errorf("found a heap of %d rows of %d blocks of %d to %d bytes, which cannot be", h.rows, h.width, h.start, h.direct)
	}
	h.idLength = min((bits.TrailingZeros64(h.direct)+7)/8, sizeOf(longest))
	return h, f.spend(c.at)
}

// object is the bytes of the thing that has that id.
func (h *fractalHeap) object(id []byte) ([]byte, error) {
	c := h.f.in(id)
	head := c.u8()
	switch kind := head >> 4; kind {
	case 0: // in a block
		at, n := c.uint(h.offsetSize), c.uint(h.idLength)
		if c.err != nil {
			return nil, c.err
		}
		return h.find(at, n)
	case 2: // in the id
		data := c.take(head&15 + 1)
		return data, c.err
	default:
		return nil, fmt.Errorf("found a thing of kind %d in a heap (1: too large for it), which is not read", kind)
	}
}

// find is n bytes at a place in the heap.
func (h *fractalHeap) find(at, n uint64) ([]byte, error) {
	block, rows, begin := h.root, h.rows, uint64(0)
	for rows > 0 {
		row, column, start, size := h.place(at - begin)
		if row >= rows || column >= h.width {
			return nil, fmt.Errorf("wanted %d of a heap that ends before", at)
		}
		c := h.f.from(block)
		if err := h.prefix(c, "FHIB", begin); err != nil {
			return nil, err
		}
		c.skip((row*h.width + column) * h.f.offsetSize)
		if block = c.address(); c.err != nil {
			return nil, c.err
		}
		begin += start
		if size <= h.direct {
			return h.inDirect(block, begin, size, at, n)
		}
		rows = bits.Len64(size) - bits.Len64(h.start*uint64(h.width)) + 1
	}
	return h.inDirect(block, begin, h.start, at, n)
}

// place is where in a table a place in it is: row, column, the block's start and size.
func (h *fractalHeap) place(at uint64) (row, column int, start, size uint64) {
	size = h.start
	for {
		length := size * uint64(h.width)
		if at-start < length || size > 1<<50 {
			break
		}
		start += length
		if row > 0 {
			size *= 2
		}
		row++
	}
	column = int((at - start) / size)
	return row, column, start + uint64(column)*size, size
}

// inDirect cuts n bytes at a place in the heap out of a direct block, which begins there at begin.
func (h *fractalHeap) inDirect(block, begin, size, at, n uint64) ([]byte, error) {
	c := h.f.from(block)
	if err := h.prefix(c, "FHDB", begin); err != nil {
		return nil, err
	}
	if at-begin < uint64(c.at) || at-begin > size {
		return nil, fmt.Errorf("wanted %d of a block of a heap that has %d bytes from %d on", at, size, begin)
	}
	if n > size-(at-begin) {
		return nil, errShort
	}
	return h.f.block(block+(at-begin), n)
}

// prefix reads how a block begins.
func (h *fractalHeap) prefix(c *cursor, signature string, begin uint64) error {
	c.signature(signature)
	c.version("a block of a heap", 0)
	owner, offset := c.address(), c.uint(h.offsetSize)
	if signature == "FHDB" && h.checked {
		c.skip(4)
	}
	if c.err == nil && (owner != h.address || offset != begin) {
		return errors.New("found a block of another heap, or of another place in it")
	}
	return c.err
}
