package train

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/model"
)

// drawn is how many examples the tests of rates draw.
const drawn = 40_000

// sample is pre-training on 6 pictures with 1 to 4 sentences each, of 12 tokens and 8 regions or more; every other sentence is a question.
func sample(t testing.TB) *PreTraining {
	t.Helper()
	pictures := []int32{7, 7, 3, 100, 3, 7, 9, 9, -2, 11, 7, 3}
	pairs, err := NewPairs(pictures)
	if err != nil {
		t.Fatal(err)
	}
	p := &PreTraining{
		Pairs: pairs,
		Tokens: func(sentence int) (ids, special []int32) {
			ids, special = make([]int32, 14), make([]int32, 14)
			for i := range 10 {
				ids[i+1] = int32(1000 + 20*sentence + i)
			}
			ids[0], ids[11] = 101, 102
			special[0], special[11], special[12], special[13] = 1, 1, 1, 1
			return ids, special
		},
		Regions: func(sentence int) int { return 8 + int(pictures[sentence]&3) },
		Answers: func(sentence int) []SoftAnswer {
			if sentence%2 == 1 {
				return nil
			}
			return []SoftAnswer{{5, 0.3}, {6, 0}, {7, 0.9}, {8, 0.3}}
		},
		MaskID: 103, Vocabulary: 2000, WordRate: 0.15, RegionRate: 0.15, Matching: true,
	}
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	return p
}

func draw(t testing.TB, p *PreTraining, seed uint64, n int) []PreTrainingExample {
	t.Helper()
	r := NewPreTrainingRandom(seed)
	examples := make([]PreTrainingExample, n)
	for i := range examples {
		var err error
		if examples[i], err = p.Draw(r, i%p.Pairs.Len()); err != nil {
			t.Fatal(err)
		}
	}
	return examples
}

func TestWordRates(t *testing.T) {
	p := sample(t)
	var untouched, hidden, other, same int
	random := make([]int, 20) // where in the vocabulary random words come from
	places := make([]int, 10) // where in the sentence words are masked
	for _, e := range draw(t, p, 1, drawn) {
		ids, special := p.Tokens(e.Sentence)
		for i, label := range e.WordLabels {
			switch {
			case special[i] != 0 || label == model.IgnoreLabel:
				if e.IDs[i] != ids[i] || label != model.IgnoreLabel {
					t.Fatalf("token %d was %d, became %d with label %d", i, ids[i], e.IDs[i], label)
				}
				if special[i] == 0 {
					untouched++
				}
				continue
			case label != ids[i]:
				t.Fatalf("label %d of token %d", label, ids[i])
			case e.IDs[i] == p.MaskID:
				hidden++
			case e.IDs[i] == ids[i]:
				same++
			default:
				other++
				random[int(e.IDs[i])*len(random)/p.Vocabulary]++
			}
			places[i-1]++
		}
	}
	// A random word is the word itself, or [MASK], once in 2,000 times.
	once := 0.1 / 2000
	chiSquare(t, "words", []int{untouched, hidden, other, same},
		[]float64{0.85, 0.15 * (0.8 + once), 0.15 * (0.1 - 2*once), 0.15 * (0.1 + once)})
	chiSquare(t, "random words", random, slices.Repeat([]float64{1.0 / 20}, 20))
	chiSquare(t, "places of masked words", places, slices.Repeat([]float64{0.1}, 10))
}

func TestRegionRates(t *testing.T) {
	p := sample(t)
	pictures := p.Pairs.pictures
	total, zero, other, kept := 0, 0, 0, 0
	rows, places := make([]int, 8), make([]int, 8)
	from := make([]int, p.Pairs.Len()) // for sentence 3, whose picture is its own alone
	for i, e := range draw(t, p, 2, drawn) {
		sentence := i % p.Pairs.Len()
		total += p.Regions(sentence)
		last := -1
		for _, m := range e.Regions {
			if m.Region <= last || m.Region >= p.Regions(sentence) {
				t.Fatalf("region %d after %d, of %d", m.Region, last, p.Regions(sentence))
			}
			last = m.Region
			if m.Region < 8 {
				places[m.Region]++
			}
			switch {
			case m.Zero && m.From != nil:
				t.Fatal("both zero and another's")
			case m.Zero:
				zero++
			case m.From == nil:
				kept++
			default:
				other++
				if pictures[m.From.Sentence] == pictures[sentence] {
					t.Fatalf("a region of the same picture %d", pictures[sentence])
				}
				if n := p.Regions(m.From.Sentence); n == 8 {
					rows[m.From.Region]++
				} else if m.From.Region < 0 || m.From.Region >= n {
					t.Fatalf("region %d of %d", m.From.Region, n)
				}
				if sentence == 3 {
					from[m.From.Sentence]++
				}
			}
		}
	}
	chiSquare(t, "regions", []int{total - zero - other - kept, zero, other, kept}, []float64{0.85, 0.15 * 0.8, 0.15 * 0.1, 0.15 * 0.1})
	chiSquare(t, "places of masked regions", places, slices.Repeat([]float64{1.0 / 8}, 8))
	chiSquare(t, "rows of other pictures", rows, slices.Repeat([]float64{1.0 / 8}, 8))
	want := slices.Repeat([]float64{1.0 / 11}, 12)
	want[3] = 0
	chiSquare(t, "sentences whose pictures regions are from", from, want)
}

