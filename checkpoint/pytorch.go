package checkpoint

import (
	"fmt"
	"strconv"
	"strings"

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
