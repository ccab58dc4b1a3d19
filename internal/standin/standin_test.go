//go:build xla

package standin

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	gomodel "github.com/gomlx/gomlx/ml/model"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/internal/padding"
	"github.com/go-lxmert/lxmert/internal/sample"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/train"
)

// reaches checks that a computation has got as far as the compiler, and gives its program.
func (e *Engine) reaches(t *testing.T, compute func() error) string {
	t.Helper()
	before := len(e.Programs(t))
	if err := compute(); err == nil || !strings.Contains(err.Error(), Compiles) {
		t.Fatalf("found %v, want that %s", err, Compiles)
	}
	programs := e.Programs(t)
	if len(programs) != before+1 {
		t.Fatalf("found %d programs more, want 1", len(programs)-before)
	}
	return programs[before]
}

// tiny is the configuration of the reference's tiny model, with dropout.
func tiny(t *testing.T) *model.Config {
	c := golden.Config(t, "tiny")
	c.HiddenDropout, c.AttentionDropout = 0.1, 0.1
	return c
}

// TestAnswers: passes of each head in each type, and attentions with their gradients.
func TestAnswers(t *testing.T) {
	for _, name := range []string{"standin", "cuda_standin"} {
		t.Run(name, func(t *testing.T) {
			e := Open(t, name, 1)
			if !padding.Few(e.Backend) {
				t.Error("it does not want few shapes")
			}
			fused := e.Capabilities().Operations[compute.OpTypeFusedScaledDotProductAttention]
			if fused != (name != "standin") {
				t.Errorf("fused attention: %v", fused)
			}
			c := tiny(t)
			for _, precision := range []model.Precision{model.Float32, model.BFloat16, model.Int8} {
				m, err := model.NewIn(e.Backend, c, model.HeadQuestionAnswering, precision, c.Fresh(1).Kept())
				if err != nil {
					t.Fatal(err)
				}
				qa := &model.LxmertForQuestionAnswering{Network: m}
				program := e.reaches(t, func() error {
					_, err := qa.Forward(t.Context(), sample.Questions(c, 2, 2, 8, 12), model.Options{})
					return err
				})
				if want := map[model.Precision]string{model.Float32: "f32", model.BFloat16: "bf16", model.Int8: "i8"}[precision]; !strings.Contains(program, "x"+want+">") {
					t.Errorf("%s: no %s in the program", precision, want)
				}
				if precision == model.Float32 {
					e.reaches(t, func() error { _, err := m.Attend(t.Context(), sample.Questions(c, 1, 1, 8, 12), nil); return err })
				}
				for _, name := range []string{"lxmert.pooler.dense.weight", "lxmert.encoder.layer.0.output.dense.weight"} { // which went to the device
					if _, err := m.Weight(name); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
				m.Close()
			}
			statements, err := model.New(e.Backend, c, model.HeadNLVR2, c.Fresh(1))
			if err != nil {
				t.Fatal(err)
			}
			defer statements.Close()
			in := sample.Questions(c, 2, 4, 8, 12)
			for _, x := range []**tensors.Tensor{&in.VisualFeats, &in.VisualPos} {
				values, err := tensors.CopyFlatData[float32](*x)
				if err != nil {
					t.Fatal(err)
				}
				*x = tensors.FromFlatDataAndDimensions(values, 2, 2, 12, (*x).Shape().Dim(-1))
			}
			in.VisualAttentionMask = nil
			e.reaches(t, func() error {
				_, err := (&model.LxmertForNLVR2{Network: statements}).Forward(t.Context(), in, model.Options{})
				return err
			})
		})
	}
}

// TestRuns: programs get their arguments, in the shapes that they say and on their devices, and what they give comes back: answers, and steps on one device and on
// two, whose weights are taken up by the next and by an answer.
func TestRuns(t *testing.T) {
	for devices := 1; devices <= 2; devices++ {
		for _, accumulate := range []int{1, 2} {
			e := Open(t, "standin", devices)
			e.Run(t)
			c := tiny(t)
			m, err := model.New(e.Backend, c, model.HeadPreTraining, c.Fresh(1))
			if err != nil {
				t.Fatal(err)
			}
			answer := func() {
				t.Helper()
				out, err := (&model.LxmertForPreTraining{Network: m}).Forward(t.Context(), sample.Questions(c, 2, 2, 8, 12), model.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if logits, err := tensors.CopyFlatData[float32](out.QuestionAnsweringScore); err != nil || len(logits) != 2*c.NumQALabels {
					t.Errorf("found %d logits, %v", len(logits), err)
				}
			}
			answer()
			objective := func(s *gomodel.Scope, in *model.Inputs[*graph.Node], _ *graph.Node) train.Loss {
				return train.Loss{Total: c.PreTraining(s, in, model.Options{Training: true}).Loss}
			}
			step, err := train.NewStep(m, objective, train.BertAdam{}, 1)
			if err != nil {
				t.Fatal(err)
			}
			if err := step.On(devices); err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				var batches []*train.Batch
				for part := range accumulate * devices {
					batches = append(batches, &train.Batch{Inputs: sample.PreTraining(c, 2, 8, 12), Seed: new(int64(part))})
				}
				if _, err := step.Run(1e-3, i+1, batches...); err != nil {
					t.Fatalf("%d devices, %d parts each, step %d: %v", devices, accumulate, i+1, err)
				}
				answer()
			}
			step.Close()
			if weight, err := m.Weight("lxmert.pooler.dense.bias"); err != nil || weight.Value().([]float32)[0] != 0 {
				t.Errorf("found %v, %v, want the stand-in's zeros", weight, err)
			}
			m.Close()
		}
	}
}

// TestFewPrograms: questions of all lengths, in batches of all sizes, about pictures of several numbers of regions, are answered by few programs.
func TestFewPrograms(t *testing.T) {
	e := Open(t, "standin", 1)
	e.Run(t)
	m, err := lxmert.Open(filepath.Join("..", "..", "examples", "tiny"), lxmert.WithBackend(e.Backend))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	tsv, err := data.OpenTSV(filepath.Join("..", "..", "examples", "regions.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer tsv.Close()
	whole, err := tsv.Get("drawn-1")
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 16; n++ {
		queries := make([]lxmert.Query, n)
		for i := range queries {
			regions := whole // the same memory: one picture for all
			if n%2 == 0 {
				count := 1 + (n+i)%whole.Len()
				regions.Features, regions.Boxes = whole.Features[:count*whole.FeatureWidth], whole.Boxes[:4*count]
				regions.Objects, regions.Attributes = nil, nil
			}
			queries[i] = lxmert.Query{Regions: regions, Question: "is there" + strings.Repeat(" a", (i*7+n)%16) + "?"}
		}
		answers, err := m.AskBatch(t.Context(), queries)
		if err != nil || len(answers) != n {
			t.Fatalf("%d questions: found %d answers, %v", n, len(answers), err)
		}
	}
	// At most 5 sizes of a batch, 4 of a question of up to 20 tokens; a picture of its own for each or one for all.
	if got := len(e.Programs(t)); got > 5*4*2 {
		t.Errorf("found %d programs, want 40 at most", got)
	} else {
		t.Logf("%d programs", got)
	}
}

// TestTraining: steps of pre-training in float32 and bfloat16, with gradient checkpointing, on one device and on two.
func TestTraining(t *testing.T) {
	for _, name := range []string{"standin", "cuda_standin"} {
		for what, o := range map[string]model.Options{"f32": {}, "bf16": {BFloat16: true}, "checkpointing": {Checkpointing: true}} {
			for devices, parts := range map[int]int{1: 1, 2: 2} {
				t.Run(filepath.Join(name, what, string(rune('0'+devices))), func(t *testing.T) {
					e := Open(t, name, devices)
					c := tiny(t)
					m, err := model.New(e.Backend, c, model.HeadPreTraining, c.Fresh(1))
					if err != nil {
						t.Fatal(err)
					}
					defer m.Close()
					o := o
					o.Training = true
					objective := func(s *gomodel.Scope, in *model.Inputs[*graph.Node], _ *graph.Node) train.Loss {
						return train.Loss{Total: c.PreTraining(s, in, o).Loss}
					}
					for _, accumulate := range []int{1, 2} {
						step, err := train.NewStep(m, objective, train.BertAdam{}, 1)
						if err != nil {
							t.Fatal(err)
						}
						defer step.Close()
						if err := step.On(devices); err != nil {
							t.Fatal(err)
						}
						var batches []*train.Batch
						for range accumulate * parts {
							batches = append(batches, &train.Batch{Inputs: sample.PreTraining(c, 2, 8, 12)})
						}
						program := e.reaches(t, func() error { _, err := step.Run(1e-3, 1, batches...); return err })
						if got, want := strings.Contains(program, "all_reduce"), devices > 1 && accumulate == 1; got != want {
							t.Errorf("%d parts a device: all_reduce %v, want %v", accumulate, got, want)
						}
						if devices > 1 && !strings.Contains(program, "num_replicas = 2") {
							t.Error("the program is not for two devices")
						}
					}
				})
			}
		}
	}
}
