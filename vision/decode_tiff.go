package vision

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"

	"golang.org/x/image/tiff"
)

// TIFF's tags that bound what its decoder does.
const (
	tiffWidth           = 256
	tiffHeight          = 257
	tiffCompression     = 259
	tiffPhotometric     = 262
	tiffStripOffsets    = 273
	tiffSamplesPerPixel = 277
	tiffRowsPerStrip    = 278
	tiffStripBytes      = 279
	tiffPlanar          = 284
	tiffTileWidth       = 322
	tiffTileHeight      = 323
	tiffTileOffsets     = 324
	tiffTileBytes       = 325
)

// A tiffDirectory is the first directory of a TIFF file: the numbers of its entries, by tag.
type tiffDirectory struct {
	order  binary.ByteOrder
	values map[uint16][]uint32
	rows   []byte // where RowsPerStrip is, in the file
}

// maxTIFFValues bounds the numbers of a directory: a picture of [MaxPixels] in the smallest tiles has two million.
const maxTIFFValues = 4 << 20

func readTIFF(file []byte) (*tiffDirectory, error) {
	d := &tiffDirectory{order: binary.LittleEndian, values: map[uint16][]uint32{}}
	if len(file) < 8 {
		return nil, io.ErrUnexpectedEOF
	}
	if file[0] == 'M' {
		d.order = binary.BigEndian
	}
	at := int64(d.order.Uint32(file[4:]))
	if at+2 > int64(len(file)) {
		return nil, io.ErrUnexpectedEOF
	}
	entries, total := file[at+2:], int64(0)
	for range d.order.Uint16(file[at:]) {
		if len(entries) < 12 {
			return nil, io.ErrUnexpectedEOF
		}
		tag, kind, count := d.order.Uint16(entries), d.order.Uint16(entries[2:]), int64(d.order.Uint32(entries[4:]))
		if total += count; total > maxTIFFValues {
			return nil, fmt.Errorf("tiff: a directory of more than %d million numbers", maxTIFFValues>>20)
		}
		if width := map[uint16]int64{1: 1, 3: 2, 4: 4}[kind]; width != 0 {
			data := entries[8:12]
			if n := width * count; n > 4 {
				from := int64(d.order.Uint32(data))
				if from+n > int64(len(file)) {
					return nil, io.ErrUnexpectedEOF
				}
				data = file[from : from+n]
			}
			d.add(tag, width, count, data)
		}
		entries = entries[12:]
	}
	return d, nil
}

func (d *tiffDirectory) add(tag uint16, width, count int64, data []byte) {
	switch tag {
	case tiffWidth, tiffHeight, tiffCompression, tiffPhotometric, tiffStripOffsets, tiffSamplesPerPixel, tiffRowsPerStrip, tiffStripBytes,
		tiffPlanar, tiffTileWidth, tiffTileHeight, tiffTileOffsets, tiffTileBytes:
	default:
		return
	}
	values := make([]uint32, count)
	for i := range values {
		switch b := data[int64(i)*width:]; width {
		case 1:
			values[i] = uint32(b[0])
		case 2:
			values[i] = uint32(d.order.Uint16(b))
		case 4:
			values[i] = d.order.Uint32(b)
		}
	}
	d.values[tag] = values
	if tag == tiffRowsPerStrip && count == 1 && width > 1 {
		d.rows = data[:width]
	}
}

// first is the first number of an entry, or what is meant if there is none.
func (d *tiffDirectory) first(tag uint16, otherwise int) int {
	if v := d.values[tag]; len(v) > 0 {
		return int(v[0])
	}
	return otherwise
}

func (d *tiffDirectory) size() Size { return Size{d.first(tiffWidth, 0), d.first(tiffHeight, 0)} }

func tiffSize(file []byte) (Size, error) {
	d, err := readTIFF(file)
	if err != nil {
		return Size{}, err
	}
	return d.size(), nil
}

