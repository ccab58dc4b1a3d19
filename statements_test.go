package lxmert_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// fresh is a network for statements of the example's size, with random weights large enough that verdicts differ, and the
// example's words.
func fresh(t testing.TB) (*model.LxmertForNLVR2, *tokenizer.Tokenizer) {
	t.Helper()
	config, err := pretrained.Config(example)
	if err != nil {
		t.Fatal(err)
	}
	config.InitializerRange = 0.3
	engine, err := backend.Open(backend.Default)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Finalize)
	network, err := model.NewLxmertForNLVR2(engine, config, config.Fresh(7))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { network.Close() })
	words, err := tokenizer.Load(example)
	if err != nil {
		t.Fatal(err)
	}
	return network, words
}

// judge is fresh's Statements, and the example's two pictures.
func judge(t testing.TB, options ...lxmert.Option) (s *lxmert.Statements, left, right lxmert.Regions) {
	t.Helper()
	network, words := fresh(t)
	s, err := lxmert.NewStatements(network, words, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	_, left, right = open(t)
	return s, left, right
}

// TestJudge: the score is the model's, the left picture first; the verdict and its probability follow from it.
func TestJudge(t *testing.T) {
	network, words := fresh(t)
	s, err := lxmert.NewStatements(network, words)
	if err != nil {
		t.Fatal(err)
	}
	_, left, right := open(t)
	right = repeated(right, left.Len())
	const statement = "There is a dog next to the red bus."
	encoding, err := words.Encode(statement, tokenizer.Call{})
	if err != nil {
		t.Fatal(err)
	}
	verdicts := map[bool]lxmert.Verdict{}
	for _, swapped := range []bool{false, true} {
		if swapped {
			left, right = right, left
		}
		got, err := s.Judge(t.Context(), left, right, statement)
		if err != nil {
			t.Fatal(err)
		}
		out, err := network.Forward(t.Context(), &model.Batch{
			InputIDs: tensors.FromFlatDataAndDimensions(encoding.IDs, 1, len(encoding.IDs)),
			VisualFeats: tensors.FromFlatDataAndDimensions(slices.Concat(left.Features, right.Features),
				1, 2, left.Len(), left.FeatureWidth),
			VisualPos: tensors.FromFlatDataAndDimensions(slices.Concat(left.Boxes, right.Boxes), 1, 2, left.Len(), 4),
		}, model.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want := tensors.MustCopyFlatData[float32](out.Logits)
		no, yes := float64(want[0]), float64(want[1])
		near(t, "false", float64(got.Score[0]), no)
		near(t, "true", float64(got.Score[1]), yes)
		near(t, "probability", float64(got.Probability), math.Exp(yes)/(math.Exp(no)+math.Exp(yes)))
		if got.True != (yes > no) {
			t.Errorf("scores %v: %v", want, got.True)
		}
		verdicts[swapped] = got
	}
	if verdicts[false] == verdicts[true] {
		t.Errorf("the pictures swapped, the verdict is the same: %+v", verdicts[true])
	}
}

func near(t *testing.T, name string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-5) {
		t.Errorf("%s: got %v, want %v", name, got, want)
	}
}

// manyPairs are statements of many lengths about pictures with different numbers of regions.
func manyPairs(first, second lxmert.Regions) []lxmert.Pair {
	random := rand.New(rand.NewPCG(3, 4))
	picture := func() lxmert.Regions {
		return repeated([]lxmert.Regions{first, second}[random.IntN(2)], 1+random.IntN(20))
	}
	pairs := make([]lxmert.Pair, 40)
	for i := range pairs {
		pairs[i] = lxmert.Pair{Left: picture(), Right: picture(), Statement: "The dog is" + strings.Repeat(" red dog", random.IntN(12)) + "."}
	}
	return pairs
}

// TestJudgeBatch: in company of longer statements and pictures with more regions each verdict is the same, in the
// pairs' order.
func TestJudgeBatch(t *testing.T) {
	s, first, second := judge(t)
	pairs := manyPairs(first, second)
	together, err := s.JudgeBatch(t.Context(), pairs)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[bool]int{}
	for i, p := range pairs {
		alone, err := s.Judge(t.Context(), p.Left, p.Right, p.Statement)
		if err != nil {
			t.Fatal(err)
		}
		for class, score := range alone.Score {
			near(t, fmt.Sprintf("pair %d, class %d", i, class), float64(together[i].Score[class]), float64(score))
		}
		seen[alone.True]++
	}
	if seen[true] == 0 || seen[false] == 0 {
		t.Errorf("all verdicts are alike: %v", seen)
	}
	if none, err := s.JudgeBatch(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("an empty batch gives %v, %v", none, err)
	}
}

func TestJudgeRefuses(t *testing.T) {
	s, left, right := judge(t)
	inPixels := right
	inPixels.Boxes = slices.Clone(right.Boxes)
	for i := range inPixels.Boxes {
		inPixels.Boxes[i] *= 640
	}
	for name, test := range map[string]struct {
		pair  lxmert.Pair
		wants []string
	}{
		"empty":      {lxmert.Pair{Left: left, Right: right}, []string{"the statement is empty"}},
		"invisible":  {lxmert.Pair{Left: left, Right: right, Statement: "\u200b\x01"}, []string{"the statement has no words", "that every statement has"}},
		"not UTF-8":  {lxmert.Pair{Left: left, Right: right, Statement: "a \xff"}, []string{"the statement is not UTF-8"}},
		"long":       {lxmert.Pair{Left: left, Right: right, Statement: strings.Repeat("dog ", 100)}, []string{"the statement has 102 tokens, the model reads 64"}},
		"no left":    {lxmert.Pair{Right: right, Statement: "A dog."}, []string{"left: ", "no regions"}},
		"in pixels":  {lxmert.Pair{Left: left, Right: inPixels, Statement: "A dog."}, []string{"right: ", "in pixels"}},
		"everything": {lxmert.Pair{Right: inPixels}, []string{"left: ", "right: ", "the statement is empty"}},
	} {
		_, err := s.Judge(t.Context(), test.pair.Left, test.pair.Right, test.pair.Statement)
		for _, want := range test.wants {
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "pair 0") {
				t.Errorf("%s: got %v, want an error with %q", name, err, want)
			}
		}
		good := lxmert.Pair{Left: left, Right: right, Statement: "A dog."}
		var bad *lxmert.PairError
		if verdicts, err := s.JudgeBatch(t.Context(), []lxmert.Pair{good, test.pair, good}); verdicts != nil || !errors.As(err, &bad) || bad.Index != 1 {
			t.Errorf("%s: got %v, %v, want an error of pair 1", name, verdicts, err)
		}
	}
}

