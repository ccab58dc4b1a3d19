package onnx_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// file is an ONNX file as this test reads it: by ONNX's schema and Google's decoder of the wire format, not by our writer.
type file struct {
	path      string
	ir        uint64
	producer  string
	graphName string
	opsets    map[string]uint64
	nodes     []fileNode
	inputs    []fileValue
	outputs   []fileValue
	known     []fileValue
	constants map[string]fileTensor
	order     []string // of the constants
}

type fileNode struct {
	name, op, domain string
	inputs, outputs  []string
	floats           map[string]float32
	ints             map[string]int64
	lists            map[string][]int64
}

// fileValue has an axis as an int64, or by its name.
type fileValue struct {
	name string
	kind uint64
	axes []any
}

type fileTensor struct {
	kind                     uint64
	dims                     []int
	raw                      []byte
	location, offset, length string // if it lies beside
}

const (
	floatType = 1
	int32Type = 6
	int64Type = 7
)

// schema is which fields a message may have here, and their wire types: a part of onnx.proto.
type schema map[protowire.Number]protowire.Type

const (
	varint = protowire.VarintType
	bytes  = protowire.BytesType
	fixed  = protowire.Fixed32Type
)

var (
	modelProto     = schema{1: varint, 2: bytes, 7: bytes, 8: bytes}
	opsetProto     = schema{1: bytes, 2: varint}
	graphProto     = schema{1: bytes, 2: bytes, 5: bytes, 11: bytes, 12: bytes, 13: bytes}
	nodeProto      = schema{1: bytes, 2: bytes, 3: bytes, 4: bytes, 5: bytes, 7: bytes}
	attributeProto = schema{1: bytes, 2: fixed, 3: varint, 8: varint, 20: varint}
	tensorProto    = schema{1: varint, 2: varint, 8: bytes, 9: bytes, 13: bytes, 14: varint}
	entryProto     = schema{1: bytes, 2: bytes}
	valueProto     = schema{1: bytes, 2: bytes}
	typeProto      = schema{1: bytes}
	tensorType     = schema{1: varint, 2: bytes}
	shapeProto     = schema{1: bytes}
	dimProto       = schema{1: varint, 2: bytes}
)

// fields calls visit with each field of a message.
func (s schema) fields(message []byte, visit func(number protowire.Number, n uint64, b []byte) error) error {
	for len(message) > 0 {
		number, kind, size := protowire.ConsumeTag(message)
		if size < 0 {
			return protowire.ParseError(size)
		}
		if want, ok := s[number]; !ok || kind != want {
			return fmt.Errorf("field %d of wire type %d, want one of %v", number, kind, s)
		}
		message = message[size:]
		var n uint64
		var b []byte
		switch kind {
		case varint:
			n, size = protowire.ConsumeVarint(message)
		case fixed:
			var word uint32
			word, size = protowire.ConsumeFixed32(message)
			n = uint64(word)
		default:
			b, size = protowire.ConsumeBytes(message)
		}
		if size < 0 {
			return protowire.ParseError(size)
		}
		message = message[size:]
		if err := visit(number, n, b); err != nil {
			return fmt.Errorf("in field %d: %w", number, err)
		}
	}
	return nil
}

func readFile(t testing.TB, path string) *file {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f := &file{path: path, opsets: map[string]uint64{}, constants: map[string]fileTensor{}}
	if err := f.parse(content); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return f
}

func (f *file) parse(content []byte) error {
	return modelProto.fields(content, func(number protowire.Number, n uint64, b []byte) error {
		switch number {
		case 1:
			f.ir = n
		case 2:
			f.producer = string(b)
		case 7:
			return f.parseGraph(b)
		case 8:
			var domain string
			var version uint64
			err := opsetProto.fields(b, func(number protowire.Number, n uint64, b []byte) error {
				if number == 1 {
					domain = string(b)
				} else {
					version = n
				}
				return nil
			})
			f.opsets[domain] = version
			return err
		}
		return nil
	})
}

func (f *file) parseGraph(message []byte) error {
	return graphProto.fields(message, func(number protowire.Number, _ uint64, b []byte) error {
		switch number {
		case 1:
			return f.parseNode(b)
		case 2:
			f.graphName = string(b)
		case 5:
			return f.parseTensor(b)
		default:
			value, err := parseValue(b)
			list := map[protowire.Number]*[]fileValue{11: &f.inputs, 12: &f.outputs, 13: &f.known}[number]
			*list = append(*list, value)
			return err
		}
		return nil
	})
}

func (f *file) parseNode(message []byte) error {
	n := fileNode{floats: map[string]float32{}, ints: map[string]int64{}, lists: map[string][]int64{}}
	err := nodeProto.fields(message, func(number protowire.Number, _ uint64, b []byte) error {
		switch number {
		case 1:
			n.inputs = append(n.inputs, string(b))
		case 2:
			n.outputs = append(n.outputs, string(b))
		case 3:
			n.name = string(b)
		case 4:
			n.op = string(b)
		case 5:
			return n.parseAttribute(b)
		case 7:
			n.domain = string(b)
		}
		return nil
	})
	f.nodes = append(f.nodes, n)
	return err
}

