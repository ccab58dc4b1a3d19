package explain

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
)

// The reference's tolerances (testdata/relevance/README.md).
var (
	scores = golden.Tolerance{Absolute: 2e-5}
	shades = golden.Tolerance{Absolute: 1e-4}
)

// reference is a file of the reference data, relative to golden's directory.
func reference(name string) string { return filepath.Join("..", "relevance", name) }

// attend is the network's attentions to one of the reference's inputs.
func attend(t *testing.T, engine compute.Backend, in *model.Batch, target int) *network {
	t.Helper()
	m, err := model.New(engine, golden.Config(t, reference("")), model.HeadQuestionAnswering,
		golden.Weights(t, reference("model.safetensors"), model.HeadQuestionAnswering))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	out, err := m.Attend(t.Context(), in, []int{target})
	if err != nil {
		t.Fatal(err)
	}
	n, err := readNetwork(out, in.InputIDs.Shape().Dim(1), in.VisualFeats.Shape().Dim(1))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// results are a method's matrices and scores under the reference's names.
func results(e *Explanation) map[string]any {
	return map[string]any{
		"R_t_t": e.Matrices.TokenToken, "R_t_i": e.Matrices.TokenRegion, "R_i_t": e.Matrices.RegionToken, "R_i_i": e.Matrices.RegionRegion,
		"token_scores": e.TokenScores, "region_scores": e.RegionScores,
		"token_scores_minmax":  float32s(minMax(wide(e.TokenScores))), // the reference's has the special tokens in it
		"region_scores_minmax": e.RegionShades,
	}
}

func wide(values []float32) []float64 {
	of := make([]float64, len(values))
	for i, x := range values {
		of[i] = float64(x)
	}
	return of
}

// explained is an explanation of a state at the end of a method.
func explained(n *network, s state) *Explanation {
	e := &Explanation{Tokens: make([]Token, n.tokens)}
	e.read(s)
	return e
}

// near compares a result with the reference's: a matrix or a list.
func near(t *testing.T, name string, got any, want *tensors.Tensor, tolerance golden.Tolerance) {
	t.Helper()
	dims := want.Shape().Dimensions
	var flat []float32
	switch got := got.(type) {
	case []float32:
		flat = got
	case [][]float32:
		for _, row := range got {
			flat = append(flat, row...)
		}
	}
	if len(flat) != want.Shape().Size() {
		t.Errorf("%s: %d numbers, want %v", name, len(flat), dims)
		return
	}
	golden.Near(t, name, tensors.FromFlatDataAndDimensions(flat, dims...), want, tolerance, 0)
}

func tolerance(name string) golden.Tolerance {
	if strings.HasSuffix(name, "_minmax") {
		return shades
	}
	return scores
}

// Every method gives the authors' matrices and scores, and relevance their states on the way.
func TestGolden(t *testing.T) { golden.EachEngine(t, testGolden) }

func testGolden(t *testing.T, engine compute.Backend) {
	for file, target := range map[string]int{"case0": model.BestAnswer, "case1": model.BestAnswer, "case2_given_index": 3} {
		t.Run(file, func(t *testing.T) {
			want := golden.Tensors(t, reference(file+".outputs.safetensors"))
			n := attend(t, engine, golden.Inputs(t, reference(file+".inputs.safetensors")), target)
			compared := map[string]bool{}
			compare := func(name string, got any, tolerance golden.Tolerance) {
				if w, ok := want[name]; ok {
					near(t, name, got, w, tolerance)
					compared[name] = true
				}
			}
			for method, s := range map[string]state{
				"ours": n.relevance(normalised, func(after string, s state) {
					compare("ours.after_"+after+".R_t_t", s.tt.floats(), scores)
					compare("ours.after_"+after+".R_t_i", s.ti.floats(), scores)
					compare("ours.after_"+after+".R_i_t", s.it.floats(), scores)
					compare("ours.after_"+after+".R_i_i", s.ii.floats(), scores)
				}),
				"ours_no_norm":            n.relevance(unnormalised, nil),
				"ours_no_self_in_rule_10": n.relevance(withoutSelf, nil),
				"raw_attention":           n.rawAttention(len(n.cross)-1, -1),
				"rollout":                 n.rollout(),
				"attention_gradcam":       n.attentionGradCAM(),
			} {
				for name, got := range results(explained(n, s)) {
					compare(method+"."+name, got, tolerance(name))
				}
			}
			for _, a := range n.all() {
				compare("cam."+referenceName(a.name), a.cam().floats(), scores)
				compared["attn."+referenceName(a.name)], compared["grad."+referenceName(a.name)] = true, true // the model's tests compare them
			}
			for name := range want {
				if !compared[name] && name != "logits" && name != "target_index" {
					t.Errorf("%s was not compared", name)
				}
			}
		})
	}
}

// referenceName is an attention's name in the reference data.
func referenceName(name model.AttentionName) string {
	layer := string(rune('0' + name.Layer))
	switch name.Kind {
	case model.LanguageAttention:
		return "lang." + layer
	case model.RegionAttention:
		return "vis." + layer
	}
	return "x" + layer + map[model.AttentionKind]string{
		model.CrossLanguageAttention: ".cross.lang_queries", model.CrossRegionAttention: ".cross.vis_queries",
		model.CrossSelfLanguageAttention: ".lang_self", model.CrossSelfRegionAttention: ".vis_self",
	}[name.Kind]
}

// Padding tokens leave the others' relevance as it is; the authors' own code gives NaN.
func TestPadded(t *testing.T) { golden.EachEngine(t, testPadded) }

func testPadded(t *testing.T, engine compute.Backend) {
	want := golden.Tensors(t, reference("padded.outputs.safetensors"))
	n := attend(t, engine, golden.Inputs(t, reference("padded.inputs.safetensors")), model.BestAnswer)
	for method, s := range map[string]state{"safe": n.relevance(normalised, nil), "no_norm": n.relevance(unnormalised, nil)} {
		for name, got := range results(explained(n, s)) {
			if w, ok := want[method+"."+name]; ok {
				near(t, method+"."+name, got, w, tolerance(name))
			}
		}
	}
	e := explained(n, n.relevance(normalised, nil))
	real := want["unpadded.token_scores"].Shape().Size()
	near(t, "unpadded.token_scores", e.TokenScores[:real], want["unpadded.token_scores"], scores)
	near(t, "unpadded.region_scores", e.RegionScores, want["unpadded.region_scores"], scores)
	for i, score := range e.TokenScores[real:] {
		if score != 0 {
			t.Errorf("padding token %d has relevance %v", i, score)
		}
	}
	for _, x := range tensors.MustCopyFlatData[float32](want["as_authors.R_t_i"]) {
		if !math.IsNaN(float64(x)) {
			t.Errorf("the reference's own code gives %v: this test says otherwise", x)
		}
	}
}

// Each rule alone, on random matrices.
func TestRules(t *testing.T) {
	want := golden.Tensors(t, reference("rules.safetensors"))
	in := func(name string) matrix {
		x := want[name]
		m := newMatrix(x.Shape().Dim(0), x.Shape().Dim(1))
		copy(m.v, wide(tensors.MustCopyFlatData[float32](x)))
		return m
	}
	ofHeads := func(name string) []matrix {
		x := want[name]
		of, err := heads(tensors.FromFlatDataAndDimensions(tensors.MustCopyFlatData[float32](x), append([]int{1}, x.Shape().Dimensions...)...))
		if err != nil {
			t.Fatal(err)
		}
		return of
	}
	check := func(name string, got matrix) {
		t.Helper()
		near(t, name, got.floats(), want[name], scores)
	}
	a := attention{probabilities: ofHeads("attn"), gradients: ofHeads("grad")}
	check("avg_heads", a.cam())
	check("gradcam", a.gradCAM())
	ss, sq := selfAttention(in("cam_ss"), in("R_ss"), in("R_sq"))
	check("self.R_ss_addition", ss)
	check("self.R_sq_addition", sq)
	for name, rule := range map[string]crossing{"mm_norm": normalised, "mm_no_norm": unnormalised, "mm_no_self10": withoutSelf} {
		sq, ss := crossAttention(rule, in("avg_heads"), in("R_ss"), in("R_qs"), in("R_qq"))
		check(name+".R_sq_addition", sq)
		check(name+".R_ss_addition", ss)
	}
	check("handle_residual.R_ss", residual(in("R_ss")))
	check("rollout", roll(in("rollout.in2"), roll(in("rollout.in1"), roll(in("cam_ss"), identity(4))))) // cam_ss was the first of three
}
