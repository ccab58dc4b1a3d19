package hdf5

import (
	"fmt"
	"slices"
	"strings"
)

// An Attribute is a small array beside a group or a dataset.
type Attribute struct {
	Name string
	Array
}

// Attributes are the object's attributes, in the order of the file; those of objects that have very many, by name.
func (o *object) Attributes() ([]Attribute, error) {
	attributes, err := once(o.file, attributesOf, o.header.address, func() ([]Attribute, error) { return o.file.attributes(o.header) })
	if err != nil {
		return nil, fmt.Errorf("%s: attributes: %w", plain(o.path), err)
	}
	return slices.Clone(attributes), nil
}

// Attribute is the object's attribute of that name; false if there is none.
func (o *object) Attribute(name string) (Attribute, bool, error) {
	attributes, err := o.Attributes()
	if err != nil {
		return Attribute{}, false, err
	}
	i := slices.IndexFunc(attributes, func(a Attribute) bool { return a.Name == name })
	if i < 0 {
		return Attribute{}, false, nil
	}
	return attributes[i], true, nil
}

// attributes reads an object's attributes, from its header or from the heap that it names.
func (f *File) attributes(h *header) ([]Attribute, error) {
	var found []Attribute
	add := func(body []byte) error {
		if err := f.spend(len(body)); err != nil {
			return err
		}
		a, err := f.attribute(body)
		found = append(found, a)
		return err
	}
	for _, m := range h.messages {
		var err error
		switch {
		case m.kind != msgAttribute && m.kind != msgAttributeInfo:
		case m.shared:
			err = errShared
		case m.kind == msgAttribute:
			err = add(m.body)
		default:
			n := len(found)
			err = f.denseAttributes(m.body, add)
			slices.SortStableFunc(found[n:], func(a, b Attribute) int { return strings.Compare(a.Name, b.Name) })
		}
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// attribute reads an attribute message.
func (f *File) attribute(body []byte) (a Attribute, err error) {
	c := f.in(body)
	version := c.version("an attribute", 1, 2, 3)
	flags := c.u8()
	sizes := [3]int{c.u16(), c.u16(), c.u16()}
	if version == 3 {
		c.skip(1) // ASCII or UTF-8
	}
	var parts [3][]byte // name, type, shape
	for i, n := range sizes {
		parts[i] = c.take(n)
		if version == 1 {
			c.skip(-n & 7)
		}
	}
	if c.err != nil {
		return a, c.err
	}
	a.Name = strings.TrimRight(string(parts[0]), "\x00")
	if version > 1 && flags&3 != 0 {
		a.DType.what = "values of a type that the file shares between objects"
		return a, nil
	}
	if a.DType, err = datatype(f.in(parts[1])); err != nil {
		return a, fmt.Errorf("%.100q: %w", a.Name, err)
	}
	space, err := f.in(parts[2]).dataspace()
	if err != nil {
		return a, fmt.Errorf("%.100q: %w", a.Name, err)
	}
	n, ok := byteLen(space.dims, a.DType.Size)
	if !ok || n > c.rest() {
		return a, fmt.Errorf("%.100q: found %d bytes for %s %v, which is too few", a.Name, c.rest(), a.DType, space.dims)
	}
	a.Dims, a.file, a.data = space.dims, f, c.take(n)
	return a, nil
}

// denseAttributes reads those that are in a fractal heap.
func (f *File) denseAttributes(body []byte, add func(body []byte) error) error {
	c := f.in(body)
	c.version("the attributes", 0)
	if flags := c.u8(); flags&1 != 0 {
		c.skip(2)
	}
	heapAt, names := c.address(), c.address()
	if c.err != nil || heapAt == undefined || names == undefined {
		return c.err
	}
	heap, err := f.fractalHeap(heapAt)
	if err != nil {
		return err
	}
	return f.tree2(names, attributeNames, heap.idSize+9, func(record []byte) error {
		if record[heap.idSize]&2 != 0 {
			return errShared
		}
		body, err := heap.object(record[:heap.idSize])
		if err != nil {
			return err
		}
		return add(body)
	})
}
