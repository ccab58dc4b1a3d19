package hdf5

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// exhaust reads everything that a file offers, and returns the first error.
func exhaust(content []byte) (first error) {
	note := func(err error) {
		if first == nil {
			first = err
		}
	}
	f, err := Parse(content)
	if err != nil {
		return err
	}
	note(f.Root().Walk(func(thing any) error {
		var attributes []Attribute
		var err error
		switch thing := thing.(type) {
		case *Group:
			attributes, err = thing.Attributes()
		case *Dataset:
			attributes, err = thing.Attributes()
			const few = 3
			a, failed := thing.Read(0, min(few, thing.Rows()))
			note(failed)
			note(convert(a))
			a, failed = thing.All()
			note(failed)
			note(convert(a))
			thing.View()
		}
		note(err)
		for _, a := range attributes {
			note(convert(a.Array))
		}
		return nil
	}))
	return first
}

// convert makes values of an array of whatever kind.
func convert(a Array) error {
	if a.file == nil || len(a.data) > 1<<22 {
		return nil
	}
	a.LittleEndian()
	switch {
	case a.DType.IsNumber():
		if _, err := a.Float32s(); err != nil {
			return err
		}
		a.Int64s() // which may find fractions
		return nil
	case a.DType.Kind == Other:
		return nil
	}
	_, err := a.Strings()
	return err
}

// A forger puts files together part by part.
type forger struct{ data []byte }

func newForger() *forger { return &forger{make([]byte, superblockSize)} }

// here is where the next part goes.
func (f *forger) here() uint64 { return uint64(len(f.data)) }

func (f *forger) put(b *builder) uint64 {
	b.align()
	at := f.here()
	f.data = append(f.data, b.data...)
	return at
}

// file is the whole, with that object as the root.
func (f *forger) file(root uint64) []byte {
	var b builder
	b.bytes([]byte(signature), []byte{0, 0, 0, 0, 0, 8, 8, 0, 4, 0, 16, 0, 0, 0, 0, 0})
	b.u64(0, undefined, uint64(len(f.data)), undefined, 0, root, 0, 0, 0)
	copy(f.data, b.data)
	return f.data
}

// links is an object of links, in messages.
func (f *forger) links(links ...Link) uint64 {
	var h headerBuilder
	h.message(msgGroupInfo, func(b *builder) { b.u16(0) })
	for _, l := range links {
		h.message(msgLink, func(b *builder) {
			b.bytes([]byte{1, 0, byte(len(l.Name))}, []byte(l.Name))
			b.u64(l.address)
		})
	}
	return f.put(h.finish())
}

// dataset is one of bytes, with that shape, layout, and filters.
func (f *forger) dataset(dims []int, layout func(b *builder), filters ...byte) uint64 {
	var h headerBuilder
	h.message(msgDataspace, func(b *builder) { b.dataspace(dims) })
	h.message(msgDatatype, func(b *builder) { b.bytes([]byte{0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0}) })
	h.message(msgLayout, layout)
	if filters != nil {
		h.message(msgFilters, func(b *builder) {
			b.bytes([]byte{2, byte(len(filters))})
			for _, id := range filters {
				b.bytes([]byte{id, 0, 0, 0, 0, 0})
			}
		})
	}
	return f.put(h.finish())
}

// chunked1 is a layout of chunks that a B-tree finds.
func chunked1(tree uint64, chunk ...int) func(b *builder) {
	return func(b *builder) {
		b.bytes([]byte{3, chunked, byte(len(chunk) + 1)})
		b.u64(tree)
		for _, n := range chunk {
			b.u32(uint32(n))
		}
		b.u32(1)
	}
}

// tree is a node of a B-tree with those children; keys are bytes.
func (f *forger) tree(kind, level byte, keys [][]byte, children []uint64) uint64 {
	b := &builder{}
	b.bytes([]byte{'T', 'R', 'E', 'E', kind, level})
	b.u16(len(children))
	b.u64(undefined, undefined)
	for i, child := range children {
		b.bytes(keys[i])
		b.u64(child)
	}
	b.bytes(keys[len(keys)-1])
	return f.put(b)
}

// chunkKey1 is the key of a chunk of one dimension.
func chunkKey1(size int, at int) []byte {
	var b builder
	b.u32(uint32(size), 0)
	b.u64(uint64(at), 0)
	return b.data
}

func compressed(n int) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write(make([]byte, n))
	w.Close()
	return out.Bytes()
}

