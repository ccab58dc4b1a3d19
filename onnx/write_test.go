package onnx_test

import (
	stdbytes "bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/internal/formula"
	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/onnx"
)

const qa = model.HeadQuestionAnswering

// TestWriteFile: one file is what Write writes, twice the same; two files hold the same tensors.
func TestWriteFile(t *testing.T) {
	config, dir := golden.Config(t, "tiny"), t.TempDir()
	var want stdbytes.Buffer
	if err := onnx.Write(&want, config, qa, formula.Weights, onnx.Options{}); err != nil {
		t.Fatal(err)
	}
	one, two := filepath.Join(dir, "one.onnx"), filepath.Join(dir, "two.onnx")
	paths, err := onnx.WriteFile(one, config, qa, formula.Weights, onnx.Options{})
	if err != nil || !slices.Equal(paths, []string{one}) {
		t.Fatalf("wrote %q, %v", paths, err)
	}
	if got, err := os.ReadFile(one); err != nil || !stdbytes.Equal(got, want.Bytes()) {
		t.Errorf("WriteFile does not write what Write writes: %v", err)
	}
	paths, err = onnx.WriteFile(two, config, qa, formula.Weights, onnx.Options{External: true})
	if err != nil || !slices.Equal(paths, []string{two, two + ".data"}) {
		t.Fatalf("wrote %q, %v", paths, err)
	}
	in, beside := readFile(t, one), readFile(t, two)
	for _, name := range in.order {
		if !stdbytes.Equal(in.constants[name].raw, beside.constants[name].raw) {
			t.Errorf("%s is not the same in the file beside", name)
		}
	}
	beside.laidOut(t)
	names, _ := filepath.Glob(filepath.Join(dir, "*"))
	if hidden, _ := filepath.Glob(filepath.Join(dir, ".*")); len(names) != 3 || len(hidden) != 0 {
		t.Errorf("the directory holds %q and %q", names, hidden)
	}
}

// laidOut checks the file beside the graph: each tensor on a page of its own, one after the other, and nothing behind them.
func (f *file) laidOut(t *testing.T) {
	t.Helper()
	end := 0
	for _, name := range f.order {
		x := f.constants[name]
		if x.location == "" {
			if len(x.raw) >= 1<<10 {
				t.Errorf("%s of %d bytes is in the graph", name, len(x.raw))
			}
			continue
		}
		offset, _ := strconv.Atoi(x.offset)
		if offset%4096 != 0 || offset < end || offset >= end+4096 {
			t.Errorf("%s lies at %d, after %d", name, offset, end)
		}
		end = offset + len(x.raw)
	}
	if info, err := os.Stat(f.path + ".data"); err != nil || info.Size() != int64(end) {
		t.Errorf("the file beside is not %d bytes: %v", end, err)
	}
}

// TestLimit: what is too large for one file is written as two, or refused.
func TestLimit(t *testing.T) {
	config := golden.Config(t, "tiny")
	var whole stdbytes.Buffer
	if err := onnx.Write(&whole, config, qa, formula.Weights, onnx.Options{}); err != nil {
		t.Fatal(err)
	}
	size := int64(whole.Len())
	for _, c := range []struct {
		limit int64
		files int
	}{{size, 1}, {size - 1, 2}} {
		options := onnx.Options{}.WithLimit(c.limit)
		paths, err := onnx.WriteFile(filepath.Join(t.TempDir(), "m.onnx"), config, qa, formula.Weights, options)
		if err != nil || len(paths) != c.files {
			t.Errorf("limit %d: wrote %q, %v", c.limit, paths, err)
		}
		err = onnx.Write(io.Discard, config, qa, formula.Weights, options)
		if (err != nil) != (c.files > 1) {
			t.Errorf("limit %d: %v", c.limit, err)
		}
	}
}

// TestTwoGigabytes: a model beyond the true limit is known by its size, before a weight is asked for.
func TestTwoGigabytes(t *testing.T) {
	config := model.DefaultConfig()
	config.VocabSize = 1 << 20
	err := onnx.Write(io.Discard, config, qa, refuse(t), onnx.Options{})
	wantError(t, err, "2147483647", "WriteFile")
}

