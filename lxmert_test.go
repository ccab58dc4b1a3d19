package lxmert_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/model"
)

const example = "examples/tiny"

// open opens the example model, with random weights, and its two pictures.
func open(t testing.TB, options ...lxmert.Option) (*lxmert.Model, lxmert.Regions, lxmert.Regions) {
	t.Helper()
	m, err := lxmert.Open(example, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	tsv, err := data.OpenTSV("examples/regions.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer tsv.Close()
	first, err := tsv.Get("drawn-1")
	if err != nil {
		t.Fatal(err)
	}
	second, err := tsv.Get("drawn-2")
	if err != nil {
		t.Fatal(err)
	}
	return m, first, second
}

// Example answers a question with the example model, which is not trained.
func Example() {
	m, err := lxmert.Open("examples/tiny")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	features, err := data.OpenTSV("examples/regions.tsv")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer features.Close()
	regions, err := features.Get("drawn-1")
	if err != nil {
		fmt.Println(err)
		return
	}
	answers, err := m.Ask(context.Background(), regions, "What color is the dog?")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s (%.2f), the best of %d\n", answers[0].Text, answers[0].Score, len(answers))
	// Output: cat (0.26), the best of 22
}

func TestAsk(t *testing.T) {
	m, regions, _ := open(t)
	answers, err := m.Ask(t.Context(), regions, "What color is the dog?")
	if err != nil {
		t.Fatal(err)
	}
	if len(answers) != len(m.Labels()) {
		t.Fatalf("%d answers, want all %d", len(answers), len(m.Labels()))
	}
	var sum float64
	seen := map[int]bool{}
	for i, a := range answers {
		sum += float64(a.Probability)
		if seen[a.ID] || a.Text != m.Labels()[a.ID] {
			t.Errorf("answer %d is %+v", i, a)
		}
		seen[a.ID] = true
		if i > 0 && a.Score > answers[i-1].Score {
			t.Errorf("answer %d is better than the one before", i)
		}
	}
	if math.Abs(sum-1) > 1e-5 {
		t.Errorf("probabilities add up to %v", sum)
	}
}

// TestAskBatch: in company of longer questions and pictures with more regions, each answer is the same.
func TestAskBatch(t *testing.T) {
	m, first, second := open(t)
	queries := []lxmert.Query{
		{first, "What color is the dog?"},
		{second, "Is there a man standing next to the big red bus on the street?"},
		{second, "Why?"},
	}
	together, err := m.AskBatch(t.Context(), queries)
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range queries {
		alone, err := m.Ask(t.Context(), q.Regions, q.Question)
		if err != nil {
			t.Fatal(err)
		}
		byID := func(answers []lxmert.Answer) []lxmert.Answer {
			sorted := slices.Clone(answers)
			slices.SortFunc(sorted, func(a, b lxmert.Answer) int { return a.ID - b.ID })
			return sorted
		}
		a, b := byID(alone), byID(together[i])
		for id := range a {
			if !(math.Abs(float64(a[id].Score-b[id].Score)) <= 1e-5) {
				t.Errorf("query %d, answer %d: alone %v, in the batch %v", i, id, a[id].Score, b[id].Score)
			}
		}
	}
	// All about one picture, which is then encoded once.
	shared, err := m.AskBatch(t.Context(), []lxmert.Query{{first, "Why?"}, {first, "What color is the dog?"}})
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range shared[1] {
		for _, alone := range together[0] {
			if alone.ID == id.ID && !(math.Abs(float64(alone.Score-id.Score)) <= 1e-5) {
				t.Errorf("shared picture, answer %d: %v, alone %v", i, id.Score, alone.Score)
			}
		}
	}
	if none, err := m.AskBatch(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("an empty batch gives %v, %v", none, err)
	}
	_, err = m.AskBatch(t.Context(), []lxmert.Query{queries[0], {first, " "}, {lxmert.Regions{}, "Why?"}})
	for _, want := range []string{"query 1: the question is empty", "query 2: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

func TestAskRefuses(t *testing.T) {
	m, regions, _ := open(t)
	inPixels := regions
	inPixels.Boxes = slices.Clone(regions.Boxes)
	for i := range inPixels.Boxes {
		inPixels.Boxes[i] *= 640
	}
	hollow := regions
	hollow.Boxes = slices.Clone(regions.Boxes)
	hollow.Boxes[5] = float32(math.NaN())
	for name, test := range map[string]struct {
		regions  lxmert.Regions
		question string
		want     string
	}{
		"empty":     {regions, "", "the question is empty"},
		"blank":     {regions, " \t\n", "the question is empty"},
		"invisible": {regions, "\u200b\x01", "no words"},
		"not UTF-8": {regions, "what \xff?", "not UTF-8"},
		"long":      {regions, strings.Repeat("dog ", 100), "the model reads 64"},
		"10 MB":     {regions, strings.Repeat("dog ", 10<<18), "shorten it"},
		"pixels":    {inPixels, "why?", "in pixels"},
		"NaN":       {hollow, "why?", "NaN"},
		"nothing":   {lxmert.Regions{}, "why?", "no regions"},
	} {
		if _, err := m.Ask(t.Context(), test.regions, test.question); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, test.want)
		}
	}
}

func TestAskCancelled(t *testing.T) {
	m, regions, _ := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Ask(ctx, regions, "why?"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAskConcurrently(t *testing.T) {
	m, first, second := open(t, lxmert.WithConcurrency(3))
	want, err := m.Ask(t.Context(), first, "What color is the dog?")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			if i%2 == 1 {
				if _, err := m.Ask(context.Background(), second, "Is the man wearing a hat?"); err != nil {
					t.Error(err)
				}
				return
			}
			got, err := m.Ask(context.Background(), first, "What color is the dog?")
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
	group.Wait()
}

// TestMemoryStaysFlat: 10,000 passes of 64 callers at once leave neither memory nor goroutines behind. They come in 195 shapes, of
// 1 to 3 questions with 1 to 13 words about pictures with 1 to 16 regions, the same picture or several; and each caller brings new
// shapes. That is more than the model keeps graphs for (128): 98 shapes come often, so that their graphs stay, and every eleventh pass
// is any of the 195, most of which have lost their graph and are compiled again: a thousand times in all.
func TestMemoryStaysFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: 10,000 passes take some seconds")
	}
	m, first, second := open(t, lxmert.WithConcurrency(8))
	question := func(words int) string { return strings.Repeat("dog ", words) }
	var pictures [][2]lxmert.Regions
	for _, regions := range []int{1, 2, 4, 9, 16} {
		pictures = append(pictures, [2]lxmert.Regions{repeated(first, regions), repeated(second, regions)})
	}
	// ask makes a pass of shape k below 195.
	ask := func(k int) error {
		count, words, pictures := 1+k%3, 1+k/3%13, pictures[k/39]
		queries := make([]lxmert.Query, count)
		for i := range queries {
			queries[i] = lxmert.Query{Regions: pictures[0], Question: question(1 + (words-1)*(count-i)/count)}
			if k%6 >= 3 && i%2 == 1 {
				queries[i].Regions = pictures[1]
			}
		}
		answers, err := m.AskBatch(context.Background(), queries)
		if err == nil && len(answers) != count {
			err = fmt.Errorf("%d answers to %d questions", len(answers), count)
		}
		return err
	}
	shapes := make(chan [2]int) // words and regions that nobody asked before
	go func() {
		defer close(shapes)
		for n := range 3 * 64 {
			shapes <- [2]int{14 + n%32, 4 + n/32}
		}
	}()
	round := func() (heap uint64, goroutines int) {
		var group sync.WaitGroup
		for caller := range 64 {
			group.Go(func() {
				for i := range 51 {
					pass := i*64 + caller
					shape := pass * 7 % 195
					if pass%11 != 0 {
						shape -= shape % 2
					}
					if err := ask(shape); err != nil {
						t.Error(err)
						return
					}
				}
				shape := <-shapes
				if _, err := m.Ask(context.Background(), repeated(first, shape[1]), question(shape[0])); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		runtime.GC()
		runtime.GC() // pools give their memory up at the second
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapInuse, runtime.NumGoroutine()
	}
	before, goroutines := round() // compiles every shape, and fills the graphs' cache
	round()
	after, still := round()
	if after > before+before/4 {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
	if still > goroutines+2 {
		t.Errorf("%d goroutines, then %d", goroutines, still)
	}
}

// repeated is a picture of n regions, those of r over and over.
func repeated(r lxmert.Regions, n int) lxmert.Regions {
	out := lxmert.Regions{FeatureWidth: r.FeatureWidth, Size: r.Size}
	have := len(r.Features) / r.FeatureWidth
	for i := range n {
		at := i % have
		out.Features = append(out.Features, r.Features[at*r.FeatureWidth:(at+1)*r.FeatureWidth]...)
		out.Boxes = append(out.Boxes, r.Boxes[4*at:4*at+4]...)
	}
	return out
}

// TestOpenRefuses breaks a copy of the example, one file at a time.
func TestOpenRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		file, content string
		options       []lxmert.Option
		want          string
	}{
		"config":       {"config.json", `{"hidden_size":`, nil, "config.json: unexpected end"},
		"config value": {"config.json", `{"hidden_size":-1,"x_layers":"two"}`, nil, "x_layers"},
		"weights":      {"model.safetensors", "nonsense", nil, "model.safetensors"},
		"vocabulary":   {"vocab.txt", "[PAD]\n[PAD]\n", nil, "vocab.txt"},
		"labels":       {"labels.json", `["yes","no"]`, nil, "labels.json: 2 answers, but the model scores 22"},
		"labels given": {"unused", "", []lxmert.Option{lxmert.WithLabels([]string{"yes"})}, "1 answers, but the model scores 22"},
		"backend":      {"unused", "", []lxmert.Option{lxmert.WithBackendName("tpu")}, `found "tpu"`},
		"concurrency":  {"unused", "", []lxmert.Option{lxmert.WithConcurrency(0)}, "want 1 or more"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(example)); err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(test.file, "vocab.txt") { // which is read where there is no tokenizer.json
				if err := os.Remove(filepath.Join(dir, "tokenizer.json")); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(dir, test.file), []byte(test.content), 0o644); err != nil {
				t.Fatal(err)
			}
			m, err := lxmert.Open(dir, test.options...)
			if err == nil {
				m.Close()
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
	if _, err := lxmert.Open(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty directory: %v", err)
	}
}

func TestClosed(t *testing.T) {
	m, regions, _ := open(t)
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Ask(t.Context(), regions, "why?"); err == nil {
		t.Error("a closed model answers")
	}
}

func BenchmarkAsk(b *testing.B) {
	m, regions, _ := open(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Ask(b.Context(), regions, "What color is the dog?"); err != nil {
			b.Fatal(err)
		}
	}
}

// TestCloseDuringAsk: questions under way get their answers, later ones ErrClosed, and nothing else.
func TestCloseDuringAsk(t *testing.T) {
	m, regions, _ := open(t, lxmert.WithConcurrency(4))
	var group sync.WaitGroup
	started := make(chan struct{}, 6)
	for range 6 {
		group.Go(func() {
			for i := 0; ; i++ {
				_, err := m.Ask(context.Background(), regions, "What color is the dog?")
				if i == 0 {
					started <- struct{}{}
				}
				if err != nil {
					if !errors.Is(err, model.ErrClosed) {
						t.Errorf("got %v", err)
					}
					return
				}
			}
		})
	}
	for range 6 {
		<-started
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	group.Wait()
}

// TestLabelsAreCopied: the model's answers are its own.
func TestLabelsAreCopied(t *testing.T) {
	labels := make([]string, 22)
	m, _, _ := open(t, lxmert.WithLabels(labels), nil)
	labels[0] = "changed"
	if m.Labels()[0] != "" {
		t.Error("the caller's slice is the model's")
	}
}

// TestDamagedWeights: an answer head that gives NaN is reported, not ranked.
func TestDamagedWeights(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(example)); err != nil {
		t.Fatal(err)
	}
	file, err := checkpoint.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var damaged []checkpoint.Tensor
	for _, name := range file.Names() {
		tensor, _ := file.Tensor(name)
		if name == "answer_head.logit_fc.3.bias" {
			values, err := tensor.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			values[3] = float32(math.NaN())
			if tensor, err = checkpoint.FromFloat32s(name, tensor.Shape, values); err != nil {
				t.Fatal(err)
			}
		} else if tensor, err = tensor.Clone(); err != nil {
			t.Fatal(err)
		}
		damaged = append(damaged, tensor)
	}
	file.Close()
	if err := checkpoint.Write(filepath.Join(dir, checkpoint.SingleName), damaged, nil); err != nil {
		t.Fatal(err)
	}
	m, err := lxmert.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	_, regions, _ := open(t)
	if _, err := m.Ask(t.Context(), regions, "why?"); err == nil || !strings.Contains(err.Error(), "scores answer 3 with NaN") {
		t.Errorf("got %v", err)
	}
}

// TestTablesDisagree: labels.json and id2label of one size and other answers.
func TestTablesDisagree(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(example)); err != nil {
		t.Fatal(err)
	}
	other := strings.Repeat("other\n", 22)
	if err := os.WriteFile(filepath.Join(dir, lxmert.LabelsName), []byte(other), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := lxmert.Open(dir); err == nil || !strings.Contains(err.Error(), "disagree") {
		t.Errorf("got %v", err)
	}
}
