package checkpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// The layout of a safetensors file (https://github.com/huggingface/safetensors, "Format"):
//
//	8 bytes         n, the length of the header, little endian
//	n bytes         a JSON object {"NAME": {"dtype", "shape", "data_offsets"}, ...,
//	                "__metadata__": {"KEY": "TEXT"}}, padded with spaces
//	the rest        the tensors' bytes, without holes or overlaps; offsets count from here
const (
	lengthSize   = 8
	maxHeaderLen = 100_000_000 // the library's own limit
	maxRank      = 64          // what PyTorch and NumPy can hold
	metadataKey  = "__metadata__"
)

// A header is what the first part of a file says about the second.
type header struct {
	tensors  []entry // in order of their place in the file
	metadata map[string]string
}

// An entry is one tensor's place: data[begin:end].
type entry struct {
	name       string
	dtype      DType
	shape      []int
	begin, end int
}

// splitHeader cuts a file's content into its JSON header and the tensors' bytes.
func splitHeader(content []byte) (head, data []byte, err error) {
	if len(content) < lengthSize {
		return nil, nil, fmt.Errorf("%d bytes are no safetensors file, which has %d for the header's length alone", len(content), lengthSize)
	}
	n := binary.LittleEndian.Uint64(content)
	rest := content[lengthSize:]
	if kind := foreignFormat(content); kind != "" && n > min(maxHeaderLen, uint64(len(rest))) {
		return nil, nil, fmt.Errorf("this is %s, want a safetensors file: convert it first", kind)
	}
	if n > maxHeaderLen {
		return nil, nil, fmt.Errorf("header length is %d bytes, want at most %d: the file is damaged or no safetensors file", n, maxHeaderLen)
	}
	if n > uint64(len(rest)) {
		return nil, nil, fmt.Errorf("header length is %d bytes, but only %d follow: the file is cut off or no safetensors file", n, len(rest))
	}
	return rest[:n], rest[n:], nil
}

// foreignFormat recognises by its first bytes what is often taken for safetensors.
func foreignFormat(content []byte) string {
	for magic, kind := range map[string]string{
		"\x89HDF\r\n":                         "an HDF5 file (TensorFlow saves weights so)",
		"\x1f\x8b":                            "a gzip file",
		"version https://git-lfs.github.com/": "a Git LFS pointer, not the file itself (git lfs pull fetches it)",
		"<!DOCTYPE":                           "a web page, perhaps the answer to a failed download",
		"<html":                               "a web page, perhaps the answer to a failed download",
		"{\"":                                 "a JSON file",
		"{\n":                                 "a JSON file",
	} {
		if bytes.HasPrefix(content, []byte(magic)) {
			return kind
		}
	}
	return ""
}

// parseHeader reads the JSON header of a file with dataLen bytes of tensors, and checks
// that they fill those bytes exactly. Memory stays within a small multiple of the header.
func parseHeader(head []byte, dataLen int) (*header, error) {
	if len(head) == 0 || head[0] != '{' {
		return nil, fmt.Errorf("header begins with %q, want '{': the file is damaged or no safetensors file", head[:min(1, len(head))])
	}
	if !utf8.Valid(head) {
		return nil, errors.New("header is not UTF-8 text: the file is damaged")
	}
	h := &header{}
	seen := map[string]bool{}
	p := newJSONReader(head)
	err := p.object(func(name string) error {
		if seen[name] {
			return fmt.Errorf("tensor %s is listed twice", quote(name))
		}
		seen[name] = true
		if name == metadataKey {
			metadata, err := p.stringMap()
			if err != nil {
				return fmt.Errorf("%s: %w", metadataKey, err)
			}
			h.metadata = metadata
			return nil
		}
		e, err := p.entry(name)
		if err != nil {
			return fmt.Errorf("tensor %s: %w", quote(name), err)
		}
		h.tensors = append(h.tensors, e)
		return nil
	})
	if err == nil {
		err = p.end()
	}
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	return h, h.place(dataLen)
}

