// Package data reads and writes the regions of pictures that LXMERT is trained and judged on: the detector's TSV, and
// region stores, which are safetensors files that are mapped into memory. Questions are package questions' subject.
package data

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

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

// PresetOf is the preset of a source's regions, "" if it is unknown. All regions of a source have the same: the first image that can be read
// says it, or the store's manifest.
func PresetOf(source Source) string {
	if store, ok := source.(*Store); ok {
		return store.manifest.Preset
	}
	for record, err := range source.All() {
		if err == nil {
			return record.Regions.Preset
		}
	}
	return ""
}

// OpenForeign is Open for whatever import takes: also a directory of NPZ archives or one of them, and HDF5, for
// which the options are.
func OpenForeign(path string, options HDF5Options) (Source, error) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".h5", ".hdf5":
		return open(OpenHDF5(path, options))
	case ".npz":
		return open(OpenNPZ(path))
	case ".npy":
		return nil, fmt.Errorf("%s: a single array has no boxes: want .npz with both", path)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if _, err := os.Stat(filepath.Join(path, ManifestName)); errors.Is(err, fs.ErrNotExist) {
			return open(OpenNPZ(path))
		}
	}
	return Open(path, false)
}
