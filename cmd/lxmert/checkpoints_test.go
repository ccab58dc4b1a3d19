package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/pretrained"
)

// TestConvertLayouts: the model answers the same from every layout that this program reads, and the ONNX file is there.
func TestConvertLayouts(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	question := []string{"--features", exampleFeatures, "--image-id", "drawn-1", "what is there?"}
	want, _ := askJSON(t, append([]string{"--model", exampleModel}, question...)...)
	for _, layout := range pretrained.Layouts {
		out := filepath.Join(t.TempDir(), "out")
		said := succeeds(t, "convert", exampleModel, out, "--to", string(layout))
		if !strings.Contains(said, "LxmertForQuestionAnswering") {
			t.Errorf("%s: %s", layout, said)
		}
		got, errOut := askJSON(t, append([]string{"--model", out}, question...)...)
		if errOut != "" || got.Questions[0].Answers[0] != want.Questions[0].Answers[0] {
			t.Errorf("%s: %+v, want %+v; %s", layout, got.Questions[0].Answers[0], want.Questions[0].Answers[0], errOut)
		}
	}
	out := filepath.Join(t.TempDir(), "out")
	said := succeeds(t, "convert", exampleModel, out, "--to", "onnx")
	for _, name := range []string{"model.onnx", "config.json", "vocab.txt", "tokenizer.json"} {
		if info, err := os.Stat(filepath.Join(out, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if inspection, err := pretrained.Inspect(exampleModel); err != nil || !strings.Contains(said, grouped(inspection.Values)) {
		t.Errorf("%s, want %d parameters; %v", said, inspection.Values, err)
	}
	if shards := succeeds(t, "convert", exampleModel, filepath.Join(t.TempDir(), "shards"), "--to", "pytorch", "--shard", "50KB"); shards == "" {
		t.Error("nothing said")
	}
}

// TestConvertWeightsAlone: a file of the original repository becomes a model directory that answers.
func TestConvertWeightsAlone(t *testing.T) {
	dir := t.TempDir()
	vocab, labels := filepath.Join(dir, "words.txt"), filepath.Join(dir, "answers.json")
	words := []string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "what", "is", "this", "?"}
	for len(words) < 211 {
		words = append(words, "w"+strings.Repeat("x", len(words)))
	}
	if err := os.WriteFile(vocab, []byte(strings.Join(words, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	answers := make([]string, 21)
	for i := range answers {
		answers[i] = "answer" + strings.Repeat("!", i)
	}
	if err := lxmert.WriteLabels(labels, answers); err != nil {
		t.Fatal(err)
	}
	config, err := pretrained.Config(filepath.Join(golden.Dir(), "tiny"))
	if err != nil {
		t.Fatal(err)
	}
	config.NumQALabels, config.ID2Label, config.Extra = 21, nil, nil
	configFile, err := os.Create(filepath.Join(dir, "given.json"))
	if err != nil {
		t.Fatal(err)
	}
	config.WriteTo(configFile)
	configFile.Close()
	out := filepath.Join(dir, "out")
	original := filepath.Join(golden.Dir(), "tiny", "orig", "vqa_finetuned_multigpu.pth")
	if code, _, errOut := command(t, "", "convert", original, out); code != exitFailure || !strings.Contains(errOut, "put a config.json beside it") {
		t.Errorf("without a configuration: %d, %s", code, errOut)
	}
	if code, _, errOut := command(t, "", "convert", original, out, "--config", configFile.Name(), "--labels", "../../examples/answers.txt"); code != exitFailure || !strings.Contains(errOut, "want 21 as the answer head") {
		t.Errorf("other answers: %d, %s", code, errOut)
	}
	succeeds(t, "convert", original, out, "--config", configFile.Name(), "--vocab", vocab, "--labels", labels)
	if differ := succeeds(t, "inspect", original, "--diff", out); !strings.Contains(differ, "tensors are equal") {
		t.Error(differ)
	}
	if checked := succeeds(t, "doctor", out); !strings.Contains(checked, "all of LxmertForQuestionAnswering") || !strings.Contains(checked, "21, each with its text") || !strings.Contains(checked, "first question took") {
		t.Error(checked)
	}
}

func TestInspectDiff(t *testing.T) {
	tiny := filepath.Join(golden.Dir(), "tiny")
	code, out, errOut := command(t, "", "inspect", filepath.Join(tiny, "pytorch_model.bin"), "--diff", filepath.Join(tiny, "variants", "bf16"), "--json")
	var record diffRecord
	if err := json.Unmarshal([]byte(out), &record); err != nil || code != exitFailure || !strings.Contains(errOut, "187 of 187 tensors") || len(record.Different) != 187 {
		t.Fatalf("%d, %v, %s", code, err, errOut)
	}
	for _, d := range record.Different {
		if d.Max == nil || *d.Max <= 0 || *d.Part > 1.0/256 {
			t.Errorf("%+v: bfloat16 is right to a 512th", d)
		}
	}
	code, out, _ = command(t, "", "inspect", filepath.Join(tiny, "orig", "vqa_finetuned.pth"), "--diff", filepath.Join(tiny, "model.safetensors"))
	if code != exitFailure || !strings.Contains(out, "cls.predictions.bias") || !strings.Contains(out, "F32 [21]") || !strings.Contains(out, "F32 [17]") {
		t.Errorf("other heads: %d, %s", code, out)
	}
}

func TestResizeAnswers(t *testing.T) {
	dir := t.TempDir()
	old, err := lxmert.DirectoryLabels(exampleModel)
	if err != nil {
		t.Fatal(err)
	}
	wanted, table := []string{"a new one", old[3], old[0]}, filepath.Join(dir, "wanted.json")
	if err := lxmert.WriteLabels(table, wanted); err != nil {
		t.Fatal(err)
	}
	byText, short, long := filepath.Join(dir, "text"), filepath.Join(dir, "short"), filepath.Join(dir, "long")
	if out := succeeds(t, "resize-answers", exampleModel, byText, "--labels", table); !strings.Contains(out, "3 answers: 2 known, 1 fresh") {
		t.Error(out)
	}
	if labels, err := lxmert.DirectoryLabels(byText); err != nil || len(labels) != 3 || labels[1] != old[3] {
		t.Errorf("%q, %v", labels, err)
	}
	succeeds(t, "resize-answers", exampleModel, short, "--answers", "5")
	if labels, err := lxmert.DirectoryLabels(short); err != nil || len(labels) != 5 || labels[4] != old[4] {
		t.Errorf("%q, %v", labels, err)
	}
	if out := succeeds(t, "resize-answers", exampleModel, long, "--answers", "30"); !strings.Contains(out, "write one that names all 30") {
		t.Error(out)
	}
	question := []string{"--features", exampleFeatures, "--image-id", "drawn-1", "what is there?", "--top", "100"}
	scores := func(model string, extra ...string) map[string]float32 {
		record, _ := askJSON(t, append(append([]string{"--model", model}, question...), extra...)...)
		out := map[string]float32{}
		for _, a := range record.Questions[0].Answers {
			out[a.Text] = a.Score
		}
		return out
	}
	all, some := scores(exampleModel), scores(byText)
	for _, answer := range wanted[1:] {
		if d := all[answer] - some[answer]; d > 1e-5 || d < -1e-5 {
			t.Errorf("%s: %v, want %v", answer, some[answer], all[answer])
		}
	}
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"neither": {nil, "wants --answers or --labels"},
		"both":    {[]string{"--answers", "3", "--labels", table}, "wants --answers or --labels"},
		"none":    {[]string{"--answers", "-3"}, "want 1 or more"},
	} {
		if code, _, errOut := command(t, "", append([]string{"resize-answers", exampleModel, filepath.Join(dir, "x")}, test.args...)...); code != exitUsage || !strings.Contains(errOut, test.want) {
			t.Errorf("%s: %d, %s", name, code, errOut)
		}
	}
}

func TestDoctor(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	var record struct {
		Findings []finding
		Faults   int
	}
	if err := json.Unmarshal([]byte(succeeds(t, "doctor", "--json", exampleModel)), &record); err != nil || record.Faults != 0 {
		t.Fatalf("%+v, %v", record, err)
	}
	found := map[string]state{}
	for _, f := range record.Findings {
		found[f.Subject] = f.State
	}
	for _, subject := range []string{"program", "processor", "memory", "detector", "answers of go", "answers of simd", exampleModel, "  weights", "  numbers", "  tokenizer", "  answers", "  computing"} {
		if found[subject] == "" || found[subject] == stateFault {
			t.Errorf("%s: %q", subject, found[subject])
		}
	}
	// A damaged one: fewer answers than logits, a word too many, a weight that is no number.
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken")
	succeeds(t, "convert", exampleModel, broken)
	if err := os.WriteFile(filepath.Join(broken, "labels.json"), []byte(`["one"]`), 0o644); err != nil {
		t.Fatal(err)
	}
	weights := filepath.Join(broken, "model.safetensors")
	content, err := os.ReadFile(weights)
	if err != nil {
		t.Fatal(err)
	}
	copy(content[len(content)-4:], []byte{0, 0, 0xC0, 0x7F})
	if err := os.WriteFile(weights, content, 0o644); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := command(t, "", "doctor", broken)
	if code != exitFailure || !strings.Contains(errOut, "at fault") || !strings.Contains(out, "not finite") || !strings.Contains(out, "the table has 1 answers") {
		t.Errorf("%d, %s%s", code, out, errOut)
	}
	if code, _, errOut := command(t, "", "doctor", filepath.Join(dir, "nothing")); code != exitFailure || !strings.Contains(errOut, "1 of") {
		t.Errorf("%d, %s", code, errOut)
	}
}
