package hdf5

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A cursor reads one number after the other. After the first that is not there it gives zeros, and err says so.
type cursor struct {
	data                   []byte
	at                     int
	offsetSize, lengthSize int
	err                    error
}

var errShort = errors.New("the file is cut off, or damaged")

func (c *cursor) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

// rest is the number of bytes that have not been read.
func (c *cursor) rest() int { return len(c.data) - c.at }

// take is the next n bytes, or nil.
func (c *cursor) take(n int) []byte {
	if c.err == nil && (n < 0 || n > c.rest()) {
		c.err = errShort
	}
	if c.err != nil {
		return nil
	}
	c.at += n
	return c.data[c.at-n : c.at : c.at]
}

func (c *cursor) skip(n int) { c.take(n) }

// uint is a little-endian number of n bytes, at most eight.
func (c *cursor) uint(n int) uint64 {
	var wide [8]byte
	copy(wide[:], c.take(n))
	return binary.LittleEndian.Uint64(wide[:])
}

func (c *cursor) u8() int        { return int(c.uint(1)) }
func (c *cursor) u16() int       { return int(c.uint(2)) }
func (c *cursor) u32() uint64    { return c.uint(4) }
func (c *cursor) length() uint64 { return c.uint(c.lengthSize) }

// address is undefined where all its bits are set.
func (c *cursor) address() uint64 {
	a := c.uint(c.offsetSize)
	if a == undefined>>(64-8*c.offsetSize) {
		return undefined
	}
	return a
}

// signature reads four letters that begin every structure.
func (c *cursor) signature(want string) {
	if got := c.take(4); c.err == nil && string(got) != want {
		c.fail("found %q at the start of a part, want %q", got, want)
	}
}

// version reads a byte that must be one of a few.
func (c *cursor) version(of string, want ...int) int {
	got := c.u8()
	for _, w := range want {
		if got == w {
			return got
		}
	}
	c.fail("%s has version %d, which is not read", of, got)
	return got
}

// anyChecksum lets wrong checksums pass, so that tests come to what lies behind them.
var anyChecksum = false

// checksum compares the next four bytes with the checksum of all before them.
func (c *cursor) checksum(of string) {
	before := c.data[:c.at]
	if got := c.u32(); c.err == nil && !anyChecksum && uint32(got) != lookup3(before) {
		c.fail("the checksum of %s is wrong", of)
	}
}

// lookup3 is Bob Jenkins' hash of that name ("hashlittle"), with which the format checks its metadata.
func lookup3(data []byte) uint32 {
	a := 0xdeadbeef + uint32(len(data))
	b, c := a, a
	rot := func(x uint32, k int) uint32 { return x<<k | x>>(32-k) }
	for len(data) > 12 {
		a += binary.LittleEndian.Uint32(data)
		b += binary.LittleEndian.Uint32(data[4:])
		c += binary.LittleEndian.Uint32(data[8:])
		a = (a - c) ^ rot(c, 4)
		c += b
		b = (b - a) ^ rot(a, 6)
		a += c
		c = (c - b) ^ rot(b, 8)
		b += a
		a = (a - c) ^ rot(c, 16)
		c += b
		b = (b - a) ^ rot(a, 19)
		a += c
		c = (c - b) ^ rot(b, 4)
		b += a
		data = data[12:]
	}
	if len(data) == 0 {
		return c
	}
	var last [12]byte
	copy(last[:], data)
	a += binary.LittleEndian.Uint32(last[:])
	b += binary.LittleEndian.Uint32(last[4:])
	c += binary.LittleEndian.Uint32(last[8:])
	c = (c ^ b) - rot(b, 14)
	a = (a ^ c) - rot(c, 11)
	b = (b ^ a) - rot(a, 25)
	c = (c ^ b) - rot(b, 16)
	a = (a ^ c) - rot(c, 4)
	b = (b ^ a) - rot(a, 14)
	return (c ^ b) - rot(b, 24)
}