func refuse(t *testing.T) model.Source {
	return func(name string, _ []int) ([]float32, error) {
		t.Errorf("%s was asked for", name)
		return nil, errors.New("refused")
	}
}

// TestErrors: each says what is wrong, and leaves what was there.
func TestErrors(t *testing.T) {
	config := golden.Config(t, "tiny")
	bad := golden.Config(t, "tiny")
	bad.HiddenAct, bad.HiddenSize = "cube", 50
	broken := errors.New("the disk is gone")
	for _, c := range []struct {
		name    string
		config  *model.Config
		head    model.Head
		source  model.Source
		options onnx.Options
		want    []string
	}{
		{"input", config, qa, refuse(t), onnx.Options{Omit: []string{"input_ids", "labels"}}, []string{`"input_ids"`, `"labels"`, "attention_mask"}},
		{"operators", config, qa, refuse(t), onnx.Options{Operators: "cuda"}, []string{`"cuda"`, "multihead"}},
		{"configuration", bad, qa, refuse(t), onnx.Options{}, []string{"hidden_act", "num_attention_heads"}},
		{"head", config, "vqa", refuse(t), onnx.Options{}, []string{`"vqa"`}},
		{"source", config, qa, failing("answer_head.logit_fc.3.weight", broken), onnx.Options{}, []string{"answer_head.logit_fc.3.weight", broken.Error()}},
		{"source, two files", config, qa, failing("lxmert.encoder.layer.0.output.dense.weight", broken), onnx.Options{External: true},
			[]string{"lxmert.encoder.layer.0.output.dense.weight", broken.Error()}},
		{"source, joined", config, qa, failing("lxmert.encoder.layer.0.attention.self.key.bias", broken), onnx.Options{Operators: onnx.Attention},
			[]string{"lxmert.encoder.layer.0.attention.self", broken.Error()}},
		{"short", config, qa, failing("lxmert.pooler.dense.bias", nil), onnx.Options{}, []string{"lxmert.pooler.dense.bias", "found 0", "want 48"}},
		{"short, transposed", config, qa, failing("lxmert.encoder.layer.0.output.dense.weight", nil), onnx.Options{},
			[]string{"lxmert.encoder.layer.0.output.dense.weight", "found 0", "want 4608"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "m.onnx")
			for _, file := range []string{path, path + ".data"} {
				if err := os.WriteFile(file, []byte("old"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			_, err := onnx.WriteFile(path, c.config, c.head, c.source, c.options)
			wantError(t, err, c.want...)
			for _, file := range []string{path, path + ".data"} {
				if got, err := os.ReadFile(file); err != nil || string(got) != "old" {
					t.Errorf("%s holds %d bytes, %v", file, len(got), err)
				}
			}
		})
	}
	wantError(t, onnx.Write(io.Discard, config, qa, refuse(t), onnx.Options{External: true}), "WriteFile")
}

// failing gives an error, or no numbers, for one weight.
func failing(weight string, err error) model.Source {
	return func(name string, dimensions []int) ([]float32, error) {
		if name == weight {
			return nil, err
		}
		return formula.Weights(name, dimensions)
	}
}

func wantError(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%v: does not say %s", err, word)
		}
	}
}

// TestBaseSize runs the base-size model of the reference data, 0.83 GB, in one file and with its weights beside, with ONNX Runtime.
func TestBaseSize(t *testing.T) {
	needRuntime(t)
	want := golden.Tensors(t, filepath.Join("full", "outputs.safetensors"))
	maps.DeleteFunc(want, func(name string, _ *tensors.Tensor) bool { return name != "question_answering_score" })
	in := golden.Inputs(t, filepath.Join("full", "inputs.safetensors"))
	for _, external := range []bool{false, true} {
		path := write(t, golden.Config(t, "full"), qa, formula.Weights, in, onnx.Options{External: external})
		got := runtimeRun(t, path, in)
		compare(t, got, want)
		const name = "question_answering_score"
		golden.Near(t, name, got[name], want[name], golden.Tolerance{Absolute: 1e-6}, 0) // the logits are small, up to 0.1
	}
}
