package model_test

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
)

const (
	nlvr2Dir     = "train/nlvr2_bertadam"
	nlvr2Weights = nlvr2Dir + "/initial.safetensors"
)

// statements is the model of the reference's NLVR2 training, as it began, and four statements about two pictures each, with
// a mask on some regions.
func statements(t *testing.T, engine compute.Backend) (*model.LxmertForNLVR2, *model.Batch) {
	t.Helper()
	m, err := model.NewLxmertForNLVR2(engine, golden.Config(t, nlvr2Dir), golden.Weights(t, nlvr2Weights, model.HeadNLVR2))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	in := golden.Inputs(t, filepath.Join(golden.Dir(), nlvr2Dir, "batch_1.safetensors"))
	dims := in.VisualFeats.Shape().Dimensions[:3]
	mask := slices.Repeat([]int64{1}, dims[0]*dims[1]*dims[2])
	mask[5], mask[13], mask[14] = 0, 0, 0 // of statement 0's first picture and statement 1's first
	in.VisualAttentionMask = tensors.FromFlatDataAndDimensions(mask, dims...)
	return m, in
}

// TestNLVR2Plainly: the logits are those of the plain way: LxmertModel on the statement with either picture, and
// the head on both pooled outputs, in float64. So are the states.
func TestNLVR2Plainly(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine compute.Backend) {
		m, in := statements(t, engine)
		base, err := model.NewLxmertModel(engine, m.Config(), golden.Weights(t, nlvr2Weights, model.HeadModel))
		if err != nil {
			t.Fatal(err)
		}
		defer base.Close()
		all := model.Options{HiddenStates: true, Attentions: true}
		got, err := m.Forward(t.Context(), in, model.Options{})
		if err != nil {
			t.Fatal(err)
		}
		withStates, err := m.Forward(t.Context(), in, all)
		if err != nil {
			t.Fatal(err)
		}
		const tolerance = 1e-5
		golden.Near(t, "logits beside states", withStates.Logits, got.Logits, golden.Tolerance{Absolute: tolerance}, 0)
		statements := in.InputIDs.Shape().Dim(0)
		pooled := make([][]float64, statements)
		for picture := range 2 {
			out, err := base.Forward(t.Context(), withPicture(in, picture), all)
			if err != nil {
				t.Fatal(err)
			}
			flat := tensors.MustCopyFlatData[float32](out.PooledOutput)
			for i := range pooled {
				for _, v := range flat[i*len(flat)/statements : (i+1)*len(flat)/statements] {
					pooled[i] = append(pooled[i], float64(v))
				}
			}
			byName := map[string]*tensors.Tensor{}
			for name, value := range withStates.Named() {
				byName[name] = value
			}
			for name, want := range out.Named() {
				if name == "pooled_output" || name == "language_output" || name == "vision_output" {
					continue
				}
				got := byName[name]
				if got != nil && got.Rank() > want.Rank() {
					got = pictureOf(got, picture)
				}
				golden.Near(t, fmt.Sprintf("picture %d: %s", picture, name), got, want, golden.Tolerance{Absolute: 2e-5}, 0)
			}
		}
		logits := tensors.MustCopyFlatData[float32](got.Logits)
		for i, x := range pooled {
			want := headInFloat64(t, m, x)
			for class, w := range want {
				if g := float64(logits[2*i+class]); !(math.Abs(g-w) <= tolerance) {
					t.Errorf("statement %d, class %d: got %v, want %v", i, class, g, w)
				}
			}
		}
	})
}

// withPicture is a batch for LxmertModel: each statement and one of its pictures.
func withPicture(in *model.Batch, picture int) *model.Batch {
	one := *in
	one.Labels = nil
	one.VisualFeats, one.VisualPos = pictureOf(in.VisualFeats, picture), pictureOf(in.VisualPos, picture)
	one.VisualAttentionMask = pictureOf(in.VisualAttentionMask, picture)
	return &one
}

