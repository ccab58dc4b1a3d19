package data

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/scigolib/hdf5"

	"github.com/go-lxmert/lxmert/internal/pickle"
	"github.com/go-lxmert/lxmert/internal/plainfile"
	"github.com/go-lxmert/lxmert/vision"
)

// A HDF5 is a file of features in one of three layouts:
//
//	a group for each image, ID/features, ID/boxes, … by the names of NPZ (VL-T5's files);
//	rows: image_features [images, regions, width], spatial_features [images, regions, 6] in 0..1 (bottom-up-attention-vqa's train36.hdf5);
//	rows of all images one after the other, with pos_boxes [images, 2] saying from where to where (its adaptive train.hdf5).
//
// Rows have no ids: those come from a file beside it, a pickle ("train36_imgid2idx.pkl") or JSON of {id: row},
// or a list. Sizes and labels are not in rows.
//
// Numbers are float32, float64, int32 and int64; datasets lie in one piece, or in chunks (gzip too) of whole
// images. What the library that reads them (scigolib/hdf5) is known to get wrong is refused: chunks that cut
// rows apart, groups in the "latest" format, other types.
type HDF5 struct {
	path  string
	file  *hdf5.File
	ids   []string
	byID  map[string]int
	rows  map[string]*hdf5.Dataset   // nil where each image has a group
	group []map[string]*hdf5.Dataset // by image
}

// HDF5Options say what a file of rows does not say itself.
type HDF5Options struct {
	IDs    string // file of {id: row}
	Prefix string // before ids that are numbers, which get twelve digits: "COCO_train2014_"
}

// OpenHDF5 opens a file. Groups and datasets are listed, which takes a second for a hundred thousand; numbers
// are read when asked for.
func OpenHDF5(path string, options HDF5Options) (h *HDF5, err error) {
	file, err := plainfile.Open(path) // a pipe would wait
	if err != nil {
		return nil, err
	}
	file.Close()
	h = &HDF5{path: path, byID: map[string]int{}}
	err = guarded(func() error {
		if h.file, err = hdf5.Open(path); err != nil {
			return err
		}
		return h.list(options)
	})
	if err != nil {
		if h.file != nil {
			h.file.Close()
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return h, nil
}

// guarded turns the library's panics about damaged files into errors.
func guarded(do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the file is damaged or of a kind that is not read: %v", r)
		}
	}()
	return do()
}

// list finds out the layout, and the ids.
func (h *HDF5) list(options HDF5Options) error {
	top := map[string]*hdf5.Dataset{}
	groups := 0
	for _, child := range h.file.Root().Children() {
		switch child := child.(type) {
		case *hdf5.Dataset:
			top[strings.Trim(child.Name(), "/")] = child
		case *hdf5.Group:
			groups++
			h.addGroup(strings.Trim(child.Name(), "/"), child)
		}
	}
	switch {
	case len(h.ids) > 0:
		return nil
	case groups > 0:
		return fmt.Errorf("found %d groups, but no datasets in them: groups in HDF5's \"latest\" format are not read; write the file again with libver='earliest'", groups)
	case len(top) == 0:
		return errors.New("found no datasets and no groups: groups in HDF5's \"latest\" format are not read; write the file again with libver='earliest'")
	}
	h.rows = top
	return h.listRows(options)
}

func (h *HDF5) addGroup(id string, g *hdf5.Group) {
	datasets := map[string]*hdf5.Dataset{}
	for _, child := range g.Children() {
		if d, ok := child.(*hdf5.Dataset); ok {
			datasets[strings.Trim(d.Name(), "/")] = d
		}
	}
	if len(datasets) > 0 {
		h.byID[id] = len(h.ids)
		h.ids = append(h.ids, id)
		h.group = append(h.group, datasets)
	}
}

// listRows reads the ids, and compares their number with that of the rows.
func (h *HDF5) listRows(options HDF5Options) error {
	if options.IDs == "" {
		return fmt.Errorf("found datasets %s with rows for images, which have no ids: want the file of {id: row} that goes with it (--ids)", strings.Join(slices.Sorted(maps.Keys(h.rows)), ", "))
	}
	for _, names := range [][]string{featureNames, {"spatial_features", "image_bb"}} {
		if !slices.ContainsFunc(names, func(name string) bool { return h.rows[name] != nil }) {
			return fmt.Errorf("found datasets %s, want one of %s", strings.Join(slices.Sorted(maps.Keys(h.rows)), ", "), strings.Join(names, ", "))
		}
	}
	images, err := h.images()
	if err != nil {
		return err
	}
	ids, err := readIDs(options.IDs)
	if err != nil {
		return fmt.Errorf("%s: %w", options.IDs, err)
	}
	h.ids = make([]string, images)
	for id, row := range ids {
		if row < 0 || row >= int64(images) {
			return fmt.Errorf("%s: id %s has row %d, want 0 to %d", options.IDs, plain(id), row, images-1)
		}
		if n, err := strconv.ParseInt(id, 10, 64); err == nil && options.Prefix != "" {
			id = fmt.Sprintf("%s%012d", options.Prefix, n)
		}
		if h.ids[row] != "" {
			return fmt.Errorf("%s: ids %s and %s both have row %d", options.IDs, plain(min(h.ids[row], id)), plain(max(h.ids[row], id)), row)
		}
		h.ids[row] = id
		h.byID[id] = int(row)
	}
	if len(h.byID) != images {
		return fmt.Errorf("%s: found %d ids, want %d as many as there are rows", options.IDs, len(h.byID), images)
	}
	return nil
}