func TestMatchingRates(t *testing.T) {
	p := sample(t)
	pictures := p.Pairs.pictures
	matched := 0
	shown := make([]int, p.Pairs.Len()) // with sentence 1's picture, which has 4
	for i, e := range draw(t, p, 3, drawn) {
		sentence := i % p.Pairs.Len()
		if e.Matched {
			matched++
			if e.Sentence != sentence {
				t.Fatalf("sentence %d matches %d", e.Sentence, sentence)
			}
			continue
		}
		if pictures[e.Sentence] == pictures[sentence] {
			t.Fatalf("sentence %d does not match, but is about the same picture as %d", e.Sentence, sentence)
		}
		if e.Answer != model.IgnoreLabel {
			t.Fatalf("answer %d to a question that was not asked", e.Answer)
		}
		if sentence == 1 {
			shown[e.Sentence]++
		}
	}
	chiSquare(t, "matching", []int{matched, drawn - matched}, []float64{0.5, 0.5})
	want := slices.Repeat([]float64{1.0 / 8}, 12)
	for i, picture := range pictures {
		if picture == pictures[1] {
			want[i] = 0
		}
	}
	chiSquare(t, "sentences that do not match", shown, want)

	p.Matching = false
	for i, e := range draw(t, p, 3, 1000) {
		if !e.Matched || e.Sentence != i%p.Pairs.Len() {
			t.Fatalf("without matching, example %d is %+v", i, e)
		}
	}
}

func TestAnswerRates(t *testing.T) {
	counts := map[int32]int{}
	for i, e := range draw(t, sample(t), 4, drawn) {
		if e.Matched && i%12%2 == 0 {
			counts[e.Answer]++
		} else if e.Answer != model.IgnoreLabel {
			t.Fatalf("answer %d to sentence %d, matched %v", e.Answer, i%12, e.Matched)
		}
	}
	if len(counts) != 3 {
		t.Errorf("answers %v", counts)
	}
	chiSquare(t, "answers", []int{counts[5], counts[6], counts[7], counts[8]}, []float64{0.2, 0, 0.6, 0.2})
}

func TestDrawAnswer(t *testing.T) {
	r := NewRandom(1, "")
	counts := make([]int, 4)
	for range 400_000 {
		counts[drawAnswer(r, []SoftAnswer{{0, 0.3}, {1, 1}, {2, 0.6}, {3, 0.1}})]++
	}
	chiSquare(t, "answers", counts, []float64{0.15, 0.5, 0.3, 0.05})
	for _, c := range []struct {
		answers []SoftAnswer
		want    int32
	}{
		{nil, model.IgnoreLabel},
		{[]SoftAnswer{{1, 0}}, model.IgnoreLabel},
		{[]SoftAnswer{{1, float32(math.NaN())}}, model.IgnoreLabel},
		{[]SoftAnswer{{1, -1}, {2, 0.3}, {3, 0}}, 2},
	} {
		for range 100 {
			if got := drawAnswer(r, c.answers); got != c.want {
				t.Fatalf("%v: %d, want %d", c.answers, got, c.want)
			}
		}
	}
}

// What one task draws does not depend on the others.
func TestSourcesAreApart(t *testing.T) {
	p := sample(t)
	all := draw(t, p, 5, 500)
	p.Regions = func(int) int { return 3 }
	p.Answers = func(int) []SoftAnswer { return nil }
	for i, e := range draw(t, p, 5, 500) {
		if e.Sentence != all[i].Sentence || !slices.Equal(e.IDs, all[i].IDs) || !slices.Equal(e.WordLabels, all[i].WordLabels) {
			t.Fatalf("example %d: %+v, with more regions and answers %+v", i, e, all[i])
		}
	}
	other := draw(t, p, 6, 500)
	if slices.EqualFunc(all, other, func(a, b PreTrainingExample) bool { return a.Sentence == b.Sentence }) {
		t.Error("another seed drew the same sentences")
	}
	seen := map[uint64]bool{}
	for _, r := range []*rand.Rand{NewRandom(5, "words"), NewRandom(5, "regions"), NewRandom(6, "words")} {
		seen[r.Uint64()] = true
	}
	if len(seen) != 3 {
		t.Error("sources of other purposes or seeds begin alike")
	}
}

