package checkpoint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-lxmert/lxmert/internal/hdf5"
)

// kerasFiles are the reference's: as Keras 2.15 saves weights, and as that of 2020 did.
var kerasFiles = []string{KerasName, "tf_model.2020.h5"}

// The reference's files hold the tensors of model.safetensors, bit for bit, under the same names.
func TestKerasGolden(t *testing.T) {
	want := open(t, filepath.Join(goldenDir(t), "tiny", SingleName))
	for _, name := range kerasFiles {
		f := open(t, filepath.Join(goldenDir(t), "tiny", name))
		if !slices.Equal(f.Names(), want.Names()) {
			t.Fatalf("%s: found %v, want %v", name, f.Names(), want.Names())
		}
		if f.Formats()[0] != Keras || f.Metadata()["backend"] != "tensorflow" {
			t.Errorf("%s: format %s, metadata %v", name, f.Formats()[0], f.Metadata())
		}
		sameTensors(t, f, want)
	}
	f := open(t, filepath.Join(goldenDir(t), "tiny", KerasName))
	if got := f.StoredName("lxmert.encoder.layer.0.attention.self.query.weight"); got != "lxmert/tf_lxmert_for_pre_training/lxmert/encoder/layer_._0/attention/self/query/kernel:0" {
		t.Errorf("stored as %s", got)
	}
	tensor, _ := f.Tensor("lxmert.pooler.dense.weight")
	if f.Close(); tensor.Data != nil {
		t.Error("data of a closed file")
	}
	if _, err := tensor.Float32s(); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// sameTensors compares all tensors, several at a time.
func sameTensors(t *testing.T, got, want *File) {
	t.Helper()
	var wait sync.WaitGroup
	for _, name := range want.Names() {
		wait.Go(func() {
			a, ok := got.Tensor(name)
			b, _ := want.Tensor(name)
			a, err := a.Clone()
			if !ok || err != nil || a.DType != b.DType || !slices.Equal(a.Shape, b.Shape) || !bytes.Equal(a.Data, b.Data) {
				t.Errorf("%s: %t, %s %v, %v", name, ok, a.DType, a.Shape, err)
			}
		})
	}
	wait.Wait()
}

// What is written is read bit for bit, and has the reference's groups, names and attributes in the same order.
func TestKerasRoundTrip(t *testing.T) {
	tiny := open(t, filepath.Join(goldenDir(t), "tiny"))
	tensors := all(t, tiny)
	tied, _ := tiny.Tensor("lxmert.embeddings.word_embeddings.weight")
	tied.Name = kerasTied
	path := filepath.Join(t.TempDir(), KerasName)
	if err := WriteKeras(path, append(tensors, tied)); err != nil {
		t.Fatal(err)
	}
	sameTensors(t, open(t, path), tiny)
	got, want := kerasOutline(t, path), kerasOutline(t, filepath.Join(goldenDir(t), "tiny", KerasName))
	if !slices.Equal(got, want) {
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				t.Fatalf("line %d:\n%s\nwant\n%s", i, got[i], want[i])
			}
		}
		t.Fatalf("%d lines, want %d", len(got), len(want))
	}
	for _, name := range []string{"odd", "tiny/variants/sharded"} {
		f := open(t, filepath.Join(goldenDir(t), filepath.FromSlash(name)))
		path := filepath.Join(t.TempDir(), KerasName)
		if err := WriteKeras(path, all(t, f)); err != nil {
			t.Fatal(err)
		}
		sameTensors(t, open(t, path), f)
	}
}

