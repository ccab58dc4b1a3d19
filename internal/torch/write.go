package torch

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"
)

// A Source is a tensor to be written.
type Source struct {
	Name  string
	DType string // "F32", "BF16", "F16", "F64", "I64", "I32", "I16", "I8", "U8", "BOOL" or "C64"
	Shape []int

	// Fetch makes the elements, little endian, in rows, when they are written. Only one tensor is held at a time.
	Fetch func() ([]byte, error)

	// SameAs, if it is not empty, is the name of an earlier tensor of the same type and shape that has its own
	// elements: both share one storage, and Fetch is not called. PyTorch writes tied weights so.
	SameAs string
}

// Write writes a dict of the tensors, in this order, as torch.save does since PyTorch 1.6: an OrderedDict, so that
// torch.load reads it with weights_only too. Each storage begins at a multiple of 64 bytes, for programs that map
// the file. The error says which tensor is wrong, or is w's.
func Write(w io.Writer, tensors []Source) error {
	storages, err := plan(tensors)
	if err != nil {
		return err
	}
	a := newArchive(w)
	a.add("data.pkl", describe(tensors, storages))
	a.add("byteorder", []byte("little"))
	for i, t := range tensors {
		if t.SameAs != "" || a.err != nil {
			continue
		}
		data, err := t.Fetch()
		if err != nil {
			return fmt.Errorf("tensor %s: %w", show(t.Name), err)
		}
		if want, _ := product(t.Shape, torchTypes[t.DType].width); len(data) != want {
			return fmt.Errorf("tensor %s has %d bytes, want %d for %s %v", show(t.Name), len(data), want, t.DType, t.Shape)
		}
		a.add("data/"+strconv.Itoa(storages[i]), data)
	}
	a.add("version", []byte("3\n"))
	return a.close()
}

// torchTypes are the classes of storages by safetensors name.
var torchTypes = map[string]struct {
	class string
	width int
}{
	"F64": {"DoubleStorage", 8}, "F32": {"FloatStorage", 4}, "F16": {"HalfStorage", 2}, "BF16": {"BFloat16Storage", 2},
	"I64": {"LongStorage", 8}, "I32": {"IntStorage", 4}, "I16": {"ShortStorage", 2}, "I8": {"CharStorage", 1},
	"U8": {"ByteStorage", 1}, "BOOL": {"BoolStorage", 1}, "C64": {"ComplexFloatStorage", 8},
}

// plan gives each tensor the number of its storage.
func plan(tensors []Source) ([]int, error) {
	storages := make([]int, len(tensors))
	place := map[string]int{}
	next := 0
	var errs []error
	for i, t := range tensors {
		same, tied := place[t.SameAs]
		_, twice := place[t.Name]
		class, known := torchTypes[t.DType]
		_, fits := product(t.Shape, class.width)
		problem := ""
		switch {
		case twice:
			problem = "is given twice"
		case !utf8.ValidString(t.Name):
			problem = "has a name that is not UTF-8 text"
		case !known:
			problem = fmt.Sprintf("is %s, which torch.save's format of PyTorch 1.6 has no storage for", show(t.DType))
		case !fits || len(t.Shape) > maxRank:
			problem = fmt.Sprintf("has shape %v, which no memory has room for", t.Shape)
		case t.SameAs == "" && t.Fetch == nil:
			problem = "has no elements"
		case t.SameAs != "" && (!tied || tensors[same].SameAs != "" || tensors[same].DType != t.DType || !slices.Equal(tensors[same].Shape, t.Shape)):
			problem = fmt.Sprintf("shall share the storage of %s, want an earlier tensor of the same type and shape that has its own", show(t.SameAs))
		}
		if problem != "" {
			errs = append(errs, fmt.Errorf("tensor %s %s", show(t.Name), problem))
			continue
		}
		place[t.Name] = i
		if t.SameAs != "" {
			storages[i] = storages[same]
			continue
		}
		storages[i] = next
		next++
	}
	return storages, errors.Join(errs...)
}
