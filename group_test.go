package lxmert

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/data"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// TestDivide tries every way to cut the sorted items.
func TestDivide(t *testing.T) {
	c := model.DefaultConfig()
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		items := make([]item, 1+random.IntN(9))
		for i := range items {
			items[i] = item{i, 3 + random.IntN(12), 34 + random.IntN(3)}
		}
		one := random.IntN(2) == 0
		if one {
			for i := range items {
				items[i].regions = 36
			}
		}
		pass := (&Model{reader: &reader{config: c}}).passCost(one)
		groups, cost := divide(items, pass)
		priced := func(group []int) int {
			tokens, regions := 0, 0
			for _, i := range group {
				tokens, regions = max(tokens, items[i].tokens), max(regions, items[i].regions)
			}
			return pass(len(group), tokens, regions)
		}
		var sorted []int
		total := 0
		for _, group := range groups {
			sorted = append(sorted, group...)
			total += priced(group)
		}
		if total != cost {
			t.Fatalf("%v: the groups %v cost %d, not %d", items, groups, total, cost)
		}
		least := math.MaxInt
		for cuts := range 1 << (len(items) - 1) {
			total, start := 0, 0
			for end := 1; end <= len(items); end++ {
				if end == len(items) || cuts>>(end-1)&1 == 1 {
					total += priced(sorted[start:end])
					start = end
				}
			}
			least = min(least, total)
		}
		if cost != least {
			t.Errorf("%v: %v costs %d, the cheapest %d", items, groups, cost, least)
		}
		slices.Sort(sorted)
		for i := range items {
			if len(sorted) != len(items) || sorted[i] != i {
				t.Fatalf("%v: each once, but found %v", items, groups)
			}
		}
	}
}

// TestGroups: what the base size does.
func TestGroups(t *testing.T) {
	m := &Model{reader: &reader{config: model.DefaultConfig()}}
	for name, test := range map[string]struct {
		tokens, pictures []int // of each query
		want             [][]int
	}{
		"one":                                    {[]int{9}, []int{0}, [][]int{{0}}},
		"as long":                                {[]int{9, 9, 9}, []int{0, 1, 2}, [][]int{{0, 1, 2}}},
		"a token of padding is less than a pass": {[]int{9, 10, 9}, []int{0, 1, 2}, [][]int{{0, 2, 1}}},
		"much padding is more":                   {[]int{30, 9, 9, 30}, []int{0, 1, 2, 3}, [][]int{{1, 2}, {0, 3}}},
		"a picture asked much has a pass of its own":      {[]int{9, 9, 10, 9, 9}, []int{0, 1, 1, 1, 2}, [][]int{{1, 3, 2}, {0, 4}}},
		"asked twice, and lengths far apart, it has none": {[]int{9, 9, 25, 25}, []int{0, 1, 1, 2}, [][]int{{0, 1}, {2, 3}}},
		"all about one picture":                           {[]int{9, 12, 10}, []int{0, 0, 0}, [][]int{{0, 2, 1}}},
	} {
		pictures := make([]Regions, 3+1)
		for i := range pictures {
			pictures[i] = Regions{Features: make([]float32, 36*2048), FeatureWidth: 2048, Boxes: make([]float32, 36*4)}
		}
		queries, encodings := make([]Query, len(test.tokens)), make([]tokenizer.Encoding, len(test.tokens))
		for i := range queries {
			queries[i].Regions = pictures[test.pictures[i]]
			encodings[i].IDs = make([]int32, test.tokens[i])
		}
		if got := m.groups(queries, encodings); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: found %v, want %v", name, got, test.want)
		}
	}
}

