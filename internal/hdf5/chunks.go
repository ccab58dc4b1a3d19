package hdf5

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"slices"
)

// A chunk is a box of a dataset, stored as one piece.
type chunk struct {
	number  uint64 // of the boxes of the current shape, row by row
	address uint64
	size    uint64 // as stored
	skipped uint32 // filters that were not applied, by their bits
}

// A grid is how a dataset is divided into chunks.
type grid struct {
	d     *Dataset
	count []uint64 // chunks along each dimension
	bytes int      // of a chunk, unfiltered
}

func (d *Dataset) grid() grid {
	g := grid{d: d, count: make([]uint64, len(d.Shape))}
	for i, n := range d.Shape {
		g.count[i] = chunksIn(uint64(n), d.layout.chunk[i])
	}
	g.bytes, _ = byteLen(d.layout.chunk, d.DType.Size)
	return g
}

// chunksIn is how many chunks cover n elements.
func chunksIn(n uint64, chunk int) uint64 {
	whole := n / uint64(chunk)
	if n%uint64(chunk) != 0 {
		whole++
	}
	return whole
}

// number is the number of the chunk at a place, counted in chunks; false if the shape does not reach so far.
func (g grid) number(place []uint64) (uint64, bool) {
	n := uint64(0)
	for i, count := range g.count {
		if place[i] >= count {
			return 0, false
		}
		n = n*count + place[i]
	}
	return n, true
}

// chunks lists the chunks that are stored, by number.
func (d *Dataset) chunks() ([]chunk, error) {
	return once(d.file, chunksOf, d.header.address, func() ([]chunk, error) {
		if d.layout.address == undefined {
			return nil, nil
		}
		l := chunkLister{f: d.file, grid: d.grid()}
		if err := l.list(); err != nil {
			return nil, fmt.Errorf("chunks: %w", err)
		}
		slices.SortFunc(l.found, func(a, b chunk) int { return cmp.Compare(a.number, b.number) })
		for i := range l.found {
			if i > 0 && l.found[i].number == l.found[i-1].number {
				return nil, errors.New("a chunk is there twice")
			}
		}
		return slices.Clip(l.found), nil
	})
}

// A chunkLister collects a dataset's chunks from whichever index it has.
type chunkLister struct {
	f     *File
	grid  grid
	found []chunk
}

// add keeps the chunk at a place, counted in chunks. Data too belong to one chunk alone.
func (l *chunkLister) add(place []uint64, c chunk) error {
	var ok bool
	if c.number, ok = l.grid.number(place); !ok || c.address == undefined {
		return nil
	}
	if len(l.grid.d.filters) == 0 {
		c.size = uint64(l.grid.bytes)
	}
	if _, err := l.f.block(c.address, c.size); err != nil {
		return err
	}
	l.found = append(l.found, c)
	return l.f.spend(int(c.size))
}

func (l *chunkLister) list() error {
	d := l.grid.d
	rank := len(d.Shape)
	place := make([]uint64, rank)
	filtered := len(d.filters) > 0
	switch at := d.layout.address; d.layout.index {
	case byTree1:
		return l.f.tree1(at, chunkTree, 8+8*(rank+1), -1, func(key []byte, child uint64) error {
			c := l.f.in(key)
			one := chunk{size: c.u32(), skipped: uint32(c.u32()), address: child}
			for i, n := range d.layout.chunk {
				offset := c.uint(8)
				if offset%uint64(n) != 0 {
					return fmt.Errorf("found a chunk at %d of dimension %d, want a multiple of %d", offset, i, n)
				}
				place[i] = offset / uint64(n)
			}
			return l.add(place, one)
		})
	case byNumber:
		one := d.layout.single
		if one.size == 0 {
			one.size = uint64(l.grid.bytes)
		}
		return l.add(place, one)
	case implicit:
		return l.implicit(at)
	case fixedArray:
		places, err := l.places(false)
		if err != nil {
			return err
		}
		return l.f.fixedArray(at, filtered, func(i uint64, c chunk) error { return l.add(places.at(i), c) })
	case extensibleArray:
		places, err := l.places(true)
		if err != nil {
			return err
		}
		return l.f.extensibleArray(at, filtered, func(i uint64, c chunk) error { return l.add(places.at(i), c) })
	}
	kind := plainChunks
	if filtered {
		kind = filteredChunks
	}
	return l.f.tree2(d.layout.address, kind, 0, func(record []byte) error {
		width := len(record) - l.f.offsetSize - 8*rank
		if filtered {
			width -= 4
		}
		if width < 0 || width > 8 || (width == 0) == filtered {
			return fmt.Errorf("found %d bytes for a chunk, which is too few or too many", len(record))
		}
		c := l.f.in(record)
		one := chunk{address: c.address(), size: c.uint(width)}
		if filtered {
			one.skipped = uint32(c.u32())
		}
		for i := range place {
			place[i] = c.uint(8)
		}
		return l.add(place, one)
	})
}

// implicit are all chunks one after the other.
func (l *chunkLister) implicit(address uint64) error {
	if len(l.grid.d.filters) > 0 {
		return errors.New("found filtered chunks without an index")
	}
	places, err := l.places(false)
	if err != nil {
		return err
	}
	total := uint64(1)
	for _, n := range places.count {
		hi, lo := bits.Mul64(total, n)
		if hi != 0 || lo > uint64(len(l.f.content)/l.grid.bytes) {
			return fmt.Errorf("found %d chunks, which the file has no room for", places.count)
		}
		total = lo
	}
	for i := range total {
		if err := l.add(places.at(i), chunk{address: address + i*uint64(l.grid.bytes)}); err != nil {
			return err
		}
	}
	return nil
}

