package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/internal/golden"
)

// command runs the program and returns its exit code and what it printed.
func command(t *testing.T, in string, args ...string) (code int, out, errOut string) {
	t.Helper()
	var stdout, stderr strings.Builder
	code = run(t.Context(), args, strings.NewReader(in), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// TestForwardGolden runs every case of the reference through the command, as someone else would, with -short every fourth.
func TestForwardGolden(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	for _, dir := range []string{"tiny", "odd"} {
		for _, cases := range []string{"cases", "resize"} {
			for i, c := range golden.Cases(t, filepath.Join(dir, cases)) {
				if testing.Short() && i%4 != 0 {
					continue
				}
				t.Run(dir+"/"+c.Name, func(t *testing.T) {
					out := filepath.Join(t.TempDir(), "out.safetensors")
					args := []string{"forward", "--model", filepath.Join(golden.Dir(), dir), "--head", string(c.Head),
						"--in", filepath.Join(c.Dir, "inputs.safetensors"), "--out", out}
					if c.Options.HiddenStates {
						args = append(args, "--hidden-states")
					}
					if c.Options.Attentions {
						args = append(args, "--attentions")
					}
					for key, value := range c.Overrides {
						raw, err := json.Marshal(value)
						if err != nil {
							t.Fatal(err)
						}
						args = append(args, "--set", fmt.Sprintf("%s=%s", key, raw))
					}
					if c.ResizeNumQALabels > 0 {
						args = append(args, "--resize-qa-labels", fmt.Sprint(c.ResizeNumQALabels))
					}
					if code, _, errOut := command(t, "", args...); code != 0 {
						t.Fatalf("exit code %d: %s", code, errOut)
					}
					got, want := golden.Tensors(t, out), golden.Tensors(t, filepath.Join(c.Dir, "outputs.safetensors"))
					for name, w := range want {
						columns := 0
						if name == "question_answering_score" {
							columns = c.CompareFirstRows
						}
						golden.Near(t, name, got[name], w, golden.ToleranceOf(name), columns)
					}
					if len(got) != len(want) {
						t.Errorf("%d outputs, want %d", len(got), len(want))
					}
				})
			}
		}
	}
}

// TestForwardRefuses: each mistake has its exit code and a sentence, and leaves no output file.
func TestForwardRefuses(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	tiny := filepath.Join(golden.Dir(), "tiny")
	good := filepath.Join(tiny, "cases", "qa_full", "inputs.safetensors")
	damaged := func(name string, change func([]byte) []byte) string {
		data, err := os.ReadFile(filepath.Join(tiny, "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "model.safetensors"), change(data), 0o644); err != nil {
			t.Fatal(err)
		}
		config, err := os.ReadFile(filepath.Join(tiny, "config.json"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "config.json"), config, 0o644); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	huge := func(data []byte) []byte { data[7] = 0x10; return data }
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no model":             {[]string{"--head", "qa", "--in", good}, exitUsage, "--model"},
		"over the model":       {[]string{"--model", tiny, "--head", "qa", "--in", good, "--out", filepath.Join(tiny, "model.safetensors")}, exitUsage, "belongs to the model"},
		"no directory for out": {[]string{"--model", tiny, "--head", "qa", "--in", good, "--out", filepath.Join(tiny, "nowhere", "out")}, exitFailure, "nowhere"},
		"unknown head":         {[]string{"--model", tiny, "--head", "vqa", "--in", good}, exitUsage, "want model, pretraining, qa or nlvr2"},
		"unknown flag":         {[]string{"--modle", tiny}, exitUsage, "--modle"},
		"an argument":          {[]string{"--model", tiny, "--head", "qa", "--in", good, "x"}, exitUsage, "takes no arguments"},
		"unknown backend":      {[]string{"--model", tiny, "--head", "qa", "--in", good, "--backend", "tpu"}, exitUsage, `found "tpu"`},
		"misspelt key":         {[]string{"--model", tiny, "--head", "qa", "--in", good, "--set", "hiden_size=1"}, exitUsage, "hiden_size"},
		"no value":             {[]string{"--model", tiny, "--head", "qa", "--in", good, "--set", "task_qa"}, exitUsage, "want key=value"},
		"heads":                {[]string{"--model", tiny, "--head", "qa", "--in", good, "--set", "num_attention_heads=5"}, exitUsage, "do not divide"},
		"no directory":         {[]string{"--model", filepath.Join(tiny, "nowhere"), "--head", "qa", "--in", good}, exitFailure, "nowhere: no such file"},
		"no inputs":            {[]string{"--model", tiny, "--head", "qa", "--in", filepath.Join(tiny, "nothing.safetensors")}, exitFailure, "nothing.safetensors"},
		"weights as inputs": {[]string{"--model", tiny, "--head", "qa", "--in", filepath.Join(tiny, "model.safetensors")}, exitFailure,
			"is no input of LXMERT"},
		"other shape": {[]string{"--model", tiny, "--head", "qa", "--in", good, "--set", "num_qa_labels=99"}, exitFailure,
			"answer_head.logit_fc.3.weight is [17 96], want [99 96]"},
		"more layers":    {[]string{"--model", tiny, "--head", "qa", "--in", good, "--set", "l_layers=3"}, exitFailure, "lxmert.encoder.layer.2."},
		"cut short":      {[]string{"--model", damaged("cut", func(b []byte) []byte { return b[:len(b)-1] }), "--head", "qa", "--in", good}, exitFailure, "model.safetensors"},
		"header of 2^60": {[]string{"--model", damaged("huge", huge), "--head", "qa", "--in", good}, exitFailure, "model.safetensors"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			out := filepath.Join(dir, "out.safetensors")
			code, _, errOut := command(t, "", append([]string{"forward", "--out", out}, test.args...)...)
			if code != test.code || !strings.Contains(errOut, test.want) {
				t.Errorf("exit code %d, want %d; %q is to be in: %s", code, test.code, test.want, errOut)
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
				t.Errorf("left behind: %v %v", entries, err)
			}
		})
	}
}

// TestForwardBaseIntoHead: a base checkpoint fits a model with heads once new heads are allowed.
func TestForwardBaseIntoHead(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	tiny := filepath.Join(golden.Dir(), "tiny")
	full, err := checkpoint.Open(tiny)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	var base []checkpoint.Tensor
	for _, name := range full.Names() {
		if short, ok := strings.CutPrefix(name, "lxmert."); ok {
			tensor, _ := full.Tensor(name)
			tensor.Name = short
			base = append(base, tensor)
		}
	}
	dir := t.TempDir()
	if err := checkpoint.Write(filepath.Join(dir, "model.safetensors"), base, map[string]string{"format": "pt"}); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(filepath.Join(tiny, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), config, 0o644); err != nil {
		t.Fatal(err)
	}
	in := filepath.Join(tiny, "cases", "qa_full", "inputs.safetensors")
	out := filepath.Join(dir, "out.safetensors")
	args := []string{"forward", "--model", dir, "--head", "qa", "--in", in, "--out", out, "--hidden-states"}
	if code, _, errOut := command(t, "", args...); code != exitFailure || !strings.Contains(errOut, "answer_head.logit_fc.0.weight") {
		t.Errorf("a missing head: exit code %d, %s", code, errOut)
	}
	code, _, errOut := command(t, "", append(args, "--allow-missing")...)
	if code != exitOK || !strings.Contains(errOut, "answer_head.logit_fc.3.bias is not in the checkpoint and starts fresh") {
		t.Fatalf("exit code %d, %s", code, errOut)
	}
	got, want := golden.Tensors(t, out), golden.Tensors(t, filepath.Join(tiny, "cases", "qa_full", "outputs.safetensors"))
	for name, w := range want {
		if strings.Contains(name, "hidden_states") {
			golden.Near(t, name, got[name], w, golden.ToleranceOf(name), 0)
		}
	}
}
