package hdf5

import (
	"errors"
	"fmt"
	"slices"
)

// A Dataset is an array of numbers or texts.
type Dataset struct {
	object
	DType DType
	Shape []int // empty for a single element

	layout  layout
	filters []filter
	max     []uint64 // how far the shape may grow
	fill    []byte   // what is read where nothing was written: an element, nil for zeros
}

// newDataset reads what the messages say of a dataset.
func newDataset(o object) (*Dataset, error) {
	d := &Dataset{object: o}
	space, layoutOf, kind := o.header.find(msgDataspace), o.header.find(msgLayout), o.header.find(msgDatatype)
	if space == nil || kind == nil {
		return nil, errors.New("found a dataset without shape or type")
	}
	if o.header.find(msgExternal) != nil {
		return nil, errors.New("the data are in other files, which are not read")
	}
	for _, m := range []*message{space, layoutOf, kind, o.header.find(msgFilters)} {
		if m != nil && m.shared {
			return nil, errShared
		}
	}
	f := o.file
	var err error
	if d.DType, err = datatype(f.in(kind.body)); err != nil {
		return nil, err
	}
	s, err := f.in(space.body).dataspace()
	if err != nil {
		return nil, err
	}
	d.Shape, d.max = s.dims, s.max
	if _, ok := byteLen(d.Shape, d.DType.Size); !ok {
		return nil, fmt.Errorf("found shape %v of %s, which is too large", d.Shape, d.DType)
	}
	if d.layout, err = f.layout(layoutOf.body, len(d.Shape)); err != nil {
		return nil, err
	}
	if d.layout.kind == chunked && d.layout.elementSize != d.DType.Size {
		return nil, fmt.Errorf("found chunks of elements of %d bytes, want %d for %s", d.layout.elementSize, d.DType.Size, d.DType)
	}
	if m := o.header.find(msgFilters); m != nil {
		if d.filters, err = f.filters(m.body); err != nil {
			return nil, err
		}
	}
	d.fill, err = f.fill(o.header, d.DType.Size)
	return d, err
}

// fill is the element that stands where nothing was written; nil for zeros.
func (f *File) fill(h *header, size int) ([]byte, error) {
	m := h.find(msgFill)
	if m == nil || m.shared {
		return nil, nil // also the old message, which files have beside it
	}
	c := f.in(m.body)
	switch version := c.version("the fill value", 1, 2, 3); version {
	case 3:
		if flags := c.u8(); flags&0x20 == 0 {
			return nil, c.err
		}
	default:
		c.skip(2)
		if defined := c.u8(); defined == 0 {
			return nil, c.err
		}
	}
	n := c.u32()
	value := c.take(int(n))
	if c.err == nil && n != 0 && int(n) != size {
		return nil, fmt.Errorf("found a fill value of %d bytes, want %d", n, size)
	}
	if n == 0 || !slices.ContainsFunc(value, func(b byte) bool { return b != 0 }) {
		return nil, c.err
	}
	return value, c.err
}

// Rows is how many rows there are: the first dimension, or 1.
func (d *Dataset) Rows() int {
	if len(d.Shape) == 0 {
		return 1
	}
	return d.Shape[0]
}

// View is the dataset's bytes as they stand in the file, without copying: false unless they lie in one piece, without
// filters, each number's lowest byte first. The rules of Array.LittleEndian apply.
func (d *Dataset) View() ([]byte, bool) {
	if d.layout.kind == chunked || d.DType.BigEndian && d.DType.Size > 1 || d.DType.Kind == Other || d.DType.Kind == VarString {
		return nil, false
	}
	n, _ := byteLen(d.Shape, d.DType.Size)
	data, err := d.inOnePiece(0, n)
	return data, err == nil && (data != nil || n == 0)
}

// All reads the whole dataset.
func (d *Dataset) All() (Array, error) { return d.Read(0, d.Rows()) }

// maxUnwritten is how much is read beyond sixteen times the file's size, where little or nothing was written.
const maxUnwritten = 1 << 25

// Read reads rows from to to-1, and no more of the file than holds them. The error says that there are none such, or
// what of the dataset cannot be read.
func (d *Dataset) Read(from, to int) (Array, error) {
	a, err := d.read(from, to)
	if err != nil {
		err = fmt.Errorf("%s: %w", plain(d.path), err)
	}
	return a, err
}

func (d *Dataset) read(from, to int) (Array, error) {
	if from < 0 || to < from || to > d.Rows() {
		return Array{}, fmt.Errorf("wanted rows %d to %d of %d", from, to, d.Rows())
	}
	if d.DType.Kind == Other {
		return Array{}, fmt.Errorf("found %s, which are not read", d.DType)
	}
	a := Array{DType: d.DType, Dims: slices.Clone(d.Shape), file: d.file}
	if len(a.Dims) > 0 {
		a.Dims[0] = to - from
	} else if from == to {
		return Array{}, errors.New("wanted nothing of a single element")
	}
	size, _ := byteLen(a.Dims, d.DType.Size)
	var err error
	if d.layout.kind != chunked {
		row := 0
		if to > from {
			row = size / (to - from)
		}
		a.data, err = d.inOnePiece(from*row, size)
		if err != nil || a.data != nil || size == 0 {
			return a, err
		}
	}
	if limit := len(d.file.content); size > maxUnwritten && (size-maxUnwritten)/16 > limit {
		return Array{}, fmt.Errorf("wanted %d bytes of a file of %d: read fewer rows at once", size, limit)
	}
	a.data = make([]byte, size)
	if d.fill != nil {
		for at := 0; at < size; at += len(d.fill) {
			copy(a.data[at:], d.fill)
		}
	}
	if d.layout.kind == chunked && size > 0 {
		err = d.readChunks(a.data, from, to)
	}
	return a, err
}

// inOnePiece is n bytes of a dataset that is not chunked; nil where nothing was written.
func (d *Dataset) inOnePiece(at, n int) ([]byte, error) {
	if len(d.filters) > 0 {
		return nil, errors.New("found filters on data that lie in one piece")
	}
	if d.layout.kind == contiguous {
		if d.layout.address == undefined {
			return nil, nil
		}
		if want, _ := byteLen(d.Shape, d.DType.Size); d.layout.size != undefined && d.layout.size < uint64(want) {
			return nil, fmt.Errorf("found %d bytes, want %d for %s %v", d.layout.size, want, d.DType, d.Shape)
		}
		if d.layout.address > undefined-uint64(at) {
			return nil, errShort
		}
		return d.file.block(d.layout.address+uint64(at), uint64(n))
	}
	if at > len(d.layout.compact) || n > len(d.layout.compact)-at {
		return nil, fmt.Errorf("found %d bytes, want %d", len(d.layout.compact), at+n)
	}
	return d.layout.compact[at : at+n : at+n], nil
}
