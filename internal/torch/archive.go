package torch

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"math"
)

// An archive is a zip file in the making, laid out as PyTorch does it: members are stored, not compressed, and
// begin at multiples of 64 bytes; the extra field of the header before them is as long as that needs.
// (archive/zip does not say where in the file it is, and leaves the sizes of members over 4 GB out of that header.)
type archive struct {
	w       io.Writer
	at      uint64
	err     error
	members []member
}

// A member is what the directory at the end says of one.
type member struct {
	name     string
	at, size uint64 // where its header is, and its bytes
	sum      uint32
}

const (
	alignment  = 64
	zipLong    = math.MaxUint32 // stands for a number that is in the zip64 field
	zip64Field = 1
	padField   = 'F' | 'B'<<8 // what PyTorch calls its padding
	utf8Flag   = 1 << 11
	firstDay   = 1<<5 | 1 // 1980-01-01, the earliest date that a zip file can say
)

func newArchive(w io.Writer) *archive { return &archive{w: w} }

func (a *archive) write(b []byte) {
	if a.err == nil {
		_, a.err = a.w.Write(b)
		a.at += uint64(len(b))
	}
}

// add writes a member. Errors wait for close.
func (a *archive) add(name string, data []byte) {
	m := member{"archive/" + name, a.at, uint64(len(data)), crc32.ChecksumIEEE(data)}
	a.members = append(a.members, m)
	a.write(m.header())
	a.write(data)
}

// header is what stands before the bytes.
func (m member) header() []byte {
	var extra []byte
	if m.size >= zipLong {
		extra = zip64(m.size, m.size)
	}
	const fixed, field = 30, 4
	pad := int(-(m.at + fixed + uint64(len(m.name)+len(extra)) + field) % alignment)
	extra = le16(extra, padField, pad)
	for range pad {
		extra = append(extra, 'Z')
	}
	out := m.common(le32(nil, 0x04034b50), m.size >= zipLong)
	out = le16(out, len(m.name), len(extra))
	return append(append(out, m.name...), extra...)
}

// common is the part that both headers have.
func (m member) common(out []byte, long bool) []byte {
	size := min(m.size, zipLong)
	out = le16(out, version(long), utf8Flag, 0, 0, firstDay)
	return le32(out, uint64(m.sum), size, size)
}

// version is the one of the zip format that a reader must know.
func version(long bool) int {
	if long {
		return 45
	}
	return 20
}

// entry is what stands in the directory.
func (m member) entry() []byte {
	var long []uint64
	if m.size >= zipLong {
		long = append(long, m.size, m.size)
	}
	if m.at >= zipLong {
		long = append(long, m.at)
	}
	var extra []byte
	if len(long) > 0 {
		extra = zip64(long...)
	}
	out := le16(le32(nil, 0x02014b50), version(len(long) > 0))
	out = m.common(out, len(long) > 0)
	out = le16(out, len(m.name), len(extra), 0, 0, 0)
	out = le32(out, 0, min(m.at, zipLong))
	return append(append(out, m.name...), extra...)
}

// close writes the directory, and returns the first error.
func (a *archive) close() error {
	begin := a.at
	for _, m := range a.members {
		a.write(m.entry())
	}
	count, size := uint64(len(a.members)), a.at-begin
	if count >= math.MaxUint16 || begin >= zipLong || size >= zipLong {
		end := a.at
		out := le64(le32(nil, 0x06064b50), 44)
		out = le32(le16(out, version(true), version(true)), 0, 0)
		out = le64(out, count, count, size, begin)
		a.write(le32(le64(le32(out, 0x07064b50, 0), end), 1))
	}
	out := le16(le32(nil, 0x06054b50), 0, 0)
	short := int(min(count, math.MaxUint16))
	out = le32(le16(out, short, short), min(size, zipLong), min(begin, zipLong))
	a.write(le16(out, 0))
	return a.err
}

// zip64 is the extra field for numbers that need 64 bits.
func zip64(values ...uint64) []byte {
	return le64(le16(nil, zip64Field, 8*len(values)), values...)
}

func le16(out []byte, values ...int) []byte {
	for _, v := range values {
		out = binary.LittleEndian.AppendUint16(out, uint16(v))
	}
	return out
}

func le32(out []byte, values ...uint64) []byte {
	for _, v := range values {
		out = binary.LittleEndian.AppendUint32(out, uint32(v))
	}
	return out
}

func le64(out []byte, values ...uint64) []byte {
	for _, v := range values {
		out = binary.LittleEndian.AppendUint64(out, v)
	}
	return out
}
