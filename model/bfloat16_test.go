package model_test

import (
	"maps"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	gomodel "github.com/gomlx/gomlx/ml/model"

	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
)

// TestBFloat16 runs the reference's cases in bfloat16. A number of 8 bits is off by up to 2⁻⁹, or 0.002, of itself; the outputs of the
// tiny model are off by up to 0.017 of their mean size, and by more than nothing, or it was not bfloat16.
func TestBFloat16(t *testing.T) { twoEngines(t, testBFloat16) }

func testBFloat16(t *testing.T, backend compute.Backend) {
	const least, most = 0.0005, 0.025
	for _, c := range golden.Cases(t, filepath.Join("tiny", "cases")) {
		t.Run(c.Name, func(t *testing.T) {
			m, err := model.New(backend, c.Config(t, "tiny"), c.Head, golden.Weights(t, filepath.Join("tiny", "model.safetensors"), c.Head))
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			run := func(narrow bool) map[string]*tensors.Tensor {
				out, err := m.Run(t.Context(), golden.Inputs(t, filepath.Join(c.Dir, "inputs.safetensors")),
					model.Options{HiddenStates: c.Options.HiddenStates, Attentions: c.Options.Attentions, BFloat16: narrow})
				if err != nil {
					t.Fatal(err)
				}
				return maps.Collect(out.Named())
			}
			want, got := run(false), run(true)
			for name, w := range want {
				g := got[name]
				switch off := distance(t, name, g, w); {
				case name == "loss" && math.IsNaN(float64(w.Value().(float32))): // no label; so is the reference's
					if !math.IsNaN(float64(g.Value().(float32))) {
						t.Errorf("loss: got %v, want NaN", g.Value())
					}
				case !(off <= most) || w.Size() > 16 && off < least: // of few numbers all may be near
					t.Errorf("%s: off by %.5f of its size, want %v to %v", name, off, least, most)
				}
			}
		})
	}
}

// TestBFloat16Gradients compares gradients in bfloat16 with those in float32: a weight's is off by up to 0.027 of its size.
func TestBFloat16Gradients(t *testing.T) { twoEngines(t, testBFloat16Gradients) }

func testBFloat16Gradients(t *testing.T, backend compute.Backend) {
	const most = 0.05
	start := filepath.Join("train", "pretrain_bertadam")
	batch := golden.Inputs(t, filepath.Join(golden.Dir(), start, "batch_0.safetensors"))
	m, err := model.NewLxmertForPreTraining(backend, golden.Config(t, start),
		golden.Weights(t, filepath.Join(start, "initial.safetensors"), model.HeadPreTraining))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	want, _ := trainingGradients(t, m, batch, model.Options{})
	narrow, _ := trainingGradients(t, m, batch, model.Options{BFloat16: true})
	for name, w := range want {
		if strings.HasSuffix(name, ".key.bias") { // truly 0, for softmax is blind to a shift; rounding leaves 2e-4
			golden.Near(t, name, narrow[name], w, golden.Tolerance{Absolute: 1e-3}, 0)
			continue
		}
		if off := distance(t, name, narrow[name], w); !(off <= most) {
			t.Errorf("%s: off by %.3f of its size, want at most %v", name, off, most)
		}
	}
}

// distance is the root of the mean squared difference of two float32 tensors, as a share of the root of want's mean square.
func distance(t *testing.T, name string, got, want *tensors.Tensor) float64 {
	t.Helper()
	if got == nil || !got.Shape().Equal(want.Shape()) || got.DType() != dtypes.Float32 {
		t.Fatalf("%s: found %v, want %s", name, got, want.Shape())
	}
	g, w := tensors.MustCopyFlatData[float32](got), tensors.MustCopyFlatData[float32](want)
	var difference, size float64
	for i := range w {
		difference += math.Pow(float64(g[i])-float64(w[i]), 2)
		size += math.Pow(float64(w[i]), 2)
	}
	if difference == 0 {
		return 0
	}
	return math.Sqrt(difference / size)
}

// TestBFloat16Products: nothing multiplies matrices in float32 but the map of the spatial encoding, once forward and once for its weight.
func TestBFloat16Products(t *testing.T) {
	start := filepath.Join("train", "pretrain_bertadam")
	config := golden.Config(t, start)
	m, err := model.NewLxmertForPreTraining(portable(t), config, golden.Weights(t, filepath.Join(start, "initial.safetensors"), model.HeadPreTraining))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	args, assemble := golden.Inputs(t, filepath.Join(golden.Dir(), start, "batch_0.safetensors")).Nodes()
	products := map[dtypes.DType]int{}
	exec, err := gomodel.NewExec(m.Backend(), m.Store(), func(s *gomodel.Scope, nodes []*graph.Node) *graph.Node {
		loss := config.PreTraining(s, assemble(nodes), model.Options{BFloat16: true}).Loss
		for n := range ancestors(append(s.BuildTrainableVariablesGradientsGraph(loss), loss)) {
			if n.Type() == graph.NodeTypeDotGeneral || n.Type() == graph.NodeTypeFusedDense {
				products[n.Inputs()[0].DType()]++
			}
		}
		return loss
	})
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	if _, err := exec.Call(args...); err != nil {
		t.Fatal(err)
	}
	if products[dtypes.Float32] != 2 || products[dtypes.BFloat16] < 3*40 {
		t.Errorf("found products of %v", products)
	}
}

// without is a backend without bfloat16.
type without struct{ compute.Backend }

func (b without) Capabilities() compute.Capabilities {
	c := b.Backend.Capabilities().Clone()
	delete(c.DTypes, dtypes.BFloat16)
	return c
}

// TestNoBFloat16: a backend without bfloat16 refuses it, and only that.
func TestNoBFloat16(t *testing.T) {
	m, err := model.NewLxmertModel(without{portable(t)}, golden.Config(t, "tiny"), golden.Weights(t, filepath.Join("tiny", "model.safetensors"), model.HeadModel))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	_, batch := small(t)
	if _, err := m.Forward(t.Context(), batch, model.Options{BFloat16: true}); err == nil || !strings.Contains(err.Error(), "has no bfloat16") {
		t.Errorf("got %v", err)
	}
	if _, err := m.Forward(t.Context(), batch, model.Options{}); err != nil {
		t.Error(err)
	}
}