// kerasOutline is all that a file holds, line by line: paths, types, shapes, attributes, and what the numbers are.
func kerasOutline(t *testing.T, path string) (lines []string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := hdf5.Parse(content)
	if err != nil {
		t.Fatal(err)
	}
	err = file.Root().Walk(func(object any) error {
		switch object := object.(type) {
		case *hdf5.Group:
			line := object.Path() + "/"
			attributes, err := object.Attributes()
			if err != nil {
				return err
			}
			for _, a := range attributes {
				var value any
				if value, err = a.Strings(); err != nil {
					if value, err = a.Float32s(); err != nil {
						return err
					}
				}
				line += fmt.Sprintf("\n%s %v %q", a.Name, a.Dims, value)
			}
			lines = append(lines, line)
		case *hdf5.Dataset:
			values, err := object.All()
			if err != nil {
				return err
			}
			lines = append(lines, fmt.Sprint(object.Path(), object.DType, object.Shape, sum(values.LittleEndian())))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func sum(data []byte) (n uint64) {
	for _, b := range data {
		n = n*31 + uint64(b)
	}
	return n
}

// HDF5's own tool sees the same in both files, where it is installed: all but how long texts are stored.
func TestKerasByTheLibrary(t *testing.T) {
	dump, err := exec.LookPath("h5dump")
	if err != nil {
		t.Skip("h5dump is not installed (Debian: hdf5-tools)")
	}
	path := filepath.Join(t.TempDir(), KerasName)
	if err := WriteKeras(path, all(t, open(t, filepath.Join(goldenDir(t), "tiny")))); err != nil {
		t.Fatal(err)
	}
	texts := regexp.MustCompile(`(?s)STRSIZE [^;]*;\s*STRPAD [^;]*;|(\\000)+`)
	var dumps []string
	for _, file := range []string{path, filepath.Join(goldenDir(t), "tiny", KerasName)} {
		out, err := exec.Command(dump, "-w", "0", file).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%.2000s", err, out)
		}
		_, text, _ := strings.Cut(string(out), "{") // the first line has the file's name
		dumps = append(dumps, texts.ReplaceAllString(text, ""))
	}
	if dumps[0] != dumps[1] {
		a, b := strings.Split(dumps[0], "\n"), strings.Split(dumps[1], "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("line %d: %s\nwant %s", i, a[i], b[i])
			}
		}
		t.Fatalf("%d lines, want %d", len(a), len(b))
	}
}

// Each name has a path and each path its name; transposed is what Keras calls a kernel.
func TestKerasNames(t *testing.T) {
	const class = kerasPreTraining + "/"
	for name, path := range map[string]string{
		"lxmert.encoder.layer.0.attention.self.query.weight":       "lxmert/" + class + "lxmert/encoder/layer_._0/attention/self/query/kernel:0",
		"lxmert.encoder.x_layers.11.visual_attention.att.key.bias": "lxmert/" + class + "lxmert/encoder/x_layers_._11/visual_attention/att/key/bias:0",
		"lxmert.encoder.layer.1.attention.output.LayerNorm.weight": "lxmert/" + class + "lxmert/encoder/layer_._1/attention/output/LayerNorm/gamma:0",
		"lxmert.encoder.visn_fc.visn_layer_norm.bias":              "lxmert/" + class + "lxmert/encoder/visn_fc/visn_layer_norm/beta:0",
		"lxmert.embeddings.word_embeddings.weight":                 "lxmert/" + class + "lxmert/embeddings/word_embeddings/weight:0",
		"lxmert.embeddings.position_embeddings.weight":             "lxmert/" + class + "lxmert/embeddings/position_embeddings/embeddings:0",
		"cls.predictions.bias":                                     "cls/" + class + "cls/predictions/bias:0",
		"cls.seq_relationship.weight":                              "cls/" + class + "cls/seq_relationship/kernel:0",
		"obj_predict_head.decoder_dict.attr.weight":                "obj_predict_head/" + class + "obj_predict_head/decoder_dict.attr/kernel:0",
		"answer_head.logit_fc.2.weight":                            "answer_head/" + class + "answer_head/logit_fc_._2/gamma:0",
		"answer_head.logit_fc.3.weight":                            "answer_head/" + class + "answer_head/logit_fc_._3/kernel:0",
	} {
		layer, weight, transpose, ok := toKeras(name, kerasPreTraining)
		if got := layer + "/" + weight; got != path || !ok || transpose != strings.HasSuffix(path, "/kernel:0") {
			t.Errorf("%s: to %s, transposed %t, %t", name, got, transpose, ok)
		}
		back, transpose, ok := fromKeras(path)
		if back != name || !ok || transpose != strings.HasSuffix(path, "/kernel:0") {
			t.Errorf("%s: back to %s, transposed %t, %t", path, back, transpose, ok)
		}
	}
	for _, path := range []string{"", ":0", "a/b:0", "a/b/kernel", "a/b/kernel:1", "a/b/moving_mean:0", "a//b/kernel:0"} {
		if name, _, ok := fromKeras(path); ok {
			t.Errorf("%q became %s", path, name)
		}
	}
	for _, name := range []string{"", "lxmert", "logit_fc.0.weight", kerasTied, "lxmert.pooler.dense.scale", "pooler.dense.weight"} {
		if _, path, _, ok := toKeras(name, kerasPreTraining); ok {
			t.Errorf("%q became %s", name, path)
		}
	}
}

// A model without heads is of TFLxmertModel, whether its names begin with lxmert or not.
func TestKerasClasses(t *testing.T) {
	for _, prefix := range []string{"", "lxmert."} {
		kernel, err := FromFloat32s(prefix+"pooler.dense.weight", []int{2, 3}, []float32{1, 2, 3, 4, 5, 6})
		if err != nil {
			t.Fatal(err)
		}
		half, err := kernel.As(F16)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), KerasName)
		if err := WriteKeras(path, []Tensor{half}); err != nil {
			t.Fatal(err)
		}
		f := open(t, path)
		got, ok := f.Tensor("lxmert.pooler.dense.weight")
		if values, err := got.Float32s(); !ok || err != nil || !slices.Equal(values, []float32{1, 2, 3, 4, 5, 6}) || !slices.Equal(got.Shape, []int{2, 3}) {
			t.Errorf("%v %v, %v", got.Shape, values, err)
		}
		if stored := f.StoredName(got.Name); stored != "lxmert/tf_lxmert_model/lxmert/pooler/dense/kernel:0" {
			t.Errorf("stored as %s", stored)
		}
	}
}

