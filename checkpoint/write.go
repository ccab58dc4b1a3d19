package checkpoint

import (
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
)

// Write writes the tensors to a safetensors file, byte for byte as Hugging Face's library
// does: sorted by type, wide ones first, then by name. Metadata may be nil; transformers
// wants {"format": "pt"} and refuses a file without it. Leave out what is tied to another
// tensor, as transformers does with cls.predictions.decoder.weight. A quantised tensor's scales are written beside
// it, as a tensor of their own.
//
// The tensors are streamed, the file appears when it is complete and on the disk; until
// then, and after any error, what was at path stays. The tensors may come from the very
// file that is replaced (not on Windows, which wants it closed first).
func Write(path string, tensors []Tensor, metadata map[string]string) error {
	tensors = withScales(tensors)
	h, sorted, err := plan(tensors, metadata)
	if err != nil {
		return inFile(path, err)
	}
	return atomicfile.Write(path, 0o644, func(w io.Writer) error {
		return stream(w, path, h, sorted)
	})
}

// plan gives each tensor its place in the file.
func plan(tensors []Tensor, metadata map[string]string) (*header, []Tensor, error) {
	sorted := slices.Clone(tensors)
	slices.SortFunc(sorted, func(a, b Tensor) int {
		if a.DType != b.DType {
			return int(b.DType) - int(a.DType)
		}
		return compare(a.Name, b.Name)
	})
	h := &header{metadata: metadata}
	var errs []error
	seen := map[string]bool{}
	at := 0
	for _, t := range sorted {
		size, ok := t.DType.byteLen(t.Shape)
		switch {
		case t.Name == metadataKey || !utf8.ValidString(t.Name):
			errs = append(errs, fmt.Errorf("tensor %s: the format has no room for a tensor of this name", quote(t.Name)))
		case seen[t.Name]:
			errs = append(errs, fmt.Errorf("tensor %s is given twice", quote(t.Name)))
		case !ok || len(t.Shape) > maxRank || uint64(at)+uint64(size) > maxInt:
			errs = append(errs, fmt.Errorf("tensor %s: there is no %s tensor of shape %v", quote(t.Name), t.DType, t.Shape))
		case len(t.Data) != size && (t.Data != nil || t.Fetch == nil) && !t.source.isClosed():
			errs = append(errs, fmt.Errorf("tensor %s has %d bytes, want %d for %s %v", quote(t.Name), len(t.Data), size, t.DType, t.Shape))
		case t.source.isClosed():
			errs = append(errs, fmt.Errorf("tensor %s: %w", quote(t.Name), ErrClosed))
		}
		seen[t.Name] = true
		h.tensors = append(h.tensors, entry{name: t.Name, dtype: t.DType, shape: t.Shape, begin: at, end: at + size})
		at += size
	}
	for key, value := range metadata {
		if !utf8.ValidString(key) || !utf8.ValidString(value) {
			errs = append(errs, fmt.Errorf("metadata %q: %q is not UTF-8 text", key, value))
		}
	}
	return h, sorted, join(errs)
}

// stream writes the header and then one tensor after the other. Errors of w name the
// file already.
func stream(w io.Writer, path string, h *header, sorted []Tensor) error {
	head, err := h.encode()
	if err != nil {
		return inFile(path, err)
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	for _, t := range sorted {
		var full error
		err := t.read(func(data []byte) error {
			_, full = w.Write(data)
			return full
		})
		if full != nil {
			return full
		}
		if err != nil {
			return inFile(path, err)
		}
	}
	return nil
}
