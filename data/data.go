// Package data reads and writes the regions of pictures that LXMERT is trained and judged on: the detector's TSV, and
// region stores, which are safetensors files that are mapped into memory. Questions are package questions' subject.
package data

import (
	"iter"
	"os"

	"github.com/go-lxmert/lxmert/vision"
)

// A Source has the regions of many images: a TSV, a Store.
type Source interface {
	Path() string
	Len() int                              // images
	IDs() []string                         // in the order of the file
	Get(id string) (vision.Regions, error) // one image's
	All() iter.Seq2[Record, error]         // in the order of the file; a bad one comes with its error, and the next follows
	Close() error
}

var _, _ Source = (*TSV)(nil), (*Store)(nil)

// Open opens what has regions at path: a directory is a Store, a file a TSV. With keepIndex a TSV's index is kept
// beside it (OpenTSVCached).
func Open(path string, keepIndex bool) (Source, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return open(OpenStore(path))
	case keepIndex:
		return open(OpenTSVCached(path))
	}
	return open(OpenTSV(path))
}

// open keeps a nil pointer from becoming a Source that is not nil.
func open[S Source](s S, err error) (Source, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// OpenForeign is Open, and what import takes besides.
func OpenForeign(path string) (Source, error) { return Open(path, false) }
