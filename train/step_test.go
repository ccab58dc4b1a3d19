package train_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	gomodel "github.com/gomlx/gomlx/ml/model"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/internal/formula"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/train"
)

func BenchmarkStep(b *testing.B) {
	engine, err := backend.Open("")
	if err != nil {
		b.Fatal(err)
	}
	config := model.DefaultConfig()
	m, err := model.NewLxmertForPreTraining(engine, config, formula.Weights)
	if err != nil {
		b.Fatal(err)
	}
	const batch, tokens, regions = 8, 20, 36
	r := rand.New(rand.NewPCG(1, 2))
	ints := func(n int, dims ...int) *tensors.Tensor {
		x := make([]int32, size(dims))
		for i := range x {
			x[i] = int32(r.IntN(n))
		}
		return tensors.FromFlatDataAndDimensions(x, dims...)
	}
	floats := func(dims ...int) *tensors.Tensor {
		x := make([]float32, size(dims))
		for i := range x {
			x[i] = r.Float32()
		}
		return tensors.FromFlatDataAndDimensions(x, dims...)
	}
	in := &model.Batch{
		InputIDs: ints(config.VocabSize, batch, tokens), VisualFeats: floats(batch, regions, 2048), VisualPos: floats(batch, regions, 4),
		Labels: ints(config.VocabSize, batch, tokens), MatchedLabel: ints(2, batch), Ans: ints(config.NumQALabels, batch),
		ObjLabels: &model.ObjLabels[*tensors.Tensor]{
			Obj:  model.ObjLabel[*tensors.Tensor]{Label: ints(config.NumObjectLabels, batch, regions), Conf: floats(batch, regions)},
			Attr: model.ObjLabel[*tensors.Tensor]{Label: ints(config.NumAttrLabels, batch, regions), Conf: floats(batch, regions)},
			Feat: model.ObjLabel[*tensors.Tensor]{Label: floats(batch, regions, 2048), Conf: floats(batch, regions)},
		},
	}
	args, assemble := in.Nodes()
	step, err := train.NewStep(m.Network, func(s *gomodel.Scope, inputs []*graph.Node) *graph.Node {
		return config.PreTraining(s, assemble(inputs), model.Options{}).Loss
	}, &train.BertAdam{LearningRate: 1e-4, Warmup: 0.05, Steps: 1000}, 1)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		start := time.Now()
		out, err := step.Run(args...)
		if err != nil {
			b.Fatal(err)
		}
		b.Log(out, time.Since(start))
	}
}

func size(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}
