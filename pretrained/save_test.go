package pretrained_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
)

var torchTypes = map[checkpoint.DType]string{checkpoint.F32: "float32", checkpoint.F16: "float16", checkpoint.BF16: "bfloat16"}

// rounded is a number as a type holds it.
func rounded(dtype checkpoint.DType, x float32) float32 {
	switch dtype {
	case checkpoint.F16:
		return checkpoint.FromF16Bits(checkpoint.F16Bits(x))
	case checkpoint.BF16:
		return checkpoint.FromBF16Bits(checkpoint.BF16Bits(x))
	}
	return x
}

// checkRounded compares the weights in a directory with another's, as dtype holds them.
func checkRounded(t *testing.T, dir, source string, dtype checkpoint.DType) {
	t.Helper()
	got, err := checkpoint.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close()
	want, err := checkpoint.Open(source)
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	for _, name := range got.Names() {
		stored, _ := got.Tensor(name)
		wide, ok := want.Tensor(name)
		if !ok {
			wide, ok = want.Tensor("lxmert." + name)
		}
		if !ok || stored.DType != dtype {
			t.Fatalf("%s is %v; it is in the source: %v", name, stored.DType, ok)
		}
		a, err := stored.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		b, err := wide.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		for i := range b {
			if a[i] != rounded(dtype, b[i]) {
				t.Fatalf("%s: element %d is %v, want %v as %v", name, i, a[i], b[i], dtype)
			}
		}
	}
	config, err := pretrained.Config(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := config.Extra["torch_dtype"]; got != torchTypes[dtype] {
		t.Errorf("torch_dtype is %v for %v", got, dtype)
	}
}

// TestSaveAs: each type holds the weights rounded, and a model loaded from it and saved again is the same.
func TestSaveAs(t *testing.T) {
	source := filepath.Join(golden.Dir(), "tiny")
	m, _, err := pretrained.LxmertForPreTraining(engine(t), source, pretrained.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for dtype := range torchTypes {
		first, second := t.TempDir(), t.TempDir()
		if err := pretrained.Save(t.Context(), first, m.Network, pretrained.WithDType(dtype)); err != nil {
			t.Fatal(err)
		}
		checkRounded(t, first, source, dtype)
		again, _, err := pretrained.LxmertForPreTraining(engine(t), first, pretrained.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := pretrained.Save(t.Context(), second, again.Network, pretrained.WithDType(dtype)); err != nil {
			t.Fatal(err)
		}
		again.Close()
		for _, name := range []string{pretrained.ConfigName, checkpoint.SingleName} {
			a, errA := os.ReadFile(filepath.Join(first, name))
			b, errB := os.ReadFile(filepath.Join(second, name))
			if errA != nil || errB != nil || !slices.Equal(a, b) {
				t.Errorf("%v: %s changes when it is saved again: %v, %v", dtype, name, errA, errB)
			}
		}
	}
	if err := pretrained.Save(t.Context(), t.TempDir(), m.Network, pretrained.WithDType(checkpoint.F64)); err == nil || !strings.Contains(err.Error(), "not as F64") {
		t.Errorf("F64: %v", err)
	}
}

// TestConvert: what Convert writes without a model is what Save writes of one; heads are dropped, not made up.
func TestConvert(t *testing.T) {
	source := filepath.Join(golden.Dir(), "tiny")
	for _, head := range []model.Head{"", model.HeadPreTraining, model.HeadQuestionAnswering, model.HeadModel} {
		out, saved := t.TempDir(), t.TempDir()
		done, err := pretrained.Convert(t.Context(), out, source, pretrained.Conversion{DType: checkpoint.F16, Head: head})
		if err != nil {
			t.Errorf("%q: %v", head, err)
			continue
		}
		checkRounded(t, out, source, checkpoint.F16)
		if head != "" && head != model.HeadPreTraining && len(done.Dropped) == 0 || done.Bytes != 2*done.Values || done.Values == 0 {
			t.Errorf("%q: %+v", head, done)
		}
		m, _, err := pretrained.Load(engine(t), source, done.Head, pretrained.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := pretrained.Save(t.Context(), saved, m, pretrained.WithDType(checkpoint.F16)); err != nil {
			t.Fatal(err)
		}
		m.Close()
		for _, name := range []string{pretrained.ConfigName, checkpoint.SingleName} {
			a, errA := os.ReadFile(filepath.Join(out, name))
			b, errB := os.ReadFile(filepath.Join(saved, name))
			if errA != nil || errB != nil || !slices.Equal(a, b) {
				t.Errorf("%q: %s is not what Save writes: %v, %v", head, name, errA, errB)
			}
		}
	}
	if _, err := pretrained.Convert(t.Context(), t.TempDir(), source, pretrained.Conversion{Head: model.HeadNLVR2}); err == nil || !strings.Contains(err.Error(), "logit_fc.0.weight") {
		t.Errorf("a head that is not there: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	out := t.TempDir()
	if _, err := pretrained.Convert(ended, out, source, pretrained.Conversion{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if entries, err := os.ReadDir(out); err != nil || len(entries) != 0 {
		t.Errorf("cancelled: %v is left behind, %v", entries, err)
	}
}

// TestSource: the weights of a head are the checkpoint's, until ctx ends; others are errors.
func TestSource(t *testing.T) {
	file, err := checkpoint.Open(filepath.Join(golden.Dir(), "tiny"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	config := golden.Config(t, "tiny")
	ctx, end := context.WithCancel(t.Context())
	source, report, err := pretrained.Source(ctx, file, config, model.HeadModel, pretrained.Options{})
	if err != nil || len(report.Unexpected) == 0 {
		t.Fatalf("%v, %v", report, err)
	}
	const name = "pooler.dense.weight" // a bare model's names lack the prefix
	stored, _ := file.Tensor("lxmert." + name)
	want, err := stored.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := source(name, stored.Shape); err != nil || !slices.Equal(got, want) {
		t.Errorf("%s: %d numbers, %v", name, len(got), err)
	}
	if _, err := source("answer_head.logit_fc.0.weight", nil); err == nil || !strings.Contains(err.Error(), "LxmertModel") {
		t.Errorf("another head's weight: %v", err)
	}
	end()
	if _, err := source(name, stored.Shape); !errors.Is(err, context.Canceled) {
		t.Errorf("after ctx's end: %v", err)
	}
	if _, _, err := pretrained.Source(t.Context(), file, config, model.HeadNLVR2, pretrained.Options{}); err == nil || !strings.Contains(err.Error(), "logit_fc.0.weight") {
		t.Errorf("a head that is not there: %v", err)
	}
}

// TestConvertOverflow: a weight too large for F16 is named, and what was there stays.
func TestConvertOverflow(t *testing.T) {
	source, damaged, out := filepath.Join(golden.Dir(), "tiny"), t.TempDir(), t.TempDir()
	file, err := checkpoint.Open(source)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	const large = "lxmert.pooler.dense.bias"
	var tensors []checkpoint.Tensor
	for _, name := range file.Names() {
		tensor, _ := file.Tensor(name)
		if name == large {
			values, err := tensor.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			values[3] = 1e5
			if tensor, err = checkpoint.FromFloat32s(name, tensor.Shape, values); err != nil {
				t.Fatal(err)
			}
		}
		tensors = append(tensors, tensor)
	}
	if err := checkpoint.Write(filepath.Join(damaged, checkpoint.SingleName), tensors, nil); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(filepath.Join(source, pretrained.ConfigName))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(damaged, pretrained.ConfigName), config, 0o644); err != nil {
		t.Fatal(err)
	}
	kept := filepath.Join(out, checkpoint.SingleName)
	if err := os.WriteFile(kept, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = pretrained.Convert(t.Context(), out, damaged, pretrained.Conversion{DType: checkpoint.F16})
	for _, want := range []string{large, "element 3 is 100000", "F16"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	if content, err := os.ReadFile(kept); err != nil || string(content) != "precious" {
		t.Errorf("what was there is %.20q now, %v", content, err)
	}
	if _, err := pretrained.Convert(t.Context(), out, damaged, pretrained.Conversion{DType: checkpoint.BF16}); err != nil {
		t.Errorf("BF16: %v", err)
	}
}

// TestPreset: the preset survives config.json.
func TestPreset(t *testing.T) {
	m, _, err := pretrained.LxmertForPreTraining(engine(t), filepath.Join(golden.Dir(), "tiny"), pretrained.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	config := m.Config()
	if got := pretrained.Preset(config); got != "" {
		t.Errorf("found preset %q before any was set", got)
	}
	pretrained.SetPreset(config, "mine")
	made, err := model.New(engine(t), config, model.HeadModel, config.Fresh(1))
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	dir := t.TempDir()
	if err := pretrained.Save(t.Context(), dir, made); err != nil {
		t.Fatal(err)
	}
	read, err := pretrained.Config(dir)
	if err != nil || pretrained.Preset(read) != "mine" {
		t.Errorf("got %q, %v", pretrained.Preset(read), err)
	}
	pretrained.SetPreset(read, "")
	if pretrained.Preset(read) != "" {
		t.Error("the preset is not taken out")
	}
}
