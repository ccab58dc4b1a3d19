package data

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-lxmert/lxmert/internal/hdf5"
	"github.com/go-lxmert/lxmert/internal/mapfile"
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
// Numbers may be of any type and width, in one piece or in chunks, however these are cut, found and compressed
// (gzip, lzf, shuffle, checksums). Files of any age and of any writer are read; what is not (other
// filters, data in other files) is refused by name. The file is mapped: an image's numbers are read when it is asked for.
type HDF5 struct {
	path   string
	ids    []string
	byID   map[string]int
	rows   map[string]*hdf5.Dataset // nil where each image has a group
	groups []*hdf5.Group            // by image

	lock    sync.RWMutex // held for reading while the mapped file is in use
	mapping *mapfile.Mapping
	closed  bool
}

// HDF5Options say what a file of rows does not say itself.
type HDF5Options struct {
	IDs    string // file of {id: row}
	Prefix string // before ids that are numbers, which get twelve digits: "COCO_train2014_"
}

// OpenHDF5 opens a file. Groups and datasets are listed, which takes a second for a hundred thousand; numbers
// are read when asked for.
func OpenHDF5(path string, options HDF5Options) (*HDF5, error) {
	mapping, err := mapfile.Open(path)
	if err != nil {
		return nil, err
	}
	h := &HDF5{path: path, byID: map[string]int{}, mapping: mapping}
	if err := h.list(options); err != nil {
		h.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return h, nil
}

// list finds out the layout, and the ids.
func (h *HDF5) list(options HDF5Options) error {
	file, err := hdf5.Parse(h.mapping.Data)
	if err != nil {
		return err
	}
	root := file.Root()
	top := map[string]*hdf5.Dataset{}
	groups := 0
	for _, link := range root.Links() {
		if link.Elsewhere != "" {
			continue
		}
		object, err := root.Open(link.Name)
		if err != nil {
			return err
		}
		switch object := object.(type) {
		case *hdf5.Dataset:
			top[link.Name] = object
		case *hdf5.Group:
			groups++
			h.addGroup(link.Name, object)
		}
	}
	switch {
	case len(h.ids) > 0:
		return nil
	case groups > 0:
		return fmt.Errorf("found %d groups, but no features in them: want %s and the like", groups, strings.Join(featureNames, ", "))
	case len(top) == 0:
		return errors.New("found no datasets and no groups")
	}
	h.rows = top
	return h.listRows(options)
}

// addGroup takes a group with features or boxes in it for an image.
func (h *HDF5) addGroup(id string, g *hdf5.Group) {
	if slices.ContainsFunc(featureNames, g.Has) || slices.ContainsFunc(boxNames, g.Has) {
		h.byID[id] = len(h.ids)
		h.ids = append(h.ids, id)
		h.groups = append(h.groups, g)
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
	shape := h.rows[name].Shape
	if want := map[bool]int{true: 2, false: 3}[name == "pos_boxes"]; len(shape) != want {
		return 0, fmt.Errorf("%s: found shape %v, want %d dimensions (features of all images one after the other need pos_boxes)", name, shape, want)
	}
	return shape[0], nil
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

// Close closes the file, once nobody reads it. A second call does nothing.
func (h *HDF5) Close() error {
	h.lock.Lock()
	defer h.lock.Unlock()
	h.closed = true
	return h.mapping.Close()
}

// Get reads an image. The error names file, image and dataset.
func (h *HDF5) Get(id string) (vision.Regions, error) {
	i, ok := h.byID[id]
	if !ok {
		return vision.Regions{}, &NotFoundError{Path: h.path, ID: id, among: h}
	}
	h.lock.RLock()
	defer h.lock.RUnlock()
	if h.closed {
		return vision.Regions{}, fmt.Errorf("%s: %w", h.path, fs.ErrClosed)
	}
	read := h.row
	if h.rows == nil {
		read = h.ofGroup
	}
	r, err := read(i)
	if err != nil {
		return vision.Regions{}, each(err, func(err error) error { return fmt.Errorf("%s: image %s: %w", h.path, plain(id), err) })
	}
	return r, nil
}

// ofGroup reads the datasets of an image's group.
func (h *HDF5) ofGroup(i int) (vision.Regions, error) {
	group := h.groups[i]
	return regionsOf(group.Has, func(name string) (array, error) {
		d, err := group.Dataset(name)
		if err != nil {
			return nil, err
		}
		return readDataset(d, 0, d.Rows())
	})
}

// row reads row i of each dataset that is of use, or the rows that pos_boxes says.
func (h *HDF5) row(i int) (vision.Regions, error) {
	from, to := i, i+1
	all := h.rows["pos_boxes"] != nil
	if all {
		place, err := readDataset(h.rows["pos_boxes"], i, i+1)
		if err != nil {
			return vision.Regions{}, fmt.Errorf("pos_boxes: %w", err)
		}
		values, err := place.Int64s()
		if err != nil || len(values) != 2 || values[0] < 0 || values[1]-values[0] < 1 || values[1]-values[0] > vision.MaxRegions {
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
		if want := map[bool]int{true: 2, false: 3}[all]; len(d.Shape) != want {
			return nil, fmt.Errorf("found shape %v, want %d dimensions", d.Shape, want)
		}
		a, err := readDataset(d, from, to)
		if err == nil && !all {
			a.dims = a.dims[1:]
		}
		return a, err
	})
}

// A hdf5Array is a part of a dataset, read.
type hdf5Array struct {
	hdf5.Array
	dims []int
}

func (a *hdf5Array) Dims() []int { return a.dims }

// maxElements is how much of a dataset is read at once.
const maxElements = 1 << 23

// readDataset reads rows from to to-1.
func readDataset(d *hdf5.Dataset, from, to int) (*hdf5Array, error) {
	row := 1
	for _, n := range d.Shape[min(1, len(d.Shape)):] {
		if n > maxElements || row*n > maxElements {
			return nil, fmt.Errorf("found shape %v, want at most %d numbers in a row", d.Shape, maxElements)
		}
		row *= n
	}
	if rows := to - from; rows > maxElements || rows*row > maxElements {
		return nil, fmt.Errorf("wanted %d rows of shape %v, at most %d numbers", to-from, d.Shape, maxElements)
	}
	a, err := d.Read(from, to)
	if err != nil {
		return nil, err
	}
	if !a.DType.IsNumber() {
		return nil, fmt.Errorf("found %s, want numbers", a.DType)
	}
	return &hdf5Array{Array: a, dims: a.Dims}, nil
}