func TestPairsNeedTwoPictures(t *testing.T) {
	for _, pictures := range [][]int32{nil, {4}, {4, 4, 4}} {
		if _, err := NewPairs(pictures); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d sentences about %d pictures", len(pictures), min(1, len(pictures)))) {
			t.Errorf("%v: %v", pictures, err)
		}
	}
	p, err := NewPairs([]int32{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	r := NewRandom(1, "")
	for range 100 {
		if p.other(r, 0) != 1 || p.other(r, 1) != 0 {
			t.Fatal("of two pictures, the other was not drawn")
		}
	}
}

func TestDrawErrors(t *testing.T) {
	p := sample(t)
	for _, sentence := range []int{-1, 12} {
		if _, err := p.Draw(NewPreTrainingRandom(1), sentence); err == nil || err.Error() != fmt.Sprintf("sentence %d of 12", sentence) {
			t.Errorf("sentence %d: %v", sentence, err)
		}
	}
	p.Tokens = func(int) (ids, special []int32) { return []int32{1, 2}, []int32{0} }
	if _, err := p.Draw(NewPreTrainingRandom(1), 0); err == nil || !strings.Contains(err.Error(), "2 tokens, of which 1") {
		t.Errorf("error %v", err)
	}
	p = sample(t)
	p.Regions = func(sentence int) int { return map[bool]int{true: 1000}[sentence == 0] }
	if _, err := p.Draw(NewPreTrainingRandom(1), 0); err == nil || !strings.Contains(err.Error(), "has no regions") {
		t.Errorf("error %v", err)
	}
	bad := PreTraining{MaskID: 5, Vocabulary: 5, WordRate: 1.5, RegionRate: math.NaN()}
	want := "pre-training needs pairs, tokens, regions and answers\n[MASK] is token 5 of 5\nthe share of masked words is 1.5, want 0 to 1\n" +
		"the share of masked regions is NaN, want 0 to 1"
	if err := bad.Check(); err == nil || err.Error() != want {
		t.Errorf("error %v", err)
	}
}

func TestMaskFeatures(t *testing.T) {
	features := []float32{1, 2, 3, 4, 5, 6, 7, 8}
	before := slices.Clone(features)
	regions := []MaskedRegion{{Region: 0, Zero: true}, {Region: 2, From: &RegionOf{9, 1}}, {Region: 3}}
	masked, confidences, err := MaskFeatures(features, 2, regions, func(r RegionOf) ([]float32, error) {
		if r != (RegionOf{9, 1}) {
			t.Errorf("asked for %+v", r)
		}
		return []float32{-1, -2}, nil
	})
	if err != nil || !slices.Equal(masked, []float32{0, 0, 3, 4, -1, -2, 7, 8}) || !slices.Equal(confidences, []float32{1, 0, 1, 1}) {
		t.Errorf("%v, %v, %v", masked, confidences, err)
	}
	if !slices.Equal(features, before) {
		t.Errorf("the picture's features became %v", features)
	}
	gone := errors.New("gone")
	for want, c := range map[string]struct {
		width   int
		regions []MaskedRegion
		feature []float32
		err     error
	}{
		"8 numbers are no features of width 3": {width: 3},
		"8 numbers are no features of width 0": {},
		"region 4 is masked":                   {width: 2, regions: []MaskedRegion{{Region: 4}}},
		"region -1 is masked":                  {width: 2, regions: []MaskedRegion{{Region: -1}}},
		"gone":                                 {width: 2, regions: regions, err: gone},
		"has a feature of width 3, want 2":     {width: 2, regions: regions, feature: make([]float32, 3)},
	} {
		_, _, err := MaskFeatures(features, c.width, c.regions, func(RegionOf) ([]float32, error) { return c.feature, c.err })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	p := sample(b)
	p.Regions = func(int) int { return 36 }
	r := NewPreTrainingRandom(1)
	for i := 0; b.Loop(); i++ {
		if _, err := p.Draw(r, i%12); err != nil {
			b.Fatal(err)
		}
	}
}
