// Precision measures what bf16 and int8 cost: how far hidden states are off, layer by layer, in the base size with weights by a formula and in the shipped model;
// and how many answers about pictures that no training has seen stay the same. docs/precision.md has its figures, docs/precision-layers.svg its plot.
//
//	go run ./bench/precision -out docs
package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/bench/internal/chart"
	"github.com/go-lxmert/lxmert/internal/formula"
	"github.com/go-lxmert/lxmert/internal/sample"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/shipped"
)

var precisions = []model.Precision{model.BFloat16, model.Int8}

func main() {
	out := flag.String("out", ".", "`directory` for precision-layers.svg")
	pictures := flag.Int("pictures", 1000, "pictures to ask about")
	flag.Parse()
	if err := run(context.Background(), *out, *pictures); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out string, pictures int) error {
	engine, err := backend.Open("")
	if err != nil {
		return err
	}
	defer engine.Finalize()
	fmt.Println(engine.Description())
	base, err := baseLayers(ctx, engine)
	if err != nil {
		return err
	}
	small, err := shippedLayers(ctx, engine)
	if err != nil {
		return err
	}
	picture := chart.Chart{Columns: 1, Height: 265, Panels: []chart.Panel{base.panel("Base size, weights by a formula"), small.panel("The shipped model")}}
	if err := os.WriteFile(filepath.Join(out, "precision-layers.svg"), picture.SVG(), 0o644); err != nil {
		return err
	}
	return answers(ctx, engine, pictures)
}

// layers are the errors of hidden states after each layer, in the order in which a pass goes through them: language, object-relationship, cross-modality (both streams),
// pooled output, logits; as a share of the states' own size (root mean squares).
type layers struct {
	names  []string
	errors map[model.Precision][]float64
}

// baseLayers are those of the base size.
func baseLayers(ctx context.Context, engine compute.Backend) (layers, error) {
	config := model.DefaultConfig()
	config.NumQALabels = 3129
	return measure(ctx, sample.Questions(config, 8, 8, 20, 36), func(p model.Precision) (*model.Network, error) {
		return model.NewIn(engine, config, model.HeadQuestionAnswering, p, model.Source(formula.Weights).Kept())
	})
}

// shippedLayers are those of the shipped model, asked about a drawn scene.
func shippedLayers(ctx context.Context, engine compute.Backend) (layers, error) {
	config, err := pretrained.ConfigFS(shipped.QuestionAnswering())
	if err != nil {
		return layers{}, err
	}
	regions, err := scenes.Detector{}.Extract(ctx, scenes.New(1).Draw())
	if err != nil {
		return layers{}, err
	}
	in := sample.Questions(config, 1, 1, 10, regions.Len())
	in.VisualFeats = tensors.FromFlatDataAndDimensions(regions.Features, 1, regions.Len(), regions.FeatureWidth)
	in.VisualPos = tensors.FromFlatDataAndDimensions(regions.Boxes, 1, regions.Len(), 4)
	return measure(ctx, in, func(p model.Precision) (*model.Network, error) {
		n, _, err := pretrained.LoadFS(engine, shipped.QuestionAnswering(), model.HeadQuestionAnswering, pretrained.Options{Precision: p})
		return n, err
	})
}

// measure runs a batch in float32 and in each precision.
func measure(ctx context.Context, in *model.Batch, open func(model.Precision) (*model.Network, error)) (layers, error) {
	l := layers{errors: map[model.Precision][]float64{}}
	var want [][]float32
	for _, p := range append([]model.Precision{model.Float32}, precisions...) {
		n, err := open(p)
		if err != nil {
			return l, err
		}
		names, states, err := states(ctx, n, in)
		n.Close()
		if err != nil {
			return l, err
		}
		if p == model.Float32 {
			l.names, want = names, states
			continue
		}
		for i := range want {
			l.errors[p] = append(l.errors[p], off(states[i], want[i]))
		}
	}
	return l, nil
}

// states are the hidden states on a pass's way, with their names.
func states(ctx context.Context, n *model.Network, in *model.Batch) (names []string, values [][]float32, err error) {
	encoded, err := n.Encode(ctx, in, model.Options{HiddenStates: true})
	if err != nil {
		return nil, nil, err
	}
	out, err := (&model.LxmertForQuestionAnswering{Network: n}).Forward(ctx, in, model.Options{})
	if err != nil {
		return nil, nil, err
	}
	c := n.Config()
	add := func(name string, t *tensors.Tensor) {
		if err != nil {
			return
		}
		var flat []float32
		flat, err = tensors.CopyFlatData[float32](t)
		names, values = append(names, name), append(values, flat)
	}
	for i := range c.LanguageLayers {
		add(fmt.Sprint("L", i+1), encoded.LanguageHiddenStates[i])
	}
	for i := range c.VisionLayers {
		add(fmt.Sprint("R", i+1), encoded.VisionHiddenStates[i])
	}
	for i := range c.CrossLayers {
		add(fmt.Sprint("X", i+1), encoded.LanguageHiddenStates[c.LanguageLayers+i])
	}
	add("pool", encoded.PooledOutput)
	add("logits", out.QuestionAnsweringScore)
	return names, values, err
}

// off is the root mean square of got - want, as a share of want's.
func off(got, want []float32) float64 {
	var difference, size float64
	for i, w := range want {
		d := float64(got[i]) - float64(w)
		difference += d * d
		size += float64(w) * float64(w)
	}
	return math.Sqrt(difference / size)
}

// answers asks the shipped model about drawn scenes of seeds from a million on, which no training has seen.
func answers(ctx context.Context, engine compute.Backend, pictures int) error {
	const first, each = 1_000_000, 8
	var queries []lxmert.Query
	var right []string
	for i := range pictures {
		s := scenes.New(uint64(first + i))
		regions, err := scenes.Detector{}.Extract(ctx, s.Draw())
		if err != nil {
			return err
		}
		for _, e := range s.Examples(each, uint64(i)) {
			queries, right = append(queries, lxmert.Query{Regions: regions, Question: e.Question}), append(right, e.Answer)
		}
	}
	var exact [][]lxmert.Answer
	for _, p := range append([]model.Precision{model.Float32}, precisions...) {
		m, err := lxmert.Shipped(lxmert.WithBackend(engine), lxmert.WithDType(p))
		if err != nil {
			return err
		}
		got, err := m.AskBatch(ctx, queries)
		m.Close()
		if err != nil {
			return err
		}
		if p == model.Float32 {
			exact = got
		}
		report(p, got, exact, right)
	}
	return nil
}

// report prints how answers of a precision compare with those of float32.
func report(p model.Precision, got, exact [][]lxmert.Answer, right []string) {
	same, correct := 0, 0
	var most, sum, spread float64
	n := 0
	for i := range got {
		if got[i][0].ID == exact[i][0].ID {
			same++
		}
		if got[i][0].Text == right[i] {
			correct++
		}
		scores := make([]float64, len(got[i]))
		for _, a := range got[i] {
			scores[a.ID] = float64(a.Score)
		}
		for _, a := range exact[i] {
			d := math.Abs(scores[a.ID] - float64(a.Score))
			most, sum, n = max(most, d), sum+d, n+1
		}
		spread += float64(exact[i][0].Score) - float64(exact[i][len(exact[i])-1].Score)
	}
	spread /= float64(len(got))
	fmt.Printf("%v: %d questions, same answer as float32 %.2f %%, right %.2f %%; logits off by %.4f at most, %.5f on average, of a spread of %.1f\n",
		p, len(got), 100*float64(same)/float64(len(got)), 100*float64(correct)/float64(len(got)), most, sum/float64(n), spread)
}
