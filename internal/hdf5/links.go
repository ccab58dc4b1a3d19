package hdf5

import (
	"bytes"
	"errors"
	"fmt"
)

// symbolTable lists a group of the old kind: a B-tree of tables of names, which are in a heap of the group's own.
func (f *File) symbolTable(body []byte, add func(Link) error) error {
	c := f.in(body)
	tree, heapAt := c.address(), c.address()
	h := f.from(heapAt)
	h.signature("HEAP")
	h.version("the names", 0)
	h.skip(3)
	size := h.length()
	h.length() // free space
	data := h.address()
	if err := errors.Join(c.err, h.err); err != nil {
		return err
	}
	heap, err := f.block(data, size)
	if err != nil {
		return err
	}
	return f.tree1(tree, groupTree, f.lengthSize, -1, func(_ []byte, child uint64) error {
		return f.symbols(child, heap, add)
	})
}

// symbols lists one table of names.
func (f *File) symbols(address uint64, heap []byte, add func(Link) error) error {
	c := f.from(address)
	c.signature("SNOD")
	c.version("a table of names", 1)
	c.skip(1)
	count := c.u16()
	if err := errors.Join(c.err, f.spend(8+count*(2*f.offsetSize+24))); err != nil {
		return err
	}
	for range count {
		nameAt, l := c.address(), Link{address: c.address()}
		kind := c.u32()
		c.skip(4)
		scratch := f.in(c.take(16))
		if c.err != nil {
			return c.err
		}
		name, ok := text(heap, nameAt)
		if !ok {
			return fmt.Errorf("a name is at %d of %d bytes, or has no end", nameAt, len(heap))
		}
		l.Name = name
		if kind == 2 {
			target, _ := text(heap, scratch.u32())
			l.Elsewhere = fmt.Sprintf("a link to %.100q", target)
		}
		if err := add(l); err != nil {
			return err
		}
	}
	return nil
}

// text is the bytes up to a zero.
func text(heap []byte, at uint64) (string, bool) {
	if at >= uint64(len(heap)) {
		return "", false
	}
	part := heap[at:]
	part = part[:min(len(part), maxName+1)]
	n := bytes.IndexByte(part, 0)
	if n < 0 {
		return "", false
	}
	return string(part[:n]), true
}

// linkMessage reads a link of a group of the new kind.
func (f *File) linkMessage(body []byte) (Link, error) {
	c := f.in(body)
	c.version("a link", 1)
	flags := c.u8()
	kind := 0
	if flags&8 != 0 {
		kind = c.u8()
	}
	if flags&4 != 0 {
		c.skip(8) // order of creation
	}
	if flags&16 != 0 {
		c.skip(1) // ASCII or UTF-8
	}
	n := c.uint(1 << (flags & 3))
	if c.err == nil && n > maxName {
		c.fail("found a name of %d bytes, want at most %d", n, maxName)
	}
	l := Link{Name: string(c.take(int(n & 0xFFFF)))}
	switch kind {
	case 0:
		l.address = c.address()
	case 1:
		l.Elsewhere = fmt.Sprintf("a link to %.100q", c.take(c.u16()))
	default:
		l.Elsewhere = "a link to another file"
	}
	return l, c.err
}

// denseLinks lists a group of the new kind that has many links: they are in a fractal heap, and a B-tree knows where.
func (f *File) denseLinks(body []byte, add func(Link) error) error {
	c := f.in(body)
	c.version("the links", 0)
	if flags := c.u8(); flags&1 != 0 {
		c.skip(8)
	}
	heapAt, names := c.address(), c.address()
	if c.err != nil || heapAt == undefined || names == undefined {
		return c.err
	}
	heap, err := f.fractalHeap(heapAt)
	if err != nil {
		return err
	}
	return f.tree2(names, linkNames, 4+heap.idSize, func(record []byte) error {
		body, err := heap.object(record[4:])
		if err != nil {
			return err
		}
		l, err := f.linkMessage(body)
		if err != nil {
			return err
		}
		return add(l)
	})
}