// TestJudgeConcurrently: many callers, of whom some go away, get the verdicts of one.
func TestJudgeConcurrently(t *testing.T) {
	s, first, second := judge(t, lxmert.WithConcurrency(3))
	pairs := manyPairs(first, second)[:8]
	want, err := s.JudgeBatch(t.Context(), pairs)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for caller := range 24 {
		group.Go(func() {
			if caller%6 == 5 {
				ctx, cancel := context.WithCancel(context.Background())
				go cancel()
				if _, err := s.JudgeBatch(ctx, pairs); err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				return
			}
			i := caller % len(pairs)
			got, err := s.Judge(context.Background(), pairs[i].Left, pairs[i].Right, pairs[i].Statement)
			if err != nil {
				t.Error(err)
				return
			}
			near(t, fmt.Sprint("caller ", caller), float64(got.Score[1]), float64(want[i].Score[1]))
		})
	}
	group.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Judge(ctx, first, second, "A dog."); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestStatementsClose: statements under way get their verdicts, later ones ErrClosed; a network that was the caller's stays open.
func TestStatementsClose(t *testing.T) {
	network, words := fresh(t)
	s, err := lxmert.NewStatements(network, words, lxmert.WithConcurrency(4))
	if err != nil {
		t.Fatal(err)
	}
	_, left, right := open(t)
	var group sync.WaitGroup
	started := make(chan struct{}, 6)
	for range 6 {
		group.Go(func() {
			for i := 0; ; i++ {
				_, err := s.Judge(context.Background(), left, right, "The dog is red.")
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
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	group.Wait()
	again, err := lxmert.NewStatements(network, words)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Judge(t.Context(), left, right, "The dog is red."); err != nil {
		t.Errorf("the network was closed: %v", err)
	}
	network.Close()
	if _, err := again.Judge(t.Context(), left, right, "The dog is red."); !errors.Is(err, model.ErrClosed) {
		t.Errorf("by the caller: got %v", err)
	}
}

// TestOpenStatements: what was saved is opened, and judges as it did; what is no model of statements is refused.
func TestOpenStatements(t *testing.T) {
	network, words := fresh(t)
	parts, err := lxmert.NewStatements(network, words)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := pretrained.Save(t.Context(), dir, network.Network); err != nil {
		t.Fatal(err)
	}
	if err := words.Save(dir); err != nil {
		t.Fatal(err)
	}
	opened, err := lxmert.OpenStatements(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, left, right := open(t)
	want, err := parts.Judge(t.Context(), left, right, "The dog is red.")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := opened.Judge(t.Context(), left, right, "The dog is red."); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if opened.Tokenizer().VocabSize() != words.VocabSize() || opened.Config().HiddenSize != 32 {
		t.Errorf("found %d words, hidden size %d", opened.Tokenizer().VocabSize(), opened.Config().HiddenSize)
	}
	if err := opened.Close(); err != nil {
		t.Error(err)
	}
	if _, err := opened.Judge(t.Context(), left, right, "The dog is red."); !errors.Is(err, model.ErrClosed) {
		t.Errorf("closed: got %v", err)
	}
	for name, test := range map[string]struct {
		dir     string
		options []lxmert.Option
		want    string
	}{
		"questions":   {example, nil, "logit_fc.0.weight [64 64] is missing; take a checkpoint with this head"},
		"answers":     {dir, []lxmert.Option{lxmert.WithLabels([]string{"yes"})}, "leave out the option for answers"},
		"concurrency": {dir, []lxmert.Option{lxmert.WithConcurrency(0)}, "want 1 or more"},
		"backend":     {dir, []lxmert.Option{lxmert.WithBackendName("tpu")}, `found "tpu"`},
		"tokens":      {dir, []lxmert.Option{lxmert.WithMaxTokens(65)}, "max tokens: found 65"},
	} {
		if _, err := lxmert.OpenStatements(test.dir, test.options...); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, test.want)
		}
	}
	if _, err := lxmert.OpenStatements(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty directory: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "model.safetensors")); err != nil {
		t.Fatal(err)
	}
	if _, err := lxmert.OpenStatements(dir); err == nil {
		t.Error("no weights: no error")
	}
}

func TestNewStatementsRefuses(t *testing.T) {
	network, words := fresh(t)
	for name, try := range map[string]func() (*lxmert.Statements, error){
		"no network":   func() (*lxmert.Statements, error) { return lxmert.NewStatements(nil, words) },
		"empty":        func() (*lxmert.Statements, error) { return lxmert.NewStatements(&model.LxmertForNLVR2{}, words) },
		"no tokenizer": func() (*lxmert.Statements, error) { return lxmert.NewStatements(network, nil) },
		"an engine": func() (*lxmert.Statements, error) {
			return lxmert.NewStatements(network, words, lxmert.WithBackendName("go"))
		},
		"answers": func() (*lxmert.Statements, error) {
			return lxmert.NewStatements(network, words, lxmert.WithLabels([]string{"yes"}))
		},
		"tokens": func() (*lxmert.Statements, error) {
			return lxmert.NewStatements(network, words, lxmert.WithMaxTokens(2))
		},
	} {
		if _, err := try(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestStatementsAreCut: with a bound on tokens what is beyond it is not read.
func TestStatementsAreCut(t *testing.T) {
	network, words := fresh(t)
	whole, err := lxmert.NewStatements(network, words)
	if err != nil {
		t.Fatal(err)
	}
	cut, err := lxmert.NewStatements(network, words, lxmert.WithMaxTokens(5))
	if err != nil {
		t.Fatal(err)
	}
	_, left, right := open(t)
	want, err := whole.Judge(t.Context(), left, right, "dog dog dog")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := cut.Judge(t.Context(), left, right, strings.Repeat("dog ", 100)); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

// TestDamagedStatements: a head that gives NaN is reported with the pair's number.
func TestDamagedStatements(t *testing.T) {
	network, words := fresh(t)
	bias := tensors.FromValue([]float32{0, float32(math.NaN())})
	if err := network.SetWeight("logit_fc.3.bias", bias); err != nil {
		t.Fatal(err)
	}
	s, err := lxmert.NewStatements(network, words)
	if err != nil {
		t.Fatal(err)
	}
	_, left, right := open(t)
	_, err = s.JudgeBatch(t.Context(), []lxmert.Pair{{Left: left, Right: right, Statement: "A dog."}})
	var bad *lxmert.PairError
	if !errors.As(err, &bad) || !strings.Contains(err.Error(), "true with NaN") {
		t.Errorf("got %v", err)
	}
}

// ExampleStatements judges with a model that has yet to be trained: the example's encoders under a fresh head.
func ExampleStatements() {
	engine, err := backend.Open(backend.Default)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer engine.Finalize()
	network, report, err := pretrained.LxmertForNLVR2(engine, "examples/tiny", pretrained.Options{AllowNewHeads: true, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer network.Close()
	words, err := tokenizer.Load("examples/tiny")
	if err != nil {
		fmt.Println(err)
		return
	}
	statements, err := lxmert.NewStatements(network, words)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer statements.Close()
	features, err := data.OpenTSV("examples/regions.tsv")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer features.Close()
	left, err := features.Get("drawn-1")
	if err != nil {
		fmt.Println(err)
		return
	}
	right, err := features.Get("drawn-2")
	if err != nil {
		fmt.Println(err)
		return
	}
	verdict, err := statements.Judge(context.Background(), left, right, "There is a dog in both pictures.")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%v with probability %.2f; %d weights are fresh\n", verdict.True, verdict.Probability, len(report.NewlyInitialised()))
	// Output: false with probability 0.43; 6 weights are fresh
}