// pictureOf takes [batch, 2, ...] apart.
func pictureOf(pairs *tensors.Tensor, picture int) *tensors.Tensor {
	dims := pairs.Shape().Dimensions
	if pairs.DType().IsInt() {
		return tensors.FromFlatDataAndDimensions(everyOther(tensors.MustCopyFlatData[int64](pairs), dims, picture), append(dims[:1:1], dims[2:]...)...)
	}
	return tensors.FromFlatDataAndDimensions(everyOther(tensors.MustCopyFlatData[float32](pairs), dims, picture), append(dims[:1:1], dims[2:]...)...)
}

func everyOther[T int64 | float32](flat []T, dims []int, picture int) []T {
	var out []T
	size := len(flat) / dims[0] / 2
	for i := range dims[0] {
		out = append(out, flat[(2*i+picture)*size:][:size]...)
	}
	return out
}

// headInFloat64 is Linear, exact GELU, LayerNorm, Linear.
func headInFloat64(t *testing.T, m *model.LxmertForNLVR2, x []float64) []float64 {
	t.Helper()
	weight := func(name string) []float32 {
		value, err := m.Weight("logit_fc." + name)
		if err != nil {
			t.Fatal(err)
		}
		return tensors.MustCopyFlatData[float32](value)
	}
	linear := func(x []float64, name string) []float64 {
		weights, biases := weight(name+".weight"), weight(name+".bias")
		y := make([]float64, len(biases))
		for o, bias := range biases {
			y[o] = float64(bias)
			for i, v := range x {
				y[o] += v * float64(weights[o*len(x)+i])
			}
		}
		return y
	}
	y := linear(x, "0")
	var mean, variance float64
	for i, v := range y {
		y[i] = v / 2 * (1 + math.Erf(v/math.Sqrt2))
		mean += y[i] / float64(len(y))
	}
	for _, v := range y {
		variance += (v - mean) * (v - mean) / float64(len(y))
	}
	scale, shift := weight("2.weight"), weight("2.bias")
	for i, v := range y {
		y[i] = (v-mean)/math.Sqrt(variance+1e-12)*float64(scale[i]) + float64(shift[i])
	}
	return linear(y, "3")
}

