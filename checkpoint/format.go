package checkpoint

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/go-lxmert/lxmert/internal/torch"
)

// A Format is how a file stores tensors. It is told by the file's content; names do not matter.
type Format uint8

// The formats that are read.
const (
	Safetensors   Format = iota + 1
	PyTorch              // torch.save since 1.6: a zip file
	PyTorchLegacy        // torch.save before: pickles one after the other, then the numbers
	Pickle               // Python's pickle with NumPy's arrays, as Detectron2 saves weights
	Keras                // HDF5 with TensorFlow's names
)

// formats have a format's name, how its files begin, and what lists its tensors. What is none of them is taken for safetensors, whose reader says what it found.
var formats = []struct {
	format Format
	name   string
	is     func(content []byte) bool
	list   func(*shard) error
}{
	{Safetensors, "safetensors", isSafetensors, listSafetensors},
	{PyTorch, "PyTorch", isTorch(torch.Zip), listTorch},
	{PyTorchLegacy, "PyTorch before 1.6", isTorch(torch.Legacy), listTorch},
	{Pickle, "pickle of NumPy arrays", isTorch(torch.Pickle), listTorch},
	{Keras, "Keras", startsWith("\x89HDF\r\n\x1a\n"), listKeras},
}

// formatOf tells the format by the content.
func formatOf(content []byte) Format {
	for _, f := range formats {
		if f.is(content) {
			return f.format
		}
	}
	return Safetensors
}

// isSafetensors is for a format without magic number: a length that could be one, and the JSON object after it. No pickle looks so.
func isSafetensors(content []byte) bool {
	return len(content) > lengthSize && content[lengthSize] == '{' && binary.LittleEndian.Uint64(content) <= maxHeaderLen
}

// String is the format's name, such as "PyTorch".
func (f Format) String() string {
	for _, known := range formats {
		if known.format == f {
			return known.name
		}
	}
	return fmt.Sprintf("format %d", uint8(f))
}

// list fills in a file's tensors and metadata.
func (f Format) list(s *shard) error {
	for _, known := range formats {
		if known.format == f {
			return known.list(s)
		}
	}
	return fmt.Errorf("%s is not read", f)
}

func listSafetensors(s *shard) error {
	head, data, err := splitHeader(s.content.data)
	if err != nil {
		return err
	}
	h, err := parseHeader(head, len(data))
	if err != nil {
		return err
	}
	s.metadata = h.metadata
	s.tensors = make([]Tensor, len(h.tensors))
	for i, e := range h.tensors {
		s.tensors[i] = Tensor{Name: e.name, DType: e.dtype, Shape: e.shape, Data: data[e.begin:e.end:e.end]}
	}
	return nil
}

// startsWith is for formats that have a magic number.
func startsWith(magic string) func([]byte) bool {
	return func(content []byte) bool { return bytes.HasPrefix(content, []byte(magic)) }
}
