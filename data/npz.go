package data

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/go-lxmert/lxmert/internal/numpy"
	"github.com/go-lxmert/lxmert/internal/plainfile"
	"github.com/go-lxmert/lxmert/vision"
)

// A NPZ is a directory of NumPy archives, one for each image, as several extractors write them; an archive alone is one
// of a single image. These names are known, the first that is there is taken:
//
//	features   x, features, feat, image_features: [regions, width]; x may also be [width, regions]
//	boxes      bbox, boxes, image_bb, norm_bb, normalized_boxes: [regions, 4 or more], x1, y1, x2, y2 first, in
//	           pixels (of the size) or in 0..1
//	size       image_h and image_w, img_h and img_w, image_height and image_width, or size: [height, width]
//	labels     objects_id with objects_conf, attrs_id with attrs_conf: [regions]
//
// Labels that are pickled (info of bottom-up-attention.pytorch) are not read. An image's id is the name of its
// file without .npz, and without .jpg or .png before that.
type NPZ struct {
	path  string
	files []string // full names
	ids   []string
	byID  map[string]int

	pickled atomic.Int64 // images read so far that have arrays of Python objects
}

// OpenNPZ lists a directory, or opens an archive. The error says that there is none, or which two have the same id.
func OpenNPZ(path string) (*NPZ, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	n := &NPZ{path: path, files: []string{path}, byID: map[string]int{}}
	if info.IsDir() {
		if n.files, err = npzFiles(path); err != nil {
			return nil, err
		}
	}
	for i, file := range n.files {
		id := pictureName(filepath.Base(file))
		if other, ok := n.byID[id]; ok {
			return nil, fmt.Errorf("%s: %s and %s are both image %s, want each once", path, filepath.Base(n.files[other]), filepath.Base(file), plain(id))
		}
		n.byID[id] = i
		n.ids = append(n.ids, id)
	}
	return n, nil
}

func npzFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if strings.EqualFold(filepath.Ext(e.Name()), ".npz") {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	if files == nil {
		return nil, fmt.Errorf("%s: found no %s and no files NAME.npz", dir, ManifestName)
	}
	return files, nil
}

// pictureName is a file's name without .npz and a picture's type.
func pictureName(name string) string {
	name = name[:len(name)-len(filepath.Ext(name))]
	switch strings.ToLower(filepath.Ext(name)) {
	case ".jpg", ".jpeg", ".png":
		name = name[:len(name)-len(filepath.Ext(name))]
	}
	return name
}

// Path is the directory or file, as it was opened.
func (n *NPZ) Path() string { return n.path }

// Len is the number of images.
func (n *NPZ) Len() int { return len(n.ids) }

// IDs are the image ids, sorted by file name.
func (n *NPZ) IDs() []string { return slices.Clone(n.ids) }

// Get reads an image's file. The error names it and the array.
func (n *NPZ) Get(id string) (vision.Regions, error) {
	i, ok := n.byID[id]
	if !ok {
		return vision.Regions{}, &NotFoundError{Path: n.path, ID: id, among: n}
	}
	r, pickled, err := readNPZ(n.files[i])
	if pickled {
		n.pickled.Add(1)
	}
	if err != nil {
		return vision.Regions{}, each(err, func(err error) error { return fmt.Errorf("%s: %w", n.files[i], err) })
	}
	return r, nil
}

// All goes through the images by file name.
func (n *NPZ) All() iter.Seq2[Record, error] { return allOf(n) }

// allOf goes through a source by its ids.
func allOf(s Source) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for _, id := range s.IDs() {
			r, err := s.Get(id)
			if !yield(Record{ID: id, Regions: r}, err) {
				return
			}
		}
	}
}

// Close does nothing: files are open while they are read.
func (n *NPZ) Close() error { return nil }

// Pickled is how many of the images read so far have arrays of Python objects, in which there may be labels that
// were not read.
func (n *NPZ) Pickled() int { return int(n.pickled.Load()) }

func readNPZ(path string) (r vision.Regions, pickled bool, err error) {
	file, err := plainfile.Open(path)
	if err != nil {
		return r, false, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return r, false, err
	}
	arrays, err := numpy.ReadNPZ(file, info.Size())
	if err != nil {
		return r, false, err
	}
	for _, a := range arrays {
		pickled = pickled || a == nil
	}
	r, err = regionsOf(func(name string) bool { return arrays[name] != nil }, func(name string) (array, error) { return arrays[name], nil })
	return r, pickled, err
}

// An array is numbers with a shape, from NumPy or HDF5.
type array interface {
	Dims() []int
	Float32s() ([]float32, error)
	Int64s() ([]int64, error)
}

// The names by which extractors call things.
var (
	featureNames = []string{"x", "features", "feat", "image_features"}
	boxNames     = []string{"bbox", "boxes", "image_bb", "norm_bb", "normalized_boxes"}
	sizeNames    = [][2]string{{"image_h", "image_w"}, {"img_h", "img_w"}, {"image_height", "image_width"}, {"height", "width"}}
	objectNames  = [][2]string{{"objects_id", "objects_conf"}, {"obj_id", "obj_conf"}, {"object_ids", "object_scores"}}
	attrNames    = [][2]string{{"attrs_id", "attrs_conf"}, {"attr_id", "attr_conf"}, {"attribute_ids", "attribute_scores"}}
)

