// Package jpeg decodes JPEG files to the pixels that libjpeg-turbo gives, bit by bit: its accurate integer inverse transform (jidctint.c), its smooth
// upsampling of chroma (jdsample.c) and its integer conversion of colours (jdcolor.c). PIL and OpenCV decode with that library, so detectors have been
// trained on its pixels; those of Go's image/jpeg differ by up to 43 of 255 where chroma is subsampled, and change with Go's releases.
//
// It reads baseline, extended and progressive Huffman-coded files of 8 bits (ITU-T T.81), with 1, 3 or 4 components. Unlike libjpeg it repairs nothing:
// a file that is damaged or that ends too early is an error.
package jpeg

import (
	"errors"
	"fmt"
	"image"
	"io"
)

// What bounds the time that a progressive file can take: each scan may go through all blocks, whatever its length. Encoders make 6 to 20 scans, and go
// through 14 million blocks of the largest picture.
const (
	maxScans  = 100
	maxBlocks = 64 << 20
)

// Markers, table B.1.
const (
	sof0 = 0xc0 // baseline
	sof2 = 0xc2 // progressive
	dht  = 0xc4
	rst0 = 0xd0
	rst7 = 0xd7
	soi  = 0xd8
	eoi  = 0xd9
	sos  = 0xda
	dqt  = 0xdb
	dri  = 0xdd
	app0 = 0xe0
	tem  = 0x01
)

// Decode returns an *image.Gray for files of one component, else an opaque *image.NRGBA. It takes memory for the size that the file states: see [Size].
//
// Four components are taken as inverted CMYK, as Adobe writes them and as PIL and OpenCV do, and converted to RGB by PIL's rule.
func Decode(file []byte) (image.Image, error) {
	d := decoder{data: file}
	if err := d.decode(false); err != nil {
		return nil, err
	}
	return d.picture(), nil
}

// Size reads the width and height in pixels from the file's header. It looks no further.
func Size(file []byte) (width, height int, err error) {
	d := decoder{data: file}
	err = d.decode(true)
	return d.width, d.height, err
}

// EXIF is the content of the file's first Exif segment, which is a TIFF file in small, or nil. Of a damaged file it is what comes before the damage.
func EXIF(file []byte) []byte {
	d := decoder{data: file}
	const title = "Exif\x00\x00"
	for {
		marker, body, err := d.segment()
		switch {
		case err != nil || marker == sos || marker == eoi:
			return nil
		case marker == app0+1 && len(body) > len(title) && string(body[:len(title)]) == title:
			return body[len(title):]
		}
	}
}

// A decoder is what has been read of a file.
type decoder struct {
	data []byte
	at   int // in data

	width, height int
	components    []component
	maxH, maxV    int // the largest sampling factors
	progressive   bool

	jfif, adobe bool
	transform   uint8 // of Adobe's segment: 0 none, 1 YCbCr, 2 YCCK

	quant    [4]*[64]uint16 // in natural order
	dc, ac   [4]*huffman
	interval int // MCUs between restart markers, 0 without
	scans    int
	visited  int // blocks, by all scans
}

// A component is a colour channel at its own resolution.
type component struct {
	id   uint8
	h, v int // sampling factors

	width, height int // samples of the picture
	blocksX       int // blocks that hold them, in scans of this component alone
	blocksY       int
	across, down  int // blocks stored: whole MCUs

	table        uint8
	quant        *[64]uint16 // as it was at the component's first scan
	samples      []uint8     // [8·down, 8·across]
	coefficients []int16     // [down, across, 64], of progressive files
	scanned      bool

	prediction int // of the next block's DC coefficient
	dc, ac     *huffman
}

func (c *component) stride() int { return 8 * c.across }

// damage is an error of the file's content.
func damage(format string, args ...any) error { return fmt.Errorf("jpeg: "+format, args...) }

// decode goes through the segments, up to the frame header or to the end.
func (d *decoder) decode(headerOnly bool) error {
	for {
		marker, body, err := d.segment()
		if err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) && !d.progressive && d.complete() {
				return nil // only the end marker is missing
			}
			return err
		}
		switch {
		case marker == eoi:
			if !d.complete() {
				return damage("the end comes before the pixels: %w", io.ErrUnexpectedEOF)
			}
			return d.finish()
		case marker == dht:
			err = d.huffmanTables(body)
		case marker == dqt:
			err = d.quantization(body)
		case marker == dri:
			if len(body) != 2 {
				return damage("restart interval of %d bytes, want 2", len(body))
			}
			d.interval = int(body[0])<<8 | int(body[1])
		case marker == sos:
			err = d.scan(body)
		case marker == app0 && len(body) >= 5 && string(body[:5]) == "JFIF\x00":
			d.jfif = true
		case marker == app0+14 && len(body) >= 12 && string(body[:5]) == "Adobe":
			d.adobe, d.transform = true, body[11]
		case marker >= sof0 && marker <= 0xcf && marker != 0xc8 && marker != 0xcc:
			if err = d.frame(marker, body); err == nil && headerOnly {
				return nil
			}
		}
		if err != nil {
			return err
		}
	}
}