// decodeTIFF checks what package tiff does not: that the parts of the picture are together no larger than it and than the file, and that colours are not
// in planes.
func decodeTIFF(file []byte) (image.Image, error) {
	d, err := readTIFF(file)
	if err != nil {
		return nil, err
	}
	if d.first(tiffPlanar, 1) != 1 && d.first(tiffSamplesPerPixel, 1) > 1 {
		return nil, errors.New("tiff: its colours are in separate planes")
	}
	size := d.size()
	across, down := size.Width, min(max(d.first(tiffRowsPerStrip, size.Height), 1), size.Height)
	offsets, counts := d.values[tiffStripOffsets], d.values[tiffStripBytes]
	if w := d.first(tiffTileWidth, 0); w != 0 {
		across, down = w, d.first(tiffTileHeight, 0)
		offsets, counts = d.values[tiffTileOffsets], d.values[tiffTileBytes]
		if across < 8 || down < 8 || across > 1<<16 || down > 1<<16 {
			return nil, fmt.Errorf("tiff: tiles of %d × %d pixels", across, down)
		}
	} else if d.rows != nil && d.first(tiffRowsPerStrip, 0) > size.Height {
		// "All in one strip" is often written as the largest number, which package tiff would take for the size of a strip.
		if len(d.rows) == 2 {
			d.order.PutUint16(d.rows, uint16(down))
		} else {
			d.order.PutUint32(d.rows, uint32(down))
		}
	}
	parts := ((size.Width + across - 1) / across) * ((size.Height + down - 1) / down)
	if pixels := int64(parts) * int64(across) * int64(down); pixels > 2*MaxPixels {
		return nil, fmt.Errorf("tiff: %d tiles of %d × %d pixels", parts, across, down)
	}
	if err := d.checkParts(file, offsets, counts, parts, int64(across)*int64(down)); err != nil {
		return nil, err
	}
	img, err := tiff.Decode(bytes.NewReader(file))
	// Faxes have white as 0, and where 0 is to be black they are negatives. Package tiff always shows white as white.
	const group3, group4, blackIsZero = 3, 4, 1
	if gray, ok := img.(*image.Gray); ok && err == nil && d.first(tiffPhotometric, 0) == blackIsZero {
		if c := d.first(tiffCompression, 1); c == group3 || c == group4 {
			for i, v := range gray.Pix {
				gray.Pix[i] = 255 - v
			}
		}
	}
	return img, err
}

// checkParts says whether so many strips or tiles lie in the file, and do not hold much more than so many pixels each.
func (d *tiffDirectory) checkParts(file []byte, offsets, counts []uint32, parts int, pixels int64) error {
	if len(offsets) < parts || len(counts) < parts {
		return fmt.Errorf("tiff: %d places and %d lengths of %d strips or tiles", len(offsets), len(counts), parts)
	}
	const packBits = 32773
	var stored, unpacked int64
	for i := range parts {
		from, n := int64(offsets[i]), int64(counts[i])
		if from+n > int64(len(file)) {
			return io.ErrUnexpectedEOF
		}
		if stored += n; stored > int64(len(file)) {
			return errors.New("tiff: its strips or tiles overlap")
		}
		if d.first(tiffCompression, 1) == packBits {
			unpacked = max(unpacked, packBitsLength(file[from:from+n]))
		}
	}
	const pixelBytes, slack = 8, 1 << 20
	if unpacked > pixelBytes*pixels+slack {
		return fmt.Errorf("tiff: a strip or tile of %d MB", unpacked>>20)
	}
	return nil
}

// packBitsLength is how long data become that are compressed so.
func packBitsLength(data []byte) (n int64) {
	for i := 0; i < len(data); {
		if run := int(int8(data[i])); run >= 0 {
			n += int64(run + 1)
			i += run + 2
		} else {
			if run != -128 {
				n += int64(1 - run)
			}
			i++
			if run != -128 {
				i++
			}
		}
	}
	return n
}
