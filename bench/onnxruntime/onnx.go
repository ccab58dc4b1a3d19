package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/gomlx/compute/dtypes"
)

// The element types of ONNX that are used here.
const (
	float32Type = 1
	int32Type   = 6
	int64Type   = 7
)

// contrib is the domain of ONNX Runtime's own operators.
const contrib = "com.microsoft"

// graph is an ONNX graph under construction. A value is known by its name.
type graph struct {
	fields  message // nodes, inputs and outputs
	tensors []tensor
	nodes   int
}

// tensor is a constant of the graph. Its bytes are made when it is written.
type tensor struct {
	name string
	kind uint64
	dims []int
	raw  func() ([]byte, error)
}

// attribute is a named constant of a node: an int, a float32 or a []int.
type attribute struct {
	name  string
	value any
}

// node appends an operator and returns the name of its only output. An input that is left out is "".
func (g *graph) node(domain, op string, inputs []string, attributes ...attribute) string {
	output := op + "_" + strconv.Itoa(g.nodes)
	g.nodes++
	var n message
	for _, input := range inputs {
		n.bytes(1, []byte(input))
	}
	n.bytes(2, []byte(output))
	n.bytes(3, []byte(output))
	n.bytes(4, []byte(op))
	for _, a := range attributes {
		n.bytes(5, a.encode())
	}
	n.bytes(7, []byte(domain))
	g.fields.bytes(1, n)
	return output
}

// op is a node of ONNX's own operators without attributes.
func (g *graph) op(op string, inputs ...string) string { return g.node("", op, inputs) }

func (a attribute) encode() message {
	var m message
	m.bytes(1, []byte(a.name))
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

// input and output declare the graph's; an axis is a number or a name.
func (g *graph) input(name string, kind uint64, axes ...any) string {
	g.fields.bytes(11, valueInfo(name, kind, axes))
	return name
}

func (g *graph) output(name string, kind uint64, axes ...any) {
	g.fields.bytes(12, valueInfo(name, kind, axes))
}

func valueInfo(name string, kind uint64, axes []any) message {
	var shape, tensor, typ, info message
	for _, axis := range axes {
		var dim message
		switch axis := axis.(type) {
		case int:
			dim.int(1, uint64(axis))
		case string:
			dim.bytes(2, []byte(axis))
		}
		shape.bytes(1, dim)
	}
	tensor.int(1, kind)
	tensor.bytes(2, shape)
	typ.bytes(1, tensor)
	info.bytes(1, []byte(name))
	info.bytes(2, typ)
	return info
}

// constant adds a tensor, once a name.
func (g *graph) constant(name string, kind uint64, dims []int, raw func() ([]byte, error)) string {
	if !slices.ContainsFunc(g.tensors, func(t tensor) bool { return t.name == name }) {
		g.tensors = append(g.tensors, tensor{name, kind, dims, raw})
	}
	return name
}

// floats is a constant of known values; a scalar if there is one.
func (g *graph) floats(name string, values ...float32) string {
	return g.constant(name, float32Type, dims(len(values)), func() ([]byte, error) {
		return dtypes.UnsafeByteSliceFromAny(values), nil
	})
}

func (g *graph) ints(name string, values ...int64) string {
	return g.constant(name, int64Type, dims(len(values)), func() ([]byte, error) {
		return dtypes.UnsafeByteSliceFromAny(values), nil
	})
}

func dims(n int) []int {
	if n == 1 {
		return nil
	}
	return []int{n}
}

// header is the tensor's message up to its bytes, and how many those are.
func (t *tensor) header() (m message, size int) {
	size = 4
	if t.kind == int64Type {
		size = 8
	}
	for _, d := range t.dims {
		m.int(1, uint64(d))
		size *= d
	}
	m.int(2, t.kind)
	m.bytes(8, []byte(t.name))
	m.length(9, size)
	return m, size
}

// write writes the model. The constants pass through memory one at a time.
func (g *graph) write(to io.Writer) error {
	fields := g.fields
	fields.bytes(2, []byte("lxmert"))
	size := len(fields)
	for i := range g.tensors {
		header, n := g.tensors[i].header()
		var field message
		field.length(5, len(header)+n)
		size += len(field) + len(header) + n
	}
	var m message
	m.int(1, 8) // ir_version
	for domain, version := range map[string]uint64{"": 17, contrib: 1} {
		var opset message
		opset.bytes(1, []byte(domain))
		opset.int(2, version)
		m.bytes(8, opset)
	}
	m.length(7, size)
	w := bufio.NewWriter(to)
	w.Write(m)
	w.Write(fields)
	for i := range g.tensors {
		t := &g.tensors[i]
		header, n := t.header()
		raw, err := t.raw()
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		if len(raw) != n {
			return fmt.Errorf("%s: found %d bytes, want %d", t.name, len(raw), n)
		}
		var field message
		field.length(5, len(header)+n)
		w.Write(field)
		w.Write(header)
		if _, err := w.Write(raw); err != nil {
			return err
		}
	}
	return w.Flush()
}
