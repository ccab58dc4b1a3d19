package explain_test

import (
	"cmp"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/explain"
	"github.com/go-lxmert/lxmert/scenes"
)

// perturbedScenes is how many scenes TestPerturbation looks at; LXMERT_PERTURBED_SCENES has another number, for docs/explain.md.
const perturbedScenes = 10

// TestPerturbation is the paper's own (§4.1): regions are taken away, those first that counted most, or those that counted least. The better an explanation,
// the sooner the first changes the answer, and the later the second. A region that is gone says nothing more; one always stays.
func TestPerturbation(t *testing.T) {
	m, _ := park(t)
	number := perturbedScenes
	if text := os.Getenv("LXMERT_PERTURBED_SCENES"); text != "" {
		var err error
		if number, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	const random = explain.Method("at random")
	methods := append(slices.DeleteFunc(explain.Methods(), func(m explain.Method) bool { return m == explain.MethodAttention }), random)
	kept := map[explain.Method]*[2]float64{} // answers that stay, as a share: the most relevant taken, the least relevant taken
	for _, method := range methods {
		kept[method] = &[2]float64{}
	}
	chance := rand.New(rand.NewPCG(1, 2))
	asked := 0
	for seed := range uint64(number) {
		scene := scenes.New(1_000_000 + seed)
		regions, err := scenes.Detector{}.Extract(t.Context(), scene.Draw())
		if err != nil {
			t.Fatal(err)
		}
		for _, example := range scene.Examples(3, seed) {
			a, err := m.Attend(t.Context(), regions, example.Question, lxmert.BestAnswer)
			if err != nil {
				t.Fatal(err)
			}
			asked++
			for _, method := range methods {
				scores := make([]float32, regions.Len())
				if method == random {
					for i := range scores {
						scores[i] = chance.Float32()
					}
				} else {
					e, err := explain.Of(a, explain.Options{Method: method})
					if err != nil {
						t.Fatal(err)
					}
					scores = e.RegionScores
				}
				order := make([]int, len(scores))
				for i := range order {
					order[i] = i
				}
				slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(scores[j], scores[i]) }) // the most relevant first
				kept[method][0] += stays(t, m, regions, order, example.Question, a.Target.ID)
				slices.Reverse(order)
				kept[method][1] += stays(t, m, regions, order, example.Question, a.Target.ID)
			}
		}
	}
	for _, method := range methods {
		t.Logf("%-24s answers that stay when regions are taken, of %d: the most relevant first %4.1f %%, the least relevant first %4.1f %%",
			method, asked, 100*kept[method][0]/float64(asked), 100*kept[method][1]/float64(asked))
	}
	if ours, other := kept[explain.MethodRelevance], kept[random]; !(ours[0] < other[0] && ours[1] > other[1]) {
		t.Errorf("relevance tells no more than chance: %v, at random %v", *ours, *other)
	}
}

// stays is the share of steps at which the answer is still the same, as one region after the other is taken away in that order.
func stays(t *testing.T, m *lxmert.Model, r lxmert.Regions, order []int, question string, answer int) float64 {
	t.Helper()
	var queries []lxmert.Query
	for taken := 1; taken < len(order); taken++ {
		left := slices.Sorted(slices.Values(order[taken:]))
		some := lxmert.Regions{FeatureWidth: r.FeatureWidth, PosWidth: r.PosWidth, Preset: r.Preset, Size: r.Size}
		for _, i := range left {
			some.Features, some.Boxes = append(some.Features, r.Feature(i)...), append(some.Boxes, r.Box(i)...)
		}
		queries = append(queries, lxmert.Query{Regions: some, Question: question})
	}
	if len(queries) == 0 {
		return 0
	}
	best, err := m.BestBatch(t.Context(), queries)
	if err != nil {
		t.Fatal(err)
	}
	same := 0.0
	for _, b := range best {
		if b.ID == answer {
			same++
		}
	}
	return same / float64(len(queries))
}
