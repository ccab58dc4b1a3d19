package pretrained_test

import (
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

// same fails if two checkpoints differ in any bit of any weight; what the second need not have is named.
func same(t *testing.T, first, second string, without ...string) {
	t.Helper()
	differences, err := pretrained.Diff(first, second)
	if err != nil {
		t.Fatal(err)
	}
	if len(differences) < 100 {
		t.Fatalf("compared %d tensors only", len(differences))
	}
	for _, d := range differences {
		dropped := slices.ContainsFunc(without, func(head string) bool { return strings.HasPrefix(d.Name, head) })
		if !d.Equal() && !(dropped && d.Second == nil) {
			t.Errorf("%s: %v and %v, difference %v", d.Name, d.First, d.Second, d.Max)
		}
	}
}

// TestLayouts: from any layout to any other and back nothing changes, in no head.
func TestLayouts(t *testing.T) {
	heads := []string{"cls.", "obj_predict_head.", "answer_head.", "logit_fc."}
	for _, c := range []struct {
		weights string
		head    model.Head
		without []string
	}{
		{"model.safetensors", model.HeadPreTraining, nil},
		{"model.safetensors", model.HeadQuestionAnswering, heads[:2]},
		{"model.safetensors", model.HeadModel, heads},
		{"orig/nlvr2_finetuned.pth", model.HeadNLVR2, nil},
	} {
		source := directory(t, c.weights)
		for _, from := range pretrained.Layouts {
			for _, shard := range []int64{0, 100_000} {
				if shard > 0 && from != pretrained.Safetensors && from != pretrained.PyTorch {
					continue
				}
				if from == pretrained.TensorFlow && c.head == model.HeadNLVR2 {
					continue // Hugging Face has no such class
				}
				first := filepath.Join(t.TempDir(), "first")
				done, err := pretrained.Convert(t.Context(), first, source, pretrained.Conversion{Head: c.head, Layout: from, MaxShardBytes: shard})
				if err != nil {
					t.Fatalf("%s %s: %v", c.head, from, err)
				}
				same(t, source, first, c.without...)
				if inspection, err := pretrained.Inspect(first); err != nil || inspection.Head != done.Head || len(inspection.Fits[c.head].Missing)+len(inspection.Fits[c.head].Unexpected) > 0 || inspection.Fits[c.head].Err != nil {
					t.Errorf("%s %s: %+v, %v", c.head, from, inspection.Fits[c.head], err)
				} else if shards := len(inspection.Files); (shard > 0) != (shards > 1) {
					t.Errorf("%s %s: %d files", c.head, from, shards)
				}
				for _, to := range pretrained.Layouts {
					if to == pretrained.TensorFlow && c.head == model.HeadNLVR2 {
						continue
					}
					second := filepath.Join(t.TempDir(), "second")
					if _, err := pretrained.Convert(t.Context(), second, first, pretrained.Conversion{Layout: to}); err != nil {
						t.Fatalf("%s %s %s: %v", c.head, from, to, err)
					}
					same(t, first, second)
				}
			}
		}
	}
}

// TestLayoutReplaces: weights of another layout do not stay where they would be taken for the new ones.
func TestLayoutReplaces(t *testing.T) {
	source, out := directory(t, "model.safetensors"), t.TempDir()
	for _, layout := range slices.Concat(pretrained.Layouts, pretrained.Layouts[:1]) {
		if _, err := pretrained.Convert(t.Context(), out, source, pretrained.Conversion{Layout: layout}); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(out)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) != 2 {
			t.Errorf("%s: %v, want config.json and one file of weights", layout, entries)
		}
	}
}

// TestOriginalNames: what is written for the original repository has exactly the names that it wrote itself, but for the prefix that several GPUs add.
func TestOriginalNames(t *testing.T) {
	for _, c := range []struct{ reference, file string }{
		{"orig/model_LXRT.pth", "model_LXRT.pth"},
		{"orig/vqa_finetuned.pth", "BEST.pth"},
		{"orig/vqa_finetuned_multigpu.pth", "BEST.pth"},
		{"orig/nlvr2_finetuned.pth", "BEST.pth"},
	} {
		source, out := directory(t, c.reference), t.TempDir()
		config, err := pretrained.Config(source)
		if err != nil {
			t.Fatal(err)
		}
		config.Extra = nil // no class: the head is told by what is there
		if strings.Contains(c.reference, "vqa") {
			config.NumQALabels = 21
		}
		if _, err := pretrained.Convert(t.Context(), out, source, pretrained.Conversion{Layout: pretrained.Original, Config: config}); err != nil {
			t.Fatal(err)
		}
		if got, want := storedNames(t, filepath.Join(out, c.file)), storedNames(t, source); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", c.reference, got, want)
		}
	}
}

