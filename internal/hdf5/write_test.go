package hdf5

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// counting is a dataset whose element i is i/4 or i, as testdata's are.
func counting(t DType, shape ...int) *Data {
	n, _ := byteLen(shape, 1)
	return &Data{DType: t, Shape: shape, Write: func(w io.Writer) error {
		for i := range n {
			value := any(int32(i))
			if t == Float32 {
				value = float32(i) / 4
			}
			if err := binary.Write(w, binary.LittleEndian, value); err != nil {
				return err
			}
		}
		return nil
	}}
}

// example is a file of everything that is written: names for a tree of two levels, attributes of every kind.
func example() *Node {
	root := &Node{Attributes: []Attribute{Texts("layer_names", []string{"b", "a", "größer"}), Text("backend", "tensorflow"), Texts("none", nil)}}
	numbers, err := NewArray(Int64, []int{2}, []byte{1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0})
	if err != nil {
		panic(err)
	}
	root.Add("b/kernel:0").Data = counting(Float32, 7, 5)
	root.Add("b/bias:0").Data = counting(Float32, 5)
	root.Add("a/deeper/x").Data = counting(Int32, 3)
	root.Add("a/deeper/x").Attributes = []Attribute{{Name: "numbers", Array: numbers}}
	root.Add("scalar").Data = counting(Float32)
	root.Add("nothing").Data = counting(Float32, 0, 3)
	root.Add("empty group")
	for i := range 300 {
		root.Add(fmt.Sprintf("many/%d", 999-i)).Data = counting(Int32, 1)
	}
	return root
}

// What is written is read, bit for bit, in the same order.
func TestWrite(t *testing.T) {
	content := written(t, example())
	f, err := Parse(content)
	if err != nil {
		t.Fatal(err)
	}
	root := f.Root()
	for _, path := range []string{"b/kernel:0", "b/bias:0", "a/deeper/x"} {
		d := dataset(t, root, path)
		counts(t, d)
		if _, ok := d.View(); !ok {
			t.Errorf("%s: no view", path)
		}
	}
	if d := dataset(t, root, "scalar"); len(d.Shape) != 0 || floats(t, d, 0, 1)[0] != 0 {
		t.Errorf("scalar: %v", d.Shape)
	}
	if d := dataset(t, root, "nothing"); !slices.Equal(d.Shape, []int{0, 3}) || len(floats(t, d, 0, 0)) != 0 {
		t.Errorf("nothing: %v", d.Shape)
	}
	many, err := root.Group("many")
	if err != nil || len(many.Links()) != 300 || many.Links()[0].Name != "700" {
		t.Fatal(many.Links(), err)
	}
	attributes, err := root.Attributes()
	if err != nil || len(attributes) != 3 {
		t.Fatal(attributes, err)
	}
	for i, want := range []string{"layer_names [b a größer]", "backend [tensorflow]", "none []"} {
		if texts, err := attributes[i].Strings(); fmt.Sprint(attributes[i].Name, " ", texts) != want {
			t.Errorf("found %s %v, %v", attributes[i].Name, texts, err)
		}
	}
	numbers, ok, err := dataset(t, root, "a/deeper/x").Attribute("numbers")
	if values, err := numbers.Int64s(); !ok || err != nil || !slices.Equal(values, []int64{1, 2}) {
		t.Errorf("numbers: %v, %v", values, err)
	}
	if err != nil {
		t.Error(err)
	}
	if again := written(t, example()); !bytes.Equal(again, content) {
		t.Error("the same again gives another file")
	}
}

func written(t testing.TB, root *Node) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, root); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// HDF5's own tool agrees, where it is installed.
func TestWriteByTheLibrary(t *testing.T) {
	dump, err := exec.LookPath("h5dump")
	if err != nil {
		t.Skip("h5dump is not installed (Debian: hdf5-tools)")
	}
	path := filepath.Join(t.TempDir(), "x.h5")
	if err := os.WriteFile(path, written(t, example()), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := exec.Command(dump, "--enable-error-stack", "-w", "0", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	found := strings.Join(strings.Fields(string(text)), " ")
	for _, want := range []string{
		`GROUP "empty group" { }`,
		`DATASET "scalar" { DATATYPE H5T_IEEE_F32LE DATASPACE SCALAR DATA { (0): 0 } }`,
		`DATASET "nothing" { DATATYPE H5T_IEEE_F32LE DATASPACE SIMPLE { ( 0, 3 ) / ( 0, 3 ) } DATA { } }`,
		`DATASET "bias:0" { DATATYPE H5T_IEEE_F32LE DATASPACE SIMPLE { ( 5 ) / ( 5 ) } DATA { (0): 0, 0.25, 0.5, 0.75, 1 } }`,
		`DATASPACE SIMPLE { ( 3 ) / ( 3 ) } DATA { (0): 0, 1, 2 } ATTRIBUTE "numbers" { DATATYPE H5T_STD_I64LE DATASPACE SIMPLE { ( 2 ) / ( 2 ) } DATA { (0): 1, 2 } }`,
		`ATTRIBUTE "backend" { DATATYPE H5T_STRING { STRSIZE 10; STRPAD H5T_STR_NULLPAD; CSET H5T_CSET_ASCII; CTYPE H5T_C_S1; } DATASPACE SCALAR DATA { (0): "tensorflow" } }`,
		`DATASET "999" { DATATYPE H5T_STD_I32LE`,
	} {
		if !strings.Contains(found, want) {
			t.Errorf("want %s", want)
		}
	}
	if n := strings.Count(found, "DATASET"); n != 305 {
		t.Errorf("%d datasets, want 305", n)
	}
	if t.Failed() {
		t.Log(string(text[:min(len(text), 5000)]))
	}
}

func TestWriteRefuses(t *testing.T) {
	broken := errors.New("broken")
	for want, change := range map[string]func(*Node){
		`b: the name "x" is there twice`:                               func(n *Node) { n.Add("b").Nodes = []*Node{{Name: "x"}, {Name: "x"}} },
		`the format has no room for the name "a/b"`:                    func(n *Node) { n.Nodes = append(n.Nodes, &Node{Name: "a/b"}) },
		`the format has no room for the name ""`:                       func(n *Node) { n.Nodes = append(n.Nodes, &Node{}) },
		"scalar: a dataset has no room for other objects":              func(n *Node) { n.Add("scalar/x") },
		"scalar: there is no array of shape [-1]":                      func(n *Node) { n.Add("scalar").Data.Shape = []int{-1} },
		"scalar: there is no array of shape [2147483648 2147483648 0]": func(n *Node) { n.Add("scalar").Data.Shape = []int{1 << 31, 1 << 31, 0} },
		"scalar: float32 (big endian) are not written":                 func(n *Node) { n.Add("scalar").Data.DType = DType{Kind: Float, Size: 4, BigEndian: true} },
		"scalar: elements of type float24":                             func(n *Node) { n.Add("scalar").Data.DType = DType{Kind: Float, Size: 3} },
		"scalar: 4 bytes were written, want 8":                         func(n *Node) { n.Add("scalar").Data.Shape = []int{2} },
		"scalar: broken":                                               func(n *Node) { n.Add("scalar").Data.Write = func(io.Writer) error { return broken } },
		`attribute "long": `:                                           func(n *Node) { n.Attributes = []Attribute{Text("long", strings.Repeat("x", 1<<16))} },
		"the root cannot be a dataset":                                 func(n *Node) { n.Data = counting(Float32) },
	} {
		root := example()
		change(root)
		says(t, Write(io.Discard, root), want)
	}
}
