package vision

import (
	"bytes"
	"encoding/binary"
)

// An orientation is how a stored picture must be turned, by EXIF's numbers 1 to 8 (CIPA DC-008, tag 0x0112): where the stored first row and first column
// belong.
type orientation int

const upright orientation = 1

func noOrientation([]byte) orientation { return upright }

// exifOrientation reads the orientation of a TIFF file, or of EXIF data, which have the same form: in the first directory. It is upright if there is
// none, or none that can be read: a picture is not lost for it.
func exifOrientation(data []byte) orientation {
	if len(data) < 8 {
		return upright
	}
	var order binary.ByteOrder
	switch string(data[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return upright
	}
	at := int64(order.Uint32(data[4:]))
	if at+2 > int64(len(data)) {
		return upright
	}
	entries := data[at+2:]
	for range order.Uint16(data[at:]) {
		const tag, entryBytes, short, long = 0x0112, 12, 3, 4
		if len(entries) < entryBytes {
			break
		}
		if order.Uint16(entries) == tag {
			value := uint32(0)
			switch order.Uint16(entries[2:]) {
			case short:
				value = uint32(order.Uint16(entries[8:]))
			case long:
				value = order.Uint32(entries[8:])
			}
			if value >= 1 && value <= 8 {
				return orientation(value)
			}
			break
		}
		entries = entries[entryBytes:]
	}
	return upright
}

// pngOrientation looks for PNG's eXIf chunk.
func pngOrientation(file []byte) orientation {
	const signature, around = 8, 12 // a chunk has its length, its type and a checksum
	for rest := file[signature:]; len(rest) >= around; {
		n := int64(binary.BigEndian.Uint32(rest))
		if n > int64(len(rest)-around) {
			break
		}
		if string(rest[4:8]) == "eXIf" {
			return exifOrientation(rest[8 : 8+n])
		}
		rest = rest[around+n:]
	}
	return upright
}

// webpOrientation looks for WebP's EXIF chunk. Some programs write it as JPEG has it, with a title.
func webpOrientation(file []byte) orientation {
	for name, data := range riffChunks(file[min(12, len(file)):]) {
		if name == "EXIF" {
			return exifOrientation(bytes.TrimPrefix(data, []byte("Exif\x00\x00")))
		}
	}
	return upright
}
