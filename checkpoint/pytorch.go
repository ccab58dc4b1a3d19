package checkpoint

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/torch"
)

// PyTorch's own names of a checkpoint's files in a directory.
const (
	PyTorchName      = "pytorch_model.bin"
	PyTorchIndexName = "pytorch_model.bin.index.json"
)

// isTorch is for the formats that package torch reads.
func isTorch(want torch.Format) func([]byte) bool {
	return func(content []byte) bool { return torch.Sniff(content[:min(len(content), torch.SniffLen)]) == want }
}

// listTorch lists the tensors of PyTorch's files and of pickles. The metadata say where in the file they were found, and what else there is.
func listTorch(s *shard) error {
	file, err := torch.Parse(s.content.data)
	if err != nil {
		return err
	}
	s.metadata = map[string]string{}
	if path := file.Path(); len(path) > 0 {
		s.metadata["found under"] = strings.Join(path, ".")
	}
	if n := file.Others(); n > 0 {
		s.metadata["other tensors"] = strconv.Itoa(n)
	}
	seen := map[string]bool{}
	for _, t := range file.Tensors() {
		dtype, ok := ParseDType(t.DType)
		if !ok {
			return fmt.Errorf("tensor %s: type %s is not read", quote(t.Name), quote(t.DType))
		}
		if seen[t.Name] {
			return fmt.Errorf("tensor %s is listed twice", quote(t.Name))
		}
		seen[t.Name] = true
		stored := Tensor{Name: t.Name, DType: dtype, Shape: t.Shape}
		if view, ok := t.View(); ok {
			stored.Data = view[:len(view):len(view)]
		} else {
			stored.Fetch = func() ([]byte, error) { return t.Bytes(), nil }
		}
		s.tensors = append(s.tensors, stored)
	}
	return nil
}

// WritePyTorch writes the tensors to a file as torch.save does since PyTorch 1.6, in their order, one in memory at a time. Those that are the same as
// another (SameAs) share its storage. The file appears when it is complete.
func WritePyTorch(path string, tensors []Tensor) error {
	here := map[string]bool{}
	sources := make([]torch.Source, len(tensors))
	for i, t := range tensors {
		here[t.Name] = true
		sources[i] = torch.Source{Name: t.Name, DType: t.DType.String(), Shape: t.Shape, Fetch: func() (data []byte, err error) {
			err = t.read(func(bytes []byte) error {
				data = bytes
				if t.source != nil { // which may be closed while it is written
					data = slices.Clone(bytes)
				}
				return nil
			})
			return data, err
		}}
		if here[t.SameAs] { // in this shard
			sources[i].SameAs = t.SameAs
		}
	}
	return atomicfile.Write(path, 0o644, func(w io.Writer) error {
		if err := torch.Write(w, sources); err != nil {
			return inFile(path, err)
		}
		return nil
	})
}

// WritePyTorchSharded is [WriteSharded] for PyTorch's files: pytorch_model.bin, or pytorch_model-00001-of-0000N.bin and their index.
func WritePyTorchSharded(dir string, tensors []Tensor, maxShardBytes int64) error {
	return newFamily("pytorch_model", ".bin", WritePyTorch).writeTo(dir, tensors, maxShardBytes)
}
