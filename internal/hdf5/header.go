package hdf5

import (
	"errors"
	"fmt"
)

// The kinds of messages that matter. An object is what its messages say.
const (
	msgDataspace     = 0x01
	msgLinkInfo      = 0x02
	msgDatatype      = 0x03
	msgFillOld       = 0x04
	msgFill          = 0x05
	msgLink          = 0x06
	msgExternal      = 0x07
	msgLayout        = 0x08
	msgGroupInfo     = 0x0A
	msgFilters       = 0x0B
	msgAttribute     = 0x0C
	msgContinuation  = 0x10
	msgSymbolTable   = 0x11
	msgAttributeInfo = 0x15
)

// A message is a part of an object's header.
type message struct {
	kind   int
	shared bool // body says where the message is
	body   []byte
}

// Limits of a header: no object needs as much.
const (
	maxMessages    = 1 << 16
	maxHeaderBytes = 1 << 24
)

// A header is an object's messages, in the order of the file.
type header struct {
	address  uint64
	messages []message
}

// A span is a part of the file.
type span struct{ address, length uint64 }

// header reads the object header at an address.
func (f *File) header(address uint64) (*header, error) {
	h := &header{address: address}
	c := f.from(address)
	var err error
	if c.rest() >= 4 && string(c.data[:4]) == "OHDR" {
		err = h.readNew(f, c)
	} else {
		err = h.readOld(f, c)
	}
	if err != nil {
		return nil, fmt.Errorf("object header at %d: %w", address, err)
	}
	return h, nil
}

// readOld reads version 1: messages, in one or several blocks, at multiples of eight.
func (h *header) readOld(f *File, c *cursor) error {
	c.version("the header", 1)
	c.skip(1)
	count := c.u16()
	c.skip(4)
	size := c.u32()
	c.skip(4)
	if c.err != nil {
		return c.err
	}
	todo := []span{{h.address + 16, size}}
	for total := uint64(0); len(todo) > 0 && len(h.messages) < count; todo = todo[1:] {
		if total += todo[0].length; total > maxHeaderBytes {
			return errors.New("the header is too long")
		}
		block, err := f.block(todo[0].address, todo[0].length)
		if err != nil {
			return err
		}
		m := f.in(block)
		for m.rest() >= 8 && len(h.messages) < count {
			kind, length, flags := m.u16(), m.u16(), m.u8()
			m.skip(3)
			next, err := h.add(f, kind, flags, m.take(length))
			if err = errors.Join(m.err, err); err != nil {
				return err
			}
			todo = append(todo, next...)
		}
	}
	return nil
}

// readNew reads version 2: the same with signatures and checksums, and without gaps.
func (h *header) readNew(f *File, c *cursor) error {
	c.signature("OHDR")
	c.version("the header", 2)
	flags := c.u8()
	if flags&0x20 != 0 {
		c.skip(16) // times
	}
	if flags&0x10 != 0 {
		c.skip(4) // when attributes are to be stored densely
	}
	size := c.uint(1 << (flags & 3))
	if c.err != nil {
		return c.err
	}
	todo := []span{{h.address, uint64(c.at) + size + 4}}
	if size > maxHeaderBytes {
		return errors.New("the header is too long")
	}
	at := c.at
	for total := uint64(0); len(todo) > 0; todo = todo[1:] {
		if total += todo[0].length; total > maxHeaderBytes {
			return errors.New("the header is too long")
		}
		block, err := f.block(todo[0].address, todo[0].length)
		if err != nil {
			return err
		}
		if len(block) < at+4 {
			return errShort
		}
		sum := f.in(block)
		sum.at = len(block) - 4
		if sum.checksum("an object header"); sum.err != nil {
			return sum.err
		}
		m := f.in(block[:len(block)-4])
		m.at = at
		if at == 4 {
			m.at = 0
			m.signature("OCHK")
		}
		prefix := 4
		if flags&4 != 0 {
			prefix += 2
		}
		for m.err == nil && m.rest() >= prefix {
			kind, length, flags := m.u8(), m.u16(), m.u8()
			m.skip(prefix - 4) // order of creation
			next, err := h.add(f, kind, flags, m.take(length))
			if err = errors.Join(m.err, err); err != nil {
				return err
			}
			todo = append(todo, next...)
		}
		if m.err != nil {
			return m.err
		}
		at = 4 // what follows are continuations
	}
	return nil
}

// add keeps a message; a continuation is where to read on.
func (h *header) add(f *File, kind, flags int, body []byte) ([]span, error) {
	if len(h.messages) >= maxMessages {
		return nil, errors.New("the header is too long")
	}
	h.messages = append(h.messages, message{kind: kind, shared: flags&2 != 0, body: body})
	if kind != msgContinuation {
		return nil, nil
	}
	c := f.in(body)
	next := span{c.address(), c.length()}
	return []span{next}, c.err
}

// find is the first message of a kind; nil if there is none.
func (h *header) find(kind int) *message {
	for i := range h.messages {
		if h.messages[i].kind == kind {
			return &h.messages[i]
		}
	}
	return nil
}
