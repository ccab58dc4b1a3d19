package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/go-lxmert/lxmert/internal/hdf5"
)

// maxKerasWeights is how many weights a file may have: a model of 24 layers has 800.
const maxKerasWeights = 1 << 16

// listKeras lists the weights of a file of Keras', under the paths that they have there.
func listKeras(s *shard) error {
	file, err := hdf5.Parse(s.content.data)
	if err != nil {
		return fmt.Errorf("an HDF5 file: %w", err)
	}
	s.tensors, err = readKeras(file, s.content)
	s.metadata = map[string]string{}
	for _, name := range []string{"backend", "keras_version"} {
		if text, ok := kerasText(file.Root(), name); ok {
			s.metadata[name] = text
		}
	}
	return err
}

func kerasText(g *hdf5.Group, name string) (string, bool) {
	a, ok, err := g.Attribute(name)
	if !ok || err != nil || len(a.Dims) != 0 {
		return "", false
	}
	texts, err := a.Strings()
	if err != nil || len(texts) != 1 {
		return "", false
	}
	return texts[0], true
}

// readKeras lists the weights of a file that is mapped as source, in the file's order. What more than one layer has
// comes once; the copies must be equal.
func readKeras(file *hdf5.File, source *mapping) ([]Tensor, error) {
	root := file.Root()
	if root.Has("model_weights") { // a whole model, not only its weights
		below, err := root.Group("model_weights")
		if err != nil {
			return nil, err
		}
		root = below
	}
	r := kerasReader{source: source, byName: map[string]kerasWeight{}, left: len(source.data)}
	layers, err := kerasNames(root, "layer_names")
	if err != nil {
		return nil, err
	}
	if root.Has(kerasTopLevel) && !slices.Contains(layers, kerasTopLevel) {
		layers = append(layers, kerasTopLevel)
	}
	for _, layer := range layers {
		group, err := root.Group(layer)
		if err != nil {
			return nil, err
		}
		weights, err := kerasNames(group, "weight_names")
		if err != nil {
			return nil, fmt.Errorf("layer %s: %w", quote(layer), err)
		}
		for _, weight := range weights {
			if err := r.add(group, layer+"/"+weight, weight); err != nil {
				return nil, err
			}
		}
	}
	return r.tensors, nil
}

// kerasNames reads a list of names, which is in several attributes where it would be too long for one: weight_names0,
// weight_names1, ….
func kerasNames(g *hdf5.Group, name string) ([]string, error) {
	a, ok, err := g.Attribute(name)
	if err != nil {
		return nil, err
	}
	if ok {
		return kerasTexts(a)
	}
	var all []string
	for i := 0; ; i++ {
		a, ok, err := g.Attribute(fmt.Sprintf("%s%d", name, i))
		switch {
		case err != nil:
			return nil, err
		case !ok && i == 0:
			return nil, fmt.Errorf("there is no attribute %s: not a file of weights that Keras saved (nor are those of Keras 3, .weights.h5)", name)
		case !ok:
			return all, nil
		}
		part, err := kerasTexts(a)
		if err != nil {
			return nil, err
		}
		all = append(all, part...)
	}
}

func kerasTexts(a hdf5.Attribute) ([]string, error) {
	if a.Len() == 0 { // an empty list is one of numbers
		return nil, nil
	}
	if a.Len() > maxKerasWeights {
		return nil, fmt.Errorf("attribute %s: found %d names, want at most %d", quote(a.Name), a.Len(), maxKerasWeights)
	}
	texts, err := a.Strings()
	if err != nil {
		return nil, fmt.Errorf("attribute %s: %w", quote(a.Name), err)
	}
	return texts, nil
}

// A kerasReader collects weights.
type kerasReader struct {
	source  *mapping
	tensors []Tensor
	byName  map[string]kerasWeight
	left    int // bytes of copies that may still be compared: no file holds more of them than it has bytes
}

