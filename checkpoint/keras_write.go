package checkpoint

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/hdf5"
)

// kerasVersion is what the file says to be of: the last Keras whose files look so.
const kerasVersion = "2.15.0"

// kerasLimit is how many bytes of names Keras puts into one attribute.
const kerasLimit = 64512

// WriteKeras writes the tensors, which have the names of Hugging Face's PyTorch classes, to a file of weights of its TensorFlow class:
// TFLxmertModel's if there are no heads, else TFLxmertForPreTraining's, of whose heads some may be missing. Types other
// than F32 are widened or rounded to it. cls.predictions.decoder.weight may be there, if it equals the word embedding, which stands for it.
//
// The tensors are streamed, one in memory at a time; the file appears when it is complete. The error names tensors for which
// TensorFlow's classes have no place.
func WriteKeras(path string, tensors []Tensor) error {
	layers, class, err := kerasPlan(tensors)
	if err != nil {
		return inFile(path, err)
	}
	root := &hdf5.Node{}
	var names []string
	for _, layer := range kerasLayers {
		weights := layers[layer]
		if weights == nil {
			continue
		}
		names = append(names, layer)
		slices.SortFunc(weights, func(a, b kerasSource) int { return compareKeras(a.order, b.order) })
		group := root.Add(layer)
		var paths []string
		for _, w := range weights {
			paths = append(paths, w.path)
			group.Add(w.path).Data = w.data()
		}
		group.Attributes = kerasList("weight_names", paths)
	}
	none, err := hdf5.NewArray(hdf5.Float64, []int{0}, nil)
	if err != nil {
		return inFile(path, err)
	}
	root.Add(kerasTopLevel).Attributes = []hdf5.Attribute{{Name: "weight_names", Array: none}}
	root.Attributes = append(kerasList("layer_names", names), hdf5.Text("backend", "tensorflow"), hdf5.Text("keras_version", kerasVersion))
	return atomicfile.Write(path, 0o644, func(w io.Writer) error {
		if err := hdf5.Write(w, root); err != nil {
			return fmt.Errorf("%s: class %s: %w", path, class, err)
		}
		return nil
	})
}

// A kerasSource is a tensor that becomes a weight of Keras'.
type kerasSource struct {
	Tensor           // F32
	path      string // in the layer's group
	order     string // the path by which it is sorted
	transpose bool
}

// kerasPlan says which weights each layer has.
func kerasPlan(tensors []Tensor) (layers map[string][]kerasSource, class string, err error) {
	class = kerasModel
	if slices.ContainsFunc(tensors, func(t Tensor) bool { return !strings.HasPrefix(kerasFull(t.Name), lxmertBase) }) {
		class = kerasPreTraining
	}
	layers = map[string][]kerasSource{}
	seen := map[string]Tensor{}
	var errs []error
	for _, t := range tensors {
		given := t.Name
		t.Name = kerasFull(t.Name)
		if _, ok := seen[t.Name]; ok {
			errs = append(errs, fmt.Errorf("tensor %s is there twice", quote(given)))
			continue
		}
		seen[t.Name] = t
		if t.Name == kerasTied {
			continue
		}
		w := kerasSource{}
		layer, path, transpose, ok := toKeras(t.Name, class)
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("tensor %s: TensorFlow's classes have no such weight", quote(given)))
			continue
		case transpose && len(t.Shape) != 2:
			errs = append(errs, fmt.Errorf("tensor %s is %v, want two dimensions", quote(given), t.Shape))
			continue
		}
		if w.Tensor, err = t.As(F32); err != nil {
			errs = append(errs, err)
			continue
		}
		w.path, w.order, w.transpose = path, path, transpose
		layers[layer] = append(layers[layer], w)
	}
	if layers["lxmert"] == nil {
		errs = append(errs, fmt.Errorf("found no tensor %s…, want a model's", lxmertBase))
	}
	if tied, ok := seen[kerasTied]; ok {
		if err := sameElements(tied, seen[LXMERT().Tied[kerasTied]]); err != nil {
			errs = append(errs, err)
		}
	}
	if layers["cls"] != nil {
		for _, w := range layers["lxmert"] {
			if strings.HasPrefix(w.Name, kerasEmbeddings) {
				w.order = class + "/cls/predictions" + strings.TrimPrefix(w.path, class+"/lxmert") // whose embeddings they are there
				layers["cls"] = append(layers["cls"], w)
			}
		}
	}
	return layers, class, join(errs)
}

// kerasFull is a name with the base model's prefix, which a model without heads may lack.
func kerasFull(name string) string {
	switch first, _, _ := strings.Cut(name, "."); first {
	case "embeddings", "encoder", "pooler":
		return lxmertBase + name
	}
	return name
}

// sameElements is an error unless a tensor equals the one that stands for it.
func sameElements(tied, original Tensor) error {
	equal := false
	err := tied.read(func(a []byte) error {
		return original.read(func(b []byte) error {
			equal = tied.DType == original.DType && slices.Equal(tied.Shape, original.Shape) && bytes.Equal(a, b)
			return nil
		})
	})
	if err == nil && !equal {
		err = fmt.Errorf("tensor %s differs from %s, which TensorFlow's classes have in its place", quote(tied.Name), quote(original.Name))
	}
	return err
}

// data are the weight's numbers, in Keras' order.
func (w kerasSource) data() *hdf5.Data {
	d := &hdf5.Data{DType: hdf5.Float32, Shape: slices.Clone(w.Shape)}
	if w.transpose {
		slices.Reverse(d.Shape)
	}
	d.Write = func(to io.Writer) error {
		return w.read(func(data []byte) error {
			if w.transpose {
				data = transpose(data, w.Shape[0], w.Shape[1], 4)
			}
			_, err := to.Write(data)
			return err
		})
	}
	return d
}

// kerasList is a list of names as an attribute, or as several with numbers behind their names where it is too long for one.
func kerasList(name string, texts []string) []hdf5.Attribute {
	longest := 1
	for _, text := range texts {
		longest = max(longest, len(text))
	}
	n := 1
	for (len(texts)+n-1)/n*longest > kerasLimit && n < len(texts) {
		n++
	}
	if n == 1 {
		return []hdf5.Attribute{hdf5.Texts(name, texts)}
	}
	var out []hdf5.Attribute
	for i := range n { // the first ones have one more where they cannot all have as many
		size := (len(texts) + n - 1 - i) / (n - i)
		out = append(out, hdf5.Texts(fmt.Sprintf("%s%d", name, i), texts[:size]))
		texts = texts[size:]
	}
	return out
}
