package hdf5

import (
	"fmt"
	"math/bits"
)

const maxInt = uint64(^uint(0) >> 1)

// maxRank is the format's own limit of dimensions.
const maxRank = 32

// A dataspace is a shape: no dimensions for a single element.
type dataspace struct {
	dims []int
	max  []uint64 // how far the dimensions may grow, undefined for without end; nil if not at all
}

// dataspace reads a shape message.
func (c *cursor) dataspace() (dataspace, error) {
	version := c.version("the shape", 1, 2)
	rank, flags, kind := c.u8(), c.u8(), c.u8()
	if version == 1 {
		c.skip(4)
		kind = 1
	}
	if c.err == nil && (rank > maxRank || kind > 2) {
		c.fail("found %d dimensions of kind %d, want at most %d", rank, kind, maxRank)
	}
	if c.err != nil {
		return dataspace{}, c.err
	}
	s := dataspace{dims: make([]int, rank)}
	if kind == 2 { // nothing at all
		s.dims = []int{0}
		return s, nil
	}
	for i := range s.dims {
		n := c.length()
		if n > maxInt {
			return dataspace{}, fmt.Errorf("found a dimension of %d, which is too large", n)
		}
		s.dims[i] = int(n)
	}
	if flags&1 != 0 {
		s.max = make([]uint64, rank)
		for i := range s.max {
			if s.max[i] = c.length(); s.max[i] == undefined>>(64-8*c.lengthSize) {
				s.max[i] = undefined
			} else if c.err == nil && s.max[i] < uint64(s.dims[i]) {
				return dataspace{}, fmt.Errorf("found a dimension of %d, at most %d of which are allowed", s.dims[i], s.max[i])
			}
		}
	}
	return s, c.err
}

// byteLen is the number of bytes of an array. It is false where no machine has room for so many, even if another
// dimension is 0.
func byteLen(dims []int, size int) (int, bool) {
	n, zero := uint64(size), false
	for _, dim := range dims {
		if dim == 0 {
			zero = true
			continue
		}
		hi, lo := bits.Mul64(n, uint64(dim))
		if hi != 0 || lo > maxInt {
			return 0, false
		}
		n = lo
	}
	if zero {
		n = 0
	}
	return int(n), true
}
