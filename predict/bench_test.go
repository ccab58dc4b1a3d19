package predict

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/internal/formula"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/tokenizer"
	"github.com/go-lxmert/lxmert/vision"
)

// BenchmarkAnswers answers a file with the base-size model: 160 questions of VQA's lengths about 50 pictures of 36 regions in a store. busy is the
// share of the time in which the model was at work.
func BenchmarkAnswers(b *testing.B) {
	const pictures, perPicture = 50, 3.2
	engine, err := backend.Open("")
	if err != nil {
		b.Fatal(err)
	}
	defer engine.Finalize()
	config := model.DefaultConfig()
	network, err := model.NewLxmertForQuestionAnswering(engine, config, formula.Weights)
	if err != nil {
		b.Fatal(err)
	}
	defer network.Close()
	words, err := tokenizer.LoadVocab("../examples/words.txt")
	if err != nil {
		b.Fatal(err)
	}
	m, err := lxmert.New(network, words, make([]string, config.NumQALabels))
	if err != nil {
		b.Fatal(err)
	}
	store := randomStore(b, pictures, config.VisualFeatDim)
	r := rand.New(rand.NewPCG(1, 2))
	text := strings.Fields("what color is the dog next to a big red bus on the street")
	qs := make([]questions.Question, int(pictures*perPicture))
	for i := range qs {
		qs[i] = questions.Question{ID: questions.NumberID(int64(i)), Image: store.IDs()[i%pictures], Sentence: strings.Join(text[:4+r.IntN(8)], " ")}
	}
	for _, batch := range []int{8, 32, 128} {
		b.Run(fmt.Sprint("batch=", batch), func(b *testing.B) {
			ask := asking(m)
			var busy time.Duration
			for b.Loop() {
				_, err := answer(b.Context(), store, qs, Options{Batch: batch}, func(ctx context.Context, batch []asked) ([]Prediction, error) {
					start := time.Now()
					defer func() { busy += time.Since(start) }()
					return ask(ctx, batch)
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(100*busy.Seconds()/b.Elapsed().Seconds(), "%busy")
			b.ReportMetric(float64(len(qs)*b.N)/b.Elapsed().Seconds(), "questions/s")
		})
	}
}

// randomStore has n pictures of 36 regions.
func randomStore(b *testing.B, n, width int) *data.Store {
	b.Helper()
	dir := filepath.Join(b.TempDir(), "store")
	w, err := data.WriteStore(dir, data.StoreOptions{})
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for i := range n {
		regions := vision.Regions{FeatureWidth: width, Features: make([]float32, 36*width)}
		for k := range regions.Features {
			regions.Features[k] = max(0, float32(r.NormFloat64()))
		}
		for range 36 {
			x, y := r.Float32()/2, r.Float32()/2
			regions.Boxes = append(regions.Boxes, x, y, x+0.3, y+0.4)
		}
		if err := w.Add(fmt.Sprint("picture-", i), regions); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	store, err := data.OpenStore(dir)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	return store
}
