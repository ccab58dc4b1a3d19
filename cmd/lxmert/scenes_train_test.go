package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-lxmert/lxmert/train"
)

// TestScenesTrain makes a smaller model than the shipped one from nothing, in two minutes: every part of pre-training is learned, and the answers are
// far better than what the questions alone give away (0.28 and 0.32, TestBalance of package scenes). Matching and statements take longer to be learned than a test
// may last; docs/scenes.md has them.
func TestScenesTrain(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for two minutes")
	}
	dir := filepath.Join(t.TempDir(), "run")
	code, _, errOut := command(t, "", "scenes", "train", "--out", dir, "--small")
	if code != exitOK {
		t.Fatal(errOut)
	}
	var results scenesResults
	content, err := os.ReadFile(filepath.Join(dir, "results.json"))
	if err == nil {
		err = json.Unmarshal(content, &results)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", results)
	if results.VQA < 0.6 || results.GQA < 0.45 {
		t.Errorf("%.3f and %.3f of the answers are right, want 0.6 and 0.45", results.VQA, results.GQA)
	}
	first, last := map[string]float64{}, map[string]float64{}
	steps := 0
	for record, err := range train.ReadLog(filepath.Join(dir, "pretrain", train.LogName)) {
		if err != nil {
			t.Fatal(err)
		}
		if record.Step == nil {
			continue
		}
		const window = 50
		for task, loss := range record.Step.Losses {
			if steps < window {
				first[task] += loss / window
			}
			last[task] += (loss - last[task]) / window
		}
		steps++
	}
	for task, share := range map[string]float64{"mask_lm": 0.4, "obj": 0.4, "attr": 0.5, "feat": 0.7, "qa": 0.8, "matched": 1} {
		if !(last[task] < share*first[task]) {
			t.Errorf("the loss %s went from %.3f to %.3f, want %v of it", task, first[task], last[task], share)
		}
	}
	for _, head := range []string{"qa", "nlvr2", "pretraining"} {
		if _, err := os.Stat(filepath.Join(dir, "shipped", head, "model.safetensors")); err != nil {
			t.Error(err)
		}
	}
}