// storedNames are the names in a file, sorted, without what several GPUs add.
func storedNames(t *testing.T, path string) []string {
	t.Helper()
	file, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var out []string
	for _, name := range file.Names() {
		out = append(out, strings.Replace(strings.TrimPrefix(file.StoredName(name), "module."), ".module.", ".", 1))
	}
	slices.Sort(out)
	return out
}

// TestInfer: without config.json the shapes show what they can.
func TestInfer(t *testing.T) {
	config := model.DefaultConfig()
	config.HiddenSize, config.NumAttentionHeads, config.IntermediateSize = 128, 2, 96
	config.LanguageLayers, config.VisionLayers, config.CrossLayers = 3, 1, 2
	config.VocabSize, config.MaxPositionEmbeddings, config.TypeVocabSize, config.VisualFeatDim, config.VisualPosDim = 50, 24, 3, 40, 5
	config.NumQALabels, config.NumObjectLabels, config.NumAttrLabels = 9, 11, 6
	m, err := model.New(golden.Portable(t), config, model.HeadPreTraining, config.Fresh(1))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	dir := t.TempDir()
	if err := pretrained.Save(t.Context(), dir, m); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, pretrained.ConfigName)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Join(dir, checkpoint.SingleName)} {
		got, err := pretrained.Config(path)
		if err != nil {
			t.Fatal(err)
		}
		var a, b strings.Builder
		got.WriteTo(&a)
		config.WriteTo(&b)
		if a.String() != b.String() {
			t.Errorf("%s, want %s", a.String(), b.String())
		}
	}
	if _, err := pretrained.Config(filepath.Join(golden.Dir(), "tiny", "orig", "vqa_finetuned.pth")); err == nil || !strings.Contains(err.Error(), "put a config.json beside it") {
		t.Errorf("heads that shapes do not show: %v", err)
	}
	if _, err := pretrained.Config(t.TempDir()); err == nil || !strings.Contains(err.Error(), "config.json") {
		t.Errorf("an empty directory: %v", err)
	}
}

// TestAnswers: rows are taken over, and the others are fresh.
func TestAnswers(t *testing.T) {
	source, out := directory(t, "model.safetensors"), t.TempDir()
	rows := []int{3, -1, 0, 16}
	if _, err := pretrained.Convert(t.Context(), out, source, pretrained.Conversion{Head: model.HeadQuestionAnswering, Answers: &pretrained.Answers{Rows: rows, Seed: 4}}); err != nil {
		t.Fatal(err)
	}
	config, err := pretrained.Config(out)
	if err != nil || config.NumQALabels != len(rows) {
		t.Fatalf("%+v, %v", config, err)
	}
	for _, name := range []string{"answer_head.logit_fc.3.weight", "answer_head.logit_fc.3.bias"} {
		before, after := floats(t, source, name), floats(t, out, name)
		width := len(after) / len(rows)
		for i, row := range rows {
			got := after[i*width : (i+1)*width]
			switch {
			case row >= 0:
				if !slices.Equal(got, before[row*width:(row+1)*width]) {
					t.Errorf("%s: row %d is not the old %d", name, i, row)
				}
			case width == 1:
				if got[0] != 0 {
					t.Errorf("%s: a fresh bias is %v", name, got[0])
				}
			case slices.Equal(got, make([]float32, width)):
				t.Errorf("%s: a fresh row is 0", name)
			}
		}
	}
	if _, err := pretrained.Convert(t.Context(), out, source, pretrained.Conversion{Head: model.HeadModel, Answers: &pretrained.Answers{Rows: rows}}); err == nil || !strings.Contains(err.Error(), "no answer head") {
		t.Errorf("no head: %v", err)
	}
	if _, err := pretrained.Convert(t.Context(), out, source, pretrained.Conversion{Head: model.HeadQuestionAnswering, Answers: &pretrained.Answers{Rows: []int{17}}}); err == nil || !strings.Contains(err.Error(), "answer 17 is asked for") {
		t.Errorf("a row too far: %v", err)
	}
	if got := pretrained.Resized(2, 4); !slices.Equal(got, []int{0, 1, -1, -1}) {
		t.Errorf("resized: %v", got)
	}
}

func floats(t *testing.T, dir, name string) []float32 {
	t.Helper()
	file, err := checkpoint.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	tensor, ok := file.Tensor(name)
	if !ok {
		t.Fatalf("%s: no %s", dir, name)
	}
	values, err := tensor.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	return values
}
