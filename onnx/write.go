package onnx

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// The numbers below are the fields of ONNX's schema, onnx.proto: those of ModelProto, GraphProto and so on.

const (
	irVersion    = 8 // of the schema that came with opset 17
	opset        = 17
	contribOpset = 1
)

// Where weights lie beside the graph, small constants stay in it, for runtimes infer shapes from them; and each of those in
// the other file begins on a page, as the schema wants for memory mapping.
const (
	externalBytes = 1 << 10
	page          = 4 << 10
)

// size is the length of what write writes.
func (g *graph) size(beside string) int64 {
	head, constants := g.layout(beside)
	size := int64(len(head))
	for _, c := range constants {
		size += int64(len(c.head)) + c.raw
	}
	return size
}

// laidOut is a constant's message up to its bytes, and how many bytes follow.
type laidOut struct {
	head message
	raw  int64
}

// layout is the model's message up to its constants, and these. Large ones are in the file beside, if it has a name.
func (g *graph) layout(beside string) (message, []laidOut) {
	fields := g.fields()
	size := int64(len(fields))
	constants := make([]laidOut, len(g.constants))
	offset := int64(0)
	for i, c := range g.constants {
		var body message
		for _, d := range c.dims {
			body.int(1, uint64(d))
		}
		body.int(2, c.kind)
		body.string(8, c.name)
		raw := c.bytes()
		if beside != "" && c.large() {
			offset = aligned(offset)
			for _, entry := range [][2]string{{"location", beside}, {"offset", strconv.FormatInt(offset, 10)}, {"length", strconv.FormatInt(raw, 10)}} {
				var pair message
				pair.string(1, entry[0])
				pair.string(2, entry[1])
				body.bytes(13, pair)
			}
			body.int(14, 1) // data_location: EXTERNAL
			offset += raw
			raw = 0
		} else {
			body.length(9, raw)
		}
		var head message
		head.length(5, int64(len(body))+raw)
		constants[i] = laidOut{append(head, body...), raw}
		size += int64(len(constants[i].head)) + raw
	}
	var m message
	m.int(1, irVersion)
	m.string(2, "go-lxmert")
	for _, version := range g.opsets() {
		m.bytes(8, version)
	}
	m.length(7, size)
	return append(m, fields...), constants
}

// write writes the model. The constants pass through memory one at a time.
func (g *graph) write(to io.Writer, beside string) error {
	head, constants := g.layout(beside)
	w := bufio.NewWriter(to)
	w.Write(head)
	for i, c := range constants {
		w.Write(c.head)
		if c.raw == 0 {
			continue
		}
		raw, err := g.constants[i].values()
		if err != nil {
			return err
		}
		if _, err := w.Write(raw); err != nil {
			return err
		}
	}
	return w.Flush()
}

// writeData writes the constants that lie beside the graph.
func (g *graph) writeData(to io.Writer) error {
	offset := int64(0)
	for i := range g.constants {
		c := &g.constants[i]
		if !c.large() {
			continue
		}
		raw, err := c.values()
		if err != nil {
			return err
		}
		begin := aligned(offset)
		if _, err := to.Write(make([]byte, begin-offset)); err != nil {
			return err
		}
		if _, err := to.Write(raw); err != nil {
			return err
		}
		offset = begin + int64(len(raw))
	}
	return nil
}

// values are a constant's bytes.
func (c *constant) values() ([]byte, error) {
	raw, err := c.raw()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	if want := c.bytes(); int64(len(raw)) != want {
		return nil, fmt.Errorf("%s: found %d bytes, want %d", c.name, len(raw), want)
	}
	return raw, nil
}

// bytes is how many there are.
func (c *constant) bytes() int64 {
	size := int64(4)
	if c.kind == int64Type {
		size = 8
	}
	for _, d := range c.dims {
		size *= int64(d)
	}
	return size
}

func (c *constant) large() bool { return c.bytes() >= externalBytes }

func aligned(offset int64) int64 { return (offset + page - 1) / page * page }

// fields are the graph's message but for its constants.
func (g *graph) fields() message {
	var m message
	for _, n := range g.nodes {
		m.bytes(1, n.encode())
	}
	m.string(2, "lxmert")
	for _, list := range []struct {
		field  uint64
		values []value
	}{{11, g.inputs}, {12, g.outputs}, {13, g.known}} {
		for _, v := range list.values {
			m.bytes(list.field, v.encode())
		}
	}
	return m
}

// opsets are the versions of the operators in the graph.
func (g *graph) opsets() []message {
	version := func(domain string, number uint64) message {
		var m message
		m.string(1, domain)
		m.int(2, number)
		return m
	}
	versions := []message{version("", opset)}
	if slices.ContainsFunc(g.nodes, func(n *node) bool { return n.domain == contrib }) {
		versions = append(versions, version(contrib, contribOpset))
	}
	return versions
}

func (n *node) encode() message {
	var m message
	for _, input := range n.inputs {
		m.string(1, input)
	}
	m.string(2, n.output)
	m.string(3, n.output) // the node's own name
	m.string(4, n.op)
	for _, a := range n.attributes {
		m.bytes(5, a.encode())
	}
	m.string(7, n.domain)
	return m
}

func (a attribute) encode() message {
	var m message
	m.string(1, a.name)
	switch value := a.value.(type) {
	case float32:
		m.float(2, value)
		m.int(20, 1)
	case int:
		m.int(3, uint64(value))
		m.int(20, 2)
	case []int:
		for _, v := range value {
			m.int(8, uint64(v))
		}
		m.int(20, 7)
	default:
		panic(fmt.Sprintf("attribute %s: a %T", a.name, value))
	}
	return m
}

func (v value) encode() message {
	var shape, tensor, typ, info message
	for _, axis := range v.axes {
		var dim message
		switch axis := axis.(type) {
		case int:
			dim.int(1, uint64(axis))
		case string:
			dim.string(2, axis)
		}
		shape.bytes(1, dim)
	}
	tensor.int(1, v.kind)
	tensor.bytes(2, shape)
	typ.bytes(1, tensor)
	info.string(1, v.name)
	info.bytes(2, typ)
	return info
}
