package pretrained_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
)

// directory is a model directory made of tiny's configuration and one file of weights, under a name that says nothing.
func directory(t *testing.T, weights string) string {
	t.Helper()
	dir := t.TempDir()
	config, err := os.ReadFile(filepath.Join(golden.Dir(), "tiny", "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(golden.Dir(), "tiny", weights))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"config.json": config, "weights.bin": content} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestFormats: each file of the reference's small model, in whatever format, gives the outputs that the reference recorded.
func TestFormats(t *testing.T) { golden.EachEngine(t, testFormats) }

func testFormats(t *testing.T, on compute.Backend) {
	tiny := filepath.Join(golden.Dir(), "tiny")
	for _, c := range []struct {
		weights, inputs, outputs string
		head                     model.Head
		answers                  int // 0: tiny's own
	}{
		{"pytorch_model.bin", "cases/pre_full/inputs", "cases/pre_full/outputs", model.HeadPreTraining, 0},
		{"pytorch_model.legacy.bin", "cases/pre_full/inputs", "cases/pre_full/outputs", model.HeadPreTraining, 0},
		{"tf_model.h5", "cases/pre_full/inputs", "cases/pre_full/outputs", model.HeadPreTraining, 0},
		{"tf_model.2020.h5", "cases/pre_full/inputs", "cases/pre_full/outputs", model.HeadPreTraining, 0},
		{"tf_model.h5", "cases/model_full/inputs", "cases/model_full/outputs", model.HeadModel, 0},
		{"pytorch_model.legacy.bin", "cases/qa_full/inputs", "cases/qa_full/outputs", model.HeadQuestionAnswering, 0},
		{"orig/model_LXRT.pth", "orig/inputs", "orig/outputs", model.HeadPreTraining, 0},
		{"orig/vqa_finetuned.pth", "orig/vqa_inputs", "orig/vqa_outputs", model.HeadQuestionAnswering, 21},
		{"orig/vqa_finetuned_multigpu.pth", "orig/vqa_inputs", "orig/vqa_outputs", model.HeadQuestionAnswering, 21},
		{"orig/nlvr2_finetuned.pth", "orig/nlvr2_inputs", "orig/nlvr2_outputs", model.HeadNLVR2, 0},
	} {
		t.Run(c.weights+" "+string(c.head), func(t *testing.T) {
			dir := directory(t, c.weights)
			config, err := pretrained.Config(dir)
			if err != nil {
				t.Fatal(err)
			}
			if c.answers > 0 {
				config.NumQALabels = c.answers
			}
			if inspection, err := pretrained.Inspect(dir); err != nil || c.answers == 0 && c.head != model.HeadModel && len(inspection.Fits[c.head].Missing) > 0 {
				t.Errorf("%+v, %v", inspection, err)
			}
			m, _, err := pretrained.Load(on, dir, c.head, pretrained.Options{Config: config})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			options := model.Options{HiddenStates: strings.HasSuffix(c.inputs, "_full/inputs"), Attentions: strings.HasSuffix(c.inputs, "_full/inputs")}
			out, err := m.Run(t.Context(), golden.Inputs(t, filepath.Join(tiny, c.inputs+".safetensors")), options)
			if err != nil {
				t.Fatal(err)
			}
			got := maps.Collect(out.Named())
			for name, want := range golden.Tensors(t, filepath.Join(tiny, c.outputs+".safetensors")) {
				switch {
				case name == "losses", c.head == model.HeadPreTraining && strings.HasSuffix(name, "_output"): // the original returns more than this class
					continue
				case name == "logits" && c.head == model.HeadQuestionAnswering:
					name = "question_answering_score"
				}
				golden.Near(t, name, got[name], want, golden.ToleranceOf(name), 0)
			}
		})
	}
}