// places say where the chunks of an array are: its numbers count the chunks of the largest shape that is allowed, row
// by row, the dimension that has no limit (an extensible array's) before the others.
type places struct {
	order []int    // the dimensions, slowest first
	count []uint64 // chunks along each of them
	place []uint64
}

func (l *chunkLister) places(endless bool) (*places, error) {
	d := l.grid.d
	p := &places{place: make([]uint64, len(d.Shape))}
	most := d.max
	if most == nil {
		for _, n := range d.Shape {
			most = append(most, uint64(n))
		}
	}
	for i, n := range most {
		if n == undefined {
			p.order = append(p.order, i)
		}
	}
	if want := map[bool]int{true: 1}[endless]; len(p.order) != want {
		return nil, fmt.Errorf("found %d dimensions without limit, want %d", len(p.order), want)
	}
	for i, n := range most {
		if n != undefined {
			p.order = append(p.order, i)
		}
	}
	for _, i := range p.order {
		p.count = append(p.count, max(1, chunksIn(most[i], d.layout.chunk[i])))
	}
	return p, nil
}

// at is the place of chunk number n, good until the next call.
func (p *places) at(n uint64) []uint64 {
	for k := len(p.order) - 1; k > 0; k-- {
		p.place[p.order[k]] = n % p.count[k]
		n /= p.count[k]
	}
	p.place[p.order[0]] = n
	return p.place
}

// readChunks puts rows from to to-1 into out, which has what stands where nothing was written.
func (d *Dataset) readChunks(out []byte, from, to int) error {
	stored, err := d.chunks()
	if err != nil {
		return err
	}
	g := d.grid()
	inRow := uint64(1) // chunks that begin at the same row
	for _, n := range g.count[1:] {
		inRow *= n
	}
	tall := d.layout.chunk[0]
	find := func(number uint64) int {
		i, _ := slices.BinarySearchFunc(stored, number, func(c chunk, n uint64) int { return cmp.Compare(c.number, n) })
		return i
	}
	for _, c := range stored[find(uint64(from/tall)*inRow):find(uint64((to-1)/tall+1)*inRow)] {
		origin := make([]int, len(d.Shape))
		n := c.number
		for i := len(origin) - 1; i >= 0; i-- {
			origin[i] = int(n%g.count[i]) * d.layout.chunk[i]
			n /= g.count[i]
		}
		data, err := d.chunkData(c, origin, g.bytes)
		if err != nil {
			return fmt.Errorf("chunk at %v: %w", origin, err)
		}
		d.place(out, data, origin, from, to)
	}
	return nil
}

// chunkData is a chunk's elements, from the file or as they were when it was last unfiltered.
func (d *Dataset) chunkData(c chunk, origin []int, size int) ([]byte, error) {
	stored, err := d.file.block(c.address, c.size)
	if err != nil {
		return nil, err
	}
	skipped := c.skipped
	if d.layout.wholeEdges {
		for i, at := range origin {
			if d.Shape[i]-at < d.layout.chunk[i] {
				skipped = ^uint32(0)
			}
		}
	}
	if len(d.filters) == 0 {
		return stored, nil
	}
	k := chunkKey{d.header.address, c.address}
	if data := d.file.decoded.get(k); data != nil {
		return data, nil
	}
	data, err := unfilter(stored, d.filters, skipped, size)
	if err == nil {
		d.file.decoded.put(k, data)
	}
	return data, err
}

// place copies what of a chunk is in rows from to to-1 to where it belongs in out, which begins with row from.
func (d *Dataset) place(out, data []byte, origin []int, from, to int) {
	rank := len(d.Shape)
	count, outStep, dataStep := make([]int, rank), make([]int, rank), make([]int, rank)
	outAt, dataAt := 0, 0
	outSize, dataSize := d.DType.Size, d.DType.Size
	for i := rank - 1; i >= 0; i-- {
		begin, end := 0, d.Shape[i] // of what is wanted
		if i == 0 {
			begin, end = from, to
		}
		first, last := max(begin, origin[i]), min(end, origin[i]+d.layout.chunk[i])
		if last <= first {
			return
		}
		count[i], outStep[i], dataStep[i] = last-first, outSize, dataSize
		outAt += (first - begin) * outSize
		dataAt += (first - origin[i]) * dataSize
		outSize *= end - begin
		dataSize *= d.layout.chunk[i]
	}
	// Dimensions that follow each other without a gap on both sides are one.
	for i := rank - 1; i > 0; i-- {
		if whole := count[i] * outStep[i]; whole == outStep[i-1] && whole == dataStep[i-1] {
			count[i-1], outStep[i-1], dataStep[i-1] = count[i-1]*count[i], outStep[i], dataStep[i]
			count, outStep, dataStep = slices.Delete(count, i, i+1), slices.Delete(outStep, i, i+1), slices.Delete(dataStep, i, i+1)
		}
	}
	copyBox(out[outAt:], data[dataAt:], outStep, dataStep, count)
}

// copyBox copies a box of elements between arrays with steps of so many bytes; along the last dimension the elements
// follow each other.
func copyBox(out, data []byte, outStep, dataStep, count []int) {
	if len(count) == 1 {
		n := count[0] * outStep[0]
		copy(out[:n], data[:n])
		return
	}
	for i := range count[0] {
		copyBox(out[i*outStep[0]:], data[i*dataStep[0]:], outStep[1:], dataStep[1:], count[1:])
	}
}
