package jpeg

import (
	"encoding/binary"
	"io"
	"math/bits"
)

// lookBits is how long the codes are that one look into a table finds.
const lookBits = 9

// A huffman is a table of codes, section C.
type huffman struct {
	look    [1 << lookBits]uint16 // by the next bits: length<<8 | symbol, or 0
	limit   [17]uint32            // by length: from there on, as 16 bits, codes are longer
	offset  [17]int32             // by length: what to add to a code for its symbol's index
	symbols []uint8
}

// huffmanTables reads tables, section B.2.4.2.
func (d *decoder) huffmanTables(body []byte) error {
	for len(body) > 0 {
		class, id := body[0]>>4, body[0]&15
		if class > 1 || id > 3 || len(body) < 17 {
			return damage("bad Huffman table %d of class %d", id, class)
		}
		counts, n := body[1:17], 0
		for _, c := range counts {
			n += int(c)
		}
		body = body[17:]
		if n > 256 || n > len(body) {
			return damage("Huffman table %d of class %d has %d symbols, want at most 256 and those in its segment", id, class, n)
		}
		h, err := newHuffman(counts, body[:n])
		if err != nil {
			return err
		}
		if class == 0 {
			d.dc[id] = h
		} else {
			d.ac[id] = h
		}
		body = body[n:]
	}
	return nil
}

// newHuffman makes a table of so many codes of each length, 1 to 16.
func newHuffman(counts, symbols []uint8) (*huffman, error) {
	h := &huffman{symbols: append([]uint8(nil), symbols...)}
	code, index := 0, 0
	for length := 1; length <= 16; length++ {
		n := int(counts[length-1])
		h.offset[length] = int32(index - code)
		if code+n > 1<<length {
			return nil, damage("a Huffman table has more codes of %d bits than there are", length)
		}
		for range n {
			if length <= lookBits {
				first := code << (lookBits - length)
				for i := range 1 << (lookBits - length) {
					h.look[first+i] = uint16(length)<<8 | uint16(symbols[index])
				}
			}
			code++
			index++
		}
		h.limit[length] = uint32(code) << (16 - length)
		code <<= 1
	}
	return h, nil
}

// A reader gives the bits of a scan.
type reader struct {
	data []byte
	at   int    // the next byte; it stays at a marker
	acc  uint64 // bits, the next one first
	n    int    // how many
	pad  int    // how many of them, the last ones, are zeros after the end
}

// fill has 32 bits or more there, zeros after the end.
func (r *reader) fill() {
	if r.at+8 <= len(r.data) {
		x := binary.BigEndian.Uint64(r.data[r.at:])
		if t := ^x; (t-0x0101010101010101)&^t&0x8080808080808080 == 0 { // no byte is 0xff
			r.acc |= x >> r.n
			whole := (64 - r.n) >> 3
			r.at += whole
			r.n += 8 * whole
			return
		}
	}
	for r.n <= 56 {
		b := uint8(0)
		switch {
		case r.at >= len(r.data):
			r.pad += 8
		case r.data[r.at] != 0xff:
			b = r.data[r.at]
			r.at++
		case r.at+1 < len(r.data) && r.data[r.at+1] == 0:
			b = 0xff
			r.at += 2
		default:
			r.pad += 8
		}
		r.acc |= uint64(b) << (56 - r.n)
		r.n += 8
	}
}

// check says whether more bits were taken than there are.
func (r *reader) check() error {
	switch {
	case r.n >= r.pad:
		return nil
	case r.at+1 >= len(r.data):
		return io.ErrUnexpectedEOF
	}
	return damage("a scan ends too early, at marker %#x", r.data[r.at+1])
}

// take returns the next k bits, 0 to 16.
func (r *reader) take(k int) int {
	if r.n < 32 {
		r.fill()
	}
	v := int(r.acc >> (64 - k))
	r.acc <<= k
	r.n -= k
	return v
}

// symbol decodes one; the bits that follow, up to 16, are there. It returns noSymbol where there is none with such a code.
func (r *reader) symbol(h *huffman) int {
	if r.n < 32 {
		r.fill()
	}
	if e := h.look[r.acc>>(64-lookBits)]; e != 0 {
		k := int(e >> 8)
		r.acc <<= k
		r.n -= k
		return int(e & 255)
	}
	next := uint32(r.acc >> 48)
	for length := lookBits + 1; length <= 16; length++ {
		if next < h.limit[length] {
			r.acc <<= length
			r.n -= length
			return int(h.symbols[int32(next>>(16-length))+h.offset[length]])
		}
	}
	return noSymbol
}

const noSymbol = 256

// extend takes a number of k bits, 0 to 16, whose first bit says that it is positive, section F.2.2.1. The bits are there.
func (r *reader) extend(k int) int {
	v := int(r.acc >> (64 - k))
	r.acc <<= k
	r.n -= k
	if bits.Len(uint(v)) < k {
		v += 1 - 1<<k
	}
	return v
}
