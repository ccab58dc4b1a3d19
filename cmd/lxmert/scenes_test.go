package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/scenes"
)

// What is generated can be trained on as it stands: pre-training and each of the three fine-tunings take a step.
func TestScenesGenerate(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	dir := t.TempDir()
	set := filepath.Join(dir, "set")
	out := succeeds(t, "scenes", "generate", "--out", set, "--images", "12", "--seed", "5", "--balance")
	if !strings.Contains(out, "12 pictures") || !strings.Contains(out, "vqa exists: no 12 yes 12") {
		t.Error(out)
	}
	if _, err := os.Stat(filepath.Join(set, "images", "s5-000011.png")); err != nil {
		t.Error(err)
	}
	pretrained := filepath.Join(dir, "pretrained")
	succeeds(t, "pretrain", "--data", set, "--vocab", filepath.Join(set, "vocab.txt"), "--config", filepath.Join(set, "config.json"),
		"--set", "hidden_size=32", "--set", "num_attention_heads=4", "--set", "intermediate_size=32", "--set", "l_layers=1", "--set", "x_layers=1", "--set", "r_layers=1",
		"--batch", "16", "--max-steps", "1", "--out", pretrained)
	for _, kind := range []string{"vqa", "gqa", "nlvr2"} {
		args := []string{"finetune", kind, "--init", filepath.Join(pretrained, "last"), "--train", filepath.Join(set, kind+".json"),
			"--features", filepath.Join(set, "regions"), "--batch", "4", "--max-steps", "1", "--out", filepath.Join(dir, kind)}
		if kind != "nlvr2" {
			args = append(args, "--labels", filepath.Join(set, "labels.json"))
		}
		succeeds(t, args...)
	}
	succeeds(t, "data", "check", filepath.Join(set, "regions"))

	var report scenes.Report
	out = succeeds(t, "scenes", "generate", "--out", set, "--images", "3", "--no-images", "--force", "--json")
	if err := json.Unmarshal([]byte(out), &report); err != nil || report.Images != 3 || report.Statements != 2 || report.Templates["vqa exists"]["yes"] != 3 {
		t.Errorf("%s: %v", out, err)
	}
	if _, err := os.Stat(filepath.Join(set, "images")); !os.IsNotExist(err) {
		t.Errorf("pictures are still there: %v", err)
	}
}

// Mistakes are named; the exit code tells wrong command lines from what is in the way.
func TestScenesRefuses(t *testing.T) {
	dir := t.TempDir()
	set := filepath.Join(dir, "set")
	succeeds(t, "scenes", "generate", "--out", set, "--images", "2", "--no-images")
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no verb of that name": {[]string{"scenes", "paint"}, exitUsage, `unknown command "paint"`},
		"no directory":         {[]string{"scenes", "generate"}, exitUsage, "--out"},
		"an argument":          {[]string{"scenes", "generate", "here", "--out", set}, exitUsage, "takes no arguments"},
		"no pictures":          {[]string{"scenes", "generate", "--out", set, "--images", "0"}, exitUsage, "--images: found 0"},
		"a large seed":         {[]string{"scenes", "generate", "--out", set, "--seed", "4294967296"}, exitUsage, "--seed: found 4294967296"},
		"a set is there":       {[]string{"scenes", "generate", "--out", set, "--images", "2"}, exitFailure, "or --force"},
		"something else":       {[]string{"scenes", "generate", "--out", dir, "--images", "2", "--force"}, exitFailure, "something else"},
		"a file":               {[]string{"scenes", "generate", "--out", filepath.Join(dir, "file"), "--images", "2", "--force"}, exitFailure, "file"},
	} {
		if code, out, errOut := command(t, "", test.args...); code != test.code || !strings.Contains(errOut, test.want) {
			t.Errorf("%s: exit code %d, want %d: %s%s, want %q", name, code, test.code, out, errOut, test.want)
		}
	}
}
