package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/internal/golden"
)

// TestForwardNLVR2: the losses of the reference's training, on the weights it began with (the first step's rate is 0,
// so the second sees them too) and on those it ended with (as are the last two steps').
func TestForwardNLVR2(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	reference := filepath.Join(golden.Dir(), "train", "nlvr2_bertadam")
	var trace struct{ Loss []float64 }
	data, err := os.ReadFile(filepath.Join(reference, "trace.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &trace); err != nil {
		t.Fatal(err)
	}
	for weights, steps := range map[string][]int{"initial": {0, 1}, "final": {6, 7}} {
		dir := t.TempDir()
		for from, to := range map[string]string{"config.json": "config.json", weights + ".safetensors": "model.safetensors"} {
			data, err := os.ReadFile(filepath.Join(reference, from))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, to), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		for _, step := range steps {
			in := filepath.Join(reference, fmt.Sprintf("batch_%d.safetensors", step))
			out := filepath.Join(dir, "out.safetensors")
			if code, _, errOut := command(t, "", "forward", "--model", dir, "--head", "nlvr2", "--in", in, "--out", out); code != exitOK || errOut != "" {
				t.Fatalf("exit code %d: %s", code, errOut)
			}
			got := golden.Tensors(t, out)
			golden.Near(t, fmt.Sprint("loss of step ", step), got["loss"], tensors.FromScalar(float32(trace.Loss[step])), golden.ToleranceOf("loss"), 0)
			var want float64 // the loss, of the logits
			logits := tensors.MustCopyFlatData[float32](got["logits"])
			labels := tensors.MustCopyFlatData[int64](golden.Tensors(t, in)["labels"])
			for i, label := range labels {
				want += math.Log1p(math.Exp(float64(logits[2*i+1-int(label)]-logits[2*i+int(label)]))) / float64(len(labels))
			}
			golden.Near(t, fmt.Sprint("logits of step ", step), got["loss"], tensors.FromScalar(float32(want)), golden.ToleranceOf("loss"), 0)
			if len(got) != 2 {
				t.Errorf("%d outputs, want loss and logits", len(got))
			}
		}
	}
}

// TestInitNLVR2: a fresh model is one that inspect knows and forward runs; there are no answers to resize.
func TestInitNLVR2(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	dir := filepath.Join(t.TempDir(), "fresh")
	code, out, errOut := command(t, "", "init", "--out", dir, "--vocab", "../../examples/words.txt", "--head", "nlvr2",
		"--set", "hidden_size=48", "--set", "num_attention_heads=4", "--set", "intermediate_size=96",
		"--set", "visual_feat_dim=20", "--set", "l_layers=2", "--set", "r_layers=1", "--set", "x_layers=1")
	if code != exitOK || !strings.Contains(out, "LxmertForNLVR2") {
		t.Fatalf("exit code %d: %s%s", code, out, errOut)
	}
	code, out, errOut = command(t, "", "inspect", dir)
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	for _, want := range []string{"class", "LxmertForNLVR2              fits exactly", "answer_head.logit_fc.0.weight", "logit_fc.3.weight", "[2 96]"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in:\n%s", want, out)
		}
	}
	in := filepath.Join(golden.Dir(), "train", "nlvr2_bertadam", "batch_0.safetensors")
	args := []string{"forward", "--model", dir, "--head", "nlvr2", "--in", in, "--out", filepath.Join(dir, "out")}
	if code, _, errOut := command(t, "", args...); code != exitOK {
		t.Errorf("exit code %d: %s", code, errOut)
	}
	if code, _, errOut := command(t, "", append(args, "--resize-qa-labels", "5")...); code != exitFailure || !strings.Contains(errOut, "no answer head") {
		t.Errorf("resized: exit code %d, %s", code, errOut)
	}
}