// regionsOf puts an image together from arrays by name; get is asked for those that has knows.
func regionsOf(has func(name string) bool, get func(name string) (array, error)) (vision.Regions, error) {
	p := arrayParser{has: has, get: get}
	var r vision.Regions
	boxes, columns, n := p.boxes()
	r.Features, r.FeatureWidth = p.features(n)
	r.Size = p.size()
	r.Objects = p.labels(objectNames, n)
	r.Attributes = p.labels(attrNames, n)
	if p.errs != nil {
		return vision.Regions{}, errors.Join(p.errs...)
	}
	r.PosWidth = 4
	r.Boxes = make([]float32, 0, 4*n)
	highest := float32(0)
	for i := range n {
		for _, v := range boxes[i*columns : i*columns+4] {
			highest = max(highest, v)
			r.Boxes = append(r.Boxes, v)
		}
	}
	if highest > 1+vision.Tolerance { // in pixels
		if r.Size == (vision.Size{}) {
			return vision.Regions{}, fmt.Errorf("boxes are in pixels (up to %v), but the picture's size is not known: want image_h and image_w", highest)
		}
		var err error
		if r.Boxes, err = vision.NormalizeBoxes(r.Boxes, r.Size); err != nil {
			return vision.Regions{}, err
		}
	}
	return r, r.Check(r.FeatureWidth, 4)
}

// An arrayParser takes arrays by the names they may have, and remembers what was wrong with them.
type arrayParser struct {
	has  func(name string) bool
	get  func(name string) (array, error)
	errs []error
}

func (p *arrayParser) fail(name, format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("%s: %w", name, fmt.Errorf(format, args...)))
}

// first is the first of the names that is there.
func (p *arrayParser) first(names []string) (string, bool) {
	i := slices.IndexFunc(names, p.has)
	if i < 0 {
		p.errs = append(p.errs, fmt.Errorf("found none of %s", strings.Join(names, ", ")))
		return "", false
	}
	return names[i], true
}

func (p *arrayParser) floats(name string) []float32 {
	a, err := p.get(name)
	if err == nil {
		var values []float32
		if values, err = a.Float32s(); err == nil {
			return values
		}
	}
	p.fail(name, "%w", err)
	return nil
}

// dims are an array's dimensions; false if it cannot be read, which has been said then.
func (p *arrayParser) dims(name string) ([]int, bool) {
	a, err := p.get(name)
	if err != nil {
		p.fail(name, "%w", err)
		return nil, false
	}
	return a.Dims(), true
}

// boxes are rows of four numbers or more.
func (p *arrayParser) boxes() (values []float32, columns, n int) {
	name, ok := p.first(boxNames)
	if !ok {
		return nil, 0, 0
	}
	shape, ok := p.dims(name)
	if !ok {
		return nil, 0, 0
	}
	if len(shape) != 2 || shape[1] < 4 || shape[1] > 16 || shape[0] < 1 || shape[0] > vision.MaxRegions {
		p.fail(name, "found shape %v, want [regions, 4], of 1 to %d regions", shape, vision.MaxRegions)
		return nil, 0, 0
	}
	return p.floats(name), shape[1], shape[0]
}

// features are [n, width], or [width, n] in the archives of older scripts.
func (p *arrayParser) features(n int) ([]float32, int) {
	name, ok := p.first(featureNames)
	if !ok || n == 0 {
		return nil, 0
	}
	shape, ok := p.dims(name)
	switch {
	case !ok:
		return nil, 0
	case len(shape) == 2 && shape[0] == n && shape[1] > 0:
		return p.floats(name), shape[1]
	case len(shape) == 2 && shape[1] == n && shape[0] > 0:
		values := p.floats(name)
		out := make([]float32, len(values))
		for i, v := range values {
			out[i%n*shape[0]+i/n] = v
		}
		return out, shape[0]
	}
	p.fail(name, "found shape %v, want [%d, width] for as many boxes", shape, n)
	return nil, 0
}

// size is zero if it is not known.
func (p *arrayParser) size() (size vision.Size) {
	for _, names := range sizeNames {
		if p.has(names[0]) && p.has(names[1]) {
			return vision.Size{Height: p.pixels(names[0], 0, 1), Width: p.pixels(names[1], 0, 1)}
		}
	}
	if p.has("size") {
		return vision.Size{Height: p.pixels("size", 0, 2), Width: p.pixels("size", 1, 2)}
	}
	return size
}

// pixels is number i of an array of so many.
func (p *arrayParser) pixels(name string, i, of int) int {
	a, err := p.get(name)
	var values []int64
	if err == nil {
		values, err = a.Int64s()
	}
	switch {
	case err != nil:
		p.fail(name, "%w", err)
	case len(values) != of || values[i] < 1 || values[i] > maxSide:
		p.fail(name, "found %.60s, want %d numbers from 1 to %d", fmt.Sprint(values), of, maxSide)
	default:
		return int(values[i])
	}
	return 0
}

// labels are ids and confidences; nil if they are not there.
func (p *arrayParser) labels(names [][2]string, n int) []vision.Label {
	for _, name := range names {
		if !p.has(name[0]) || !p.has(name[1]) || n == 0 {
			continue
		}
		ids, err := p.get(name[0])
		var values []int64
		if err == nil {
			values, err = ids.Int64s()
		}
		if err != nil {
			p.fail(name[0], "%w", err)
			return nil
		}
		scores := p.floats(name[1])
		if len(values) != n || len(scores) != n {
			p.fail(name[0], "found %d ids and %d confidences, want %d of each for as many boxes", len(values), len(scores), n)
			return nil
		}
		out := make([]vision.Label, n)
		for i, id := range values {
			if id < 0 || id > math.MaxInt32 {
				id = -1 // no vocabulary is so long; Check says it
			}
			out[i] = vision.Label{ID: int(id), Confidence: scores[i]}
		}
		return out
	}
	return nil
}