func TestWriteKerasRefuses(t *testing.T) {
	one := func(name string, shape ...int) Tensor {
		n, _ := elements(shape)
		tensor, err := FromFloat32s(name, shape, make([]float32, n))
		if err != nil {
			t.Fatal(err)
		}
		return tensor
	}
	numbers, err := FromInt64s("lxmert.pooler.dense.bias", []int{1}, []int64{1})
	if err != nil {
		t.Fatal(err)
	}
	word, tied := one("lxmert.embeddings.word_embeddings.weight", 3, 2), one(kerasTied, 3, 2)
	other := one(kerasTied, 3, 2)
	other.Data = bytes.Repeat([]byte{1}, 24)
	for want, tensors := range map[string][]Tensor{
		"found no tensor lxmert.…":                               {one("cls.predictions.bias", 3)},
		"tensor lxmert.pooler.dense.bias is there twice":         {one("lxmert.pooler.dense.bias", 3), one("lxmert.pooler.dense.bias", 3)},
		"tensor logit_fc.0.weight: TensorFlow's classes have no": {word, one("logit_fc.0.weight", 3, 2)},
		"tensor lxmert.pooler.dense.weight is [6], want two":     {one("lxmert.pooler.dense.weight", 6)},
		"tensor lxmert.pooler.dense.bias: I64 values":            {numbers},
		"tensor " + kerasTied + " differs from":                  {word, other},
		"tensor " + kerasTied + ":":                              {one("lxmert.pooler.dense.bias", 3), tied},
	} {
		path := filepath.Join(t.TempDir(), KerasName)
		err := WriteKeras(path, tensors)
		if want == "tensor "+kerasTied+":" {
			want = "there is no"
		}
		says(t, err, path, want)
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: a file was written", want)
		}
	}
}

