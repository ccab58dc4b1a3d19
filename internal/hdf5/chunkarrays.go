package hdf5

import (
	"fmt"
	"math/bits"
)

// An arrayReader reads the elements of an array of chunks, each an address, and of filtered chunks size and filters.
type arrayReader struct {
	f           *File
	header      uint64
	filtered    bool
	elementSize int
	add         func(i uint64, c chunk) error
}

// begin reads how every part of an array begins.
func (a *arrayReader) begin(c *cursor, signature string, own bool) {
	c.signature(signature)
	c.version("an array of chunks", 0)
	if kind := c.u8(); c.err == nil && (kind == 1) != a.filtered {
		c.fail("found an array of chunks of kind %d, where filters are %t", kind, a.filtered)
	}
	if own {
		return
	}
	if owner := c.address(); c.err == nil && owner != a.header {
		c.fail("found a part of another array of chunks")
	}
}

// width checks how many bytes an element has.
func (a *arrayReader) width(c *cursor) {
	low, high := a.f.offsetSize, a.f.offsetSize
	if a.filtered {
		low, high = low+1+4, low+8+4
	}
	if a.elementSize = c.u8(); c.err == nil && (a.elementSize < low || a.elementSize > high) {
		c.fail("found %d bytes for a chunk, want %d to %d", a.elementSize, low, high)
	}
}

// elements reads n of them from number i on.
func (a *arrayReader) elements(c *cursor, i, n uint64) error {
	if n > uint64(c.rest()/a.elementSize) {
		return errShort
	}
	for k := range n {
		one := chunk{address: c.address()}
		if a.filtered {
			one.size, one.skipped = c.uint(a.elementSize-a.f.offsetSize-4), uint32(c.u32())
		}
		if err := a.add(i+k, one); err != nil {
			return err
		}
	}
	return c.err
}

// pages reads n elements from number i on, which are in pages of so many, each with a checksum of its own. The bits
// of inUse from the first on say which pages were written, the highest of a byte before the others.
func (a *arrayReader) pages(address uint64, i, n, page uint64, inUse []byte, first uint64) error {
	for k := uint64(0); k*page < n; k++ {
		if bit := first + k; inUse[bit/8]>>(7-bit%8)&1 == 0 {
			continue
		}
		c := a.f.from(address + k*(page*uint64(a.elementSize)+4))
		here := min(page, n-k*page)
		if err := a.elements(c, i+k*page, here); err != nil {
			return err
		}
		if c.checksum("chunks"); c.err != nil {
			return c.err
		}
		if err := a.f.spend(c.at); err != nil {
			return err
		}
	}
	return nil
}

// fixedArray goes through an array whose length was known from the start.
func (f *File) fixedArray(address uint64, filtered bool, add func(i uint64, c chunk) error) error {
	a := &arrayReader{f: f, header: address, filtered: filtered, add: add}
	c := f.from(address)
	a.begin(c, "FAHD", true)
	a.width(c)
	pageBits, n, at := c.u8(), c.length(), c.address()
	c.checksum("an array of chunks")
	if c.err != nil || at == undefined {
		return c.err
	}
	if pageBits > 32 || n > uint64(len(f.content)) {
		return fmt.Errorf("found an array of %d chunks, in pages of 2^%d", n, pageBits)
	}
	page := uint64(1) << pageBits
	b := f.from(at)
	a.begin(b, "FADB", false)
	if n > page {
		inUse := b.take(int((n+page-1)/page+7) / 8)
		if b.checksum("an array of chunks"); b.err != nil {
			return b.err
		}
		return a.pages(at+uint64(b.at), 0, n, page, inUse, 0)
	}
	if b.err != nil {
		return b.err
	}
	if err := a.elements(b, 0, n); err != nil {
		return err
	}
	if b.checksum("an array of chunks"); b.err != nil {
		return b.err
	}
	return f.spend(b.at)
}

// An extensible array grows without being moved: an index block has the first elements, the addresses of some blocks
// of elements, and those of super blocks, which have the addresses of more. There are 2^(u/2) blocks of
// 2^((u+1)/2) × the smallest number of elements at level u; those of the first levels are in the index.
type extensible struct {
	arrayReader
	offsetSize int    // bytes of a number of an element
	used       uint64 // elements up to the last that was written
	smallest   uint64
	page       uint64 // elements in a page of a block that has pages
}

