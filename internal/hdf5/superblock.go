package hdf5

import (
	"errors"
	"fmt"
)

// signature begins every file; other programs' bytes may stand before it, in a block of 512, 1024, …
const signature = "\x89HDF\r\n\x1a\n"

// superblock finds the start of the file, takes the sizes of its numbers, and gives the address of the root's header.
func (f *File) superblock(content []byte) (uint64, error) {
	start := 0
	for ; start <= len(content)-len(signature); start = max(512, 2*start) {
		if string(content[start:start+len(signature)]) == signature {
			f.content = content[start:] // addresses count from here
			break
		}
	}
	if f.content == nil {
		return 0, errors.New("not an HDF5 file")
	}
	c := f.in(f.content)
	c.skip(len(signature))
	version := c.version("the superblock", 0, 1, 2, 3)
	if version < 2 {
		c.skip(4)
	}
	f.offsetSize, f.lengthSize = c.u8(), c.u8()
	for _, size := range []int{f.offsetSize, f.lengthSize} {
		if c.err == nil && size != 2 && size != 4 && size != 8 {
			c.fail("found addresses or lengths of %d bytes, want 2, 4 or 8", size)
		}
	}
	if c.err != nil {
		return 0, c.err
	}
	c.offsetSize, c.lengthSize = f.offsetSize, f.lengthSize
	switch version {
	case 0:
		c.skip(1 + 2 + 2 + 4)
	case 1:
		c.skip(1 + 2 + 2 + 4 + 2 + 2)
	default:
		c.skip(1)
	}
	base := c.address()
	if c.err == nil && base != uint64(start) {
		return 0, fmt.Errorf("found the base address %d, want %d where the file begins", base, start)
	}
	c.address() // free space, or an extension of the superblock
	end := c.address()
	if c.err == nil && (end < base || end-base > uint64(len(f.content))) {
		return 0, fmt.Errorf("found %d bytes, want %d: the file is cut off", len(f.content), end-base)
	}
	if version < 2 {
		c.address() // driver
		c.address() // the root's name
	}
	root := c.address()
	if version >= 2 {
		c.checksum("the superblock")
	}
	return root, c.err
}
