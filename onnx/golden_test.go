package onnx_test

import (
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/internal/onnxruntime"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/onnx"
)

// runtimeVariable names the directory of ONNX Runtime and its worker, bench/onnxruntime, as that directory's README.md says. Without
// it the files are run by this test's own evaluator alone.
const runtimeVariable = "LXMERT_ONNXRUNTIME"

// runner runs ONNX files.
type runner struct {
	run   func(t *testing.T, path string, in *model.Batch) map[string]*tensors.Tensor
	fused bool // it has ONNX Runtime's own operators
}

// eachRunner runs a test with the evaluator, and with ONNX Runtime where there is one.
func eachRunner(t *testing.T, test func(t *testing.T, by runner)) {
	t.Run("evaluator", func(t *testing.T) { test(t, runner{run: evaluate}) })
	t.Run("ONNX Runtime", func(t *testing.T) {
		needRuntime(t)
		test(t, runner{runtimeRun, true})
	})
}

func needRuntime(t *testing.T) {
	t.Helper()
	if os.Getenv(runtimeVariable) == "" {
		t.Skipf("%s is not set: ONNX Runtime does not run these files; see bench/onnxruntime/README.md", runtimeVariable)
	}
}

func evaluate(t *testing.T, path string, in *model.Batch) map[string]*tensors.Tensor {
	return readFile(t, path).evaluate(in)
}

