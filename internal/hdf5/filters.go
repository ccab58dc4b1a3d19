package hdf5

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A filter is what was done to each chunk before it was written.
type filter struct {
	id     int
	values []uint32
}

const (
	deflate    = 1
	shuffle    = 2
	fletcher32 = 3
	lzf        = 32000
)

// otherFilters have names for errors.
var otherFilters = map[int]string{4: "szip", 5: "nbit", 6: "scaleoffset", 32001: "blosc", 32004: "lz4", 32008: "bitshuffle", 32013: "zfp", 32015: "zstd", 32026: "blosc2"}

// maxFilters is the format's own limit.
const maxFilters = 32

// filters reads a filter message.
func (f *File) filters(body []byte) ([]filter, error) {
	c := f.in(body)
	version := c.version("the filters", 1, 2)
	n := c.u8()
	if version == 1 {
		c.skip(6)
	}
	if c.err == nil && n > maxFilters {
		c.fail("found %d filters, want at most %d", n, maxFilters)
	}
	var out []filter
	for i := 0; i < n && c.err == nil; i++ {
		one := filter{id: c.u16()}
		name := 0
		if version == 1 || one.id >= 256 {
			name = c.u16()
		}
		c.skip(2) // flags
		values := c.u16()
		if version == 1 {
			name += -name & 7
		}
		c.skip(name)
		for v := c.in(4 * values); v.rest() > 0; {
			one.values = append(one.values, uint32(v.u32()))
		}
		if version == 1 && values%2 == 1 {
			c.skip(4)
		}
		switch one.id {
		case deflate, shuffle, fletcher32, lzf:
		default:
			return nil, fmt.Errorf("found data filtered by number %d %s, want deflate (gzip), shuffle, fletcher32 or lzf", one.id, otherFilters[one.id])
		}
		out = append(out, one)
	}
	return out, c.err
}

// in is a cursor for the next n bytes.
func (c *cursor) in(n int) *cursor {
	return &cursor{data: c.take(n), offsetSize: c.offsetSize, lengthSize: c.lengthSize}
}

// unfilter undoes the filters, but for those whose bit is set in skipped, last to first. What comes out must have want
// bytes, and nothing on the way more than few in addition.
func unfilter(data []byte, filters []filter, skipped uint32, want int) ([]byte, error) {
	for i := len(filters) - 1; i >= 0; i-- {
		if skipped>>i&1 != 0 {
			continue
		}
		var err error
		switch f := filters[i]; f.id {
		case deflate:
			data, err = inflate(data, want)
		case lzf:
			data, err = unlzf(data, want)
		case shuffle:
			if len(f.values) != 1 {
				return nil, errors.New("found shuffled data that do not say of how many bytes")
			}
			data = unshuffle(data, int(f.values[0]))
		case fletcher32:
			data, err = checkFletcher(data)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(data) != want {
		return nil, fmt.Errorf("found a chunk of %d bytes, want %d", len(data), want)
	}
	return data, nil
}

// slack is what filters may add to a chunk before another compresses it: a checksum.
const slack = 16

// inflate makes room only if compressed data of that length can become so much.
func inflate(data []byte, want int) ([]byte, error) {
	if most := 1032 * len(data); want > most {
		return nil, fmt.Errorf("found %d compressed bytes, which cannot become %d", len(data), want)
	}
	r, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	out := make([]byte, want+slack)
	n, err := io.ReadFull(r, out)
	if err == nil {
		return nil, fmt.Errorf("found a chunk that becomes more than %d bytes", want)
	}
	if err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	if _, err := r.Read(make([]byte, 1)); err != io.EOF { // a file that is cut off says so only here
		return nil, fmt.Errorf("a compressed chunk is damaged: %w", err)
	}
	return out[:n], nil
}

// unshuffle puts the bytes of numbers, which were sorted by their place in the number, together again.
func unshuffle(data []byte, size int) []byte {
	n := 0
	if size > 1 {
		n = len(data) / size
	}
	if n < 2 {
		return data
	}
	out := make([]byte, len(data))
	for k := range size {
		for i, b := range data[k*n : (k+1)*n] {
			out[i*size+k] = b
		}
	}
	copy(out[n*size:], data[n*size:])
	return out
}

// checkFletcher compares the data with the checksum at their end, and cuts it off.
func checkFletcher(data []byte) ([]byte, error) {
	if len(data) < 4 {
		return nil, errShort
	}
	data, sum := data[:len(data)-4], binary.LittleEndian.Uint32(data[len(data)-4:])
	got := fletcher(data)
	if got != sum && got>>8&0x00FF00FF|got<<8&0xFF00FF00 != sum { // some versions wrote its bytes in another order
		return nil, errors.New("the checksum of a chunk is wrong")
	}
	return data, nil
}

// fletcher is Fletcher's checksum of 16-bit words, the high byte first.
func fletcher(data []byte) uint32 {
	var a, b uint32
	for len(data) > 1 {
		block := data[:min(len(data)&^1, 720)] // as many as fit before the sums overflow
		for i := 0; i < len(block); i += 2 {
			a += uint32(block[i])<<8 | uint32(block[i+1])
			b += a
		}
		a, b = a&0xFFFF+a>>16, b&0xFFFF+b>>16
		data = data[len(block):]
	}
	if len(data) == 1 {
		a += uint32(data[0]) << 8
		b += a
		a, b = a&0xFFFF+a>>16, b&0xFFFF+b>>16
	}
	a, b = a&0xFFFF+a>>16, b&0xFFFF+b>>16
	return b<<16 | a
}

var errLZF = errors.New("a chunk compressed by lzf is damaged")

// unlzf undoes Marc Lehmann's LZF: runs of bytes, and references to at most 264 of those already there.
func unlzf(data []byte, want int) ([]byte, error) {
	if most := 264 * len(data) / 2; want > most+slack {
		return nil, fmt.Errorf("found %d compressed bytes, which cannot become %d", len(data), want)
	}
	out := make([]byte, 0, want+slack)
	for at := 0; at < len(data); {
		control := int(data[at])
		at++
		if control < 32 {
			n := control + 1
			if n > len(data)-at || n > cap(out)-len(out) {
				return nil, errLZF
			}
			out = append(out, data[at:at+n]...)
			at += n
			continue
		}
		n := control >> 5
		if n == 7 {
			if at >= len(data) {
				return nil, errLZF
			}
			n += int(data[at])
			at++
		}
		if at >= len(data) {
			return nil, errLZF
		}
		from := len(out) - (control&31<<8 | int(data[at])) - 1
		at++
		if n += 2; from < 0 || n > cap(out)-len(out) {
			return nil, errLZF
		}
		for i := range n { // one by one: what is copied may reach into itself
			out = append(out, out[from+i])
		}
	}
	return out, nil
}