// hostile are files that want too much, each with what is said of it.
var hostile = []struct {
	name, want string
	make       func() []byte
}{
	{"group in itself", "more than one name", func() []byte {
		f := newForger()
		return f.file(f.links(Link{Name: "a", address: f.here()}))
	}},
	{"two ways to every group", "more than one name", func() []byte {
		f := newForger()
		at := f.links()
		for range 60 {
			at = f.links(Link{Name: "a", address: at}, Link{Name: "b", address: at})
		}
		return f.file(at)
	}},
	{"a hundred thousand groups in each other", "more than 64 groups around it", func() []byte {
		f := newForger()
		at := f.links()
		for range 100_000 {
			at = f.links(Link{Name: strings.Repeat("a", 100), address: at})
		}
		return f.file(at)
	}},
	{"tree whose nodes share their children", "overlap, or go in circles", func() []byte {
		f := newForger()
		heap := &builder{}
		heap.bytes([]byte("HEAP\x00\x00\x00\x00"))
		heap.u64(8, 1, 96)
		heapAt := f.put(heap)
		table := &builder{}
		table.bytes([]byte("SNOD\x01\x00\x00\x00"))
		at := f.put(table)
		for level := range byte(8) {
			n := 2000
			keys := make([][]byte, n+1)
			children := make([]uint64, n)
			for i := range children {
				keys[i], children[i] = make([]byte, 8), at
			}
			keys[n] = make([]byte, 8)
			at = f.tree(groupTree, level, keys, children)
		}
		var h headerBuilder
		h.message(msgSymbolTable, func(b *builder) { b.u64(at, heapAt) })
		return f.file(f.put(h.finish()))
	}},
	{"header that goes on in itself", "neither a group nor a dataset", func() []byte {
		f := newForger()
		var h headerBuilder
		h.message(msgContinuation, func(b *builder) { b.u64(f.here()+headerPrefix, 24) })
		header := h.finish()
		header.data[2], header.data[3] = 0xFF, 0xFF // messages
		return f.file(f.put(header))
	}},
	{"more bytes than the file has", "wanted 1099511627776 bytes", func() []byte {
		f := newForger()
		return f.file(f.links(Link{Name: "x", address: f.dataset([]int{1 << 40}, func(b *builder) {
			b.bytes([]byte{3, contiguous})
			b.u64(0, 1<<40)
		})}))
	}},
	{"a shape beyond all machines", "which is too large", func() []byte {
		f := newForger()
		return f.file(f.links(Link{Name: "x", address: f.dataset([]int{1 << 40, 1 << 40}, func(b *builder) {
			b.bytes([]byte{3, contiguous})
			b.u64(undefined, 0)
		})}))
	}},
	{"nothing written of a million millions", "read fewer rows at once", func() []byte {
		f := newForger()
		return f.file(f.links(Link{Name: "x", address: f.dataset([]int{1 << 40}, func(b *builder) {
			b.bytes([]byte{3, contiguous})
			b.u64(undefined, 0)
		})}))
	}},
	{"chunks of four thousand millions", "at most 67108864 bytes each", func() []byte {
		f := newForger()
		return f.file(f.links(Link{Name: "x", address: f.dataset([]int{1 << 40}, chunked1(0, 1<<32-1), deflate)}))
	}},
	{"few compressed bytes for a large chunk", "which cannot become 67108864", func() []byte {
		f := newForger()
		data := f.put(&builder{compressed(100)})
		tree := f.tree(chunkTree, 0, [][]byte{chunkKey1(20, 0), chunkKey1(0, 0)}, []uint64{data})
		return f.file(f.links(Link{Name: "x", address: f.dataset([]int{10}, chunked1(tree, 1<<26), deflate)}))
	}},
	{"more than the chunk comes out", "becomes more than 1000 bytes", func() []byte {
		f := newForger()
		bomb := compressed(1 << 26)
		data := f.put(&builder{bomb})
		tree := f.tree(chunkTree, 0, [][]byte{chunkKey1(len(bomb), 0), chunkKey1(0, 0)}, []uint64{data})
		return f.file(f.links(Link{Name: "x", address: f.dataset([]int{10}, chunked1(tree, 1000), deflate)}))
	}},
	{"a thousand chunks in one place", "overlap, or go in circles", func() []byte {
		f := newForger()
		bomb := compressed(1 << 24)
		data := f.put(&builder{bomb})
		keys, children := make([][]byte, 1001), make([]uint64, 1000)
		for i := range keys {
			keys[i] = chunkKey1(len(bomb), i<<24)
		}
		for i := range children {
			children[i] = data
		}
		tree := f.tree(chunkTree, 0, keys, children)
		return f.file(f.links(Link{Name: "x", address: f.dataset([]int{1000 << 24}, chunked1(tree, 1<<24), deflate)}))
	}},
	{"a large chunk compressed twice", "", func() []byte {
		f := newForger()
		var twice bytes.Buffer
		w := zlib.NewWriter(&twice)
		w.Write(compressed(1 << 26))
		w.Close()
		data := f.put(&builder{twice.Bytes()})
		tree := f.tree(chunkTree, 0, [][]byte{chunkKey1(twice.Len(), 0), chunkKey1(0, 0)}, []uint64{data})
		return f.file(f.links(Link{Name: "x", address: f.dataset([]int{10}, chunked1(tree, 1<<26), deflate, deflate)}))
	}},
	{"texts longer than the file", "the texts are longer than the file", func() []byte {
		f := newForger()
		heap := &builder{}
		heap.bytes([]byte("GCOL\x01\x00\x00\x00"))
		heap.u64(16 + 16 + 1<<20)
		heap.bytes([]byte{1, 0, 0, 0, 0, 0, 0, 0})
		heap.u64(1 << 20)
		heap.zeros(1 << 20)
		at := f.put(heap)
		var h headerBuilder
		h.message(msgAttribute, func(b *builder) {
			const n = 4000
			b.bytes([]byte{2, 0, 2, 0, 16, 0, 16, 0, 'a', 0, 0x19, 1, 0, 0, 16, 0, 0, 0, 0x13, 0, 0, 0, 1, 0, 0, 0})
			b.dataspace([]int{n})
			for range n {
				b.u32(1 << 20)
				b.u64(at)
				b.u32(1)
			}
		})
		h.message(msgLink, func(b *builder) { b.bytes([]byte{1, 8, 1, 1, 'x', 1, 0, 'y'}) })
		return f.file(f.put(h.finish()))
	}},
}

