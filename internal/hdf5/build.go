package hdf5

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// A builder puts a part of a file together.
type builder struct{ data []byte }

func (b *builder) bytes(parts ...[]byte) {
	for _, p := range parts {
		b.data = append(b.data, p...)
	}
}

func (b *builder) zeros(n int) { b.data = append(b.data, make([]byte, n)...) }

// align fills up to a multiple of eight bytes.
func (b *builder) align() { b.zeros(-len(b.data) & 7) }

func (b *builder) u16(v int) { b.data = binary.LittleEndian.AppendUint16(b.data, uint16(v)) }

func (b *builder) u32(values ...uint32) {
	for _, v := range values {
		b.data = binary.LittleEndian.AppendUint32(b.data, v)
	}
}

func (b *builder) u64(values ...uint64) {
	for _, v := range values {
		b.data = binary.LittleEndian.AppendUint64(b.data, v)
	}
}

// dataspace is a shape that does not grow.
func (b *builder) dataspace(dims []int) {
	b.bytes([]byte{1, byte(len(dims)), 0, 0, 0, 0, 0, 0})
	for _, n := range dims {
		b.u64(uint64(n))
	}
}

// encode is the type as a message.
func (t DType) encode() ([]byte, error) {
	b := &builder{}
	bits := 8 * t.Size
	exponent := map[int]int{2: 5, 4: 8, 8: 11}[t.Size]
	switch whole := t.Size == 1 || t.Size == 2 || t.Size == 4 || t.Size == 8; {
	case t.BigEndian && t.Size > 1:
		return nil, fmt.Errorf("%s are not written", t)
	case t.Kind == Int && whole, t.Kind == Uint && whole:
		sign := map[Kind]byte{Int: 8}[t.Kind]
		b.bytes([]byte{0x10, sign, 0, 0})
		b.u32(uint32(t.Size))
		b.u16(0)
		b.u16(bits)
	case t.Kind == Float && exponent > 0:
		b.bytes([]byte{0x11, 0x20, byte(bits - 1), 0}) // the mantissa's first bit is understood
		b.u32(uint32(t.Size))
		b.u16(0)
		b.u16(bits)
		b.bytes([]byte{byte(bits - 1 - exponent), byte(exponent), 0, byte(bits - 1 - exponent)})
		b.u32(1<<(exponent-1) - 1)
	case t.Kind == String && t.Size > 0 && t.Size <= math.MaxInt32:
		b.bytes([]byte{0x13, t.padding | t.charset<<4, 0, 0})
		b.u32(uint32(t.Size))
	default:
		return nil, fmt.Errorf("elements of type %s with %d bytes are not written", t, t.Size)
	}
	return b.data, nil
}

// Text is an attribute of a single text.
func Text(name, text string) Attribute {
	a := Texts(name, []string{text})
	a.Dims = []int{}
	return a
}

// Texts is an attribute of texts, which are filled up with zeros to the length of the longest.
func Texts(name string, texts []string) Attribute {
	t := DType{Kind: String, Size: 1, padding: 1}
	for _, text := range texts {
		t.Size = max(t.Size, len(text))
		for i := range len(text) {
			if text[i] >= utf8.RuneSelf {
				t.charset = 1
			}
		}
	}
	data := make([]byte, t.Size*len(texts))
	for i, text := range texts {
		copy(data[i*t.Size:], text)
	}
	return Attribute{Name: name, Array: Array{DType: t, Dims: []int{len(texts)}, data: data}}
}

// NewArray is an array of numbers, for an attribute: its bytes are as LittleEndian gives them.
func NewArray(t DType, dims []int, data []byte) (Array, error) {
	if n, ok := byteLen(dims, t.Size); !ok || n != len(data) {
		return Array{}, fmt.Errorf("found %d bytes for %s %v", len(data), t, dims)
	}
	return Array{DType: t, Dims: slices.Clone(dims), data: data}, nil
}

// headerPrefix is the length of a header before its messages.
const headerPrefix = 16

// A headerBuilder puts an object's header together.
type headerBuilder struct {
	messages builder
	count    int
}

// maxMessage is the longest message whose length can be written, in whole multiples of eight bytes.
const maxMessage = 1<<16 - 8

// message adds a message. body's builder begins where the first message of the header does.
func (h *headerBuilder) message(kind int, body func(b *builder)) {
	begin := len(h.messages.data)
	h.messages.u16(kind)
	h.messages.zeros(6)
	body(&h.messages)
	h.messages.align()
	binary.LittleEndian.PutUint16(h.messages.data[begin+2:], uint16(len(h.messages.data)-begin-8))
	h.count++
}

// attributes adds a message for each.
func (h *headerBuilder) attributes(all []Attribute) error {
	for _, a := range all {
		kind, err := a.DType.encode()
		if err != nil {
			return fmt.Errorf("attribute %q: %w", a.Name, err)
		}
		var space, body builder
		space.dataspace(a.Dims)
		body.bytes([]byte{1, 0})
		body.u16(len(a.Name) + 1)
		body.u16(len(kind))
		body.u16(len(space.data))
		for _, part := range [][]byte{append([]byte(a.Name), 0), kind, space.data, a.data} {
			body.bytes(part)
			body.align()
		}
		if a.Name == "" || len(a.Name) > maxName || len(a.Dims) > maxRank || len(body.data) > maxMessage {
			return fmt.Errorf("attribute %.100q: %d bytes of %d dimensions, want at most %d of %d", a.Name, len(body.data), len(a.Dims), maxMessage, maxRank)
		}
		h.message(msgAttribute, func(b *builder) { b.bytes(body.data) })
	}
	if h.count > math.MaxUint16 || len(h.messages.data) > maxHeaderBytes {
		return errors.New("the attributes do not fit into a header")
	}
	return nil
}

// finish is the whole header.
func (h *headerBuilder) finish() *builder {
	b := &builder{}
	b.bytes([]byte{1, 0})
	b.u16(h.count)
	b.u32(1, uint32(len(h.messages.data)), 0)
	b.bytes(h.messages.data)
	return b
}
