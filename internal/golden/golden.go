// Package golden reads the reference numbers under testdata/lxmert for tests: what Hugging Face's
// PyTorch LXMERT gave for given weights and inputs, and how close one has to come.
package golden

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/model"
)

// Dir is the reference data's directory.
func Dir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "testdata", "lxmert")
}

// A Case is one forward pass of the reference.
type Case struct {
	Name      string         `json:"name"`
	Head      model.Head     `json:"head"`
	Overrides map[string]any `json:"config_overrides"`
	Options   struct {
		HiddenStates bool `json:"output_hidden_states"`
		Attentions   bool `json:"output_attentions"`
	} `json:"options"`
	ResizeNumQALabels int `json:"resize_num_qa_labels"`
	CompareFirstRows  int `json:"compare_first_rows"`

	Dir string `json:"-"` // where inputs.safetensors and outputs.safetensors are
}

// Cases reads every case below a directory of Dir, such as "tiny/cases".
func Cases(t testing.TB, dir string) []Case {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(Dir(), dir, "*", "case.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases in %s: %v", dir, err)
	}
	var cases []Case
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c := Case{Dir: filepath.Dir(path)}
		if err := json.Unmarshal(data, &c); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		cases = append(cases, c)
	}
	return cases
}

// Config reads a model's config.json and applies the case's overrides.
func (c Case) Config(t testing.TB, dir string) *model.Config {
	t.Helper()
	config := Config(t, dir)
	for key, value := range c.Overrides {
		raw, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if err := config.Set(key, string(raw)); err != nil {
			t.Fatal(err)
		}
	}
	return config
}

// Config reads the config.json of a directory of Dir.
func Config(t testing.TB, dir string) *model.Config {
	t.Helper()
	file, err := os.Open(filepath.Join(Dir(), dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	config, err := model.ReadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// Weights gives a model with that head the weights of a checkpoint of LxmertForPreTraining.
func Weights(t testing.TB, path string, head model.Head) model.Source {
	t.Helper()
	file := open(t, path)
	return func(name string, _ []int) ([]float32, error) {
		if head == model.HeadModel {
			name = "lxmert." + name
		}
		tensor, ok := file.Tensor(name)
		if !ok {
			return nil, fmt.Errorf("%s: no tensor %s", path, name)
		}
		return tensor.Float32s()
	}
}

// Inputs reads a safetensors file as a batch.
func Inputs(t testing.TB, path string) *model.Batch {
	t.Helper()
	in := &model.Batch{}
	for name, value := range Tensors(t, path) {
		if !in.Set(name, value) {
			t.Fatalf("%s: no input %q", path, name)
		}
	}
	return in
}

// Tensors reads a safetensors file: integers as int64, all else as float32.
func Tensors(t testing.TB, path string) map[string]*tensors.Tensor {
	t.Helper()
	file := open(t, path)
	all := map[string]*tensors.Tensor{}
	for _, name := range file.Names() {
		tensor, _ := file.Tensor(name)
		if tensor.DType.IsInteger() {
			values, err := tensor.Int64s()
			if err != nil {
				t.Fatal(err)
			}
			all[name] = tensors.FromFlatDataAndDimensions(values, tensor.Shape...)
			continue
		}
		values, err := tensor.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		all[name] = tensors.FromFlatDataAndDimensions(values, tensor.Shape...)
	}
	return all
}

func open(t testing.TB, path string) *checkpoint.File {
	t.Helper()
	if !filepath.IsAbs(path) {
		path = filepath.Join(Dir(), path)
	}
	file, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// Tolerance is how far a value may be from the reference's: absolute plus relative.
type Tolerance struct{ Absolute, Relative float64 }

// ToleranceOf is the measured tolerance of an output, by the reference data's table.
func ToleranceOf(name string) Tolerance {
	switch {
	case name == "loss":
		return Tolerance{0, 1e-5}
	case name == "pooled_output", name == "cross_relationship_score", strings.Contains(name, "attentions"):
		return Tolerance{1e-5, 0}
	default:
		return Tolerance{2e-5, 0}
	}
}

// Near compares a tensor with the reference's and reports its worst element. Only the first
// columns of the last axis count where columns is not 0.
func Near(t testing.TB, name string, got, want *tensors.Tensor, tolerance Tolerance, columns int) {
	t.Helper()
	if got == nil {
		t.Errorf("%s is missing", name)
		return
	}
	if got.DType() != dtypes.Float32 || !slices.Equal(got.Shape().Dimensions, want.Shape().Dimensions) {
		t.Errorf("%s: found %v, want %v", name, got.Shape(), want.Shape())
		return
	}
	g, w := tensors.MustCopyFlatData[float32](got), tensors.MustCopyFlatData[float32](want)
	width := 1
	if rank := want.Rank(); rank > 0 {
		width = want.Shape().Dim(rank - 1)
	}
	worst, excess, count := -1, 0.0, 0
	for i := range w {
		if columns != 0 && i%width >= columns {
			continue
		}
		difference := math.Abs(float64(g[i]) - float64(w[i]))
		bound := tolerance.Absolute + tolerance.Relative*math.Abs(float64(w[i]))
		if difference <= bound || math.IsNaN(float64(g[i])) && math.IsNaN(float64(w[i])) {
			continue
		}
		count++
		if worst < 0 || !(difference-bound <= excess) {
			worst, excess = i, difference-bound
		}
	}
	if worst >= 0 {
		t.Errorf("%s: %d of %d elements differ, the worst at %d: got %v, want %v (tolerance %v + %v of it)",
			name, count, len(w), worst, g[worst], w[worst], tolerance.Absolute, tolerance.Relative)
	}
}