// A file of a few bytes that wants much time or memory is refused at once, and says why.
func TestHostile(t *testing.T) {
	for _, c := range hostile {
		t.Run(c.name, func(t *testing.T) {
			content := c.make()
			err := cheap(t, content)
			if c.want != "" {
				says(t, err, c.want)
			}
		})
	}
}

// cheap reads everything, in less than a second, and 200 MB in all. A busy machine gets three attempts.
func cheap(t *testing.T, content []byte) error {
	t.Helper()
	for attempt := 1; ; attempt++ {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		err := exhaust(content)
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		bytes := after.TotalAlloc - before.TotalAlloc
		if took < time.Second && bytes < 200<<20 {
			return err
		}
		if attempt == 3 || bytes >= 200<<20 {
			t.Errorf("%d bytes took %v and %d MB, with %v", len(content), took, bytes>>20, err)
			return err
		}
	}
}

// small are files of every structure, few enough bytes to be cut at each.
var small = []string{"cut_1_latest.h5", "cut_1.h5", "repacked.h5", "open_latest.h5", "attributes_latest.h5", "implicit_latest.h5", "user.h5"}

// A file cut off anywhere, or with zeros from there on, is an error or what was there: never a crash.
func TestTruncated(t *testing.T) {
	anyChecksum = true
	defer func() { anyChecksum = false }()
	for _, name := range small {
		content := read(t, name)
		start := bytes.Index(content, []byte(signature))
		for n := range content {
			cut := bytes.Clone(content[:n])
			if err := exhaust(cut); err == nil {
				t.Errorf("%s: the first %d bytes are read without error", name, n)
			}
			if at := start + map[bool]int{true: 40, false: 28}[content[start+8] == 0]; at+8 <= n { // what the superblock says
				binary.LittleEndian.PutUint64(cut[at:], uint64(n))
			}
			exhaust(cut)
			zeros := bytes.Clone(content)
			clear(zeros[n:])
			exhaust(zeros)
		}
	}
}

// Every bit of the structures may be wrong.
func TestFlipped(t *testing.T) {
	anyChecksum = true
	defer func() { anyChecksum = false }()
	for _, name := range []string{"cut_1_latest.h5", "attributes_latest.h5", "implicit_latest.h5"} {
		content := read(t, name)
		for n := range content {
			for _, mask := range []byte{0x01, 0x80, 0xFF} {
				content[n] ^= mask
				exhaust(content)
				content[n] ^= mask
			}
		}
	}
}

// FuzzParse: no bytes make the reader crash, hang or allocate without bound.
func FuzzParse(f *testing.F) {
	for _, name := range append(small, "types.h5", "types_latest.h5", "chunks.h5", "chunks_latest.h5", "both_latest.h5", "groups.h5", "groups_latest.h5", "many_latest.h5", "endless_latest.h5", "pages_latest.h5", "tree_latest.h5", "tree.h5") {
		f.Add(read(f, name))
	}
	f.Add(written(f, example()))
	anyChecksum = true
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) > 1<<16 {
			return
		}
		start := time.Now()
		exhaust(content)
		if took := time.Since(start); took > 2*time.Second {
			t.Error(fmt.Sprint("took ", took))
		}
	})
}