// A kerasWeight is a weight that was read, for copies to be compared with.
type kerasWeight struct {
	path      string
	dataset   *hdf5.Dataset
	transpose bool
}

// kerasTypes are the types of both formats.
var kerasTypes = map[hdf5.DType]DType{hdf5.Float16: F16, hdf5.Float32: F32, hdf5.Float64: F64, hdf5.Int32: I32, hdf5.Int64: I64}

// add reads what a file says of the weight at a path, which in the layer's group is called weight.
func (r *kerasReader) add(group *hdf5.Group, path, weight string) error {
	dataset, err := group.Dataset(weight)
	if err != nil {
		return err
	}
	name, transpose, ok := fromKeras(path)
	if !ok {
		return fmt.Errorf("weight %s has no counterpart in PyTorch's classes: want LAYER/CLASS/…/kernel:0, or bias, gamma, beta, weight or embeddings", quote(path))
	}
	order := dataset.DType
	order.BigEndian = false
	dtype, ok := kerasTypes[order]
	if !ok {
		return fmt.Errorf("weight %s: found %s, want floats", quote(path), dataset.DType)
	}
	if transpose && len(dataset.Shape) != 2 {
		return fmt.Errorf("weight %s: found shape %v, want two dimensions", quote(path), dataset.Shape)
	}
	this := kerasWeight{path, dataset, transpose}
	if other, ok := r.byName[name]; ok {
		return r.compare(name, other, this)
	}
	if len(r.tensors) >= maxKerasWeights {
		return fmt.Errorf("found more than %d weights", maxKerasWeights)
	}
	r.byName[name] = this
	t := Tensor{Name: path, DType: dtype, Shape: slices.Clone(dataset.Shape)}
	if transpose {
		slices.Reverse(t.Shape)
	}
	switch view, ok := dataset.View(); {
	case ok && !transpose:
		t.Data = view[:len(view):len(view)]
	case ok:
		t.fill = func(data []byte) error {
			transposeTo(data, view, dataset.Shape[0], dataset.Shape[1], dtype.Size())
			r.source.forget(dataset)
			return nil
		}
		t.Fetch = func() ([]byte, error) {
			data := make([]byte, len(view))
			return data, t.fill(data)
		}
	default:
		t.Fetch = func() ([]byte, error) { return fetchKeras(dataset, transpose, dtype.Size()) }
	}
	r.tensors = append(r.tensors, t)
	return nil
}

// fetchKeras reads a weight that does not lie in the file as it is, and turns it if it must be.
func fetchKeras(d *hdf5.Dataset, turn bool, size int) ([]byte, error) {
	all, err := d.All()
	if err != nil {
		return nil, err
	}
	data := all.LittleEndian()
	if turn {
		data = transpose(data, d.Shape[0], d.Shape[1], size)
	}
	return data, nil
}

// forget lets go of the pages of a weight that has been copied.
func (m *mapping) forget(d *hdf5.Dataset) {
	if view, ok := d.View(); ok && m.drop != nil && len(view) > 0 {
		m.drop(view)
	}
}

// compare is an error unless two weights of a name are the same.
func (r *kerasReader) compare(name string, a, b kerasWeight) error {
	differ := fmt.Errorf("weights %s and %s are both %s, but differ", quote(a.path), quote(b.path), quote(name))
	if a.dataset.DType != b.dataset.DType || !slices.Equal(a.dataset.Shape, b.dataset.Shape) || a.transpose != b.transpose {
		return differ
	}
	x, err := a.dataset.All()
	if err != nil {
		return err
	}
	y, err := b.dataset.All()
	if err != nil {
		return err
	}
	data, copied := x.LittleEndian(), y.LittleEndian()
	if r.left -= len(copied); r.left < 0 {
		return errors.New("the copies of weights are longer than the file")
	}
	if !bytes.Equal(data, copied) {
		return differ
	}
	r.source.forget(a.dataset)
	r.source.forget(b.dataset)
	return nil
}
