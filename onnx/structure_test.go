package onnx_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/internal/formula"
	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/onnx"
)

var heads = []model.Head{model.HeadModel, model.HeadQuestionAnswering, model.HeadPreTraining, model.HeadNLVR2}

// TestStructure: every file is what ONNX's schema calls a model.
func TestStructure(t *testing.T) {
	for _, head := range heads {
		for _, operators := range []onnx.Operators{onnx.Standard, onnx.MultiHead, onnx.Attention} {
			for _, external := range []bool{false, true} {
				for _, omit := range [][]string{nil, onnx.OptionalInputs()} {
					t.Run(fmt.Sprintf("%s/%q/external=%v/%d inputs", head, operators, external, 6-len(omit)), func(t *testing.T) {
						config := golden.Config(t, "odd")
						path := filepath.Join(t.TempDir(), "model.onnx")
						options := onnx.Options{Omit: omit, External: external, Operators: operators}
						if _, err := onnx.WriteFile(path, config, head, formula.Weights, options); err != nil {
							t.Fatal(err)
						}
						f := readFile(t, path)
						f.check(t)
						f.checkWeights(t, config, head)
						f.checkInputs(t, omit)
						if got := f.external(); (got > 0) != external {
							t.Errorf("%d tensors lie beside the graph", got)
						}
					})
				}
			}
		}
	}
}

// check is what onnx.checker does: each value is made once, before it is read; operators have versions, tensors their bytes.
func (f *file) check(t *testing.T) {
	t.Helper()
	if f.ir != 8 || f.producer == "" || f.graphName == "" {
		t.Errorf("ir_version %d, producer %q, graph %q", f.ir, f.producer, f.graphName)
	}
	if f.opsets[""] != 17 {
		t.Errorf("opsets are %v", f.opsets)
	}
	made, read := map[string]bool{}, map[string]bool{}
	make := func(name string) {
		if name == "" || made[name] {
			t.Errorf("value %q is made twice, or has no name", name)
		}
		made[name] = true
	}
	for _, v := range f.inputs {
		make(v.name)
	}
	for _, name := range f.order {
		make(name)
		if x := f.constants[name]; len(x.raw) != x.size() {
			t.Errorf("%s %v has %d bytes", name, x.dims, len(x.raw))
		}
	}
	names, domains := map[string]bool{}, map[string]bool{"": true}
	for _, n := range f.nodes {
		for _, input := range n.inputs {
			read[input] = true
			if input != "" && !made[input] {
				t.Errorf("%s reads %s, which is not made before it", n.name, input)
			}
		}
		if len(n.outputs) != 1 || names[n.name] || n.name == "" {
			t.Errorf("node %q has outputs %q, or not a name of its own", n.name, n.outputs)
		}
		names[n.name] = true
		make(n.outputs[0])
		domains[n.domain] = true
	}
	for _, v := range f.outputs {
		read[v.name] = true
	}
	for _, v := range slices.Concat(f.outputs, f.known) {
		if !made[v.name] {
			t.Errorf("%s is told the shape of and not made", v.name)
		}
	}
	for name := range made {
		if !read[name] {
			t.Errorf("nobody reads %s", name)
		}
	}
	if !maps.Equal(domains, keys(f.opsets)) {
		t.Errorf("operators are of the domains %v, and there are versions of %v", domains, f.opsets)
	}
}

// checkWeights: the file holds the model's numbers, each once, but those that no output depends on.
func (f *file) checkWeights(t *testing.T, config *model.Config, head model.Head) {
	t.Helper()
	weights, err := model.Declare(config, head)
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	last := fmt.Sprintf("lxmert.encoder.x_layers.%d.visn_", config.CrossLayers-1)
	for _, w := range weights {
		if !strings.HasPrefix(w.Name, last) && !strings.HasPrefix(w.Name, "obj_predict_head.") {
			want += w.Size()
		}
	}
	got := 0
	for name, x := range f.constants {
		if strings.Contains(name, ".") { // a weight's name, not that of one of the graph's own numbers
			got += x.size() / 4
		}
	}
	if got != want {
		t.Errorf("the file holds %d numbers of the model's, want %d", got, want)
	}
}

// checkInputs: names and types are the reference's.
func (f *file) checkInputs(t *testing.T, omit []string) {
	t.Helper()
	want := map[string]uint64{"input_ids": int64Type, "token_type_ids": int64Type, "attention_mask": int64Type,
		"visual_feats": floatType, "visual_pos": floatType, "visual_attention_mask": int64Type}
	for _, name := range omit {
		delete(want, name)
	}
	got := map[string]uint64{}
	for _, v := range f.inputs {
		got[v.name] = v.kind
	}
	if !maps.Equal(got, want) {
		t.Errorf("inputs and their types are %v, want %v", got, want)
	}
}

// external counts the tensors beside the graph.
func (f *file) external() (n int) {
	for _, x := range f.constants {
		if x.location != "" {
			n++
		}
	}
	return n
}

func keys(m map[string]uint64) map[string]bool {
	set := map[string]bool{}
	for k := range m {
		set[k] = true
	}
	return set
}

func TestActivations(t *testing.T) {
	want := map[string]bool{}
	for _, name := range model.Activations() {
		want[name] = true
	}
	if got := onnx.ActivationNames(); !maps.Equal(got, want) {
		t.Errorf("hidden_act may be %v, and these can be written: %v", want, got)
	}
}
