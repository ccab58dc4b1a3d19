package hdf5

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A Node is a group to be written or, with Data, a dataset.
type Node struct {
	Name       string // the root has none
	Attributes []Attribute
	Nodes      []*Node // what is in a group, in any order
	Data       *Data
}

// Data are what a dataset holds: numbers, the lowest byte of each first, or texts of a fixed number of bytes.
type Data struct {
	DType DType
	Shape []int
	Write func(w io.Writer) error // writes all of the bytes, once
}

// Add adds a node at a path below n, with the groups on the way, and returns it.
func (n *Node) Add(path string) *Node {
	for name := range strings.SplitSeq(path, "/") {
		i := slices.IndexFunc(n.Nodes, func(below *Node) bool { return below.Name == name })
		if i < 0 {
			i = len(n.Nodes)
			n.Nodes = append(n.Nodes, &Node{Name: name})
		}
		n = n.Nodes[i]
	}
	return n
}

// Write writes a file in the oldest format. What describes the data is written first, from memory; the data follow,
// dataset by dataset in the order of the nodes, each as it comes.
func Write(w io.Writer, root *Node) error {
	l := &ledger{at: superblockSize}
	if root.Data != nil {
		return errors.New("the root cannot be a dataset")
	}
	var err error
	if l.root, err = l.node(root, ""); err != nil {
		return err
	}
	buffer := bufio.NewWriterSize(w, 1<<16)
	buffer.Write(l.finish())
	at := l.dataAt
	for _, d := range l.data {
		if err := pad(buffer, int(d.address-at)); err != nil {
			return err
		}
		counted := &counter{w: buffer}
		err := d.data.Write(counted)
		if err == nil && counted.n != d.size {
			err = fmt.Errorf("%d bytes were written, want %d for %s %v", counted.n, d.size, d.data.DType, d.data.Shape)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", plain(d.path), err)
		}
		at = d.address + uint64(d.size)
	}
	if err := pad(buffer, int(-at&7)); err != nil {
		return err
	}
	return buffer.Flush()
}

func pad(w io.Writer, n int) error {
	_, err := w.Write(make([]byte, n))
	return err
}

// A counter counts what is written.
type counter struct {
	w io.Writer
	n int
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += n
	return n, err
}

// The sizes that the superblock declares: a table holds 8 names, a node of a tree 32 children.
const (
	superblockSize = 96
	perTable       = 8
	perNode        = 32
)

// A ledger is the file up to the data, as it grows: what is in a group is written before the group.
type ledger struct {
	body   []byte // after the superblock
	at     uint64 // where body ends in the file
	root   place
	data   []pending
	dataAt uint64 // where body ended when it was finished
}

// A place is where an object is, and if it is a group its tree and its names.
type place struct{ header, tree, names uint64 }

// A pending is a dataset whose data are still to come.
type pending struct {
	path    string
	data    *Data
	size    int
	address uint64
	patch   int // where in body the address goes
}

// put adds a part of the file and returns its address. All parts are whole multiples of eight bytes.
func (l *ledger) put(b *builder) uint64 {
	b.align()
	at := l.at
	l.body = append(l.body, b.data...)
	l.at += uint64(len(b.data))
	return at
}

// node writes a node, after those in it.
func (l *ledger) node(n *Node, path string) (place, error) {
	if n.Data != nil {
		return l.dataset(n, path)
	}
	sorted := slices.Clone(n.Nodes)
	slices.SortFunc(sorted, func(a, b *Node) int { return cmp.Compare(a.Name, b.Name) })
	places := make(map[*Node]place, len(sorted))
	for i, below := range sorted {
		switch {
		case below.Name == "" || below.Name == "." || len(below.Name) > maxName || strings.ContainsAny(below.Name, "/\x00"):
			return place{}, fmt.Errorf("%s: the format has no room for the name %.100q", plain(path), below.Name)
		case i > 0 && sorted[i-1].Name == below.Name:
			return place{}, fmt.Errorf("%s: the name %q is there twice", plain(path), below.Name)
		}
	}
	for _, below := range n.Nodes { // in the caller's order, which is that of the data
		at, err := l.node(below, strings.TrimPrefix(path+"/"+below.Name, "/"))
		if err != nil {
			return place{}, err
		}
		places[below] = at
	}
	at := l.table(sorted, places)
	var h headerBuilder
	h.message(msgSymbolTable, func(b *builder) { b.u64(at.tree, at.names) })
	if err := h.attributes(n.Attributes); err != nil {
		return place{}, fmt.Errorf("%s: %w", plain(path), err)
	}
	at.header = l.put(h.finish())
	return at, nil
}