// segment returns the next marker and what belongs to it. Bytes between segments are skipped, as libjpeg does.
func (d *decoder) segment() (marker uint8, body []byte, err error) {
	for {
		for d.at < len(d.data) && d.data[d.at] != 0xff {
			d.at++
		}
		for d.at < len(d.data) && d.data[d.at] == 0xff { // any number of them may fill
			d.at++
		}
		if d.at >= len(d.data) {
			return 0, nil, io.ErrUnexpectedEOF
		}
		marker = d.data[d.at]
		d.at++
		switch {
		case marker == 0 || marker == tem || marker == soi || marker >= rst0 && marker <= rst7:
			continue
		case marker == eoi:
			return marker, nil, nil
		}
		rest := d.data[d.at:]
		if len(rest) < 2 {
			return 0, nil, io.ErrUnexpectedEOF
		}
		n := int(rest[0])<<8 | int(rest[1])
		if n < 2 {
			return 0, nil, damage("a segment of %d bytes, want 2 or more", n)
		}
		if n > len(rest) {
			return 0, nil, io.ErrUnexpectedEOF
		}
		d.at += n
		return marker, rest[2:n], nil
	}
}

// frame reads a frame header, section B.2.2.
func (d *decoder) frame(marker uint8, body []byte) error {
	switch {
	case marker > sof2:
		return damage("lossless, hierarchical or arithmetic coding (marker %#x) is not read", marker)
	case d.components != nil:
		return damage("two frame headers")
	case len(body) < 6:
		return damage("a frame header of %d bytes, want 6 or more", len(body))
	case body[0] != 8:
		return damage("%d bits for a sample, want 8", body[0])
	}
	n := int(body[5])
	if n != 1 && n != 3 && n != 4 {
		return damage("%d components, want 1, 3 or 4", n)
	}
	if len(body) != 6+3*n {
		return damage("a frame header of %d bytes, want %d", len(body), 6+3*n)
	}
	d.progressive = marker == sof2
	d.height, d.width = int(body[1])<<8|int(body[2]), int(body[3])<<8|int(body[4])
	if d.width == 0 || d.height == 0 {
		return damage("%d × %d pixels", d.width, d.height)
	}
	for i := range n {
		b := body[6+3*i:]
		c := component{id: b[0], h: int(b[1] >> 4), v: int(b[1] & 15), table: b[2]}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.table > 3 {
			return damage("component %d has sampling factors %d × %d and quantization table %d, want 1 to 4 and 0 to 3", c.id, c.h, c.v, c.table)
		}
		for _, other := range d.components {
			if other.id == c.id {
				return damage("two components %d", c.id)
			}
		}
		d.maxH, d.maxV = max(d.maxH, c.h), max(d.maxV, c.v)
		d.components = append(d.components, c)
	}
	for i := range d.components {
		c := &d.components[i]
		if d.maxH%c.h != 0 || d.maxV%c.v != 0 {
			return damage("component %d has sampling factors %d × %d of %d × %d, which do not divide", c.id, c.h, c.v, d.maxH, d.maxV)
		}
		c.width, c.height = ceil(d.width*c.h, d.maxH), ceil(d.height*c.v, d.maxV)
		c.blocksX, c.blocksY = ceil(c.width, 8), ceil(c.height, 8)
		c.across, c.down = ceil(d.width, 8*d.maxH)*c.h, ceil(d.height, 8*d.maxV)*c.v
	}
	return nil
}

func ceil(a, b int) int { return (a + b - 1) / b }

// quantization reads tables, section B.2.4.1.
func (d *decoder) quantization(body []byte) error {
	for len(body) > 0 {
		bytes, id := int(body[0]>>4)+1, body[0]&15
		if bytes > 2 || id > 3 || len(body) < 1+64*bytes {
			return damage("bad quantization table %d", id)
		}
		body = body[1:]
		table := new([64]uint16)
		for i := range 64 {
			table[natural[i]] = uint16(body[i*bytes])
			if bytes == 2 {
				table[natural[i]] = uint16(body[2*i])<<8 | uint16(body[2*i+1])
			}
		}
		d.quant[id], body = table, body[64*bytes:]
	}
	return nil
}

// natural is where in a block the coefficients are that files have in zigzag order, figure A.6.
var natural = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// complete says whether there has been a scan of each component.
func (d *decoder) complete() bool {
	for _, c := range d.components {
		if !c.scanned {
			return false
		}
	}
	return d.components != nil
}

// finish turns the coefficients of a progressive file into samples. Others have theirs already.
func (d *decoder) finish() error {
	for i := range d.components {
		c := &d.components[i]
		if c.coefficients == nil {
			continue
		}
		c.samples = make([]uint8, 64*c.across*c.down)
		for b := range c.across * c.down {
			transform(c.samples[b/c.across*8*c.stride()+b%c.across*8:], c.stride(), (*[64]int16)(c.coefficients[64*b:]), c.quant)
		}
		c.coefficients = nil
	}
	return nil
}
