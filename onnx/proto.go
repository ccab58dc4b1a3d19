package onnx

import (
	"encoding/binary"
	"math"
)

// message is a protocol-buffers message under construction: the little of that format which ONNX's files need.
type message []byte

func (m *message) tag(field, wire uint64) {
	*m = binary.AppendUvarint(*m, field<<3|wire)
}

func (m *message) int(field, value uint64) {
	m.tag(field, 0)
	*m = binary.AppendUvarint(*m, value)
}

func (m *message) float(field uint64, value float32) {
	m.tag(field, 5)
	*m = binary.LittleEndian.AppendUint32(*m, math.Float32bits(value))
}

// bytes appends a string or a message inside this one.
func (m *message) bytes(field uint64, value []byte) {
	m.length(field, int64(len(value)))
	*m = append(*m, value...)
}

func (m *message) string(field uint64, value string) { m.bytes(field, []byte(value)) }

// length begins a field of so many bytes that follow.
func (m *message) length(field uint64, n int64) {
	m.tag(field, 2)
	*m = binary.AppendUvarint(*m, uint64(n))
}
