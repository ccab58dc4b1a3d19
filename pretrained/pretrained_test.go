package pretrained_test

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
)

func engine(t *testing.T) compute.Backend {
	t.Helper()
	opened, err := backend.Open(backend.Default)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Finalize)
	return opened
}

// TestRoundTrip: what is loaded and saved is the same file, byte for byte, and the same configuration.
func TestRoundTrip(t *testing.T) {
	for _, dir := range []string{"tiny", "odd"} {
		source, saved := filepath.Join(golden.Dir(), dir), filepath.Join(t.TempDir(), "made", dir)
		m, report, err := pretrained.LxmertForPreTraining(engine(t), source, pretrained.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if err := report.Err(); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
		if err := pretrained.Save(t.Context(), saved, m.Network); err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(source, "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(saved, "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: model.safetensors has other bytes (%d, want %d)", dir, len(got), len(want))
		}
		before, err := pretrained.Config(source)
		if err != nil {
			t.Fatal(err)
		}
		after, err := pretrained.Config(saved)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(keysAndValues(before), keysAndValues(after)) {
			t.Errorf("%s: config.json is %v, want %v", dir, keysAndValues(after), keysAndValues(before))
		}
	}
}

func keysAndValues(c *model.Config) []string {
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return []string{err.Error()}
	}
	return strings.Split(b.String(), "\n")
}

// TestSaveClosed: a model without weights does not replace one that has them.
func TestSaveClosed(t *testing.T) {
	m, _, err := pretrained.LxmertModel(engine(t), filepath.Join(golden.Dir(), "tiny"), pretrained.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := pretrained.Save(t.Context(), dir, m.Network); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
	if err := pretrained.Save(t.Context(), dir, m.Network); !errors.Is(err, model.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if after, err := os.ReadFile(filepath.Join(dir, "model.safetensors")); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the saved weights changed: %v", err)
	}
}

// TestBaseAndHeads: a base model saved from a head model fits heads again, with fresh ones, and the other way round.
func TestBaseAndHeads(t *testing.T) {
	on := engine(t)
	full := filepath.Join(golden.Dir(), "tiny")
	base, report, err := pretrained.LxmertModel(on, full, pretrained.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	if len(report.Unexpected) != 23 || len(report.Missing) != 0 {
		t.Errorf("%d unexpected, %d missing", len(report.Unexpected), len(report.Missing))
	}
	dir := t.TempDir()
	if err := pretrained.Save(t.Context(), dir, base.Network); err != nil {
		t.Fatal(err)
	}
	if _, _, err := pretrained.LxmertForQuestionAnswering(on, dir, pretrained.Options{}); err == nil || !strings.Contains(err.Error(), "answer_head.logit_fc.0.weight") {
		t.Errorf("a base checkpoint for question answering: %v", err)
	}
	qa, report, err := pretrained.LxmertForQuestionAnswering(on, dir, pretrained.Options{AllowNewHeads: true, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	defer qa.Close()
	if fresh := report.NewlyInitialised(); len(fresh) != 6 {
		t.Errorf("newly initialised: %v", fresh)
	}
	in := golden.Inputs(t, filepath.Join(full, "cases", "qa_full", "inputs.safetensors"))
	states, err := qa.Forward(t.Context(), in, model.Options{HiddenStates: true})
	if err != nil {
		t.Fatal(err)
	}
	want, err := base.Forward(t.Context(), in, model.Options{HiddenStates: true})
	if err != nil {
		t.Fatal(err)
	}
	golden.Near(t, "the last hidden state", states.LanguageHiddenStates[3], want.LanguageOutput, golden.Tolerance{}, 0)
}

// TestMismatchedAllowed: with another answer table the head's last layer starts fresh, and only that.
func TestMismatchedAllowed(t *testing.T) {
	dir := filepath.Join(golden.Dir(), "tiny")
	config, err := pretrained.Config(dir)
	if err != nil {
		t.Fatal(err)
	}
	config.NumQALabels = 5
	if _, _, err := pretrained.LxmertForQuestionAnswering(engine(t), dir, pretrained.Options{Config: config}); err == nil ||
		!strings.Contains(err.Error(), "is [17 96], want [5 96]") {
		t.Errorf("got %v", err)
	}
	m, report, err := pretrained.LxmertForQuestionAnswering(engine(t), dir, pretrained.Options{Config: config, AllowMismatched: true})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if fresh := report.NewlyInitialised(); !slices.Equal(fresh, []string{"answer_head.logit_fc.3.weight", "answer_head.logit_fc.3.bias"}) {
		t.Errorf("newly initialised: %v", fresh)
	}
}

// TestBatchFile: what is written is read; what is no input is refused by name.
func TestBatchFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.safetensors")
	out := map[string]*tensors.Tensor{"visual_feats": tensors.FromValue([][][]float32{{{1, 2}}}), "loss": tensors.FromScalar(float32(3))}
	if err := pretrained.WriteTensors(path, maps.All(out)); err != nil {
		t.Fatal(err)
	}
	if _, err := pretrained.ReadBatch(path); err == nil || !strings.Contains(err.Error(), `tensor "loss" is no input`) {
		t.Errorf("got %v", err)
	}
	delete(out, "loss")
	if err := pretrained.WriteTensors(path, maps.All(out)); err != nil {
		t.Fatal(err)
	}
	batch, err := pretrained.ReadBatch(path)
	if err != nil {
		t.Fatal(err)
	}
	golden.Near(t, "visual_feats", batch.VisualFeats, out["visual_feats"], golden.Tolerance{}, 0)
	if err := pretrained.WriteTensors(path, maps.All(map[string]*tensors.Tensor{"ids": tensors.FromValue([]int64{1})})); err == nil {
		t.Error("integers were written as outputs")
	}
}