// table writes a group's names, which are sorted, and the tree of tables that leads to them.
func (l *ledger) table(sorted []*Node, places map[*Node]place) place {
	names := &builder{}
	names.u64(0) // the empty name is where trees begin
	nameAt := make([]uint64, len(sorted))
	for i, n := range sorted {
		nameAt[i] = uint64(len(names.data))
		names.bytes([]byte(n.Name), []byte{0})
		names.align()
	}
	heap := &builder{}
	heap.bytes([]byte("HEAP\x00\x00\x00\x00"))
	heap.u64(uint64(len(names.data)), 1, l.put(names)) // 1: nothing is free
	at := place{names: l.put(heap)}

	var level []branch
	for first := 0; first < len(sorted); first += perTable {
		end := min(first+perTable, len(sorted))
		b := &builder{}
		b.bytes([]byte("SNOD\x01\x00"))
		b.u16(end - first)
		for i := first; i < end; i++ {
			child := places[sorted[i]]
			b.u64(nameAt[i], child.header)
			if sorted[i].Data == nil {
				b.u32(1, 0)
				b.u64(child.tree, child.names)
			} else {
				b.u32(0, 0)
				b.u64(0, 0)
			}
		}
		b.zeros(8 + 40*perTable - len(b.data))
		level = append(level, branch{last: nameAt[end-1], address: l.put(b)})
	}
	for depth := 0; depth == 0 || len(level) > 1; depth++ {
		level = l.branches(level, depth)
	}
	at.tree = level[0].address
	return at
}

// A branch is a child of a node of a tree: where it is, and where the name of its last object is.
type branch struct{ last, address uint64 }

// branches writes the nodes above a level of a group's tree.
func (l *ledger) branches(children []branch, depth int) []branch {
	const size = 24 + 8*perNode + 8*(perNode+1)
	var above []branch
	nodes := max(1, (len(children)+perNode-1)/perNode)
	start, before := l.at, uint64(0)
	for k := range nodes {
		mine := children[k*perNode : min((k+1)*perNode, len(children))]
		left, right := undefined, undefined
		if k > 0 {
			left = start + uint64(k-1)*size
		}
		if k < nodes-1 {
			right = start + uint64(k+1)*size
		}
		b := &builder{}
		b.bytes([]byte{'T', 'R', 'E', 'E', groupTree, byte(depth)})
		b.u16(len(mine))
		b.u64(left, right, before)
		for _, child := range mine {
			b.u64(child.address, child.last)
			before = child.last
		}
		b.zeros(size - len(b.data))
		above = append(above, branch{last: before, address: l.put(b)})
	}
	return above
}

// dataset writes the header of a dataset, whose data come later.
func (l *ledger) dataset(n *Node, path string) (place, error) {
	fail := func(err error) (place, error) { return place{}, fmt.Errorf("%s: %w", plain(path), err) }
	size, ok := byteLen(n.Data.Shape, n.Data.DType.Size)
	if !ok || len(n.Data.Shape) > maxRank || slices.ContainsFunc(n.Data.Shape, func(dim int) bool { return dim < 0 }) {
		return fail(fmt.Errorf("there is no array of shape %v", n.Data.Shape))
	}
	if len(n.Nodes) > 0 {
		return fail(errors.New("a dataset has no room for other objects"))
	}
	kind, err := n.Data.DType.encode()
	if err != nil {
		return fail(err)
	}
	var h headerBuilder
	h.message(msgDataspace, func(b *builder) { b.dataspace(n.Data.Shape) })
	h.message(msgDatatype, func(b *builder) { b.bytes(kind) })
	h.message(msgFill, func(b *builder) { b.bytes([]byte{2, 2, 2, 1, 0, 0, 0, 0}) }) // zeros, where nothing was written
	patch := 0
	h.message(msgLayout, func(b *builder) {
		b.bytes([]byte{3, contiguous})
		patch = len(b.data)
		b.u64(undefined, uint64(size))
	})
	if err := h.attributes(n.Attributes); err != nil {
		return fail(err)
	}
	header := h.finish()
	if size > 0 {
		l.data = append(l.data, pending{path: path, data: n.Data, size: size, patch: len(l.body) + headerPrefix + patch})
	}
	return place{header: l.put(header)}, nil
}

// finish gives the data their addresses, and returns all that stands before them.
func (l *ledger) finish() []byte {
	l.dataAt = l.at
	end := l.at
	for i := range l.data {
		d := &l.data[i]
		d.address = (end + 7) &^ 7
		end = d.address + uint64(d.size)
		patch := builder{}
		patch.u64(d.address)
		copy(l.body[d.patch:], patch.data)
	}
	var b builder
	b.bytes([]byte(signature), []byte{0, 0, 0, 0, 0, 8, 8, 0})
	b.u16(perTable / 2)
	b.u16(perNode / 2)
	b.u32(0)
	b.u64(0, undefined, (end+7)&^7, undefined)
	b.u64(0, l.root.header) // the root as an entry of a table
	b.u32(1, 0)
	b.u64(l.root.tree, l.root.names)
	return append(b.data, l.body...)
}