// TestNLVR2WithoutCrossLayers: a model whose streams never meet still has a statement for each picture.
func TestNLVR2WithoutCrossLayers(t *testing.T) {
	config := golden.Config(t, nlvr2Dir)
	config.CrossLayers = 0
	m, err := model.NewLxmertForNLVR2(portable(t), config, golden.Weights(t, nlvr2Weights, model.HeadNLVR2))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	_, in := statements(t, portable(t))
	out, err := m.Forward(t.Context(), in, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	one, err := m.Forward(t.Context(), statement(t, in, 2), model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	golden.Near(t, "logits", one.Logits, slice(t, out.Logits, 2), golden.Tolerance{Absolute: 1e-5}, 0)
}

// statement cuts one example out of a batch, its label too.
func statement(t *testing.T, in *model.Batch, i int) *model.Batch {
	t.Helper()
	one := selectExample(t, in, i)
	one.Labels = slice(t, in.Labels, i)
	return one
}

// TestNLVR2BatchEqualsSingles: a statement's logits do not depend on its company; the loss is the mean of the
// losses of those that have a label.
func TestNLVR2BatchEqualsSingles(t *testing.T) {
	m, in := statements(t, portable(t))
	setInt(in.Labels, 1, model.IgnoreLabel)
	all, err := m.Forward(t.Context(), in, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var sum float32
	labels := tensors.MustCopyFlatData[int64](in.Labels)
	for i, label := range labels {
		one, err := m.Forward(t.Context(), statement(t, in, i), model.Options{})
		if err != nil {
			t.Fatal(err)
		}
		golden.Near(t, fmt.Sprintf("statement %d", i), one.Logits, slice(t, all.Logits, i), golden.Tolerance{Absolute: 1e-5}, 0)
		loss := tensors.ToScalar[float32](one.Loss)
		if label != model.IgnoreLabel {
			sum += loss
		} else if loss == loss {
			t.Errorf("the loss without a label is %v, want NaN", loss)
		}
	}
	if got, want := tensors.ToScalar[float32](all.Loss), sum/float32(len(labels)-1); !(math.Abs(float64(got-want)) <= 1e-5) {
		t.Errorf("loss: got %v, want %v", got, want)
	}
}

// TestNLVR2Padding: masked tokens and regions leave the logits.
func TestNLVR2Padding(t *testing.T) {
	m, in := statements(t, portable(t))
	one := statement(t, in, 1)
	want, err := m.Forward(t.Context(), one, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	// pad appends to axis 1; of what has two pictures there, each is padded alone.
	two := func(value *tensors.Tensor, filler float32) *tensors.Tensor {
		dims := value.Shape().Dimensions
		first, second := pad(t, pictureOf(value, 0), 3, filler), pad(t, pictureOf(value, 1), 3, filler)
		flat := append(tensors.MustCopyFlatData[float32](first), tensors.MustCopyFlatData[float32](second)...)
		return tensors.FromFlatDataAndDimensions(flat, append([]int{1, 2, dims[2] + 3}, dims[3:]...)...)
	}
	mask := tensors.MustCopyFlatData[int64](one.VisualAttentionMask)
	floats := make([]float32, len(mask))
	for i, v := range mask {
		floats[i] = float32(v)
	}
	got, err := m.Forward(t.Context(), &model.Batch{
		InputIDs:            pad(t, one.InputIDs, 7, int64(5)),
		TokenTypeIDs:        pad(t, one.TokenTypeIDs, 7, int64(1)),
		AttentionMask:       pad(t, one.AttentionMask, 7, int64(0)),
		VisualFeats:         two(one.VisualFeats, 3),
		VisualPos:           two(one.VisualPos, 0.5),
		VisualAttentionMask: two(tensors.FromFlatDataAndDimensions(floats, one.VisualAttentionMask.Shape().Dimensions...), 0),
	}, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	golden.Near(t, "logits", got.Logits, want.Logits, golden.Tolerance{Absolute: 1e-5}, 0)
}

// TestNLVR2Inputs breaks one thing of a good batch at a time.
func TestNLVR2Inputs(t *testing.T) {
	m, good := statements(t, portable(t))
	if err := m.Config().CheckInputs(model.HeadNLVR2, good); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		breaks func(*model.Batch)
		want   string
	}{
		"one picture each":   {func(b *model.Batch) { b.VisualFeats = floats(4, 6, 20) }, "visual_feats: found shape [4 6 20], want [4 2 6 20]"},
		"three pictures":     {func(b *model.Batch) { b.VisualPos = floats(4, 3, 6, 4) }, "visual_pos: found shape [4 3 6 4], want [4 2 6 4]"},
		"one pair for all":   {func(b *model.Batch) { b.VisualFeats = floats(1, 2, 6, 20) }, "visual_feats: found shape [1 2 6 20], want [4 2 6 20]"},
		"mask of one":        {func(b *model.Batch) { b.VisualAttentionMask = floats(4, 6) }, "visual_attention_mask: found shape [4 6], want [4 2 6]"},
		"no features":        {func(b *model.Batch) { b.VisualFeats = nil }, "visual_feats: missing"},
		"label of each word": {func(b *model.Batch) { b.Labels = zeros(4, 10) }, "labels: found shape [4 10], want [4]"},
		"label 2":            {func(b *model.Batch) { b.Labels = tensors.FromValue([]int64{0, 1, 2, 1}) }, "labels: element [2] is 2, want 0..1 or -100 for none"},
		"match":              {func(b *model.Batch) { b.MatchedLabel = good.Labels }, "matched_label: LxmertForNLVR2 takes no such labels"},
		"answer":             {func(b *model.Batch) { b.Ans = good.Labels }, "ans: LxmertForNLVR2 takes no such labels"},
		"infinite feature": {func(b *model.Batch) {
			b.VisualFeats = floats(4, 2, 6, 20)
			setFloat(b.VisualFeats, 130, float32(math.Inf(1)))
		}, "visual_feats: element [0 1 0 10] is +Inf"},
	} {
		batch := *good
		test.breaks(&batch)
		if _, err := m.Forward(t.Context(), &batch, model.Options{}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, test.want)
		}
	}
	if err := m.Config().CheckInputs(model.HeadQuestionAnswering, good); err == nil || !strings.Contains(err.Error(), "visual_feats: found shape [4 2 6 20], want [4 6 20]") {
		t.Errorf("two pictures for a question: %v", err)
	}
}

// TestNLVR2HasNoAnswerHead: what is about answers is refused, and its weights keep their place.
func TestNLVR2HasNoAnswerHead(t *testing.T) {
	m, _ := statements(t, portable(t))
	_, get := m.GetQALogitLayer()
	for name, err := range map[string]error{
		"resize": m.ResizeNumQALabels(5, 1), "get": get,
		"set": m.SetQALogitLayer(model.LogitLayer{Weight: floats(5, 96), Bias: floats(5)}),
	} {
		if !errors.Is(err, model.ErrNoAnswerHead) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := m.GetInputEmbeddings(); err != nil {
		t.Error(err)
	}
}

// TestNLVR2Run: Run, the names and the class are those of the head.
func TestNLVR2Run(t *testing.T) {
	m, in := statements(t, portable(t))
	out, err := m.Run(t.Context(), in, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range out.Named() {
		names = append(names, name)
	}
	if !slices.Equal(names, []string{"loss", "logits"}) {
		t.Errorf("outputs %v", names)
	}
	for _, name := range []string{"nlvr2", model.HeadNLVR2.Class()} {
		if head, err := model.ParseHead(name); err != nil || head != model.HeadNLVR2 {
			t.Errorf("%s: got %v, %v", name, head, err)
		}
	}
}

// TestNLVR2Operations counts a model small enough to count by hand.
func TestNLVR2Operations(t *testing.T) {
	c := model.DefaultConfig()
	c.HiddenSize, c.NumAttentionHeads, c.IntermediateSize, c.VisualFeatDim, c.VisualPosDim = 2, 1, 3, 5, 4
	c.LanguageLayers, c.VisionLayers = 1, 1
	const tokens, regions = 3, 4
	attention := func(r, s int) int { return 2*2*r*2*2 + 2*2*s*2*2 + 4*r*s*2 }
	feedForward := func(r int) int { return 2 * 2 * r * 2 * 3 }
	language := attention(3, 3) + feedForward(3)
	vision := 2*4*5*2 + 2*4*4*2 + attention(4, 4) + feedForward(4)
	cross := attention(3, 4) + attention(4, 3) + attention(3, 3) + attention(4, 4) + feedForward(3) + feedForward(4)
	last := attention(3, 4) + attention(1, 3) + feedForward(1)
	const pooler, head, word = 2 * 2 * 2, 2*4*4 + 2*4*2, 2 * 3 * 2 * 2
	for layers, want := range []int{
		language + 2*(vision+pooler) + head,
		language + 2*(vision+last+pooler) + head - word,         // the query
		language + 2*(vision+cross+last+pooler) + head - 3*word, // query, key and value
		language + 2*(vision+2*cross+last+pooler) + head - 3*word,
	} {
		c.CrossLayers = layers
		if got := c.NLVR2Operations(5, tokens, regions); got != 5*want {
			t.Errorf("%d cross-modality layers: %d, want %d", layers, got, 5*want)
		}
	}
}