// place sorts the tensors by their place in the file and checks that one follows the other.
func (h *header) place(dataLen int) error {
	slices.SortFunc(h.tensors, func(a, b entry) int {
		if a.begin != b.begin {
			return a.begin - b.begin
		}
		if a.end != b.end {
			return a.end - b.end
		}
		return compare(a.name, b.name)
	})
	var errs []error
	at, before := 0, ""
	for _, e := range h.tensors {
		switch {
		case e.begin < at:
			errs = append(errs, fmt.Errorf("tensor %s begins at byte %d, within tensor %s, which ends at %d", quote(e.name), e.begin, quote(before), at))
		case e.begin > at:
			errs = append(errs, fmt.Errorf("tensor %s begins at byte %d, want %d: there is a hole of %d bytes before it", quote(e.name), e.begin, at, e.begin-at))
		case e.end > dataLen:
			errs = append(errs, fmt.Errorf("tensor %s ends at byte %d, but only %d follow the header: the file is cut off", quote(e.name), e.end, dataLen))
		}
		if e.end >= at {
			at, before = e.end, e.name
		}
	}
	if errs == nil && at < dataLen {
		errs = append(errs, fmt.Errorf("%d bytes follow the header, but its tensors end at byte %d: what is the rest?", dataLen, at))
	}
	return join(errs)
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// encode writes the length and the header as the safetensors library does: metadata
// first, then the tensors in the order of their places, padded so that they begin at a
// multiple of 8 in the file.
func (h *header) encode() ([]byte, error) {
	out := make([]byte, lengthSize, 4096)
	out = append(out, '{')
	if h.metadata != nil {
		out = append(out, `"`+metadataKey+`":{`...)
		for i, key := range slices.Sorted(maps.Keys(h.metadata)) {
			if i > 0 {
				out = append(out, ',')
			}
			out = appendString(out, key)
			out = append(out, ':')
			out = appendString(out, h.metadata[key])
		}
		out = append(out, '}')
	}
	for i, e := range h.tensors {
		if i > 0 || h.metadata != nil {
			out = append(out, ',')
		}
		out = appendEntry(out, e)
	}
	out = append(out, '}')
	for len(out)%8 != 0 {
		out = append(out, ' ')
	}
	n := len(out) - lengthSize
	if n > maxHeaderLen {
		return nil, fmt.Errorf("header would be %d bytes, want at most %d: too many tensors or too much metadata for one file", n, maxHeaderLen)
	}
	binary.LittleEndian.PutUint64(out, uint64(n))
	return out, nil
}

// appendEntry writes one tensor's description.
func appendEntry(out []byte, e entry) []byte {
	out = appendString(out, e.name)
	out = append(out, `:{"dtype":"`+e.dtype.String()+`","shape":[`...)
	for i, dim := range e.shape {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendInt(out, int64(dim), 10)
	}
	return fmt.Appendf(out, `],"data_offsets":[%d,%d]}`, e.begin, e.end)
}

// entry reads one tensor's description and checks it against itself.
func (p jsonReader) entry(name string) (entry, error) {
	e := entry{name: name}
	var offsets []int
	seen := map[string]bool{}
	err := p.object(func(key string) (err error) {
		if seen[key] {
			return fmt.Errorf("%s is given twice", quote(key))
		}
		seen[key] = true
		switch key {
		case "dtype":
			var dtype string
			if dtype, err = p.string(); err == nil {
				var ok bool
				if e.dtype, ok = ParseDType(dtype); !ok {
					err = fmt.Errorf("found %s, want a safetensors type such as F32", quote(dtype))
				}
			}
		case "shape":
			e.shape, err = p.counts(maxRank)
		case "data_offsets":
			if offsets, err = p.counts(2); err == nil && len(offsets) != 2 {
				err = fmt.Errorf("found %d numbers, want 2", len(offsets))
			}
		default:
			return fmt.Errorf("unknown key %s, want dtype, shape and data_offsets", quote(key))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return nil
	})
	if err != nil {
		return entry{}, err
	}
	for _, key := range []string{"dtype", "shape", "data_offsets"} {
		if !seen[key] {
			return entry{}, fmt.Errorf("%s is missing", key)
		}
	}
	want, ok := e.dtype.byteLen(e.shape)
	if !ok {
		return entry{}, fmt.Errorf("there is no %s tensor of shape %v", e.dtype, e.shape)
	}
	e.begin, e.end = offsets[0], offsets[1]
	if e.end < e.begin {
		return entry{}, fmt.Errorf("data_offsets: ends at byte %d, before it begins at %d", e.end, e.begin)
	}
	if e.end-e.begin != want {
		return entry{}, fmt.Errorf("data_offsets: from %d to %d are %d bytes, want %d for %s %v", e.begin, e.end, e.end-e.begin, want, e.dtype, e.shape)
	}
	return e, nil
}
