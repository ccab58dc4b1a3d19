package hdf5

import (
	"fmt"
	"math/bits"
)

// Kinds of B-trees of version 2.
const (
	linkNames      = 5
	attributeNames = 8
	plainChunks    = 10
	filteredChunks = 11
)

// A tree2 is a B-tree of version 2.
type tree2 struct {
	f          *File
	kind       int
	recordSize int
	levels     []level2 // from the leaves up
	visit      func(record []byte) error
}

// A level2 says how many records may be in a node, and in all below it.
type level2 struct {
	most, total uint64
}

// maxDepth of a tree: each level holds many times what the one below it does.
const maxDepth = 16

// tree2 goes through a B-tree and gives each record to visit, in order. Records have recordSize bytes, or as many
// as the tree says if that is 0.
func (f *File) tree2(address uint64, kind, recordSize int, visit func(record []byte) error) error {
	c := f.from(address)
	c.signature("BTHD")
	c.version("a B-tree", 0)
	gotKind := c.u8()
	nodeSize, gotSize, depth := c.u32(), c.u16(), c.u16()
	c.skip(2)
	root, records := c.address(), c.u16()
	c.length() // in all
	c.checksum("a B-tree")
	if c.err != nil {
		return c.err
	}
	if gotKind != kind || recordSize != 0 && gotSize != recordSize || gotSize == 0 || depth > maxDepth || nodeSize < 16 {
		return fmt.Errorf("found a B-tree of kind %d with records of %d bytes, nodes of %d and %d levels, want kind %d and records of %d", gotKind, gotSize, nodeSize, depth, kind, recordSize)
	}
	if err := f.spend(c.at); err != nil {
		return err
	}
	if root == undefined {
		return nil
	}
	t := &tree2{f: f, kind: kind, recordSize: gotSize, visit: visit}
	most := (nodeSize - 10) / uint64(gotSize)
	t.levels = []level2{{most, most}}
	for d := 1; d <= depth; d++ {
		pointer := uint64(t.pointerSize(d))
		if nodeSize < 10+pointer {
			return fmt.Errorf("found nodes of %d bytes, which is too few", nodeSize)
		}
		most := (nodeSize - 10 - pointer) / (uint64(gotSize) + pointer)
		hi, total := bits.Mul64(most+1, t.levels[d-1].total)
		if hi != 0 || total+most < total {
			return fmt.Errorf("found %d levels, which is too many", depth)
		}
		t.levels = append(t.levels, level2{most, total + most})
	}
	return t.node(root, depth, records)
}

// sizeOf is how many bytes a number up to limit takes.
func sizeOf(limit uint64) int { return (max(bits.Len64(limit), 1)-1)/8 + 1 }

// pointerSize is how many bytes a node of that level has for each child: address, records, and records below it.
func (t *tree2) pointerSize(level int) int {
	size := t.f.offsetSize + sizeOf(t.levels[0].most)
	if level > 1 {
		size += sizeOf(t.levels[level-1].total)
	}
	return size
}

// node goes through a node of so many records.
func (t *tree2) node(address uint64, level, records int) error {
	c := t.f.from(address)
	if level == 0 {
		c.signature("BTLF")
	} else {
		c.signature("BTIN")
	}
	c.version("a node of a B-tree", 0)
	if kind := c.u8(); c.err == nil && kind != t.kind {
		c.fail("found a node of kind %d in a B-tree of kind %d", kind, t.kind)
	}
	all := c.take(records * t.recordSize)
	children := t.f.in(nil)
	if level > 0 {
		children.data = c.take((records + 1) * t.pointerSize(level))
	}
	c.checksum("a node of a B-tree")
	if c.err != nil {
		return c.err
	}
	if err := t.f.spend(c.at); err != nil {
		return err
	}
	for i := range records + 1 {
		if level > 0 {
			child, n := children.address(), children.uint(sizeOf(t.levels[0].most))
			if level > 1 {
				children.skip(sizeOf(t.levels[level-1].total))
			}
			if err := t.node(child, level-1, int(n&0xFFFFFF)); err != nil {
				return err
			}
		}
		if i < records {
			if err := t.visit(all[i*t.recordSize : (i+1)*t.recordSize]); err != nil {
				return err
			}
		}
	}
	return nil
}