// extensibleArray goes through an array that could grow.
func (f *File) extensibleArray(address uint64, filtered bool, add func(i uint64, c chunk) error) error {
	a := &extensible{arrayReader: arrayReader{f: f, header: address, filtered: filtered, add: add}}
	c := f.from(address)
	a.begin(c, "EAHD", true)
	a.width(c)
	maxBits, inIndex, smallest, pointers, pageBits := c.u8(), c.u8(), c.u8(), c.u8(), c.u8()
	c.skip(4 * f.lengthSize) // statistics of blocks
	a.used = c.length()
	c.length()
	at := c.address()
	c.checksum("an array of chunks")
	if c.err != nil || at == undefined {
		return c.err
	}
	if maxBits > 64 || bits.OnesCount(uint(smallest)) != 1 || bits.OnesCount(uint(pointers)) != 1 || pageBits > 32 {
		return fmt.Errorf("found an array of %d chunks, in blocks of %d from %d pointers on, which cannot be", a.used, smallest, pointers)
	}
	a.offsetSize, a.smallest, a.page = (maxBits+7)/8, uint64(smallest), 1<<pageBits
	levels := 1 + maxBits - bits.TrailingZeros(uint(smallest))
	direct := 2 * bits.TrailingZeros(uint(pointers)) // levels whose blocks are in the index
	b := f.from(at)
	a.begin(b, "EAIB", false)
	if b.err != nil {
		return b.err
	}
	if err := a.elements(b, 0, uint64(inIndex)); err != nil {
		return err
	}
	next := uint64(inIndex)
	for u := range levels {
		blocks, size := uint64(1)<<(u/2), a.smallest<<((u+1)/2)
		if u >= direct {
			at := b.address()
			if next >= a.used {
				continue // nor are there any at the levels that follow
			}
			if err := a.super(at, next, blocks, size); err != nil {
				return err
			}
			next += blocks * size
			continue
		}
		for range blocks {
			if err := a.block(b.address(), next, size, nil, 0); err != nil {
				return err
			}
			next += size
		}
	}
	if b.checksum("an array of chunks"); b.err != nil {
		return b.err
	}
	return f.spend(b.at)
}

// super reads a super block.
func (a *extensible) super(address, next, blocks, size uint64) error {
	if address == undefined {
		return nil
	}
	c := a.f.from(address)
	a.begin(c, "EASB", false)
	c.skip(a.offsetSize)
	pages, perBlock := size/a.page, 0 // bits that say which pages are in use follow each other, in more bytes than they need
	if pages > 1 {
		perBlock = int((pages + 7) / 8)
	}
	if c.err == nil && blocks > uint64(c.rest())/uint64(perBlock+a.f.offsetSize) {
		return errShort
	}
	inUse := c.take(perBlock * int(blocks))
	for i := range blocks {
		at := c.address()
		if c.err != nil {
			return c.err
		}
		if err := a.block(at, next, size, inUse, i*pages); err != nil {
			return err
		}
		next += size
	}
	if c.checksum("an array of chunks"); c.err != nil {
		return c.err
	}
	return a.f.spend(c.at)
}

// block reads a block of elements; the bits of inUse from the first on are its own.
func (a *extensible) block(address, next, size uint64, inUse []byte, first uint64) error {
	if address == undefined {
		return nil
	}
	c := a.f.from(address)
	a.begin(c, "EADB", false)
	c.skip(a.offsetSize)
	if size > a.page {
		if c.checksum("an array of chunks"); c.err != nil {
			return c.err
		}
		if inUse == nil {
			return fmt.Errorf("found a block of %d chunks with pages where there can be none", size)
		}
		return a.pages(address+uint64(c.at), next, size, a.page, inUse, first)
	}
	if c.err != nil {
		return c.err
	}
	if err := a.elements(c, next, size); err != nil {
		return err
	}
	if c.checksum("an array of chunks"); c.err != nil {
		return c.err
	}
	return a.f.spend(c.at)
}