// parseAttribute checks that the value is in the field that the attribute's type says.
func (n *fileNode) parseAttribute(message []byte) error {
	var name string
	var value float32
	var integer int64
	var list []int64
	var kind uint64
	seen := map[protowire.Number]bool{}
	err := attributeProto.fields(message, func(number protowire.Number, n uint64, b []byte) error {
		seen[number] = true
		switch number {
		case 1:
			name = string(b)
		case 2:
			value = math.Float32frombits(uint32(n))
		case 3:
			integer = int64(n)
		case 8:
			list = append(list, int64(n))
		case 20:
			kind = n
		}
		return nil
	})
	holder := map[uint64]protowire.Number{1: 2, 2: 3, 7: 8}[kind]
	if len(seen) != 3 || !seen[holder] {
		return fmt.Errorf("attribute %s of type %d has fields %v", name, kind, seen)
	}
	switch holder {
	case 2:
		n.floats[name] = value
	case 3:
		n.ints[name] = integer
	case 8:
		n.lists[name] = list
	}
	return err
}

func (f *file) parseTensor(message []byte) error {
	var x fileTensor
	var name string
	external := false
	err := tensorProto.fields(message, func(number protowire.Number, n uint64, b []byte) error {
		switch number {
		case 1:
			x.dims = append(x.dims, int(n))
		case 2:
			x.kind = n
		case 8:
			name = string(b)
		case 9:
			x.raw = b
		case 13:
			var pair [2]string
			err := entryProto.fields(b, func(number protowire.Number, _ uint64, b []byte) error {
				pair[number-1] = string(b)
				return nil
			})
			*map[string]*string{"location": &x.location, "offset": &x.offset, "length": &x.length}[pair[0]] = pair[1]
			return err
		case 14:
			external = n == 1
		}
		return nil
	})
	if err == nil && external != (x.location != "") {
		err = fmt.Errorf("%s: data_location and external_data do not agree", name)
	}
	if err == nil && external {
		x.raw, err = f.beside(x)
	}
	if _, ok := f.constants[name]; ok {
		return fmt.Errorf("two tensors %s", name)
	}
	f.constants[name] = x
	f.order = append(f.order, name)
	return err
}

// beside reads a tensor's bytes from the file beside the graph.
func (f *file) beside(x fileTensor) ([]byte, error) {
	if filepath.Base(x.location) != x.location {
		return nil, fmt.Errorf("location %q is no file beside the graph", x.location)
	}
	offset, err := strconv.ParseInt(x.offset, 10, 64)
	if err != nil {
		return nil, err
	}
	length, err := strconv.Atoi(x.length)
	if err != nil {
		return nil, err
	}
	data, err := os.Open(filepath.Join(filepath.Dir(f.path), x.location))
	if err != nil {
		return nil, err
	}
	defer data.Close()
	raw := make([]byte, length)
	_, err = data.ReadAt(raw, offset)
	return raw, err
}

func parseValue(message []byte) (fileValue, error) {
	var v fileValue
	err := valueProto.fields(message, func(number protowire.Number, _ uint64, b []byte) error {
		if number == 1 {
			v.name = string(b)
			return nil
		}
		return typeProto.fields(b, func(_ protowire.Number, _ uint64, b []byte) error {
			return tensorType.fields(b, func(number protowire.Number, n uint64, b []byte) error {
				if number == 1 {
					v.kind = n
					return nil
				}
				return shapeProto.fields(b, func(_ protowire.Number, _ uint64, b []byte) error {
					return dimProto.fields(b, func(number protowire.Number, n uint64, b []byte) error {
						if number == 1 {
							v.axes = append(v.axes, int64(n))
						} else {
							v.axes = append(v.axes, string(b))
						}
						return nil
					})
				})
			})
		})
	})
	return v, err
}

// size is how many bytes a tensor's shape asks for.
func (x fileTensor) size() int {
	size := 4
	if x.kind == int64Type {
		size = 8
	}
	for _, d := range x.dims {
		size *= d
	}
	return size
}

// numbers are a tensor's elements.
func (x fileTensor) numbers() []float64 {
	var values []float64
	if x.kind == int64Type {
		for i := 0; i < len(x.raw); i += 8 {
			values = append(values, float64(int64(binary.LittleEndian.Uint64(x.raw[i:]))))
		}
		return values
	}
	for i := 0; i < len(x.raw); i += 4 {
		values = append(values, float64(math.Float32frombits(binary.LittleEndian.Uint32(x.raw[i:]))))
	}
	return values
}
