package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/pretrained"
)

const (
	exampleModel    = "../../examples/tiny"
	exampleFeatures = "../../examples/regions.tsv"
)

func TestAsk(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	base := []string{"ask", "--model", exampleModel, "--features", exampleFeatures, "--image-id", "drawn-1"}
	code, out, errOut := command(t, "", append(base, "What color is the dog?", "Is it raining?")...)
	if code != exitOK || errOut != "" {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	for _, want := range []string{"What color is the dog?\n", "Is it raining?\n", "score", "confidence", "%", "answered in", "drawn-1: 4 regions", "loaded in"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in:\n%s", want, out)
		}
	}
	code, out, errOut = command(t, "", append(base, "--json", "--top", "2", "What color is the dog?")...)
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	var record asked
	if err := json.Unmarshal([]byte(out), &record); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if len(record.Questions) != 1 || len(record.Questions[0].Answers) != 2 || record.Questions[0].Answers[0].Probability <= 0 || record.Questions[0].AnswerMS <= 0 {
		t.Errorf("got %+v", record)
	}
	labels := filepath.Join(t.TempDir(), "labels.txt")
	if err := os.WriteFile(labels, []byte(strings.Repeat("answer\n", 22)), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, out, errOut = command(t, "", append(base, "--labels", labels, "why?")...); code != exitOK || !strings.Contains(out, " answer\n") {
		t.Errorf("exit code %d: %s%s", code, out, errOut)
	}
}

func TestAskRefuses(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	base := func(more ...string) []string {
		return append([]string{"ask", "--model", exampleModel, "--features", exampleFeatures, "--image-id", "drawn-1"}, more...)
	}
	short := filepath.Join(t.TempDir(), "labels.txt")
	if err := os.WriteFile(short, []byte("yes\nno\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no question":   {base(), exitUsage, "wants a question"},
		"top 0":         {base("--top", "0", "why?"), exitUsage, "--top: found 0"},
		"no image id":   {[]string{"ask", "--model", exampleModel, "--features", exampleFeatures, "why?"}, exitUsage, "needs --image-id"},
		"no features":   {[]string{"ask", "--model", exampleModel, "--image-id", "drawn-1", "why?"}, exitUsage, "--features, which is not given"},
		"unknown image": {base("--image-id", "drawn-3", "why?"), exitFailure, "drawn-1"},
		"empty":         {base(" "), exitFailure, "the question is empty"},
		"not UTF-8":     {base("\xff"), exitFailure, "not UTF-8"},
		"labels":        {base("--labels", short, "why?"), exitFailure, "2 answers, but the model scores 22"},
		"no model":      {base("--model", t.TempDir(), "why?"), exitFailure, "config.json"},
		"wrong file":    {base("--features", "ask_test.go", "why?"), exitFailure, "ask_test.go"},
	} {
		code, _, errOut := command(t, "", test.args...)
		if code != test.code || !strings.Contains(errOut, test.want) {
			t.Errorf("%s: exit code %d, want %d; %q is to be in: %s", name, code, test.code, test.want, errOut)
		}
	}
}

// TestInit: the example's directory comes out byte for byte, answers, and is not replaced by accident.
func TestInit(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	dir := filepath.Join(t.TempDir(), "fresh")
	args := []string{"init", "--out", dir, "--vocab", "../../examples/words.txt", "--labels", "../../examples/answers.txt", "--seed", "2019",
		"--set", "hidden_size=32", "--set", "num_attention_heads=4", "--set", "intermediate_size=64",
		"--set", "l_layers=2", "--set", "r_layers=1", "--set", "x_layers=1", "--set", "max_position_embeddings=64"}
	code, out, errOut := command(t, "", args...)
	if code != exitOK || !strings.Contains(out, "LxmertForQuestionAnswering") {
		t.Fatalf("exit code %d: %s%s", code, out, errOut)
	}
	files, err := os.ReadDir(exampleModel)
	if err != nil || len(files) < 4 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		want, err := os.ReadFile(filepath.Join(exampleModel, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s differs from the example's", file.Name())
		}
	}
	if code, _, errOut := command(t, "", args...); code != exitFailure || !strings.Contains(errOut, "holds config.json already") {
		t.Errorf("a second time: exit code %d, %s", code, errOut)
	}
	config, err := pretrained.Config(dir)
	if err != nil || config.NumQALabels != 22 || config.ID2Label[0] != "yes" {
		t.Errorf("config %+v, %v", config, err)
	}
}

func TestInspect(t *testing.T) {
	code, out, errOut := command(t, "", "inspect", exampleModel)
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	for _, want := range []string{"LxmertForQuestionAnswering  fits exactly", "LxmertForPreTraining", "missing: ", "cls.predictions", "answers", "22 (named in id2label)",
		"lxmert.encoder.x_layers.0.visual_attention.att.query.weight", "F32  [32 32]"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in:\n%s", want, out)
		}
	}
	code, out, errOut = command(t, "", "inspect", "--json", filepath.Join(exampleModel, "model.safetensors"))
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	var record inspectRecord
	if err := json.Unmarshal([]byte(out), &record); err != nil {
		t.Fatal(err)
	}
	if record.Class != "LxmertForQuestionAnswering" || len(record.Fits["LxmertForPreTraining"].Missing) != 17 || record.Parameters == 0 {
		t.Errorf("class %s, %d parameters, fits %v", record.Class, record.Parameters, record.Fits)
	}
	if code, _, errOut := command(t, "", "inspect"); code != exitUsage {
		t.Errorf("no path: exit code %d, %s", code, errOut)
	}
	if code, _, errOut := command(t, "", "inspect", t.TempDir()); code != exitFailure || errOut == "" {
		t.Errorf("an empty directory: exit code %d, %s", code, errOut)
	}
}

// TestReference: docs/cli.md is what the commands say.
func TestReference(t *testing.T) {
	written, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(written) != reference(newRoot()) {
		t.Error("docs/cli.md is out of date: run go generate ./cmd/lxmert")
	}
}

// TestHelp: every verb has a description and an example; an unknown verb is a usage error.
func TestHelp(t *testing.T) {
	for _, verb := range newRoot().Commands() {
		if verb.Hidden {
			continue
		}
		if verb.Example == "" || verb.Long == "" {
			t.Errorf("%s has no example or no description", verb.Name())
		}
		if code, out, errOut := command(t, "", verb.Name(), "--help"); code != exitOK || !strings.Contains(out, "Examples:") {
			t.Errorf("%s --help: exit code %d, %s%s", verb.Name(), code, out, errOut)
		}
	}
	if code, _, errOut := command(t, "", "aks"); code != exitUsage || !strings.Contains(errOut, `"aks"`) {
		t.Errorf("an unknown verb: exit code %d, %s", code, errOut)
	}
	if code, out, _ := command(t, ""); code != exitOK || !strings.Contains(out, "Usage:") {
		t.Errorf("no verb: exit code %d, %s", code, out)
	}
	if code, out, _ := command(t, "", "completion", "bash"); code != exitOK || !strings.Contains(out, "lxmert") {
		t.Errorf("completion: exit code %d", code)
	}
}

// TestInitRefuses: contradictions, and places where something is.
func TestInitRefuses(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	taken := filepath.Join(dir, "taken")
	if err := os.MkdirAll(taken, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(taken, "model.safetensors"), []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	words, answers := "../../examples/words.txt", "../../examples/answers.txt"
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"a file":           {[]string{"--out", file}, exitFailure, "is no directory"},
		"below a file":     {[]string{"--out", filepath.Join(file, "sub")}, exitFailure, "file"},
		"weights":          {[]string{"--out", taken}, exitFailure, "holds model.safetensors already"},
		"small vocabulary": {[]string{"--out", filepath.Join(dir, "a"), "--set", "vocab_size=5"}, exitUsage, "the vocabulary has"},
		"other answers":    {[]string{"--out", filepath.Join(dir, "b"), "--labels", answers, "--set", "num_qa_labels=7"}, exitUsage, "has 22 answers"},
		"no config":        {[]string{"--out", filepath.Join(dir, "c"), "--config", ""}, exitFailure, "no such file"},
		"too large":        {[]string{"--out", filepath.Join(dir, "d"), "--set", "hidden_size=1048576", "--set", "num_attention_heads=1"}, exitFailure, "weights, at most"},
	} {
		code, _, errOut := command(t, "", append([]string{"init", "--vocab", words}, test.args...)...)
		if code != test.code || !strings.Contains(errOut, test.want) {
			t.Errorf("%s: exit code %d, want %d; %q is to be in: %s", name, code, test.code, test.want, errOut)
		}
	}
	if content, err := os.ReadFile(filepath.Join(taken, "model.safetensors")); err != nil || string(content) != "precious" {
		t.Errorf("the weights that were there: %q, %v", content, err)
	}
}

// TestVersion: the flag prints something.
func TestVersion(t *testing.T) {
	if code, out, errOut := command(t, "", "--version"); code != exitOK || !strings.Contains(out, "lxmert version") || !strings.Contains(out, "engines go, simd") {
		t.Errorf("exit code %d, %s%s", code, out, errOut)
	}
}
