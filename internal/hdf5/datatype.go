package hdf5

import (
	"errors"
	"fmt"
)

// A Kind is what the elements of an array are.
type Kind uint8

// The kinds that are read. All others are Other, which can be listed but not read.
const (
	Other Kind = iota
	Int
	Uint
	Float
	String    // of a fixed number of bytes
	VarString // of any length, kept elsewhere in the file
)

// A DType is an element's kind, width and byte order.
type DType struct {
	Kind      Kind
	Size      int // bytes
	BigEndian bool

	padding byte   // of a String: 0 ends with a zero byte, 1 is filled up with them, 2 with spaces
	charset byte   // of a String: 0 is ASCII, 1 UTF-8
	what    string // of Other
}

// The types that weights have.
var (
	Float16 = DType{Kind: Float, Size: 2}
	Float32 = DType{Kind: Float, Size: 4}
	Float64 = DType{Kind: Float, Size: 8}
	Int32   = DType{Kind: Int, Size: 4}
	Int64   = DType{Kind: Int, Size: 8}
)

// String is the type's name, such as float32 or int16 (big endian).
func (t DType) String() string {
	order := ""
	if t.BigEndian {
		order = " (big endian)"
	}
	switch t.Kind {
	case Int:
		return fmt.Sprintf("int%d%s", 8*t.Size, order)
	case Uint:
		return fmt.Sprintf("uint%d%s", 8*t.Size, order)
	case Float:
		return fmt.Sprintf("float%d%s", 8*t.Size, order)
	case String:
		return fmt.Sprintf("texts of %d bytes", t.Size)
	case VarString:
		return "texts"
	}
	return t.what
}

// IsNumber says whether the elements are numbers.
func (t DType) IsNumber() bool { return t.Kind == Int || t.Kind == Uint || t.Kind == Float }

// classes are the kinds of types by their numbers.
var classes = [...]string{"integers", "floats", "times", "texts", "bit fields", "opaque bytes", "compounds", "references", "enumerations", "lists", "arrays", "complex numbers"}

// datatype reads a type message. What is not read is Other, and says what it is.
func datatype(c *cursor) (DType, error) {
	head := c.u8()
	bits := c.uint(3)
	size := c.u32()
	if c.err != nil {
		return DType{}, c.err
	}
	class, version := head&15, head>>4
	if version < 1 || version > 5 || class >= len(classes) {
		return DType{}, fmt.Errorf("found type %d in version %d, which does not exist", class, version)
	}
	if size == 0 || size > 1<<31-1 {
		return DType{}, fmt.Errorf("found elements of %d bytes", size)
	}
	t := DType{Size: int(size), BigEndian: bits&1 != 0, what: classes[class]}
	switch class {
	case 0:
		offset, precision := c.u16(), c.u16()
		if whole := size == 1 || size == 2 || size == 4 || size == 8; !whole || offset != 0 || precision != 8*t.Size {
			t.what = fmt.Sprintf("integers of %d bits in %d bytes", precision, size)
			break
		}
		t.Kind = Uint
		if bits&8 != 0 {
			t.Kind = Int
		}
	case 1:
		t.float(c, bits)
	case 3:
		t.BigEndian = false
		if t.padding, t.charset = byte(bits&15), byte(bits>>4&15); t.padding < 3 {
			t.Kind = String
		}
	case 8: // h5py's bool is one, of int8
		base, err := datatype(c)
		if err != nil {
			return DType{}, err
		}
		if base.Kind == Int || base.Kind == Uint {
			if base.Size != t.Size {
				return DType{}, errors.New("an enumeration and its numbers differ in size")
			}
			t = base
		}
	case 9:
		t.BigEndian = false
		if bits&15 == 1 {
			t.Kind = VarString
		}
	}
	if t.Kind != Other {
		t.what = ""
	}
	return t, c.err
}

// float takes IEEE 754's formats; the others (bfloat16, VAX) are named.
func (t *DType) float(c *cursor, bits uint64) {
	sign := int(bits >> 8 & 255)
	offset, precision := c.u16(), c.u16()
	exponentAt, exponent, mantissaAt, mantissa := c.u8(), c.u8(), c.u8(), c.u8()
	bias := c.u32()
	for _, ieee := range []struct{ size, exponent int }{{2, 5}, {4, 8}, {8, 11}} {
		width := 8 * ieee.size
		if t.Size == ieee.size && bits&0x40 == 0 && offset == 0 && precision == width && sign == width-1 &&
			exponent == ieee.exponent && exponentAt == width-1-exponent && mantissaAt == 0 && mantissa == exponentAt && bias == 1<<(exponent-1)-1 {
			t.Kind = Float
			return
		}
	}
	t.what = fmt.Sprintf("floats with %d bits of exponent and %d of mantissa", exponent, mantissa)
}