// images is how many there are in rows.
func (h *HDF5) images() (int, error) {
	name := "pos_boxes"
	if h.rows[name] == nil {
		name = featureNames[slices.IndexFunc(featureNames, func(name string) bool { return h.rows[name] != nil })]
	}
	about, err := describe(h.rows[name])
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	if want := map[bool]int{true: 2, false: 3}[name == "pos_boxes"]; len(about.dims) != want {
		return 0, fmt.Errorf("%s: found shape %v, want %d dimensions (features of all images one after the other need pos_boxes)", name, about.dims, want)
	}
	return about.dims[0], nil
}

// readIDs reads {id: row}, or a list of ids.
func readIDs(path string) (map[string]int64, error) {
	content, err := plainfile.Read(path, maxIndex)
	if err != nil {
		return nil, err
	}
	out := map[string]int64{}
	if strings.EqualFold(filepath.Ext(path), ".json") {
		return out, jsonIDs(content, out)
	}
	pairs, err := pickle.ReadDict(content)
	if err != nil {
		return nil, fmt.Errorf("want a pickle of {id: row}, or JSON (.json): %w", err)
	}
	for _, p := range pairs {
		row, ok := p.Value.(int64)
		if !ok {
			return nil, fmt.Errorf("id %v: found row %v, want a number", p.Key, p.Value)
		}
		out[fmt.Sprint(p.Key)] = row
	}
	return out, nil
}

func jsonIDs(content []byte, out map[string]int64) error {
	if json.Unmarshal(content, &out) == nil {
		return nil
	}
	var list []any
	if err := json.Unmarshal(content, &list); err != nil {
		return errors.New("want an object of {id: row}, or a list of ids")
	}
	for i, id := range list {
		switch id := id.(type) {
		case string:
			out[id] = int64(i)
		case float64:
			out[strconv.FormatFloat(id, 'f', -1, 64)] = int64(i)
		default:
			return fmt.Errorf("entry %d: found %v, want an id", i, id)
		}
	}
	return nil
}

// Path is the file's name, as it was opened.
func (h *HDF5) Path() string { return h.path }

// Len is the number of images.
func (h *HDF5) Len() int { return len(h.ids) }

// IDs are the image ids in the order of the rows or groups.
func (h *HDF5) IDs() []string { return slices.Clone(h.ids) }

// All goes through the images in that order.
func (h *HDF5) All() iter.Seq2[Record, error] { return allOf(h) }

// Close closes the file.
func (h *HDF5) Close() error { return h.file.Close() }

// Get reads an image. The error names file, image and dataset.
func (h *HDF5) Get(id string) (r vision.Regions, err error) {
	i, ok := h.byID[id]
	if !ok {
		return vision.Regions{}, &NotFoundError{Path: h.path, ID: id, among: h}
	}
	err = guarded(func() (err error) {
		if h.rows != nil {
			r, err = h.row(i)
			return err
		}
		datasets := h.group[i]
		r, err = regionsOf(func(name string) bool { return datasets[name] != nil }, func(name string) (array, error) {
			return readDataset(datasets[name], nil, nil)
		})
		return err
	})
	if err != nil {
		return vision.Regions{}, each(err, func(err error) error { return fmt.Errorf("%s: image %s: %w", h.path, plain(id), err) })
	}
	return r, nil
}

// row reads row i of each dataset that is of use, or the rows that pos_boxes says.
func (h *HDF5) row(i int) (vision.Regions, error) {
	from, to := i, i+1
	all := h.rows["pos_boxes"] != nil
	if all {
		place, err := readDataset(h.rows["pos_boxes"], []int{i, 0}, []int{1, 2})
		if err != nil {
			return vision.Regions{}, fmt.Errorf("pos_boxes: %w", err)
		}
		values, err := place.Int64s()
		if err != nil || values[0] < 0 || values[1]-values[0] < 1 || values[1]-values[0] > vision.MaxRegions {
			return vision.Regions{}, fmt.Errorf("pos_boxes: found %v, want from and to, with 1 to %d regions between", values, vision.MaxRegions)
		}
		from, to = int(values[0]), int(values[1])
	}
	boxes := "spatial_features" // in 0..1, while the sizes for image_bb are not in the file
	if h.rows[boxes] == nil {
		boxes = "image_bb"
	}
	names := map[string]string{"boxes": boxes}
	for _, name := range featureNames {
		if h.rows[name] != nil {
			names["features"] = name
			break
		}
	}
	return regionsOf(func(name string) bool { return names[name] != "" }, func(name string) (array, error) {
		d := h.rows[names[name]]
		about, err := describe(d)
		if err != nil {
			return nil, err
		}
		start, count := make([]int, len(about.dims)), slices.Clone(about.dims)
		if want := map[bool]int{true: 2, false: 3}[all]; len(about.dims) != want {
			return nil, fmt.Errorf("found shape %v, want %d dimensions", about.dims, want)
		}
		start[0], count[0] = from, to-from
		a, err := readDataset(d, start, count)
		if err == nil && !all {
			a.dims = a.dims[1:]
		}
		return a, err
	})
}

