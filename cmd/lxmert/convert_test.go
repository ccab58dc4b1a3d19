package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/vision"
)

// TestConvert: a trained model in 16 bits has its tokenizer, answers and record, and knows its regions' preset; it answers.
func TestConvert(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	run, small := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "small")
	code, _, errOut := command(t, "", "finetune", "vqa", "--init", exampleModel, "--train", "../../examples/questions.json", "--features", exampleFeatures,
		"--out", run, "--epochs", "1", "--batch", "2")
	if code != exitOK {
		t.Fatalf("finetune: exit code %d: %s", code, errOut)
	}
	last := filepath.Join(run, "last")
	code, out, errOut := command(t, "", "convert", last, small, "--dtype", "f16")
	if code != exitOK || errOut != "" || !strings.Contains(out, "LxmertForQuestionAnswering") || !strings.Contains(out, "as F16") {
		t.Fatalf("exit code %d: %s%s", code, out, errOut)
	}
	for _, name := range []string{"tokenizer.json", "vocab.txt", "labels.json", "trained.json"} {
		want, err := os.ReadFile(filepath.Join(last, name))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(small, name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs, or is not there: %v", name, err)
		}
	}
	if _, err := os.Stat(filepath.Join(small, "training.json")); err == nil {
		t.Error("what only training needs was copied")
	}
	config, err := pretrained.Config(small)
	if err != nil || pretrained.Preset(config) != vision.ButdCaffe || config.Extra["torch_dtype"] != "float16" {
		t.Errorf("preset %q, type %v, %v", pretrained.Preset(config), config.Extra["torch_dtype"], err)
	}
	before, errA := os.Stat(filepath.Join(last, checkpoint.SingleName))
	after, errB := os.Stat(filepath.Join(small, checkpoint.SingleName))
	if errA != nil || errB != nil || after.Size() > before.Size()/2+20_000 {
		t.Errorf("%v, %v: %d bytes of %d", errA, errB, after.Size(), before.Size())
	}
	if record, errOut := askJSON(t, "--model", small, "--features", exampleFeatures, "--image-id", "drawn-1", "why?"); errOut != "" || record.Questions[0].Answers[0].Probability <= 0 {
		t.Errorf("%+v, %s", record, errOut)
	}
	// Without the head, over what is there: its answers go.
	code, out, errOut = command(t, "", "convert", "--force", last, small, "--head", "model", "--preset", "mine")
	if code != exitOK || !strings.Contains(out, "LxmertModel") || !strings.Contains(out, "answer_head.") {
		t.Errorf("exit code %d: %s%s", code, out, errOut)
	}
	inspected, err := pretrained.Inspect(small)
	if err != nil || inspected.Head != model.HeadModel || pretrained.Preset(inspected.Config) != "mine" {
		t.Errorf("%+v, %v", inspected, err)
	}
	if _, err := os.Stat(filepath.Join(small, "labels.json")); err == nil {
		t.Error("a model without answers has an answer table")
	}
}

func TestConvertRefuses(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no out":      {[]string{exampleModel}, exitUsage, "wants IN and OUT, found 1"},
		"type":        {[]string{exampleModel, out, "--dtype", "f8"}, exitUsage, `--dtype: found "f8", want f32, f16, bf16 or int8`},
		"integers":    {[]string{exampleModel, out, "--dtype", "i64"}, exitUsage, "want f32, f16, bf16 or int8"},
		"head":        {[]string{exampleModel, out, "--head", "tail"}, exitUsage, "--head"},
		"not there":   {[]string{exampleModel, out, "--head", "nlvr2"}, exitFailure, "logit_fc.0.weight"},
		"itself":      {[]string{exampleModel, exampleModel, "--force"}, exitUsage, "OUT is IN"},
		"taken":       {[]string{exampleModel, "../../shipped/qa"}, exitFailure, "holds config.json already"},
		"no model":    {[]string{t.TempDir(), out}, exitFailure, "model.safetensors"},
		"an argument": {[]string{exampleModel, out, "more"}, exitUsage, "wants IN and OUT, found 3"},
	} {
		code, _, errOut := command(t, "", append([]string{"convert"}, test.args...)...)
		if code != test.code || !strings.Contains(errOut, test.want) {
			t.Errorf("%s: exit code %d, want %d; %q is to be in: %s", name, code, test.code, test.want, errOut)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a directory was made")
	}
}

// TestPresets: regions of two detectors are not learned together; a model notes which it has learned from.
func TestPresets(t *testing.T) {
	config := model.DefaultConfig()
	var told bytes.Buffer
	notePreset(config, nil, "", &told)
	notePreset(config, nil, "mine", &told)
	notePreset(config, nil, "", &told)
	if got := pretrained.Preset(config); got != "mine" || told.Len() > 0 {
		t.Errorf("preset %q, told %s", got, &told)
	}
	if notePreset(config, []string{"a", "b"}, "other", &told); !strings.Contains(told.String(), "a, b: the regions are of preset other") || pretrained.Preset(config) != "other" {
		t.Errorf("told %q", &told)
	}
	dir := filepath.Join(t.TempDir(), "store")
	saveStore(t, dir, "mine", "a")
	f := &trainFlags{}
	if _, _, err := f.openFeatures([]string{exampleFeatures, dir}); err == nil || !strings.Contains(err.Error(), "regions of preset mine, but those of butd-caffe before it") {
		t.Errorf("two detectors: %v", err)
	}
	source, preset, err := f.openFeatures([]string{dir})
	if err != nil || preset != "mine" {
		t.Fatalf("preset %q, %v", preset, err)
	}
	source.Close()
}