// TestStatementGroups: what the base size does with pairs.
func TestStatementGroups(t *testing.T) {
	s := &Statements{&reader{config: model.DefaultConfig()}}
	for name, test := range map[string]struct {
		tokens, left, right []int // of each pair
		want                [][]int
	}{
		"one":                  {[]int{20}, []int{36}, []int{36}, [][]int{{0}}},
		"a token of padding":   {[]int{19, 20, 19}, []int{36, 36, 36}, []int{36, 36, 36}, [][]int{{0, 2, 1}}},
		"much padding":         {[]int{50, 9, 9, 50}, []int{36, 36, 36, 36}, []int{36, 36, 36, 36}, [][]int{{1, 2}, {0, 3}}},
		"few regions and many": {[]int{9, 9, 9}, []int{36, 10, 9}, []int{10, 10, 36}, [][]int{{1}, {0, 2}}},
	} {
		pairs, encodings := make([]Pair, len(test.tokens)), make([]tokenizer.Encoding, len(test.tokens))
		picture := func(n int) Regions { return Regions{Features: make([]float32, n*2048), FeatureWidth: 2048} }
		for i := range pairs {
			pairs[i] = Pair{Left: picture(test.left[i]), Right: picture(test.right[i])}
			encodings[i].IDs = make([]int32, test.tokens[i])
		}
		if got := s.groups(pairs, encodings); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: found %v, want %v", name, got, test.want)
		}
	}
}

// manyQueries are questions of many lengths about pictures with different numbers of regions, some asked more than once.
func manyQueries(t *testing.T) (*Model, []Query) {
	t.Helper()
	m, err := Open("examples/tiny")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	tsv, err := data.OpenTSV("examples/regions.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer tsv.Close()
	var pictures []Regions
	for _, name := range []string{"drawn-1", "drawn-2"} {
		whole, err := tsv.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		few, n := whole, whole.Len()-1
		few.Features, few.Boxes = slices.Clone(whole.Features[:n*whole.FeatureWidth]), slices.Clone(whole.Boxes[:n*4])
		few.Objects, few.Attributes = nil, nil
		pictures = append(pictures, whole, few)
	}
	random := rand.New(rand.NewPCG(3, 4))
	queries := make([]Query, 40)
	for i := range queries {
		r := pictures[random.IntN(len(pictures))]
		if i%3 == 0 { // a copy is a picture of its own
			r.Features = slices.Clone(r.Features)
		}
		queries[i] = Query{r, "Is the dog" + strings.Repeat(" red dog", random.IntN(12)) + "?"}
	}
	return m, queries
}

// TestGroupedAnswers: in groups the answers are those of one question after another, in the questions' order.
func TestGroupedAnswers(t *testing.T) {
	m, queries := manyQueries(t)
	encodings, err := m.encodeAll(queries)
	if err != nil {
		t.Fatal(err)
	}
	groups := m.groups(queries, encodings)
	padded, shared := false, false
	for _, group := range groups {
		batch := m.batch(queries, encodings, group)
		padded = padded || batch.AttentionMask != nil
		shared = shared || batch.VisualFeats.Shape().Dim(0) < len(group)
	}
	if len(groups) < 4 || !padded || !shared {
		t.Errorf("%d groups, some padded: %v, some about one picture: %v: the test wants all kinds", len(groups), padded, shared)
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
		want := make([]float32, len(alone))
		for _, a := range alone {
			want[a.ID] = a.Score
		}
		for _, a := range together[i] {
			if !(math.Abs(float64(a.Score-want[a.ID])) <= 1e-5) {
				t.Errorf("query %d, answer %d: %v, alone %v", i, a.ID, a.Score, want[a.ID])
			}
		}
	}
}

// TestGroupedErrors: the number of a query is its place in the batch, whatever group it went with.
func TestGroupedErrors(t *testing.T) {
	m, queries := manyQueries(t)
	const damaged = 17
	features := slices.Clone(queries[damaged].Regions.Features)
	for i := range features {
		features[i] = math.MaxFloat32
	}
	queries[damaged].Regions.Features = features
	var bad *QueryError
	if _, err := m.AskBatch(t.Context(), queries); !errors.As(err, &bad) || bad.Index != damaged {
		t.Errorf("want an error of query %d, found: %v", damaged, err)
	}
}

// TestCancelledBetweenGroups: no further pass begins once the caller has gone.
func TestCancelledBetweenGroups(t *testing.T) {
	m, queries := manyQueries(t)
	encodings, err := m.encodeAll(queries)
	if err != nil {
		t.Fatal(err)
	}
	pass := func([]int) (*tensors.Tensor, error) {
		t.Error("a pass began")
		return nil, errors.New("a pass began")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.run(ctx, len(queries), m.groups(queries, encodings), pass); !errors.Is(err, context.Canceled) {
		t.Errorf("found %v", err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.run(t.Context(), len(queries), m.groups(queries, encodings), pass); !errors.Is(err, model.ErrClosed) {
		t.Errorf("closed: found %v", err)
	}
}