func runtimeRun(t *testing.T, path string, in *model.Batch) map[string]*tensors.Tensor {
	t.Helper()
	worker, err := onnxruntime.Start(os.Getenv(runtimeVariable), path, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer worker.Close()
	dir := t.TempDir()
	if err := onnxruntime.WriteInputs(dir, maps.Collect(in.Given())); err != nil {
		t.Fatal(err)
	}
	outputs, _, err := worker.Run(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	return outputs
}

// write writes a model to a file of its own, without the optional inputs that the batch does not have.
func write(t *testing.T, config *model.Config, head model.Head, source model.Source, in *model.Batch, options onnx.Options) string {
	t.Helper()
	given := maps.Collect(in.Given())
	for _, name := range onnx.OptionalInputs() {
		if given[name] == nil {
			options.Omit = append(options.Omit, name)
		}
	}
	path := filepath.Join(t.TempDir(), "model.onnx")
	if _, err := onnx.WriteFile(path, config, head, source, options); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestGolden: every case of the reference that a graph can have the inputs of.
func TestGolden(t *testing.T) {
	eachRunner(t, func(t *testing.T, by runner) {
		ran := 0
		for _, dir := range []string{"tiny", "odd"} {
			for _, c := range golden.Cases(t, filepath.Join(dir, "cases")) {
				in := golden.Inputs(t, filepath.Join(c.Dir, "inputs.safetensors"))
				if in.InputIDs == nil || isFloat(in.AttentionMask) || isFloat(in.VisualAttentionMask) {
					continue // the graphs have input_ids and masks of int64
				}
				ran++
				t.Run(dir+"/"+c.Name, func(t *testing.T) {
					weights := golden.Weights(t, filepath.Join(dir, "model.safetensors"), c.Head)
					got := by.run(t, write(t, c.Config(t, dir), c.Head, weights, in, onnx.Options{}), in)
					compare(t, got, scores(golden.Tensors(t, filepath.Join(c.Dir, "outputs.safetensors"))))
				})
			}
		}
		if ran < 60 {
			t.Errorf("%d cases were run", ran)
		}
	})
}

func isFloat(x *tensors.Tensor) bool { return x != nil && x.DType() == dtypes.Float32 }

// scores are the outputs that a graph has: no losses, hidden states or attentions.
func scores(all map[string]*tensors.Tensor) map[string]*tensors.Tensor {
	all = maps.Clone(all)
	maps.DeleteFunc(all, func(name string, _ *tensors.Tensor) bool {
		return name == "loss" || strings.Contains(name, "hidden_states") || strings.Contains(name, "attentions")
	})
	return all
}

// compare wants the outputs and no others, each within its tolerance.
func compare(t *testing.T, got, want map[string]*tensors.Tensor) {
	t.Helper()
	if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))) {
		t.Fatalf("outputs are %q, want %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
	for name, w := range want {
		golden.Near(t, name, got[name], w, golden.ToleranceOf(name), 0)
		t.Logf("%s is off by %.1g", name, apart(got[name], w))
	}
}

// apart is the largest difference of two tensors' elements, as far as there are as many.
func apart(x, y *tensors.Tensor) (largest float64) {
	a, b := tensors.MustCopyFlatData[float32](x), tensors.MustCopyFlatData[float32](y)
	for i := range min(len(a), len(b)) {
		largest = max(largest, math.Abs(float64(a[i])-float64(b[i])))
	}
	return largest
}

// A fork is a model that the reference has no numbers of; ours judge it.
type fork struct {
	name      string
	head      model.Head
	change    func(*model.Config)
	batch     [3]int // examples, tokens, regions
	operators onnx.Operators
}

func forks() []fork {
	const qa, bare, nlvr2, pretraining = model.HeadQuestionAnswering, model.HeadModel, model.HeadNLVR2, model.HeadPreTraining
	shape := [3]int{2, 5, 4}
	list := []fork{
		{"no cross layers", bare, func(c *model.Config) { c.CrossLayers = 0 }, shape, onnx.Standard},
		{"no cross layers, answers", qa, func(c *model.Config) { c.CrossLayers = 0 }, shape, onnx.Standard},
		{"no language layers", bare, func(c *model.Config) { c.LanguageLayers = 0 }, shape, onnx.Standard},
		{"no vision layers", bare, func(c *model.Config) { c.VisionLayers = 0 }, shape, onnx.Standard},
		{"one of everything", pretraining, nil, [3]int{1, 1, 1}, onnx.Standard},
		{"statements", nlvr2, nil, shape, onnx.Standard},
		{"one statement", nlvr2, nil, [3]int{1, 1, 1}, onnx.Standard},
		{"statements, no cross layers", nlvr2, func(c *model.Config) { c.CrossLayers = 0 }, shape, onnx.Standard},
	}
	for _, act := range model.Activations() {
		list = append(list, fork{act, pretraining, func(c *model.Config) { c.HiddenAct = act }, shape, onnx.Standard})
	}
	for _, operators := range []onnx.Operators{onnx.MultiHead, onnx.Attention} {
		for _, head := range heads {
			list = append(list,
				fork{fmt.Sprintf("%s/%s", operators, head), head, nil, shape, operators},
				fork{fmt.Sprintf("%s/%s, relu", operators, head), head, func(c *model.Config) { c.HiddenAct = "relu" }, [3]int{1, 1, 1}, operators})
		}
	}
	return list
}

// TestForks compares with package model what the reference data does not have: odd depths, all activations, statements about two
// pictures, and ONNX Runtime's operators, which it alone runs.
func TestForks(t *testing.T) {
	eachRunner(t, func(t *testing.T, by runner) {
		for _, f := range forks() {
			if f.operators != onnx.Standard && !by.fused {
				continue
			}
			for _, masked := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/masked=%v", f.name, masked), func(t *testing.T) { f.judge(t, masked, by) })
			}
		}
	})
}

func (f fork) judge(t *testing.T, masked bool, by runner) {
	config := golden.Config(t, "tiny")
	if f.change != nil {
		f.change(config)
	}
	source := wilder(config.Fresh(1), config.HiddenAct)
	in := f.inputs(config, masked)
	network, err := model.New(golden.Portable(t), config, f.head, source)
	if err != nil {
		t.Fatal(err)
	}
	defer network.Close()
	out, err := network.Run(t.Context(), in, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := by.run(t, write(t, config, f.head, source, in, onnx.Options{Operators: f.operators}), in)
	compare(t, got, scores(maps.Collect(out.Named())))
}

// wilder makes fresh weights larger, so that activations are seen where they bend, and biases other than 0. Squares grow by themselves.
func wilder(source model.Source, act string) model.Source {
	scale := float32(8)
	if act == "relu2" {
		scale = 4
	}
	return func(name string, dimensions []int) ([]float32, error) {
		values, err := source(name, dimensions)
		for i := range values {
			values[i] = scale*values[i] + 0.02*float32(i%7)
			if strings.HasSuffix(name, "orm.weight") || strings.HasSuffix(name, "2.weight") {
				values[i] /= scale
			}
		}
		return values, err
	}
}

// inputs are words and regions without a pattern; with masks, the first row is always seen.
func (f fork) inputs(c *model.Config, masked bool) *model.Batch {
	examples, tokens := f.batch[0], f.batch[1]
	visual := []int{examples, f.batch[2]}
	if f.head == model.HeadNLVR2 {
		visual = []int{examples, 2, f.batch[2]}
	}
	in := &model.Batch{
		InputIDs:    integers([]int{examples, tokens}, func(i int) int64 { return int64(7*i+3) % int64(c.VocabSize) }),
		VisualFeats: numbers(append(slices.Clone(visual), c.VisualFeatDim), func(i int) float32 { return float32(i*i%97) / 97 }),
		VisualPos:   numbers(append(slices.Clone(visual), c.VisualPosDim), func(i int) float32 { return float32(i*i%31) / 31 }),
	}
	if masked {
		in.TokenTypeIDs = integers([]int{examples, tokens}, func(i int) int64 { return int64(i % 2) })
		in.AttentionMask = integers([]int{examples, tokens}, func(i int) int64 { return int64(btoi(i%tokens == 0 || i%3 != 0)) })
		in.VisualAttentionMask = integers(visual, func(i int) int64 { return int64(btoi(i%f.batch[2] == 0 || i%5 > 1)) })
	}
	return in
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func integers(dims []int, f func(i int) int64) *tensors.Tensor {
	values := make([]int64, size(dims))
	for i := range values {
		values[i] = f(i)
	}
	return tensors.FromFlatDataAndDimensions(values, dims...)
}

func numbers(dims []int, f func(i int) float32) *tensors.Tensor {
	values := make([]float32, size(dims))
	for i := range values {
		values[i] = f(i)
	}
	return tensors.FromFlatDataAndDimensions(values, dims...)
}