// A hdf5Array is a part of a dataset.
type hdf5Array struct {
	dims   []int
	values []float64
}

func (a *hdf5Array) Dims() []int { return a.dims }

func (a *hdf5Array) Float32s() ([]float32, error) {
	out := make([]float32, len(a.values))
	for i, v := range a.values {
		out[i] = float32(v)
	}
	return out, nil
}

func (a *hdf5Array) Int64s() ([]int64, error) {
	out := make([]int64, len(a.values))
	for i, v := range a.values {
		out[i] = int64(v)
		if float64(out[i]) != v {
			return nil, fmt.Errorf("element %d is %v, want a whole number", i, v)
		}
	}
	return out, nil
}

// A hdf5About is what a dataset says of itself.
type hdf5About struct{ dims, chunk []int }

var (
	hdf5Shape = regexp.MustCompile(`, (?:scalar|[0-9]+D array \[([0-9x ]*)\]), (contiguous|compact|chunked)`)
	hdf5Chunk = regexp.MustCompile(`chunks=\[([0-9 ]*)\]`)
)

// describe reads the library's description, the one place where it tells the shape.
func describe(d *hdf5.Dataset) (hdf5About, error) {
	text, err := d.Info()
	if err != nil {
		return hdf5About{}, err
	}
	parts := hdf5Shape.FindStringSubmatch(text)
	if parts == nil {
		return hdf5About{}, fmt.Errorf("found %.100q, want an array of numbers", text)
	}
	about := hdf5About{dims: []int{}}
	number := func(field string) int {
		n, err := strconv.Atoi(field)
		if err != nil || n < 0 {
			return -1
		}
		return n
	}
	for _, field := range strings.FieldsFunc(parts[1], func(r rune) bool { return r == ' ' || r == 'x' }) {
		about.dims = append(about.dims, number(field))
	}
	if chunk := hdf5Chunk.FindStringSubmatch(text); chunk != nil {
		for _, field := range strings.Fields(chunk[1]) {
			about.chunk = append(about.chunk, number(field))
		}
	}
	if parts[2] == "chunked" && len(about.chunk) != len(about.dims)+1 { // the last is an element's size
		return hdf5About{}, fmt.Errorf("found %.100q, want chunks of known size", text)
	}
	if slices.Contains(about.dims, -1) {
		return hdf5About{}, fmt.Errorf("found %.100q, want a size that can be", text)
	}
	return about, nil
}

// maxElements is how much of a dataset is read at once.
const maxElements = 1 << 23

// readDataset reads a part, or with count nil all of a dataset.
func readDataset(d *hdf5.Dataset, start, count []int) (*hdf5Array, error) {
	about, err := describe(d)
	if err != nil {
		return nil, err
	}
	if count == nil {
		start, count = make([]int, len(about.dims)), about.dims
	}
	total := 1
	for i, n := range count {
		if n < 0 || start[i] < 0 || start[i] > about.dims[i]-n || n > maxElements || total*n > maxElements {
			return nil, fmt.Errorf("wanted %v from %v on of shape %v, at most %d numbers", count, start, about.dims, maxElements)
		}
		total *= n
		// The library puts the parts of several chunks one after the other, which is right only where they
		// divide nothing but the first dimension.
		if i > 0 && about.chunk != nil && about.chunk[i] < about.dims[i] {
			return nil, fmt.Errorf("found chunks %v of shape %v, which cut rows apart and are not read: write the file again without chunks", about.chunk[:len(about.dims)], about.dims)
		}
	}
	a := &hdf5Array{dims: slices.Clone(count)}
	if len(count) == 0 {
		if a.values, err = d.Read(); err == nil && len(a.values) != 1 {
			err = fmt.Errorf("found %d numbers, want 1", len(a.values))
		}
		return a, err
	}
	values, err := d.ReadSlice(unsigned(start), unsigned(count))
	if err != nil {
		return nil, err
	}
	var ok bool
	if a.values, ok = values.([]float64); !ok || len(a.values) != total {
		return nil, fmt.Errorf("found %T of another size than %v", values, count)
	}
	return a, nil
}

func unsigned(values []int) []uint64 {
	out := make([]uint64, len(values))
	for i, v := range values {
		out[i] = uint64(v)
	}
	return out
}
