package hdf5

import "fmt"

// Kinds of B-trees of version 1.
const (
	groupTree = 0
	chunkTree = 1
)

// tree1 goes through a B-tree of version 1 in order, and gives each leaf entry's key and address to visit. Keys have
// keySize bytes. level is that of the node, -1 for a root, which may have any.
func (f *File) tree1(address uint64, kind, keySize, level int, visit func(key []byte, child uint64) error) error {
	c := f.from(address)
	c.signature("TREE")
	gotKind, gotLevel, entries := c.u8(), c.u8(), c.u16()
	c.skip(2 * f.offsetSize) // neighbours
	if c.err != nil {
		return c.err
	}
	if gotKind != kind || level >= 0 && gotLevel != level {
		return fmt.Errorf("found a node of kind %d at level %d of a tree of kind %d at level %d", gotKind, gotLevel, kind, level)
	}
	if err := f.spend(c.at + entries*(keySize+f.offsetSize)); err != nil {
		return err
	}
	for range entries {
		key, child := c.take(keySize), c.address()
		if c.err != nil {
			return c.err
		}
		var err error
		if gotLevel == 0 {
			err = visit(key, child)
		} else {
			err = f.tree1(child, kind, keySize, gotLevel-1, visit)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