// Names too long for one attribute are in several, as Keras writes them, and are read from there.
func TestKerasManyNames(t *testing.T) {
	var tensors []Tensor
	for i := range 1500 {
		tensor, err := FromFloat32s(fmt.Sprintf("lxmert.encoder.layer.%d.attention.self.query.bias", i), []int{1}, []float32{float32(i)})
		if err != nil {
			t.Fatal(err)
		}
		tensors = append(tensors, tensor)
	}
	path := filepath.Join(t.TempDir(), KerasName)
	if err := WriteKeras(path, tensors); err != nil {
		t.Fatal(err)
	}
	f := open(t, path)
	for i := range tensors {
		got, ok := f.Tensor(tensors[i].Name)
		if !ok || !bytes.Equal(got.Data, tensors[i].Data) {
			t.Fatalf("%s: %v", tensors[i].Name, got)
		}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := hdf5.Parse(content)
	if err != nil {
		t.Fatal(err)
	}
	group, err := file.Root().Group("lxmert")
	if err != nil {
		t.Fatal(err)
	}
	attributes, err := group.Attributes()
	if err != nil || len(attributes) != 2 || attributes[0].Name != "weight_names0" || attributes[1].Name != "weight_names1" || attributes[0].Len() != 750 {
		t.Errorf("%v, %v", attributes, err)
	}
	if dump, err := exec.LookPath("h5dump"); err == nil {
		if out, err := exec.Command(dump, "-A", path).CombinedOutput(); err != nil || bytes.Count(out, []byte(`ATTRIBUTE "weight_names`)) != 3 {
			t.Errorf("h5dump: %v\n%.1000s", err, out)
		}
	}
}

// A file that is no model's, or contradicts itself, says what is wrong.
func TestKerasRefuses(t *testing.T) {
	data := func(dtype hdf5.DType, value float32, shape ...int) *hdf5.Data {
		return &hdf5.Data{DType: dtype, Shape: shape, Write: numbersOf(dtype, value, shape)}
	}
	file := func(change func(root, layer *hdf5.Node)) []byte {
		root := &hdf5.Node{Attributes: []hdf5.Attribute{hdf5.Texts("layer_names", []string{"lxmert", "cls"})}}
		for _, layer := range []string{"lxmert", "cls"} {
			root.Add(layer).Attributes = []hdf5.Attribute{hdf5.Texts("weight_names", []string{"m/lxmert/dense/kernel:0"})}
			root.Add(layer + "/m/lxmert/dense/kernel:0").Data = data(hdf5.Float32, 1, 2, 3)
		}
		change(root, root.Add("lxmert"))
		var out bytes.Buffer
		if err := hdf5.Write(&out, root); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	if f, err := Parse("x.h5", file(func(root, layer *hdf5.Node) {})); err != nil || !slices.Equal(f.Names(), []string{"lxmert.dense.weight"}) {
		t.Fatal(err)
	}
	for want, change := range map[string]func(root, layer *hdf5.Node){
		"there is no attribute layer_names": func(root, layer *hdf5.Node) { root.Attributes = nil },
		`there is no "none" in it`: func(root, layer *hdf5.Node) {
			root.Attributes = []hdf5.Attribute{hdf5.Texts("layer_names", []string{"none"})}
		},
		"layer lxmert: there is no attribute weight_names": func(root, layer *hdf5.Node) { layer.Attributes = nil },
		`lxmert: there is no "none:0" in it`: func(root, layer *hdf5.Node) {
			layer.Attributes = []hdf5.Attribute{hdf5.Texts("weight_names", []string{"none:0"})}
		},
		"weight lxmert/x/y:0 has no counterpart": func(root, layer *hdf5.Node) {
			layer.Attributes = []hdf5.Attribute{hdf5.Texts("weight_names", []string{"x/y:0"})}
			layer.Add("x/y:0").Data = data(hdf5.Float32, 1, 2, 3)
		},
		"found shape [2 3 1], want two dimensions": func(root, layer *hdf5.Node) { layer.Add("m/lxmert/dense/kernel:0").Data.Shape = []int{2, 3, 1} },
		"kernel:0 and cls/m/lxmert/dense/kernel:0 are both lxmert.dense.weight, but differ": func(root, layer *hdf5.Node) {
			layer.Add("m/lxmert/dense/kernel:0").Data = data(hdf5.Float32, 2, 2, 3)
		},
		"are both lxmert.dense.weight, but differ": func(root, layer *hdf5.Node) { layer.Add("m/lxmert/dense/kernel:0").Data.Shape = []int{3, 2} },
		"found int8, want floats": func(root, layer *hdf5.Node) {
			layer.Add("m/lxmert/dense/kernel:0").Data = data(hdf5.DType{Kind: hdf5.Int, Size: 1}, 1, 2, 3)
		},
	} {
		_, err := Parse("x.h5", file(change))
		says(t, err, "x.h5", want)
	}
}

// numbersOf writes a dataset of one number.
func numbersOf(dtype hdf5.DType, value float32, shape []int) func(w io.Writer) error {
	n, _ := elements(shape)
	one := make([]byte, dtype.Size)
	if dtype == hdf5.Float32 {
		binary.LittleEndian.PutUint32(one, math.Float32bits(value))
	}
	return func(w io.Writer) error {
		_, err := w.Write(bytes.Repeat(one, n))
		return err
	}
}

// Float32sIn uses the room that it is given, whatever the tensor is made of, and makes more where there is too little.
func TestFloat32sIn(t *testing.T) {
	f := open(t, filepath.Join(goldenDir(t), "tiny", KerasName))
	for _, name := range []string{"lxmert.pooler.dense.weight", "lxmert.pooler.dense.bias"} {
		tensor, _ := f.Tensor(name)
		want, err := tensor.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		for _, room := range []int{0, len(want) - 1, len(want), 2 * len(want)} {
			buffer := make([]float32, room)
			got, err := tensor.Float32sIn(buffer)
			if err != nil || !slices.Equal(got, want) || len(buffer) > 0 && (&got[0] == &buffer[0]) != (room >= len(want)) {
				t.Errorf("%s: in room for %d of %d: %v", name, room, len(want), err)
			}
		}
	}
}

// transpose agrees with its definition for every shape around a tile's edge, and for shapes that are divided.
func TestTranspose(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	shapes := [][2]int{{300, 421}, {768, 1024}, {1, 70_000}, {70_000, 1}}
	for rows := range 35 {
		shapes = append(shapes, [2]int{rows, 33}, [2]int{33, rows}, [2]int{rows, 1 + rows%17})
	}
	for _, shape := range shapes {
		for _, size := range []int{2, 4, 8} {
			rows, columns := shape[0], shape[1]
			data := make([]byte, rows*columns*size)
			for i := range data {
				data[i] = byte(r.Uint32())
			}
			got := transpose(data, rows, columns, size)
			for row := range rows {
				for column := range columns {
					a, b := data[(row*columns+column)*size:][:size], got[(column*rows+row)*size:][:size]
					if !bytes.Equal(a, b) {
						t.Fatalf("%v of %d bytes: element %d,%d is %v, want %v", shape, size, row, column, b, a)
					}
				}
			}
		}
	}
}

// FuzzKeras: a damaged file of weights is an error, or tensors that can be read or say why not.
func FuzzKeras(f *testing.F) {
	path := filepath.Join(f.TempDir(), KerasName)
	var tensors []Tensor
	for name, shape := range map[string][]int{"lxmert.embeddings.word_embeddings.weight": {3, 2}, "cls.predictions.bias": {3}, "lxmert.pooler.dense.weight": {2, 2}} {
		n, _ := elements(shape)
		tensor, err := FromFloat32s(name, shape, make([]float32, n))
		if err != nil {
			f.Fatal(err)
		}
		tensors = append(tensors, tensor)
	}
	if err := WriteKeras(path, tensors); err != nil {
		f.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) > 1<<16 {
			return
		}
		file, err := Parse("x.h5", append([]byte("\x89HDF\r\n\x1a\n"), content[min(len(content), 8):]...))
		if err != nil {
			return
		}
		for _, name := range file.Names() {
			tensor, _ := file.Tensor(name)
			if whole, err := tensor.Clone(); err == nil && len(whole.Data) != tensor.ByteLen() {
				t.Errorf("%s: %d bytes, want %d", name, len(whole.Data), tensor.ByteLen())
			}
		}
	})
}
