package numpy

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Bounds of an archive; those of features have ten arrays and less than a million bytes.
const (
	maxMembers = 1000
	maxTotal   = 4 * MaxBytes
)

// ReadNPZ reads the arrays of an archive by their names, without .npy. Arrays of Python objects come as nil.
// The error names the array.
func ReadNPZ(from io.ReaderAt, size int64) (map[string]*Array, error) {
	archive, err := zip.NewReader(from, size)
	if err != nil {
		return nil, err
	}
	if len(archive.File) > maxMembers {
		return nil, fmt.Errorf("found %d arrays, want at most %d", len(archive.File), maxMembers)
	}
	out := map[string]*Array{}
	total := 0
	for _, f := range archive.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		if !ok {
			return nil, fmt.Errorf("found %.100q in it, want NAME.npy", f.Name)
		}
		if _, ok := out[name]; ok {
			return nil, fmt.Errorf("array %.100q is there twice", name)
		}
		a, err := readMember(f)
		if err != nil && !errors.Is(err, ErrObjects) {
			return nil, fmt.Errorf("array %.100q: %w", name, err)
		}
		if a != nil {
			total += len(a.data)
		}
		if total > maxTotal {
			return nil, fmt.Errorf("array %.100q: found more than %d bytes so far, which no features need", name, maxTotal)
		}
		out[name] = a
	}
	return out, nil
}

func readMember(f *zip.File) (*Array, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return Read(r)
}
