package hdf5

import (
	"errors"
	"fmt"
)

// A collection is a part of the global heap: where, from the start of the file on, its things of each number are.
type collection map[uint16]span

// collection reads the list of a collection's things.
func (f *File) collection(address uint64) (collection, error) {
	return once(f, collectionAt, address, func() (collection, error) {
		c := f.from(address)
		c.signature("GCOL")
		c.version("a heap of texts", 1)
		c.skip(3)
		size := c.length()
		if c.err != nil {
			return nil, c.err
		}
		block, err := f.block(address, size)
		if err != nil {
			return nil, err
		}
		if err := f.spend(len(block)); err != nil {
			return nil, err
		}
		out := collection{}
		b := f.in(block)
		for b.skip(c.at); b.rest() >= 8+f.lengthSize; {
			index := b.u16()
			b.skip(6)
			n := b.length()
			if index == 0 { // what is free
				break
			}
			if n > uint64(b.rest()) {
				return nil, errShort
			}
			out[uint16(index)] = span{address + uint64(b.at), n}
			b.skip(min(int(n)+int(-n&7), b.rest()))
		}
		return out, nil
	})
}

// texts reads references to the global heap, each a length, the address of a collection, and a number in it. All of
// a file's texts together are no longer than the file.
func (f *File) texts(refs []byte, size, n int) ([]string, error) {
	if size != 8+f.offsetSize {
		return nil, fmt.Errorf("found references of %d bytes to texts, want %d", size, 8+f.offsetSize)
	}
	out := make([]string, n)
	c := f.in(refs)
	left := uint64(len(f.content))
	var last uint64
	var found collection
	for i := range out {
		length, address, index := c.u32(), c.address(), c.u32()
		if c.err != nil {
			return nil, c.err
		}
		if length == 0 {
			continue
		}
		if found == nil || address != last {
			var err error
			if found, err = f.collection(address); err != nil {
				return nil, fmt.Errorf("text %d: %w", i, err)
			}
			last = address
		}
		at, ok := found[uint16(index)]
		if !ok || index > 1<<16-1 || length > at.length {
			return nil, fmt.Errorf("text %d: found %d bytes, number %d of a heap, which does not have it", i, length, index)
		}
		if length > left {
			return nil, errors.New("the texts are longer than the file")
		}
		left -= length
		out[i] = string(f.content[at.address : at.address+length])
	}
	return out, nil
}
